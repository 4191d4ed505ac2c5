import Telemetry

/// One point of an MQTT interface: from a token of the payload to a reading, and back.
///
/// A class without variables, so that a message does not copy the tables of each point.
final class PayloadPoint: Sendable {
    let key: PointKey
    let place: PayloadPlace
    let slot: Int
    private let isBitText: Bool
    private let invalidTexts: [[UInt8]]
    private let bits: ClosedRange<Int>?
    private let conversion: PointConversion

    init(_ point: ProfilePoint, place: PayloadPlace, slot: Int, parameters: [String: Double]) {
        key = point.key
        self.place = place
        self.slot = slot
        if case .payload(_, true) = point.origin { isBitText = true } else { isBitText = false }
        invalidTexts = point.invalidTexts.map { Array($0.utf8) }
        bits = point.bits
        conversion = PointConversion(point, parameters: parameters)
    }

    /// The bytes of a scalar token, unescaped; nil when no usable scalar stands there.
    static func scalar(_ token: JSONToken, in payload: [UInt8]) -> ArraySlice<UInt8>? {
        switch token.kind {
        case .text:
            let inside = payload[token.start..<token.end]
            return token.isEscaped ? JSONText.unescaped(inside)[...] : inside
        case .number, .boolean: return payload[token.start..<token.end]
        case .absent, .null, .container, .ambiguous: return nil
        }
    }

    /// Missing and null are `absent`; a list, an object, a key that stands twice or a text that is
    /// no number are `invalid`.
    func decode(_ token: JSONToken, in payload: [UInt8]) -> Reading {
        let plain: ArraySlice<UInt8>
        switch token.kind {
        case .absent, .null: return .bad(.absent)
        case .container, .ambiguous: return .bad(.invalid)
        case .boolean, .number: plain = payload[token.start..<token.end]
        case .text:
            let inside = payload[token.start..<token.end]
            plain = token.isEscaped ? JSONText.unescaped(inside)[...] : inside
        }
        if !invalidTexts.isEmpty, invalidTexts.contains(where: { plain.elementsEqual($0) }) {
            return .bad(.invalid)
        }
        if isBitText { return decodeBits(plain) }
        switch conversion {
        case .flags where token.kind != .boolean && bits == nil:
            return DecimalText.pattern(plain).map(conversion.reading(pattern:)) ?? .bad(.invalid)
        case .number, .flags:
            guard token.kind != .boolean, let number = DecimalText.parse(plain) else {
                return .bad(.invalid)
            }
            return bits == nil ? conversion.reading(number) : decodeField(plain)
        case .state(let state):
            guard plain.count <= 64 else { return .bad(.unknownCode) }
            if bits != nil, DecimalText.parse(plain) != nil { return decodeField(plain) }
            if plain.count == 1, let digit = plain.first, digit &- 0x30 < 10 {
                return state.reading(digit: Int(digit - 0x30))
            }
            let word = state.reading(text: String(decoding: plain, as: UTF8.self))
            if !word.isGood,
                let code = DecimalText.parse(plain).flatMap({ Int64(exactly: $0.value) })
            {
                return state.reading(code: code)
            }
            return word
        case .text:
            guard let text = String(validating: plain, as: UTF8.self) else { return .bad(.invalid) }
            return text.isEmpty ? .bad(.absent) : .text(text)
        }
    }

    private func decodeField(_ text: ArraySlice<UInt8>) -> Reading {
        guard let bits, let pattern = DecimalText.pattern(text) else { return .bad(.invalid) }
        return conversion.reading(bits, of: pattern)
    }

    /// A text of zeros and ones; the rightmost character is bit 0.
    private func decodeBits(_ text: ArraySlice<UInt8>) -> Reading {
        guard let bits, text.allSatisfy({ $0 == 0x30 || $0 == 0x31 }),
            bits.upperBound < text.count
        else { return .bad(.invalid) }
        var field: UInt64 = 0
        for bit in bits.reversed() {
            field = field << 1 | (text[text.endIndex - 1 - bit] == 0x31 ? 1 : 0)
        }
        return conversion.reading(pattern: field)
    }

    /// What a device sends for a canonical value; nil when it cannot say it.
    func encode(_ value: Value) -> JSONDocument.Leaf? {
        let number: Double
        switch (conversion, value) {
        case (.number(let linear), .number(let canonical)):
            number = linear.raw(of: canonical)
            guard number.isFinite else { return nil }
            if bits == nil { return .literal("\(number)") }
        case (.state(let state), .text(let word)):
            guard let code = state.code(of: word) else { return nil }
            guard bits != nil else { return .text(code) }
            guard let numeric = Double(code) else { return nil }
            number = numeric
        case (.flags(let flags), .text(let word)):
            guard let set = flags.bits(of: word) else { return nil }
            return .literal("\(set)")
        case (.text, .text(let text)): return .text(text)
        default: return nil
        }
        guard let bits, number >= 0 else { return nil }
        let mask = UInt64.max >> UInt64(64 - bits.count)
        let field = min(UInt64(exactly: number.rounded()) ?? mask, mask)
        return .bits(field << UInt64(bits.lowerBound), isText: isBitText)
    }
}
