/// Reads InfluxDB's line protocol as its reference has it: one character after the other. Written for
/// the tests, it knows nothing of how the lines were made.
struct InfluxLineReader {
    struct Failure: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    enum Field: Equatable {
        case float(Double)
        case integer(Int64)
        case boolean(Bool)
        case string(String)
    }

    struct Line: Equatable {
        var measurement = ""
        var tags: [(name: String, value: String)] = []
        var fields: [(name: String, value: Field)] = []
        var nanoseconds: Int64 = 0

        subscript(tag name: String) -> String? { tags.first { $0.name == name }?.value }
        subscript(field name: String) -> Field? { fields.first { $0.name == name }?.value }

        static func == (a: Self, b: Self) -> Bool { "\(a)" == "\(b)" }
    }

    private var rest: [Unicode.Scalar]
    private var place = 0

    static func lines(_ payload: [UInt8]) throws -> [Line] {
        guard let text = String(validating: payload, as: UTF8.self) else {
            throw Failure("no UTF-8")
        }
        var reader = InfluxLineReader(rest: Array(text.unicodeScalars))
        var lines: [Line] = []
        while reader.next != nil {
            if reader.next == "#" {
                while let scalar = reader.next, scalar != "\n" { reader.place += 1 }
                try reader.pass("\n")
            } else {
                lines.append(try reader.line())
            }
        }
        return lines
    }

    private var next: Unicode.Scalar? { place < rest.count ? rest[place] : nil }

    private mutating func pass(_ scalar: Unicode.Scalar) throws {
        guard next == scalar else {
            throw Failure("\(next.map { "'\($0)'" } ?? "the end") instead of '\(scalar)'")
        }
        place += 1
    }

    private mutating func line() throws -> Line {
        var line = Line()
        line.measurement = try word(endedBy: [",", " "], escaped: [",", " "])
        while next == "," {
            place += 1
            let name = try word(endedBy: ["="], escaped: [",", "=", " "])
            try pass("=")
            line.tags.append((name, try word(endedBy: [",", " "], escaped: [",", "=", " "])))
        }
        try pass(" ")
        repeat {
            let name = try word(endedBy: ["="], escaped: [",", "=", " "])
            try pass("=")
            line.fields.append((name, try field()))
        } while passed(",")
        try pass(" ")
        let digits = try word(endedBy: ["\n"], escaped: [])
        guard let time = Int64(digits) else { throw Failure("the time '\(digits)'") }
        line.nanoseconds = time
        try pass("\n")
        return line
    }

    private mutating func passed(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        place += 1
        return true
    }

    /// A backslash stands for itself unless one of `escaped` follows.
    private mutating func word(
        endedBy ends: [Unicode.Scalar], escaped: [Unicode.Scalar]
    ) throws -> String {
        var word = ""
        while let scalar = next, !ends.contains(scalar) {
            if scalar.value < 0x20 { throw Failure("a control character in a word") }
            place += 1
            if scalar == "\\", let following = next, escaped.contains(following) {
                word.unicodeScalars.append(following)
                place += 1
            } else if escaped.contains(scalar) {
                throw Failure("'\(scalar)' without its backslash")
            } else {
                word.unicodeScalars.append(scalar)
            }
        }
        if word.isEmpty { throw Failure("an empty word") }
        return word
    }

    private mutating func field() throws -> Field {
        if next == "\"" { return .string(try string()) }
        let text = try word(endedBy: [",", " "], escaped: [])
        if text == "true" || text == "false" { return .boolean(text == "true") }
        if text.hasSuffix("i"), let integer = Int64(text.dropLast()) { return .integer(integer) }
        let isPlain = text.unicodeScalars.allSatisfy {
            "0123456789+-.eE".unicodeScalars.contains($0)
        }
        guard isPlain, let float = Double(text), float.isFinite else {
            throw Failure("the number '\(text)'")
        }
        return .float(float)
    }

    private mutating func string() throws -> String {
        try pass("\"")
        var string = ""
        while let scalar = next, scalar != "\"" {
            place += 1
            if scalar == "\\", next == "\"" || next == "\\" {
                string.unicodeScalars.append(rest[place])
                place += 1
            } else {
                string.unicodeScalars.append(scalar)
            }
        }
        try pass("\"")
        return string
    }
}
