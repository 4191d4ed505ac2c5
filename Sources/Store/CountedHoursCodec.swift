import Telemetry

/// What one counter counted in the hours of a stretch of 32 days (table `counted_hours`, codec 1).
///
///     byte   0      version, 1
///     bytes  1–4    CRC-32 of all bytes from 5 on, little endian
///            5…     varint   n, slots: one behind the last that has a row, at most 768
///                   varint   milliseconds from the beginning of the stretch to that of slot 0;
///                            slot i begins i hours later
///                   varint   decimal places of the increases, at most 9
///                   bitmap   slots that have a row: slot i is bit i modulo 8 of byte i / 8
///                   bitmap   slots of which the increase is known
///                   bitmap   slots that are estimated
///                   numbers  good readings of each slot that has a row
///                   numbers  readings expected there, and one more; 0 where nobody has said
///                   zigzag   the increase of each slot of which it is known, as a whole number
///
///     numbers: byte 1 and the varint that all of them are, or byte 2 and a varint each
struct CountedHours: Hashable, Sendable {
    /// A row of the hours, as far as accounts read it.
    struct Row: Hashable, Sendable {
        var start: Int64
        var count: Int
        var expected: Int?
        var increase: Double?
        var isEstimated: Bool
    }

    struct Slot: Hashable, Sendable {
        /// On the grid of `exponent`; nil when nothing is known.
        var increase: Int64?
        var isEstimated: Bool
        var good: Int
        var expected: Int?
    }

    static let version: UInt8 = 1
    static let length: Int64 = 32 * 86_400_000
    static let hour: Int64 = 3_600_000
    static let slots = Int(length / hour)

    /// The beginning of the stretch that holds an instant.
    static func stretch(_ start: Int64) -> Int64 { start &- start.modulo(length) }

    /// Where slot 0 begins, in milliseconds after the stretch, less than an hour.
    var phase: Int64
    /// Decimal places of the increases.
    var exponent: Int
    /// nil where there is no row.
    var slots: [Slot?]

    /// The slot that begins at an instant; nil when there is none.
    func slot(at start: Int64, in stretch: Int64) -> Slot? {
        let offset = start &- stretch &- phase
        guard offset >= 0, offset % Self.hour == 0 else { return nil }
        let index = Int(offset / Self.hour)
        return index < slots.count ? slots[index] : nil
    }

    /// - Returns: nil when the rows do not fit: hours that begin at different minutes, or increases
    ///   that no 63 bits hold on one grid. They are then read as rows.
    init?(_ rows: [Row], stretch: Int64) {
        phase = rows.first.map { ($0.start &- stretch).modulo(Self.hour) } ?? 0
        let increases = rows.map { $0.increase.flatMap { ScaledInteger(rounding: $0) } }
        exponent = increases.reduce(0) { max($0, $1?.exponent ?? 0) }
        slots = []
        for (row, increase) in zip(rows, increases) {
            let offset = row.start &- stretch &- phase
            guard offset >= 0, offset % Self.hour == 0, offset < Self.length, row.count >= 0,
                row.expected.map({ $0 >= 0 && $0 < Int.max }) ?? true
            else { return nil }
            var mantissa: Int64?
            if let increase {
                mantissa = Int64(exactly: increase.rescaled(to: exponent).mantissa)
                if mantissa == nil { return nil }
            }
            let index = Int(offset / Self.hour)
            while slots.count <= index { slots.append(nil) }
            slots[index] = Slot(
                increase: mantissa, isEstimated: row.isEstimated, good: row.count,
                expected: row.expected)
        }
    }

    // MARK: bytes

    var bytes: [UInt8] {
        var body = ByteWriter()
        body.varint(UInt64(slots.count))
        body.varint(UInt64(phase))
        body.varint(UInt64(exponent))
        body.append(Self.bitmap(slots) { $0 != nil })
        body.append(Self.bitmap(slots) { $0?.increase != nil })
        body.append(Self.bitmap(slots) { $0?.isEstimated ?? false })
        let rows = slots.compactMap(\.self)
        Self.write(rows.map { UInt64($0.good) }, &body)
        Self.write(rows.map { $0.expected.map { UInt64($0) + 1 } ?? 0 }, &body)
        for row in rows {
            if let increase = row.increase { body.zigzag(increase) }
        }
        var writer = ByteWriter()
        writer.byte(Self.version)
        writer.fixed(CRC32.checksum(body.bytes[...]))
        writer.append(body.bytes)
        return writer.bytes
    }

    /// - Throws: `Damage` for bytes that nobody has written.
    init(_ bytes: [UInt8]) throws(Damage) {
        var reader = ByteReader(bytes)
        let version = try reader.byte()
        guard version == Self.version else { throw reader.damage("version \(version)") }
        let checksum = try reader.fixed(UInt32.self)
        guard CRC32.checksum(bytes[reader.position...]) == checksum else {
            throw reader.damage("the checksum does not fit")
        }
        let count = try reader.count(upTo: Self.slots, of: "slots")
        phase = Int64(try reader.count(upTo: Int(Self.hour) - 1, of: "milliseconds"))
        exponent = try reader.count(upTo: ScaledInteger.finestExponent, of: "decimal places")
        let present = try Self.bitmap(&reader, count)
        let known = try Self.bitmap(&reader, count)
        let estimated = try Self.bitmap(&reader, count)
        let rows = present.count { $0 }
        let goods = try Self.numbers(&reader, rows)
        let expecteds = try Self.numbers(&reader, rows)
        var next = 0
        slots = Array(repeating: nil, count: count)
        for index in 0..<count where present[index] {
            let increase = known[index] ? try reader.zigzag() : nil
            slots[index] = Slot(
                increase: increase, isEstimated: estimated[index], good: goods[next],
                expected: expecteds[next] == 0 ? nil : expecteds[next] - 1)
            next += 1
        }
        guard reader.remaining == 0 else { throw reader.damage("bytes behind the increases") }
    }

    private static func bitmap(_ slots: [Slot?], _ isSet: (Slot?) -> Bool) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: (slots.count + 7) / 8)
        for (index, slot) in slots.enumerated() where isSet(slot) {
            bytes[index / 8] |= 1 << UInt8(index % 8)
        }
        return bytes
    }

    private static func bitmap(
        _ reader: inout ByteReader, _ count: Int
    ) throws(Damage) -> [Bool] {
        var bits: [Bool] = []
        bits.reserveCapacity(count + 7)
        for _ in 0..<(count + 7) / 8 {
            let byte = try reader.byte()
            for bit in 0..<8 { bits.append(byte & (1 << UInt8(bit)) != 0) }
        }
        return bits
    }

    private static func write(_ numbers: [UInt64], _ writer: inout ByteWriter) {
        if let first = numbers.first, numbers.allSatisfy({ $0 == first }) {
            writer.byte(1)
            writer.varint(first)
        } else {
            writer.byte(2)
            for number in numbers { writer.varint(number) }
        }
    }

    private static func numbers(
        _ reader: inout ByteReader, _ count: Int
    ) throws(Damage) -> [Int] {
        switch try reader.byte() {
        case 1: return Array(repeating: try number(&reader), count: count)
        case 2:
            var numbers: [Int] = []
            numbers.reserveCapacity(count)
            for _ in 0..<count { numbers.append(try number(&reader)) }
            return numbers
        case let form: throw reader.damage("form \(form) of numbers")
        }
    }

    private static func number(_ reader: inout ByteReader) throws(Damage) -> Int {
        try reader.count(upTo: .max, of: "readings")
    }
}
