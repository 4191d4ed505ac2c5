import Telemetry

// A statement as comma-separated values (RFC 4180: CRLF, quotes where they are needed; UTF-8).
//
//     machine   by_meter                                  ← the table's key; only in a whole document
//               meter,total,total_estimated,is_sum        ← the columns' keys
//               T1,1234.50,false,false
//               T2,,,false                                ← nobody knows: empty
//
//     people    各回路用电                                  ← the table's title
//               回路,合计 (kWh),合计：估算                   ← the columns' titles with their units
//               T1,1234.50,
//               T2,–,
//
// Behind a column stand, only where the table has such cells: whether its numbers are estimated
// (`…_estimated`: true, false, and empty where there is no number; for people yes or nothing), why
// one is missing (`…_missing`) and, where asked for, what traces it (`…_trace`). For programs a
// last column `is_sum` says which rows must not be added up again, where a table has such rows.
//
// Numbers are plain: a point, a hyphen for minus, no separators, the printed places. Programs read
// texts in English.
//
// A whole document is its sections with an empty line between: `statement`, `facts`, each table,
// `notes`. They differ in their number of fields; a program asks for one table.
//
// A text whose first character would make a spreadsheet take it for a formula (= + - @, their
// full-width forms, a tab or a line break) gets an apostrophe before it, in both forms: files for
// programs are opened in spreadsheets too. Who needs the text as it is takes JSON.

