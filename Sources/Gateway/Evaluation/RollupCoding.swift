import Telemetry

// One open rollup in the checkpoint.
//
//     rollup  flags (1 byte), count (varint), [bad], [expected], [numbers], [increase]
//       flags    1 bad follows            2 expected follows       4 numbers follow
//                8 increase follows      16 is estimated          32 the sum has floats
//               64 numbers by their bits  128 times in seconds
//     numbers  first time (offset from the bucket's start), last time (offset from first), zigzag;
//       by decimals: places of the four, first; minimum, maximum and last as differences from it;
//                    places of the sum, sum less count × first (wide zigzag)
//       by bits:     first, minimum, maximum, last (number), sum (decimal)
//       [floats]     floats and compensation, eight bytes each
//     increase decimal
//
// A gauge takes about 20 bytes, a counter about 25.

extension ByteWriter {
    /// - Parameter start: the start of the rollup's bucket.
    mutating func rollup(_ rollup: Rollup, from start: Timestamp) {
        let numbers = Numbers(rollup)
        let common = numbers.flatMap(Decimals.init)
        let first = numbers.map { $0.first.time.milliseconds &- start.milliseconds } ?? 0
        let last = numbers.map { $0.last.time.milliseconds &- $0.first.time.milliseconds } ?? 0
        let isWhole = first % 1000 == 0 && last % 1000 == 0
        let hasFloats =
            rollup.sum.floats.bitPattern != 0 || rollup.sum.compensation.bitPattern != 0
        var flags = RollupFlags()
        if rollup.bad != 0 { flags.insert(.bad) }
        if rollup.expected != nil { flags.insert(.expected) }
        if numbers != nil { flags.insert(.numbers) }
        if rollup.increase != nil { flags.insert(.increase) }
        if rollup.isEstimated { flags.insert(.estimated) }
        if numbers != nil, hasFloats { flags.insert(.floats) }
        if numbers != nil, common == nil { flags.insert(.bits) }
        if isWhole { flags.insert(.seconds) }
        byte(flags.rawValue)
        varint(UInt64(clamping: rollup.count))
        if flags.contains(.bad) { varint(UInt64(clamping: rollup.bad)) }
        if let expected = rollup.expected { varint(UInt64(clamping: expected)) }
        if let numbers {
            zigzag(isWhole ? first / 1000 : first)
            zigzag(isWhole ? last / 1000 : last)
            if let common {
                byte(UInt8(common.places))
                zigzag(common.first)
                for value in [common.minimum, common.maximum, common.last] {
                    zigzag(value &- common.first)
                }
                let sum = rollup.sum.decimals
                byte(UInt8(truncatingIfNeeded: sum.exponent))
                wideZigzag(
                    sum.mantissa
                        &- Decimals.base(common.first, common.places, rollup.count, sum.exponent))
            } else {
                for value in [
                    numbers.first.value, numbers.minimum, numbers.maximum, numbers.last.value,
                ] {
                    number(value)
                }
                decimal(rollup.sum.decimals)
            }
            if hasFloats {
                fixed(rollup.sum.floats.bitPattern)
                fixed(rollup.sum.compensation.bitPattern)
            }
        }
        if let increase = rollup.increase { decimal(increase) }
    }
}

extension ByteReader {
    mutating func rollup(from start: Timestamp) throws(Damage) -> Rollup {
        let flags = RollupFlags(rawValue: try byte())
        // Far above what a bucket can hold, and far below what could overflow.
        let limit = 1 << 40
        var rollup = Rollup(count: try count(upTo: limit, of: "readings"))
        if flags.contains(.bad) { rollup.bad = try count(upTo: limit, of: "bad readings") }
        if flags.contains(.expected) {
            rollup.expected = try count(upTo: limit, of: "expected readings")
        }
        rollup.isEstimated = flags.contains(.estimated)
        if flags.contains(.numbers) { try numbers(flags, start, &rollup) }
        if flags.contains(.increase) { rollup.increase = try decimal() }
        return rollup
    }

