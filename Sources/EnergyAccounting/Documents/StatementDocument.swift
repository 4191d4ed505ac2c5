import Telemetry

/// A statement as it is handed over: titles, facts, tables and notes, with every number traceable.
///
/// Whoever renders it (HTML, CSV, a workbook, a terminal) rounds nothing and works nothing out: a
/// number is printed with the places that its column or its cell says.
package struct StatementDocument: Hashable, Sendable {
    /// One number and where it comes from.
    package struct Number: Hashable, Sendable {
        package var value: Exact
        /// Decimal places, 0 to 9.
        package var places: Int
        /// What `plumbline energy explain` takes to tell how it came about; nil for what is typed.
        package var trace: String?
        /// Whether a part of it is estimated.
        package var isEstimated: Bool

        package init(
            _ value: Exact, places: Int, trace: String? = nil, isEstimated: Bool = false
        ) {
            self.value = value
            self.places = places
            self.trace = trace
            self.isEstimated = isEstimated
        }

        /// As it is printed.
        package var text: String { value.text(places: places) }
    }

    /// What stands in one place of a table.
    package enum Cell: Hashable, Sendable {
        case text(LocalizedText)
        case number(Number)
        /// Nobody knows; the text says why, and may be empty.
        case missing(LocalizedText)

        /// The same text in both languages, for names and codes.
        package static func word(_ text: String) -> Cell {
            .text(LocalizedText(en: text, zh: text))
        }
    }

    /// What the cells of one column have in common.
    package struct Column: Hashable, Sendable {
        /// In small letters and underscores: the field's name in CSV and JSON, never changed.
        package var key: String
        package var title: LocalizedText
        /// For example `kWh`; empty without one.
        package var unit: String
        package var isNumber: Bool

        package init(
            _ key: String, _ title: LocalizedText, unit: String = "", isNumber: Bool = true
        ) {
            self.key = key
            self.title = title
            self.unit = unit
            self.isNumber = isNumber
        }
    }

    /// Rows of cells under one heading.
    package struct Table: Hashable, Sendable {
        /// In small letters and underscores: the table's name in CSV and JSON, never changed.
        package var key: String
        package var title: LocalizedText
        package var columns: [Column]
        /// Each as long as `columns`.
        package var rows: [[Cell]]
        /// Rows that are sums of others, by their index.
        package var sums: Set<Int>

        package init(
            key: String, title: LocalizedText, columns: [Column], rows: [[Cell]] = [],
            sums: Set<Int> = []
        ) {
            self.key = key
            self.title = title
            self.columns = columns
            self.rows = rows
            self.sums = sums
        }
    }

    /// One line above the tables: what it is, and its value.
    package struct Fact: Hashable, Sendable {
        /// In small letters and underscores.
        package var key: String
        package var title: LocalizedText
        package var value: Cell
        package var unit: String

        package init(_ key: String, _ title: LocalizedText, _ value: Cell, unit: String = "") {
            self.key = key
            self.title = title
            self.value = value
            self.unit = unit
        }
    }

    /// Which statement it is, in small letters and hyphens: `monthly`, `annual-return`.
    package var kind: String
    package var title: LocalizedText
    /// The site's name as it is written.
    package var site: String
    /// For example `2026-03`.
    package var period: String
    package var facts: [Fact]
    package var tables: [Table]
    /// Sources of factors and tariffs, what is announced and not enacted, what was estimated.
    package var notes: [LocalizedText]
    /// Who signs or stamps it on paper, one block each: `Prepared by`; empty when nobody does.
    package var signatures: [LocalizedText]

    package init(
        kind: String, title: LocalizedText, site: String, period: String, facts: [Fact] = [],
        tables: [Table] = [], notes: [LocalizedText] = [], signatures: [LocalizedText] = []
    ) {
        self.kind = kind
        self.title = title
        self.site = site
        self.period = period
        self.facts = facts
        self.tables = tables
        self.notes = notes
        self.signatures = signatures
    }
}
