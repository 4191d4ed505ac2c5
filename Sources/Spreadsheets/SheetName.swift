import EnergyAccounting

/// Names of sheets that Excel accepts: at most 31 UTF-16 units, none of `[ ] : * ? / \`, no
/// apostrophe at either end, not `History`, and no two alike when case is ignored.
struct SheetNames {
    private static let longest = 31
    private var taken: Set<String> = []

    init() {}

    /// The name nearest to `title` that no other sheet has.
    mutating func next(_ title: String) -> String {
        let base = Self.allowed(title)
        var name = Self.cut(base, to: Self.longest)
        var number = 2
        // Excel keeps `History` for its own sheet of changes.
        while name.lowercased() == "history" || !taken.insert(name.lowercased()).inserted {
            let ending = " (\(number))"
            name = Self.cut(base, to: Self.longest - ending.utf16.count) + ending
            number += 1
        }
        return name
    }

    private static func allowed(_ title: String) -> String {
        let scalars = title.unicodeScalars.map { scalar -> Unicode.Scalar in
            switch scalar {
            case "[": "("
            case "]": ")"
            case ":", "*", "?", "/", "\\": "-"
            case "\u{0}"..<" ", "\u{7F}"..<"\u{A0}": " "
            default: scalar
            }
        }
        let name = trimmed(String(String.UnicodeScalarView(scalars)))
        return name.isEmpty ? "-" : name
    }

    private static func cut(_ name: String, to units: Int) -> String {
        var name = name
        while name.utf16.count > units { name.unicodeScalars.removeLast() }
        name = trimmed(name)
        return name.isEmpty ? "-" : name
    }

    private static func trimmed(_ name: String) -> String {
        func isLoose(_ scalar: Unicode.Scalar) -> Bool { scalar == "'" || scalar == " " }
        var scalars = Substring(name).unicodeScalars
        while let first = scalars.first, isLoose(first) { scalars.removeFirst() }
        while let last = scalars.last, isLoose(last) { scalars.removeLast() }
        return String(Substring(scalars))
    }
}
