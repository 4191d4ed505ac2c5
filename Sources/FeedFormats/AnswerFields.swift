/// The integers and texts at the top of a JSON object, which is all that a robot's answer holds.
///
/// What is nested is read over. Anything else than one well-formed object gives nil; depth is
/// bounded, so that no answer can exhaust the stack.
struct AnswerFields {
    private enum Value {
        case integer(Int)
        case text(String)
        case other
    }

    private var fields: [String: Value] = [:]

    init?(_ body: [UInt8]) {
        var scanner = Scanner(rest: body[...])
        guard let fields = scanner.object(depth: 0), scanner.isAtEnd else { return nil }
        self.fields = fields
    }

    func integer(_ key: String) -> Int? {
        if case .integer(let value) = fields[key] { value } else { nil }
    }

    func text(_ key: String) -> String? {
        if case .text(let value) = fields[key] { value } else { nil }
    }

    private struct Scanner {
        var rest: ArraySlice<UInt8>

        var isAtEnd: Bool {
            mutating get {
                skipSpace()
                return rest.isEmpty
            }
        }

        mutating func object(depth: Int) -> [String: Value]? {
            guard depth < 32, take("{") else { return nil }
            var fields: [String: Value] = [:]
            if take("}") { return fields }
            repeat {
                skipSpace()
                guard let key = string(), take(":"), let value = value(depth: depth + 1) else {
                    return nil
                }
                fields[key] = value
            } while take(",")
            return take("}") ? fields : nil
        }

        private mutating func array(depth: Int) -> Bool {
            guard depth < 32, take("[") else { return false }
            if take("]") { return true }
            repeat {
                guard value(depth: depth + 1) != nil else { return false }
            } while take(",")
            return take("]")
        }

        private mutating func value(depth: Int) -> Value? {
            skipSpace()
            switch rest.first {
            case UInt8(ascii: "{"): return object(depth: depth) == nil ? nil : .other
            case UInt8(ascii: "["): return array(depth: depth) ? .other : nil
            case UInt8(ascii: "\""): return string().map(Value.text)
            default:
                let word = rest.prefix { $0 > 0x20 && !",]}".utf8.contains($0) }
                rest = rest.dropFirst(word.count)
                let text = String(decoding: word, as: UTF8.self)
                if let integer = Int(text) { return .integer(integer) }
                let isOther = ["true", "false", "null"].contains(text) || Double(text) != nil
                return isOther ? .other : nil
            }
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
