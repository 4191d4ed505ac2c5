import EnergyAccounting

extension TextTable {
    /// A table of a statement for the terminal: units in the titles, `≈` before a number of which a
    /// part is estimated, `–` with the number of its reason where nobody knows.
    ///
    /// `remarks(of:language:)` has the lines that belong below it.
    init(_ table: StatementDocument.Table, language: StatementLanguage) {
        self.init(
            table.columns.map {
                Column(Self.oneLine($0.heading(language)), isNumber: $0.isNumber)
            })
        let footnotes = StatementFootnotes(table)
        for row in table.rows.indices {
            add(
                table.columns.indices.map { column in
                    let cell = table.cell(row, column)
                    switch cell {
                    case .text(let text): return Self.oneLine(text[language])
                    case .number(let number):
                        return number.isEstimated
                            ? "\(StatementWords.estimatedMark) \(number.text)" : number.text
                    case .missing:
                        let mark = footnotes.number(of: cell).map { " (\($0))" } ?? ""
                        return StatementWords.missingMark + mark
                    }
                })
        }
    }

    /// What the marks in the table mean, a line each; empty when it has none.
    static func remarks(
        of table: StatementDocument.Table, language: StatementLanguage
    ) -> [String] {
        let legend = "\(StatementWords.estimatedMark) \(StatementWords.estimatedLegend[language])"
        let reasons = StatementFootnotes(table).reasons.enumerated().map { index, reason in
            "(\(index + 1)) \(oneLine(reason[language]))"
        }
        return (table.hasEstimates ? [legend] : []) + reasons
    }

    /// A line end within a cell would tear the row apart.
    private static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}
