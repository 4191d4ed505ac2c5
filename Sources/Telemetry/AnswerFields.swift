/// The numbers, words and texts of a JSON object, by the path of keys that leads to each: what an
/// answer's meaning can depend on.
///
/// What stands in lists is read over. Anything else than one well-formed object gives nil; depth is
/// bounded, so that no answer can exhaust the stack.
package struct AnswerFields: Sendable {
    /// A value as its author wrote it.
    package enum Value: Hashable, Sendable {
        case text(String)
        /// A number, `true`, `false` or `null`, in the answer's own spelling.
        case token(String)
    }

    private let fields: [[String]: Value]

    /// - Parameter body: UTF-8; the caller bounds its size.
    package init?(_ body: [UInt8]) {
        var scanner = Scanner(rest: body[...])
        guard scanner.object(depth: 0), scanner.isAtEnd else { return nil }
        fields = scanner.fields
    }

    /// The whole number at the top of the object.
    package func integer(_ key: String) -> Int? {
        if case .token(let token) = fields[[key]] { Int(token) } else { nil }
    }

    /// The text at the top of the object.
    package func text(_ key: String) -> String? {
        if case .text(let value) = fields[[key]] { value } else { nil }
    }

    /// What stands at the end of a path of keys, without quotes; nil for lists and objects.
    package func scalar(_ path: [String]) -> String? {
        switch fields[path] {
        case .text(let text), .token(let text): text
        case nil: nil
        }
    }

    private struct Scanner {
        var rest: ArraySlice<UInt8>
        var fields: [[String]: Value] = [:]
        private var path: [String] = []
        /// How many lists stand around what is read.
        private var lists = 0

        init(rest: ArraySlice<UInt8>) { self.rest = rest }

        var isAtEnd: Bool {
            mutating get {
                skipSpace()
                return rest.isEmpty
            }
        }

        mutating func object(depth: Int) -> Bool {
            guard depth < 32, take("{") else { return false }
            if take("}") { return true }
            repeat {
                skipSpace()
                guard let key = string(), take(":") else { return false }
                path.append(key)
                guard value(depth: depth + 1) else { return false }
                path.removeLast()
            } while take(",")
            return take("}")
        }

        private mutating func array(depth: Int) -> Bool {
            guard depth < 32, take("[") else { return false }
            if take("]") { return true }
            lists += 1
            repeat {
                guard value(depth: depth + 1) else { return false }
            } while take(",")
            lists -= 1
            return take("]")
        }

        private mutating func value(depth: Int) -> Bool {
            skipSpace()
            switch rest.first {
            case UInt8(ascii: "{"): return object(depth: depth)
            case UInt8(ascii: "["): return array(depth: depth)
            case UInt8(ascii: "\""): return string().map { note(.text($0)) } != nil
            default:
                let word = rest.prefix { $0 > 0x20 && !",]}".utf8.contains($0) }
                rest = rest.dropFirst(word.count)
                let text = String(decoding: word, as: UTF8.self)
                guard ["true", "false", "null"].contains(text) || Double(text) != nil else {
                    return false
                }
                note(.token(text))
                return true
            }
        }

        private mutating func note(_ value: Value) {
            if lists == 0 { fields[path] = value }
        }

        private mutating func string() -> String? {
            guard rest.first == UInt8(ascii: "\"") else { return nil }
            rest = rest.dropFirst()
            var units: [UInt16] = []
            var bytes: [UInt8] = []
            var text = ""
            // Escapes give UTF-16, everything else is UTF-8; a pair of escapes is one character.
            func flush() {
                text += String(decoding: bytes, as: UTF8.self)
                text += String(decoding: units, as: UTF16.self)
                bytes = []
                units = []
            }
            while let byte = rest.popFirst() {
                switch byte {
                case UInt8(ascii: "\""):
                    flush()
                    return text
                case UInt8(ascii: "\\"):
                    if !bytes.isEmpty { flush() }
                    guard let unit = escape() else { return nil }
                    units.append(unit)
                case 0..<0x20: return nil
                default:
                    if !units.isEmpty { flush() }
                    bytes.append(byte)
                }
            }
            return nil
        }

        private mutating func escape() -> UInt16? {
            switch rest.popFirst() {
            case UInt8(ascii: "n"): return 0x0A
            case UInt8(ascii: "t"): return 0x09
            case UInt8(ascii: "r"): return 0x0D
            case UInt8(ascii: "b"): return 0x08
            case UInt8(ascii: "f"): return 0x0C
            case UInt8(ascii: "u"):
                let digits = rest.prefix(4)
                rest = rest.dropFirst(digits.count)
                return digits.count == 4
                    ? UInt16(String(decoding: digits, as: UTF8.self), radix: 16) : nil
            case let byte?: return "\"\\/".utf8.contains(byte) ? UInt16(byte) : nil
            case nil: return nil
            }
        }

        private mutating func take(_ character: Unicode.Scalar) -> Bool {
            skipSpace()
            guard let byte = rest.first, UInt32(byte) == character.value else { return false }
            rest = rest.dropFirst()
            return true
        }

        private mutating func skipSpace() {
            rest = rest.drop { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
        }
    }
}
