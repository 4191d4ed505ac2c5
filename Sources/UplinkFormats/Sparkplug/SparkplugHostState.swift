/// What a host says of itself, retained: `{"online":true,"timestamp":1715313600000}`.
///
/// Other members of the object are passed over if they are no containers.
struct SparkplugHostState: Hashable {
    var isOnline: Bool
    /// Milliseconds since 1970, UTC: when the host connected. Its will bears the same.
    var timestamp: UInt64

    /// The longest text that is read, in bytes.
    private static let mostBytes = 4096

    /// Reads the text; nil when it is another, or lacks a member.
    init?(_ payload: [UInt8]) {
        guard payload.count <= Self.mostBytes else { return nil }
        var rest = payload[...]
        var members: [String: String] = [:]
        guard Self.take("{", &rest) else { return nil }
        repeat {
            guard let name = Self.string(&rest), Self.take(":", &rest),
                let value = Self.scalar(&rest)
            else { return nil }
            // Of two members of one name nobody knows which counts.
            guard members.updateValue(value, forKey: name) == nil else { return nil }
        } while Self.take(",", &rest)
        guard Self.take("}", &rest), Self.skip(&rest).isEmpty,
            let online = members["online"].flatMap(Bool.init),
            let timestamp = members["timestamp"].flatMap(UInt64.init)
        else { return nil }
        isOnline = online
        self.timestamp = timestamp
    }

    /// Takes blanks away and gives the rest.
    @discardableResult
    private static func skip(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        rest = rest.drop { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
        return rest
    }

    private static func take(_ sign: Unicode.Scalar, _ rest: inout ArraySlice<UInt8>) -> Bool {
        guard skip(&rest).first == UInt8(ascii: sign) else { return false }
        rest.removeFirst()
        return true
    }

    /// The inside of a string, escapes as they stand: none of the names that count has any.
    private static func string(_ rest: inout ArraySlice<UInt8>) -> String? {
        guard take("\"", &rest) else { return nil }
        var text: [UInt8] = []
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\"") { return String(decoding: text, as: UTF8.self) }
            text.append(byte)
            if byte == UInt8(ascii: "\\") {
                guard let next = rest.popFirst() else { return nil }
                text.append(next)
            }
        }
        return nil
    }

    /// A word or a number as it stands; a string with its first quote, so that "true" is not true.
    private static func scalar(_ rest: inout ArraySlice<UInt8>) -> String? {
        if skip(&rest).first == UInt8(ascii: "\"") { return string(&rest).map { "\"" + $0 } }
        let token = rest.prefix {
            (0x30...0x39).contains($0) || (0x61...0x7A).contains($0)
                || [0x2B, 0x2D, 0x2E, 0x45].contains($0)
        }
        rest = rest.dropFirst(token.count)
        return token.isEmpty ? nil : String(decoding: token, as: UTF8.self)
    }
}
