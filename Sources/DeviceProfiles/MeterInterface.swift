import Frames
import LocatedText
import Telemetry

/// How a meter speaks DL/T 645-2007 or CJ/T 188: one question, one answer, on a shared line.
package struct MeterInterface: Sendable {
    /// What is spoken on the line.
    package enum Language: Hashable, Sendable {
        case dlt645
        /// - type: the code of what is metered; order: which byte of an item comes first.
        case cjt188(type: UInt8, order: CJT188Request.ItemOrder)
    }

    package var language: Language
    /// Bytes FE before a request.
    package var preamble: Int
    package var serial: ModbusInterface.SerialLine?
    package var responseTimeout: Duration
    /// The pause between an answer and the next request.
    package var quietTime: Duration
    /// The exact number of data bytes of an item, where the profile knows it.
    package var lengths: [UInt32: Int]
    /// Poll classes and how often each is read.
    package var polls: [String: Duration]
    package var points: [ProfilePoint]
    package var tests: [ProfileTest]
    package var location: Location

    package var fieldProtocol: FieldProtocol {
        switch language {
        case .dlt645: .dlt645
        case .cjt188: .cjt188
        }
    }
}

/// One raw value in the data of an item.
///
///     at: dlt645/02010100        the whole data of an item
///     at: cjt188/901F@1          bytes 1 … of an item that holds several values
package struct MeterSource: Hashable, Sendable {
    package var item: UInt32
    /// Bytes before the value.
    package var offset: Int
    /// Whether other values may stand beside this one.
    package var isPart: Bool
    package var format: MeterFormat
    /// The top bit of the highest byte is the sign.
    package var hasSignBit: Bool
    /// The byte that must follow the value: its unit (CJ/T 188).
    package var unitCode: UInt8?

    /// The bytes of the value, and of its unit.
    package var bytes: Range<Int> {
        offset..<(offset + format.bytes + (unitCode == nil ? 0 : 1))
    }
}

/// How the standards write a number: `XXXXXX.XX` is BCD, `HHHH` is binary; the low byte comes first.
package struct MeterFormat: Hashable, Sendable {
    package var bytes: Int
    /// Digits behind the point.
    package var decimals: Int
    package var isBinary: Bool

    /// nil unless `text` is an even number of X, up to 16, with one point at most, or of H up to 8.
    package init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let digits = parts.joined()
        guard (1...2).contains(parts.count), !parts.contains(""), digits.count % 2 == 0 else {
            return nil
        }
        if digits.allSatisfy({ $0 == "X" }), digits.count <= 16 {
            isBinary = false
        } else if digits.allSatisfy({ $0 == "H" }), digits.count <= 8, parts.count == 1 {
            isBinary = true
        } else {
            return nil
        }
        bytes = digits.count / 2
        decimals = parts.count == 2 ? parts[1].count : 0
    }

    /// The raw number in `bytes`, which are as many as the format has; nil for digits that cannot be.
    func number(_ bytes: ArraySlice<UInt8>, hasSignBit: Bool) -> DecimalRatio? {
        var pattern: UInt64 = 0
        for byte in bytes.reversed() { pattern = pattern << 8 | UInt64(byte) }
        let sign: UInt64 = hasSignBit ? 1 << UInt64(8 * bytes.count - 1) : 0
        let isNegative = pattern & sign != 0
        pattern &= ~sign
        var value = pattern
        if !isBinary {
            value = 0
            for index in stride(from: 2 * bytes.count - 1, through: 0, by: -1) {
                let digit = pattern >> UInt64(4 * index) & 0xF
                guard digit <= 9 else { return nil }
                value = value * 10 + digit
            }
        }
        let number = DecimalRatio(numerator: Double(value), denominator: 1)
        guard let power = DecimalRatio.power10(-decimals) else { return nil }
        return number * power * DecimalRatio(numerator: isNegative ? -1 : 1, denominator: 1)
    }

    /// The bytes nearest to a raw number; what the format cannot hold becomes its limit.
    func data(nearest number: Double, hasSignBit: Bool) -> [UInt8]? {
        guard number.isFinite, let power = DecimalRatio.power10(decimals) else { return nil }
        let scaled = (number * power.value).rounded(.toNearestOrEven)
        let width = 8 * bytes - (hasSignBit ? 1 : 0)
        var largest = UInt64.max >> UInt64(64 - width)
        if !isBinary {
            // With a sign the highest digit has three bits left, so it is 7 at most.
            largest = (0..<(2 * bytes)).reduce(0) { limit, index in
                limit * 10 + (index == 0 && hasSignBit ? 7 : 9)
            }
        }
        let isNegative = scaled < 0 && hasSignBit
        let magnitude = isNegative ? -scaled : max(0, scaled)
        var rest = min(UInt64(exactly: magnitude) ?? largest, largest)
        var pattern = rest
        if !isBinary {
            pattern = 0
            for index in 0..<(2 * bytes) {
                pattern |= (rest % 10) << UInt64(4 * index)
                rest /= 10
            }
        }
        if isNegative { pattern |= 1 << UInt64(8 * bytes - 1) }
        return (0..<bytes).map { UInt8(truncatingIfNeeded: pattern >> UInt64(8 * $0)) }
    }
}
