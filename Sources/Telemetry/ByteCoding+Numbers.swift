// Numbers as the checkpoints write them: short decimals as integers, everything else by its bits.
//
//     number   1 byte: 0…9 decimal places, then the mantissa as zigzag varint; or
//              255, then the eight bytes of the double
//     decimal  1 byte: places 0…18, then the mantissa as a wide zigzag varint (up to 19 bytes)
//     instant  zigzag varint of milliseconds

extension ByteWriter {
    /// A double, bit for bit; four bytes for most readings.
    package mutating func number(_ value: Double) {
        if let decimal = ScaledInteger(sameBitsAs: value) {
            byte(UInt8(decimal.exponent))
            zigzag(Int64(decimal.mantissa))
        } else {
            byte(.max)
            fixed(value.bitPattern)
        }
    }

    /// A decimal of any size.
    package mutating func decimal(_ value: ScaledInteger) {
        byte(UInt8(truncatingIfNeeded: value.exponent))
        wideZigzag(value.mantissa)
    }

    /// A signed integer of up to 128 bits, small magnitudes first.
    package mutating func wideZigzag(_ value: Int128) {
        var rest = UInt128(bitPattern: (value &<< 1) ^ (value >> 127))
        while rest >= 0x80 {
            byte(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        byte(UInt8(truncatingIfNeeded: rest))
    }

    /// An instant as a zigzag of its milliseconds.
    package mutating func instant(_ time: Timestamp) { zigzag(time.milliseconds) }
}

extension ByteReader {
    /// Takes out what `number(_:)` has written.
    package mutating func number() throws(Damage) -> Double {
        let places = try byte()
        if places == .max { return Double(bitPattern: try fixed(UInt64.self)) }
        guard places <= UInt8(ScaledInteger.finestExponent) else {
            throw damage("a number with \(places) decimal places")
        }
        let mantissa = try zigzag()
        return Double(mantissa) / ScaledInteger.powers[Int(places)]
    }

    /// Refused from 10²⁶ on, so that sums of many such numbers stay far from overflowing.
    package mutating func decimal() throws(Damage) -> ScaledInteger {
        let places = try byte()
        guard places <= UInt8(ScaledInteger.finestExponent) else {
            throw damage("a decimal with \(places) places")
        }
        return try bounded(try wideZigzag(), places: Int(places))
    }

    /// Takes out what `wideZigzag(_:)` has written.
    package mutating func wideZigzag() throws(Damage) -> Int128 {
        var raw: UInt128 = 0
        for shift in stride(from: UInt128(0), through: 126, by: 7) {
            let next = try byte()
            if shift == 126, next > 3 { throw damage("a number of more than 128 bits") }
            raw |= UInt128(next & 0x7F) &<< shift
            if next < 0x80 { return Int128(bitPattern: raw >> 1) ^ -Int128(bitPattern: raw & 1) }
        }
        throw damage("a number of more than nineteen bytes")
    }

    /// The decimal, if it is of a size that readings and their sums can have.
    package func bounded(_ mantissa: Int128, places: Int) throws(Damage) -> ScaledInteger {
        var largest: Int128 = 100_000_000_000_000_000_000_000_000
        for _ in 0..<max(0, min(places, ScaledInteger.finestExponent)) { largest *= 10 }
        guard mantissa > -largest, mantissa < largest else {
            throw damage("a number above 10^26")
        }
        return ScaledInteger(mantissa: mantissa, exponent: places)
    }

    /// An instant of the years in which anything can have been read.
    package mutating func instant() throws(Damage) -> Timestamp {
        try plausible(try zigzag())
    }

    /// The instant, refused when arithmetic on it could overflow.
    package func plausible(_ milliseconds: Int64) throws(Damage) -> Timestamp {
        guard milliseconds > -Self.farthest, milliseconds < Self.farthest else {
            throw damage("an instant outside of all years")
        }
        return Timestamp(milliseconds: milliseconds)
    }

    /// Milliseconds of about 140,000 years.
    private static var farthest: Int64 { 1 << 52 }
}

extension ScaledInteger {
    /// The decimal from which `value` comes back bit for bit; nil when there is none (-0 has none).
    package init?(sameBitsAs value: Double) {
        guard let decimal = ScaledInteger(exactly: value), value != 0 || value.sign == .plus else {
            return nil
        }
        self = decimal
    }
}
