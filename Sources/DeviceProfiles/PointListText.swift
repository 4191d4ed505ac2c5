import LocatedText

/// The cells of a spreadsheet that was saved as text, each with its place.
///
///     text  = [BOM] row *(line-end row)
///     row   = cell *(delimiter cell)          delimiter: comma, semicolon or tab, as in the first row
///     cell  = *char / '"' *(char / '""') '"'   a quoted cell may hold delimiters and line ends
///
/// SwiftCSV splits cells too, but its rows do not know their lines, and a fault without one is of no
/// use to somebody with three hundred rows.
struct PointListText {
    struct Cell: Hashable {
        /// Without the blanks around it.
        var text: String
        var location: Location
    }

    /// Rows that hold anything, the head included.
    var rows: [[Cell]] = []

    init(_ text: String, file: String, faults: FaultCollector) {
        var characters = Array(text.unicodeScalars)
        if characters.first == "\u{FEFF}" { characters.removeFirst() }
        let delimiter = Self.delimiter(characters)
        var line = 1
        var column = 1
        var index = 0
        var row: [Cell] = []

        func endRow() {
            if row.contains(where: { !$0.text.isEmpty }) { rows.append(row) }
            row = []
        }
        while index < characters.count {
            let location = Location(file: file, line: line, column: column)
            var cell = String.UnicodeScalarView()
            while index < characters.count, characters[index] == " " {
                index += 1
                column += 1
            }
            if index < characters.count, characters[index] == "\"" {
                index += 1
                column += 1
                var isClosed = false
                while index < characters.count {
                    let next = characters[index]
                    if next == "\"" {
                        index += 1
                        column += 1
                        guard index < characters.count, characters[index] == "\"" else {
                            isClosed = true
                            break
                        }
                    }
                    cell.append(next)
                    index += 1
                    column += 1
                    if next == "\n" { (line, column) = (line + 1, 1) }
                }
                if !isClosed {
                    faults.add(
                        location, "the quotation mark is never closed",
                        remedy: "close it; a quotation mark within a cell is written twice")
                }
            }
            while index < characters.count, characters[index] != delimiter,
                characters[index] != "\n", characters[index] != "\r"
            {
                cell.append(characters[index])
                index += 1
                column += 1
            }
            row.append(Cell(text: Self.trimmed(cell), location: location))
            guard index < characters.count else { break }
            if characters[index] == delimiter {
                index += 1
                column += 1
                continue
            }
            if characters[index] == "\r", index + 1 < characters.count,
                characters[index + 1] == "\n"
            {
                index += 1
            }
            index += 1
            (line, column) = (line + 1, 1)
            endRow()
        }
        endRow()
    }

    /// The most frequent of the three outside quotation marks of the first row.
    private static func delimiter(_ characters: [Unicode.Scalar]) -> Unicode.Scalar {
        var counts: [Unicode.Scalar: Int] = [:]
        var isQuoted = false
        for character in characters {
            if character == "\"" { isQuoted.toggle() }
            if !isQuoted, character == "\n" || character == "\r", !counts.isEmpty { break }
            if !isQuoted { counts[character, default: 0] += 1 }
        }
        let candidates: [Unicode.Scalar] = [",", ";", "\t"]
        return candidates.max { counts[$0, default: 0] < counts[$1, default: 0] } ?? ","
    }

    /// Without blanks around it; line ends and other control characters inside become blanks.
    private static func trimmed(_ cell: String.UnicodeScalarView) -> String {
        let plain = cell.map { $0.value < 0x20 || $0 == "\u{A0}" || $0 == "\u{3000}" ? " " : $0 }
        let start = plain.firstIndex { $0 != " " } ?? plain.endIndex
        let end = plain.lastIndex { $0 != " " }.map { $0 + 1 } ?? start
        var text = String.UnicodeScalarView()
        text.append(contentsOf: plain[start..<end])
        return String(text)
    }
}
