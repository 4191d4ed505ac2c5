/// Writes JSON (RFC 8259): keys in the order of the calls, so that equal values give equal bytes.
///
///     var json = JSONWriter()
///     json.object {
///         $0.field("site", "hz-qt-0172")
///         $0.key("values")
///         $0.array { for v in [1, 2.5, .nan] { $0.value(v) } }
///     }
///     // {"site":"hz-qt-0172","values":[1,2.5,null]}
///
/// There is no white space between tokens. A number that JSON cannot hold (NaN, ±∞) becomes `null`;
/// others have the fewest digits that read back as the same double. The writer does not check that
/// keys and values alternate; that is the caller's part.
package struct JSONWriter: Sendable {
    /// The UTF-8 text written so far.
    package private(set) var bytes: [UInt8] = []
    private var needsComma = false

    /// - Parameter capacity: the bytes to set aside at once.
    package init(capacity: Int = 256) { bytes.reserveCapacity(capacity) }

    /// The text as a string, for answers that want one.
    package var text: String { String(decoding: bytes, as: UTF8.self) }

    // MARK: Structure

    /// Writes `{…}`; the body writes keys and values, or fields.
    package mutating func object(_ body: (inout JSONWriter) throws -> Void) rethrows {
        beginObject()
        try body(&self)
        endObject()
    }

    /// Writes `[…]`; the body writes values.
    package mutating func array(_ body: (inout JSONWriter) throws -> Void) rethrows {
        beginArray()
        try body(&self)
        endArray()
    }

    /// Writes `{`; for objects whose body is no closure.
    package mutating func beginObject() { open(0x7B) }
    /// Writes `}`.
    package mutating func endObject() { close(0x7D) }
    /// Writes `[`.
    package mutating func beginArray() { open(0x5B) }
    /// Writes `]`.
    package mutating func endArray() { close(0x5D) }

    /// Writes the key of the next value.
    package mutating func key(_ key: String) {
        separate()
        quote(key)
        bytes.append(0x3A)
        needsComma = false
    }

    // MARK: Values

    /// Writes `null`.
    package mutating func null() { raw("null") }

    /// Writes one value; nil is `null`.
    package mutating func value(_ value: Bool?) {
        raw(value.map { $0 ? "true" : "false" } ?? "null")
    }

    package mutating func value(_ value: Int64?) {
        raw(value.map { String($0) } ?? "null")
    }

    package mutating func value(_ value: Int?) {
        raw(value.map { String($0) } ?? "null")
    }

    /// A whole number is written without a fraction; nil, NaN and infinity as `null`.
    package mutating func value(_ value: Double?) {
        guard let value, value.isFinite else { return null() }
        let text = value.description
        raw(text.hasSuffix(".0") ? String(text.dropLast(2)) : text)
    }

    package mutating func value(_ value: String?) {
        guard let value else { return null() }
        separate()
        quote(value)
        needsComma = true
    }

    // MARK: Fields: a key and its value

    /// Writes a key and its value; nil is `null`.
    package mutating func field(_ key: String, _ value: Bool?) {
        self.key(key)
        self.value(value)
    }

    package mutating func field(_ key: String, _ value: Int?) {
        self.key(key)
        self.value(value)
    }

    package mutating func field(_ key: String, _ value: Int64?) {
        self.key(key)
        self.value(value)
    }

    package mutating func field(_ key: String, _ value: Double?) {
        self.key(key)
        self.value(value)
    }

    package mutating func field(_ key: String, _ value: String?) {
        self.key(key)
        self.value(value)
    }

    // MARK: Bytes

    /// Writes a finished piece of JSON as one value.
    package mutating func fragment(_ json: some Sequence<UInt8>) {
        separate()
        bytes.append(contentsOf: json)
        needsComma = true
    }

    /// Writes the finished items of an array, with the commas between them.
    package mutating func items(_ json: [UInt8]) {
        if !json.isEmpty { fragment(json) }
    }

    private mutating func raw(_ token: String) {
        separate()
        bytes.append(contentsOf: token.utf8)
        needsComma = true
    }

    private mutating func open(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        bytes.append(bracket)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(0x2C) }
    }

    /// Strings of Swift are valid Unicode, so only the quote, the backslash and the control
    /// characters need an escape; everything else stands as UTF-8.
    private mutating func quote(_ text: String) {
        bytes.append(0x22)
        for byte in text.utf8 {
            switch byte {
            case 0x22: bytes += [0x5C, 0x22]
            case 0x5C: bytes += [0x5C, 0x5C]
            case 0x08: bytes += [0x5C, 0x62]
            case 0x09: bytes += [0x5C, 0x74]
            case 0x0A: bytes += [0x5C, 0x6E]
            case 0x0C: bytes += [0x5C, 0x66]
            case 0x0D: bytes += [0x5C, 0x72]
            case 0..<0x20:
                bytes += [0x5C, 0x75, 0x30, 0x30]
                bytes += [Self.hex[Int(byte >> 4)], Self.hex[Int(byte & 15)]]
            default: bytes.append(byte)
            }
        }
        bytes.append(0x22)
    }

    private static let hex = Array("0123456789abcdef".utf8)
}