/// Writes a statement or one of its tables as CSV; the form is drawn above.
package struct StatementCSV: Hashable, Sendable {
    /// For whom the file is.
    package enum Form: Hashable, Sendable {
        case machine
        case people(StatementLanguage)
    }

    package var form: Form
    /// Whether the file begins with U+FEFF, without which Excel takes UTF-8 for something else.
    package var hasByteOrderMark: Bool
    /// Whether traces have columns of their own.
    package var hasTraces: Bool

    package init(_ form: Form, hasByteOrderMark: Bool = false, hasTraces: Bool = false) {
        self.form = form
        self.hasByteOrderMark = hasByteOrderMark
        self.hasTraces = hasTraces
    }

    /// One table, as a rectangle of fields under one header row.
    package func table(_ table: StatementDocument.Table) -> String {
        mark + Self.lines(rows(of: table))
    }

    /// The table of this key; nil when the document has none.
    package func table(_ key: String, of document: StatementDocument) -> String? {
        document.tables.first { $0.key == key }.map(table)
    }

    /// The whole document, section by section.
    package func document(_ document: StatementDocument) -> String {
        var sections = [heading(of: document)]
        if !document.facts.isEmpty {
            let facts = document.factsTable(language)
            sections.append((language == nil ? [["facts"]] : []) + rows(of: facts))
        }
        for table in document.tables {
            sections.append([[guarded(language.map { table.title[$0] } ?? table.key)]])
            sections[sections.count - 1] += rows(of: table)
        }
        if !document.notes.isEmpty {
            let notes = document.notes.map { [guarded($0[language ?? .en])] }
            sections.append([[language.map { StatementWords.notes[$0] } ?? "notes"]] + notes)
        }
        return mark + sections.map(Self.lines).joined(separator: "\r\n")
    }

    private var mark: String { hasByteOrderMark ? "\u{FEFF}" : "" }

    /// nil for programs.
    private var language: StatementLanguage? {
        guard case .people(let language) = form else { return nil }
        return language
    }

    private func heading(of document: StatementDocument) -> [[String]] {
        guard let language else {
            return [
                ["statement"], ["kind", "site", "period"],
                [document.kind, document.site, document.period].map(guarded),
            ]
        }
        return [
            [guarded(document.title[language])],
            [StatementWords.site[language], guarded(document.site)],
            [StatementWords.period[language], guarded(document.period)],
        ]
    }

    // MARK: Fields

    /// A column of the file: its heading, and how a cell of the table fills it.
    private struct Field {
        var heading: String
        var column: Int
        var content: Content
    }

    private enum Content {
        case value
        case estimated
        case missing
        case trace
    }

    /// The header row and the rows of a table, not yet quoted.
    private func rows(of table: StatementDocument.Table) -> [[String]] {
        var taken: Set<String> = []
        let fields = fields(of: table, taken: &taken)
        let marksSums = language == nil && !table.sums.isEmpty
        var header = fields.map { guarded($0.heading) }
        if marksSums { header.append(StatementDocument.Table.name("is_sum", notIn: &taken)) }
        let rows = table.rows.indices.map { row in
            let line = fields.map { text(of: table.cell(row, $0.column), $0.content) }
            return marksSums ? line + [table.sums.contains(row) ? "true" : "false"] : line
        }
        return [header] + rows
    }

    private func fields(
        of table: StatementDocument.Table, taken: inout Set<String>
    ) -> [Field] {
        // The tables' own names first: a name that is added gives way to them.
        let keys = table.distinctKeys
        taken = Set(keys)
        var fields: [Field] = []
        for (index, column) in table.columns.enumerated() {
            let cells = table.cells(ofColumn: index)
            fields.append(
                Field(
                    heading: language.map(column.heading) ?? keys[index], column: index,
                    content: .value))
            func add(_ suffix: String, _ words: LocalizedText, _ content: Content) {
                let heading =
                    language.map { "\(column.title[$0])\($0 == .zh ? "：" : ": ")\(words[$0])" }
                    ?? StatementDocument.Table.name("\(keys[index])_\(suffix)", notIn: &taken)
                fields.append(Field(heading: heading, column: index, content: content))
            }
            if cells.contains(where: \.isEstimated) {
                add("estimated", StatementWords.estimated, .estimated)
            }
            if cells.contains(where: { $0.reason != nil }) {
                add("missing", StatementWords.missing, .missing)
            }
            if hasTraces, cells.contains(where: { $0.trace != nil }) {
                add("trace", StatementWords.trace, .trace)
            }
        }
        return fields
    }

    private func text(of cell: StatementDocument.Cell, _ content: Content) -> String {
        switch (content, cell) {
        case (.value, .text(let text)): guarded(text[language ?? .en])
        case (.value, .number(let number)): number.text
        case (.value, .missing): language == nil ? "" : StatementWords.missingMark
        case (.estimated, .number(let number)): flag(number.isEstimated)
        case (.missing, .missing(let reason)): guarded(reason[language ?? .en])
        case (.trace, .number(let number)): guarded(number.trace ?? "")
        default: ""
        }
    }

    private func flag(_ isSet: Bool) -> String {
        guard let language else { return isSet ? "true" : "false" }
        return isSet ? StatementWords.yes[language] : ""
    }

    // MARK: Characters

    /// By scalars and not by characters: a combining mark behind the sign makes it another
    /// character, and the spreadsheet still sees the sign.
    private func guarded(_ text: String) -> String {
        switch text.unicodeScalars.first {
        case "=", "+", "-", "@", "\u{FF1D}", "\u{FF0B}", "\u{FF0D}", "\u{FF20}", "\t", "\r", "\n":
            "'" + text
        default: text
        }
    }

    private static func lines(_ rows: [[String]]) -> String {
        rows.map { row in
            // A row of one empty field would read as the line between two sections.
            row == [""] ? "\"\"\r\n" : row.map(quoted).joined(separator: ",") + "\r\n"
        }.joined()
    }

    private static func quoted(_ text: String) -> String {
        let needsQuotes = text.utf8.contains { [0x22, 0x2C, 0x0A, 0x0D].contains($0) }
        guard needsQuotes else { return text }
        var result = "\""
        for scalar in text.unicodeScalars {
            if scalar == "\"" { result.unicodeScalars.append("\"") }
            result.unicodeScalars.append(scalar)
        }
        result.unicodeScalars.append("\"")
        return result
    }
}
