import Telemetry

extension StatementDocument.Table {
    /// What stands in one place; a row that is too short reads as missing, so that no renderer has
    /// to mind.
    package func cell(_ row: Int, _ column: Int) -> StatementDocument.Cell {
        rows[row].indices.contains(column)
            ? rows[row][column] : .missing(LocalizedText(en: "", zh: ""))
    }

    /// Everything that stands in one column, from the top.
    package func cells(ofColumn column: Int) -> [StatementDocument.Cell] {
        rows.indices.map { cell($0, column) }
    }

    /// Whether a number of the table is marked as estimated.
    package var hasEstimates: Bool {
        rows.contains { $0.contains(where: \.isEstimated) }
    }

    /// The names of the columns in files that programs read: their keys, a repeated one with an
    /// underscore behind it, because neither an object nor a header row may have a name twice.
    package var distinctKeys: [String] {
        var taken: Set<String> = []
        return columns.map { Self.name($0.key, notIn: &taken) }
    }

    /// The name itself or with as many underscores as make it a new one.
    static func name(_ name: String, notIn taken: inout Set<String>) -> String {
        var name = name
        while !taken.insert(name).inserted { name += "_" }
        return name
    }
}

extension StatementDocument.Cell {
    /// Whether it is a number marked as estimated.
    package var isEstimated: Bool {
        guard case .number(let number) = self else { return false }
        return number.isEstimated
    }

    /// Why it is missing; nil when it is not, or when nobody says why.
    package var reason: LocalizedText? {
        guard case .missing(let reason) = self, !reason.en.isEmpty || !reason.zh.isEmpty else {
            return nil
        }
        return reason
    }

    /// What `plumbline energy explain` takes; nil without one.
    package var trace: String? {
        guard case .number(let number) = self else { return nil }
        return number.trace
    }
}

extension StatementDocument.Column {
    /// Title and unit on one line, `Electricity (kWh)`.
    package func heading(_ language: StatementLanguage) -> String {
        unit.isEmpty ? title[language] : "\(title[language]) (\(unit))"
    }
}

extension StatementDocument {
    /// The facts as a table of three columns, for forms that know only tables.
    ///
    /// - Parameter language: of the names; nil for the keys.
    package func factsTable(_ language: StatementLanguage?) -> Table {
        Table(
            key: "facts", title: StatementWords.fact,
            columns: [
                Column("fact", StatementWords.fact, isNumber: false),
                Column("value", StatementWords.value),
                Column("unit", StatementWords.unit, isNumber: false),
            ],
            rows: facts.map { fact in
                [
                    language == nil ? .word(fact.key) : .text(fact.title), fact.value,
                    .word(fact.unit),
                ]
            })
    }
}

/// The reasons why numbers of a table are missing, each once, numbered from 1 in the order of
/// reading: on paper nobody can point at a dash and be told.
package struct StatementFootnotes: Hashable, Sendable {
    package private(set) var reasons: [LocalizedText] = []
    private var numbers: [LocalizedText: Int] = [:]

    /// The reasons of one table.
    package init(_ table: StatementDocument.Table) {
        for row in table.rows.indices {
            for column in table.columns.indices {
                guard let reason = table.cell(row, column).reason, numbers[reason] == nil else {
                    continue
                }
                reasons.append(reason)
                numbers[reason] = reasons.count
            }
        }
    }

    /// The number of the footnote that a cell refers to; nil when it refers to none.
    package func number(of cell: StatementDocument.Cell) -> Int? {
        cell.reason.flatMap { numbers[$0] }
    }
}
