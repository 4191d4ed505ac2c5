import Telemetry

/// A number of a closed statement that comes out differently today.
package struct StatementChange: Hashable, Sendable {
    /// Where it stands: `facts` or the table's key, the row's first cell, the column's key.
    package var table: String
    package var row: String
    package var column: String
    /// As it was printed when the statement was closed; nil where there was none.
    package var closed: String?
    /// As it would be printed now; nil where there is none any more.
    package var now: String?
}

extension StatementDocument {
    /// The numbers in which a closed statement differs from one that is made today.
    ///
    /// Corrections do not change what is closed; they stand beside it.
    package func changes(to today: StatementDocument) -> [StatementChange] {
        let (mine, theirs) = (numbers, today.numbers)
        var changes: [StatementChange] = []
        for (place, text) in mine.order.map({ ($0, mine.texts[$0]) }) {
            let other = theirs.texts[place]
            if other != text {
                changes.append(
                    StatementChange(
                        table: place.table, row: place.row, column: place.column, closed: text,
                        now: other))
            }
        }
        for place in theirs.order where mine.texts[place] == nil {
            changes.append(
                StatementChange(
                    table: place.table, row: place.row, column: place.column, closed: nil,
                    now: theirs.texts[place]))
        }
        return changes
    }

    private struct Place: Hashable {
        var table: String
        var row: String
        var column: String
    }

    /// Every number as it is printed, by its place.
    private var numbers: (order: [Place], texts: [Place: String]) {
        var order: [Place] = []
        var texts: [Place: String] = [:]
        func note(_ place: Place, _ cell: Cell) {
            guard case .number(let number) = cell, texts[place] == nil else { return }
            order.append(place)
            texts[place] = number.text
        }
        for fact in facts {
            note(Place(table: "facts", row: fact.key, column: "value"), fact.value)
        }
        for table in tables {
            var seen: [String: Int] = [:]
            for row in table.rows {
                // Lines of one name, as the months of a charge, are told apart by their order.
                let name = row.prefix { if case .text = $0 { true } else { false } }
                    .map { if case .text(let text) = $0 { text.en } else { "" } }
                    .joined(separator: " ")
                seen[name, default: 0] += 1
                let count = seen[name] ?? 1
                let label = count == 1 ? name : "\(name) (\(count))"
                for (column, cell) in zip(table.columns, row) {
                    note(Place(table: table.key, row: label, column: column.key), cell)
                }
            }
        }
        return (order, texts)
    }

    /// This closed statement with what has been corrected since, if anything has.
    ///
    /// - Parameters:
    ///   - today: the same statement made now.
    ///   - closing: who closed it, when, and its hash, in words.
    package func closed(_ closing: LocalizedText, beside today: StatementDocument) -> Self {
        var document = self
        document.notes.insert(closing, at: 0)
        let changes = changes(to: today)
        guard !changes.isEmpty else { return document }
        var table = Table(
            key: "since_closing",
            title: LocalizedText(
                en: "Corrections since it was closed", zh: "结账后的更正"),
            columns: [
                .init("table", LocalizedText(en: "Table", zh: "表"), isNumber: false),
                .init("row", LocalizedText(en: "Line", zh: "行"), isNumber: false),
                .init("column", LocalizedText(en: "Column", zh: "列"), isNumber: false),
                .init("closed", LocalizedText(en: "Closed", zh: "结账值")),
                .init("now", LocalizedText(en: "Now", zh: "现值")),
            ])
        let gone = Cell.missing(LocalizedText(en: "not there", zh: "无"))
        func cell(_ text: String?) -> Cell {
            guard let text, let value = Exact(text: text) else { return gone }
            let places = text.firstIndex(of: ".").map { text[text.index(after: $0)...].count } ?? 0
            return .number(Number(value, places: places))
        }
        for change in changes.prefix(Self.mostChanges) {
            table.rows.append([
                .word(change.table), .word(change.row), .word(change.column),
                cell(change.closed), cell(change.now),
            ])
        }
        if changes.count > Self.mostChanges {
            document.notes.append(
                LocalizedText(
                    en: "\(changes.count - Self.mostChanges) more numbers differ.",
                    zh: "另有 \(changes.count - Self.mostChanges) 个数字不同。"))
        }
        document.tables.append(table)
        return document
    }

    private static let mostChanges = 500
}
