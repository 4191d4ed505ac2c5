import Telemetry

/// The tail of the pipeline, bound to the installer's parameters: from the raw number to the
/// canonical reading, and back.
///
///     raw → × scale → + offset → × times → valid? → unit → canonical
///     raw code → values → word
enum PointConversion: Sendable {
    case number(LinearConversion)
    case state(StateConversion)
    case flags(FlagConversion)
    case text

    /// - Parameter parameters: complete and checked; a missing one counts as 1.
    init(_ point: ProfilePoint, parameters: [String: Double]) {
        switch point.description.kind {
        case .gauge, .counter: self = .number(LinearConversion(point, parameters: parameters))
        case .state where !point.flags.isEmpty: self = .flags(FlagConversion(point))
        case .state: self = .state(StateConversion(point.values))
        case .text: self = .text
        }
    }

    /// The reading for a raw number; texts have none.
    func reading(_ raw: DecimalRatio) -> Reading {
        switch self {
        case .number(let conversion): return conversion.reading(raw)
        case .state(let conversion):
            return Int64(exactly: raw.value).map(conversion.reading(code:)) ?? .bad(.unknownCode)
        case .flags(let conversion):
            return UInt64(exactly: raw.value).map(conversion.reading) ?? .bad(.unknownCode)
        case .text: return .bad(.invalid)
        }
    }

    /// The reading for some of the bits of `pattern`.
    func reading(_ bits: ClosedRange<Int>, of pattern: UInt64) -> Reading {
        reading(
            pattern: pattern >> UInt64(bits.lowerBound)
                & (UInt64.max >> UInt64(64 - bits.count)))
    }

    /// The reading for raw bits; `invalid` for a number that no double holds.
    func reading(pattern: UInt64) -> Reading {
        if case .flags(let conversion) = self { return conversion.reading(pattern) }
        guard let number = Double(exactly: pattern) else { return .bad(.invalid) }
        return reading(DecimalRatio(numerator: number, denominator: 1))
    }
}

/// Scale, offset, factors, range and unit of one numeric point, folded into two ratios.
struct LinearConversion: Sendable {
    private let deviceFactor: DecimalRatio
    private let deviceOffset: DecimalRatio
    private let canonicalFactor: DecimalRatio
    private let canonicalOffset: DecimalRatio
    private let valid: ClosedRange<Double>?

    init(_ point: ProfilePoint, parameters: [String: Double]) {
        let scale: DecimalRatio
        switch point.scale {
        case .number(let number): scale = DecimalRatio(number)
        case .parameter(let name): scale = DecimalRatio(parameters[name] ?? 1)
        case .power10: scale = .one
        }
        let times = point.times.reduce(DecimalRatio.one) { $0 * DecimalRatio(parameters[$1] ?? 1) }
        deviceFactor = (scale * times).reduced
        deviceOffset = (DecimalRatio(point.offset) * times).reduced
        let unit = DecimalRatio(point.unit?.factor ?? 1)
        canonicalFactor = (deviceFactor * unit).reduced
        canonicalOffset = (deviceOffset * unit + DecimalRatio(point.unit?.offset ?? 0)).reduced
        valid = point.valid
    }

    /// Scale and offset applied, the range judged in the device's unit, the result canonical.
    func reading(_ raw: DecimalRatio) -> Reading {
        if let valid {
            let device = (raw * deviceFactor + deviceOffset).value
            guard device.isFinite else { return .bad(.invalid) }
            guard valid.contains(device) else { return .bad(.outOfRange) }
        }
        let value = (raw * canonicalFactor + canonicalOffset).value
        // Adding zero turns a negative zero into a plain one.
        return value.isFinite ? .number(value + 0) : .bad(.invalid)
    }

    /// The raw number, not yet rounded, that stands for a canonical value.
    func raw(of canonical: Double) -> Double {
        let shifted = DecimalRatio(canonical) + canonicalOffset * DecimalRatio(-1)
        return (shifted.value * canonicalFactor.denominator) / canonicalFactor.numerator
    }

    /// The canonical size of one raw step, for judging round trips.
    var step: Double { canonicalFactor.value.magnitude }
}

/// Raw codes and the words of a state.
struct StateConversion: Sendable {
    private let wordsByCode: [Int64: String]
    private let wordsByText: [String: String]
    /// The readings of the codes 0 to 9, which are nearly all that devices send.
    private let digits: [Reading]
    private let codes: [String: String]

    init(_ values: [String: String]) {
        wordsByText = values
        digits = (0...9).map { values["\($0)"].map(Reading.text) ?? .bad(.unknownCode) }
        wordsByCode = Dictionary(
            values.compactMap { key, word in Int64(key).map { ($0, word) } },
            uniquingKeysWith: { a, _ in a })
        // Several codes may mean one word; the first in order is the one that is sent.
        codes = Dictionary(
            values.sorted { $0.key < $1.key }.map { ($0.value, $0.key) },
            uniquingKeysWith: { a, _ in a })
    }

    func reading(digit: Int) -> Reading { digits[digit] }

    func reading(code: Int64) -> Reading {
        if (0..<10).contains(code) { return digits[Int(code)] }
        return wordsByCode[code].map(Reading.text) ?? .bad(.unknownCode)
    }

    func reading(text: String) -> Reading {
        wordsByText[text].map(Reading.text) ?? .bad(.unknownCode)
    }

    /// The code that stands for a word.
    func code(of word: String) -> String? { codes[word] }
}

/// The bits of a state whose every bit says something of its own.
struct FlagConversion: Sendable {
    /// From the gravest to the mildest word, with the bits that mean it.
    private let masks: [(mask: UInt64, word: String)]
    private let calm: String

    /// The vocabulary lists the words of a state from calm to grave.
    init(_ point: ProfilePoint) {
        calm = point.description.states.first ?? ""
        masks = point.description.states.reversed().compactMap { word in
            let mask = point.flags.filter { $0.value == word }
                .reduce(UInt64(0)) { $0 | 1 << UInt64($1.key) }
            return mask == 0 ? nil : (mask, word)
        }
    }

    func reading(_ bits: UInt64) -> Reading {
        .text(masks.first { bits & $0.mask != 0 }?.word ?? calm)
    }

    /// Bits that stand for a word; nil when none does.
    func bits(of word: String) -> UInt64? {
        if let mask = masks.first(where: { $0.word == word })?.mask {
            return 1 << UInt64(mask.trailingZeroBitCount)
        }
        return word == calm ? 0 : nil
    }
}
