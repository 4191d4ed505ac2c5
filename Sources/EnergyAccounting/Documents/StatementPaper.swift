/// How a table is put on paper: upright or across, and with which letters.
struct StatementPaper: Hashable, Sendable {
    /// The class of the style sheet that names the page: `upright` or `across`.
    let turn: String
    /// Size of the letters in points, with one decimal.
    let letters: String
    /// Whether the table would be torn apart over the full width.
    let isNarrow: Bool

    /// For what belongs to no table.
    static let standard = StatementPaper(turn: "upright", points: 9)

    /// The width between the margins of A4 in points: 210 − 2 × 13 mm, and 297 − 2 × 13 mm.
    private static let upright = 521.0
    private static let across = 768.0
    /// A digit's part of the height of its letters: 0.556 in Arial and Helvetica, 0.555 in Noto
    /// Sans CJK.
    private static let digit = 0.56
    /// Digits that fit between one column's content and the next one's.
    private static let gap = 2

    private init(turn: String, points: Double, isNarrow: Bool = false) {
        self.turn = turn
        self.isNarrow = isNarrow
        let tenths = Int((points * 10).rounded(.down))
        letters = "\(tenths / 10).\(tenths % 10)"
    }

    /// Upright with letters from 7.5 to 9 pt, else across with 5 to 9 pt. What does not fit then is
    /// wrapped by the browser where it can be.
    init(of table: StatementDocument.Table, in languages: [StatementLanguage]) {
        let count = Self.digits(of: table, in: languages)
        let digits = Double(max(1, count)) * Self.digit
        if Self.upright / digits >= 7.5 {
            self.init(
                turn: "upright", points: min(9, Self.upright / digits), isNarrow: count < 50)
        } else {
            self.init(turn: "across", points: min(9, max(5, Self.across / digits)))
        }
    }

    /// The width of a table in digits.
    static func digits(
        of table: StatementDocument.Table, in languages: [StatementLanguage]
    ) -> Int {
        table.columns.indices.reduce(0) { total, index in
            let column = table.columns[index]
            let heads = languages.map { head in
                // A heading is broken into lines, yet not into a column of single characters.
                max(
                    TextWidth.narrowest(column.title[head]),
                    min(8, TextWidth.cells(column.title[head])), TextWidth.cells(column.unit))
            }
            let cells = table.cells(ofColumn: index).map { width(of: $0, languages[0]) }
            return total + gap + ((heads + cells).max() ?? 0)
        }
    }

    private static func width(
        of cell: StatementDocument.Cell, _ language: StatementLanguage
    ) -> Int {
        switch cell {
        // Long texts are wrapped, numbers never.
        case .text(let text): min(24, TextWidth.cells(text[language]))
        case .number(let number):
            // A thin space is a quarter of a digit; three digits have at most one.
            number.text.utf8.count * 13 / 12 + (number.isEstimated ? 1 : 0)
        case .missing: 2
        }
    }
}
