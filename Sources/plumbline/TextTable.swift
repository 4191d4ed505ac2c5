import Foundation

/// A table for people: columns aligned, numbers to the right, Chinese characters two cells wide.
struct TextTable {
    struct Column {
        var title: String
        var isNumber: Bool
        init(_ title: String, isNumber: Bool = false) {
            self.title = title
            self.isNumber = isNumber
        }
    }

    var columns: [Column]
    var rows: [[String]] = []

    init(_ columns: [Column]) { self.columns = columns }

    mutating func add(_ row: [String]) { rows.append(row) }

    var text: String {
        let widths = columns.indices.map { index in
            ([columns[index].title] + rows.map { $0[index] }).map(Self.width).max() ?? 0
        }
        func line(_ cells: [String]) -> String {
            var text = ""
            for (index, cell) in cells.enumerated() {
                let fill = String(repeating: " ", count: max(0, widths[index] - Self.width(cell)))
                text += columns[index].isNumber ? fill + cell : cell + fill
                text += "  "
            }
            while text.last == " " { text.removeLast() }
            return text
        }
        let rule = widths.map { String(repeating: "─", count: $0) }
        return ([line(columns.map(\.title)), line(rule)] + rows.map(line)).joined(separator: "\n")
    }

    /// Terminal cells: wide for CJK and full-width forms.
    static func width(_ text: String) -> Int {
        text.unicodeScalars.reduce(0) { total, scalar in
            switch scalar.value {
            case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF,
                0x4E00...0x9FFF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE4F,
                0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x20000...0x3FFFD:
                total + 2
            case 0x300...0x36F, 0x200B...0x200F, 0xFE00...0xFE0F: total
            default: total + 1
            }
        }
    }
}

/// One text in the two languages of the product; `LANG` or `LC_ALL` decides.
func say(_ english: String, _ chinese: String) -> String {
    Language.isChinese ? chinese : english
}

enum Language {
    static let isChinese: Bool = {
        let environment = ProcessInfo.processInfo.environment
        let value = environment["LC_ALL"] ?? environment["LC_MESSAGES"] ?? environment["LANG"]
        return value?.hasPrefix("zh") ?? false
    }()
}

/// A number as short as it can be without losing what matters to a reader.
func short(_ value: Double?, places: Int = 3) -> String {
    guard let value else { return "–" }
    if value == value.rounded(), value.magnitude < 1e15 { return "\(Int64(value))" }
    var text = String(format: "%.\(places)f", value)
    guard text.contains(".") else { return text }
    while text.hasSuffix("0") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
    return text
}
