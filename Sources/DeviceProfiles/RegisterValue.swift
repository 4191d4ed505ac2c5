/// The head of the pipeline: bytes of registers to a raw number, and back.
///
///     registers → byte order → word order → [pattern, compared with the sentinels]
///               → type and encoding → NaN by class → raw number
enum RegisterValue {
    /// The bits of the value, high half first, right-aligned. At most four registers.
    static func pattern(_ registers: ArraySlice<UInt16>, of source: RegisterSource) -> UInt64 {
        var pattern: UInt64 = 0
        switch source.wordOrder {
        case .highFirst:
            for word in registers { pattern = pattern << 16 | UInt64(ordered(word, source)) }
        case .lowFirst:
            for word in registers.reversed() {
                pattern = pattern << 16 | UInt64(ordered(word, source))
            }
        }
        return pattern
    }

    /// The inverse of `pattern(_:of:)`.
    static func registers(_ pattern: UInt64, of source: RegisterSource) -> [UInt16] {
        let words = (0..<source.count).map { index in
            ordered(UInt16(truncatingIfNeeded: pattern >> UInt64(16 * index)), source)
        }
        return source.wordOrder == .highFirst ? words.reversed() : words
    }

    private static func ordered(_ word: UInt16, _ source: RegisterSource) -> UInt16 {
        source.byteOrder == .highFirst ? word : word.byteSwapped
    }

    /// The number that a pattern stands for; nil for NaN, infinities and digits that cannot be.
    static func number(_ pattern: UInt64, of source: RegisterSource) -> DecimalRatio? {
        switch source.type {
        case .bool: return whole(Double(pattern & 1))
        case .uint16, .uint32, .uint64:
            if source.encoding == .mod10k { return mod10k(pattern, words: source.count) }
            return whole(Double(pattern))
        case .int16, .int32, .int64:
            let width = UInt64(16 * source.count)
            if source.encoding == .signMagnitude {
                let sign: UInt64 = 1 << (width - 1)
                let magnitude = Double(pattern & (sign - 1))
                return whole(pattern & sign == 0 ? magnitude : -magnitude)
            }
            let unused = 64 - width
            return whole(Double(Int64(bitPattern: pattern << unused) >> Int64(unused)))
        case .bcd16, .bcd32: return decimalDigits(pattern, count: 4 * source.count)
        case .float32:
            let float = Float(bitPattern: UInt32(truncatingIfNeeded: pattern))
            guard float.isFinite else { return nil }
            return folded(.shortest(float), source)
        case .float64:
            let double = Double(bitPattern: pattern)
            guard double.isFinite else { return nil }
            return folded(DecimalRatio(double), source)
        case .text: return nil
        }
    }

    private static func whole(_ value: Double) -> DecimalRatio {
        DecimalRatio(numerator: value, denominator: 1)
    }

    private static func folded(_ ratio: DecimalRatio, _ source: RegisterSource) -> DecimalRatio {
        guard source.encoding == .powerFactorQuadrant, ratio.value.magnitude > 1 else {
            return ratio
        }
        return whole(ratio.value > 0 ? 2 : -2) + ratio * whole(-1)
    }

    private static func mod10k(_ pattern: UInt64, words: Int) -> DecimalRatio? {
        var value: UInt64 = 0
        for index in stride(from: words - 1, through: 0, by: -1) {
            let word = pattern >> UInt64(16 * index) & 0xFFFF
            guard word <= 9999 else { return nil }
            value = value * 10_000 + word
        }
        return whole(Double(value))
    }

    private static func decimalDigits(_ pattern: UInt64, count: Int) -> DecimalRatio? {
        var value: UInt64 = 0
        for index in stride(from: count - 1, through: 0, by: -1) {
            let digit = pattern >> UInt64(4 * index) & 0xF
            guard digit <= 9 else { return nil }
            value = value * 10 + digit
        }
        return whole(Double(value))
    }

    /// The pattern nearest to a raw number; what the type cannot hold becomes its limit.
    ///
    /// nil for NaN and for texts.
    static func pattern(nearest number: Double, of source: RegisterSource) -> UInt64? {
        guard !number.isNaN else { return nil }
        let rounded = number.rounded(.toNearestOrEven)
        let width = 16 * source.count
        switch source.type {
        case .bool: return rounded == 0 ? 0 : 1
        case .uint16, .uint32, .uint64:
            if source.encoding == .mod10k {
                var rest = clamped(
                    rounded,
                    to: source.count >= 4
                        ? 9_999_999_999_999_999
                        : (1...source.count).reduce(1) { n, _ in n * 10_000 } - 1)
                return (0..<source.count).reduce(0) { pattern, index in
                    defer { rest /= 10_000 }
                    return pattern | (rest % 10_000) << UInt64(16 * index)
                }
            }
            return clamped(rounded, to: UInt64.max >> UInt64(64 - width))
        case .int16, .int32, .int64:
            let largest = UInt64.max >> UInt64(65 - width)
            let magnitude = clamped(rounded.magnitude, to: largest)
            guard rounded < 0 else { return magnitude }
            if source.encoding == .signMagnitude { return magnitude | 1 << UInt64(width - 1) }
            return (0 &- magnitude) & UInt64.max >> UInt64(64 - width)
        case .bcd16, .bcd32:
            var rest = clamped(rounded, to: source.type == .bcd16 ? 9999 : 99_999_999)
            return (0..<(4 * source.count)).reduce(0) { pattern, index in
                defer { rest /= 10 }
                return pattern | (rest % 10) << UInt64(4 * index)
            }
        case .float32:
            let limit = Double(Float.greatestFiniteMagnitude)
            return UInt64(Float(min(max(number, -limit), limit)).bitPattern)
        case .float64:
            let limit = Double.greatestFiniteMagnitude
            return min(max(number, -limit), limit).bitPattern
        case .text: return nil
        }
    }

    /// - Parameter value: whole, not NaN.
    private static func clamped(_ value: Double, to largest: UInt64) -> UInt64 {
        guard value > 0 else { return 0 }
        return min(UInt64(exactly: value) ?? largest, largest)
    }

    /// A text in registers: two characters each, filled up with NUL or spaces; nil if not UTF-8.
    static func text(_ registers: ArraySlice<UInt16>, of source: RegisterSource) -> String? {
        var bytes: [UInt8] = []
        for word in registers {
            let word = ordered(word, source)
            bytes += [UInt8(word >> 8), UInt8(word & 0xFF)]
        }
        while let last = bytes.last, last == 0 || last == 0x20 { bytes.removeLast() }
        return String(validating: bytes, as: UTF8.self)
    }

    /// The inverse of `text(_:of:)`; what is too long is cut.
    static func registers(_ text: String, of source: RegisterSource) -> [UInt16] {
        var bytes = Array(text.utf8.prefix(2 * source.count))
        bytes += Array(repeating: 0, count: 2 * source.count - bytes.count)
        return (0..<source.count).map { index in
            ordered(UInt16(bytes[2 * index]) << 8 | UInt16(bytes[2 * index + 1]), source)
        }
    }
}