    private mutating func numbers(
        _ flags: RollupFlags, _ start: Timestamp, _ rollup: inout Rollup
    ) throws(Damage) {
        let unit: Int64 = flags.contains(.seconds) ? 1000 : 1
        let firstTime = try plausible(
            start.milliseconds &+ (try zigzag()).multipliedReportingOverflow(by: unit).partialValue)
        let lastTime = try plausible(
            firstTime.milliseconds
                &+ (try zigzag()).multipliedReportingOverflow(by: unit).partialValue)
        let values: [Double]
        let decimals: ScaledInteger
        if flags.contains(.bits) {
            values = [try number(), try number(), try number(), try number()]
            decimals = try decimal()
        } else {
            let places = try count(upTo: ScaledInteger.finestExponent, of: "decimal places")
            let first = try mantissa(after: 0)
            let minimum = try mantissa(after: first)
            let maximum = try mantissa(after: first)
            let last = try mantissa(after: first)
            values = [first, minimum, maximum, last].map {
                Double($0) / ScaledInteger.powers[places]
            }
            let exponent = try count(upTo: ScaledInteger.finestExponent, of: "decimal places")
            let base = Decimals.base(first, places, rollup.count, exponent)
            decimals = try bounded(try wideZigzag() &+ base, places: exponent)
        }
        guard values.allSatisfy(\.isFinite) else { throw damage("a reading that is no number") }
        rollup.first = Rollup.Timed(time: firstTime, value: values[0])
        rollup.minimum = values[1]
        rollup.maximum = values[2]
        rollup.last = Rollup.Timed(time: lastTime, value: values[3])
        var floats = (0.0, 0.0)
        if flags.contains(.floats) {
            floats = (
                Double(bitPattern: try fixed(UInt64.self)),
                Double(bitPattern: try fixed(UInt64.self))
            )
        }
        rollup.sum = ExactSum(decimals: decimals, floats: floats.0, compensation: floats.1)
    }

    private mutating func mantissa(after base: Int64) throws(Damage) -> Int64 {
        let value = base &+ (try zigzag())
        guard value.magnitude < Decimals.limit else { throw damage("a mantissa beyond 2^53") }
        return value
    }
}

private struct RollupFlags: OptionSet {
    let rawValue: UInt8
    static let bad = RollupFlags(rawValue: 1)
    static let expected = RollupFlags(rawValue: 2)
    static let numbers = RollupFlags(rawValue: 4)
    static let increase = RollupFlags(rawValue: 8)
    static let estimated = RollupFlags(rawValue: 16)
    static let floats = RollupFlags(rawValue: 32)
    static let bits = RollupFlags(rawValue: 64)
    static let seconds = RollupFlags(rawValue: 128)
}

/// The four numbers that stand together or not at all.
private struct Numbers {
    let first: Rollup.Timed
    let last: Rollup.Timed
    let minimum: Double
    let maximum: Double

    init?(_ rollup: Rollup) {
        guard let first = rollup.first, let last = rollup.last, let minimum = rollup.minimum,
            let maximum = rollup.maximum
        else { return nil }
        self.first = first
        self.last = last
        self.minimum = minimum
        self.maximum = maximum
    }
}

/// The same four as integers with one number of decimal places.
private struct Decimals {
    /// Up to here a double holds every integer.
    static let limit: UInt64 = 1 << 53

    let places: Int
    let first: Int64
    let minimum: Int64
    let maximum: Int64
    let last: Int64

    /// nil when one of them is no short decimal.
    init?(_ numbers: Numbers) {
        var decimals: [ScaledInteger] = []
        for value in [
            numbers.first.value, numbers.minimum, numbers.maximum, numbers.last.value,
        ] {
            guard let decimal = ScaledInteger(sameBitsAs: value) else { return nil }
            decimals.append(decimal)
        }
        let places = decimals.map(\.exponent).max() ?? 0
        let mantissas = decimals.map { $0.rescaled(to: places).mantissa }
        guard mantissas.allSatisfy({ $0.magnitude < UInt128(Self.limit) }) else { return nil }
        self.places = places
        first = Int64(mantissas[0])
        minimum = Int64(mantissas[1])
        maximum = Int64(mantissas[2])
        last = Int64(mantissas[3])
    }

    /// What the sum would be if every reading were the first one; 0 where the grids do not fit.
    static func base(_ first: Int64, _ places: Int, _ count: Int, _ exponent: Int) -> Int128 {
        guard exponent >= places, count <= 1 << 40 else { return 0 }
        return ScaledInteger(mantissa: Int128(first) * Int128(count), exponent: places)
            .rescaled(to: exponent).mantissa
    }
}
