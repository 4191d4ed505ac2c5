import Telemetry

// The `scans` blob of a journal row, version 1.
//
//     byte   0      version, 1
//     bytes  1–4    CRC-32 of all bytes from 5 on, little endian
//            5…     zigzag   base time: milliseconds since 1970 of the first scan, 0 without one
//                   varint   number of scans
//                   scans, each
//                     varint   length in bytes of the rest of this scan
//                     varint   scan group (scan_group.number)
//                     zigzag   time − base time, in milliseconds, wrapping
//                     byte     flags: 1 backfill, 2 arrival time, 4 time estimated
//                     varint   sequence
//                     varint   number of readings, in the order of scan_group.columns
//                     readings, each by its first byte
//                       0x00–0x09  good decimal of so many places: zigzag mantissa follows;
//                                  the value is the double nearest to mantissa / 10^places
//                       0x10       good double: its 64 bits, little endian
//                       0x11       good text: varint length in bytes, UTF-8
//                       0x20       bad: byte reason (Telemetry.BadReason), varint run length ≥ 1
//                                  — so many readings in a row are bad for this reason
//
// A varint is unsigned LEB128 (at most 10 bytes), a zigzag a varint of (n << 1) ^ (n >> 63).
// A blob is valid when (1) the version is known, (2) the checksum holds, (3) every count fits what
// is left, (4) every scan takes exactly its length, (5) nothing follows the last one.
// At most 65,536 readings a scan and 1,048,576 a blob: a damaged count cannot ask for memory.

/// Scans as the bytes of one journal row, and back, bit for bit.
enum JournalCodec {
    static let version: UInt8 = 1
    static let maximumReadingsPerScan = 65_536
    static let maximumReadings = 1_048_576
    private static let headerLength = 5

    private enum Tag {
        static let double: UInt8 = 0x10
        static let text: UInt8 = 0x11
        static let bad: UInt8 = 0x20
    }

    static func encode(_ scans: [Scan]) -> [UInt8] { encodeWithBodies(scans).blob }

    /// Also says where in the blob the readings of each scan stand, their number before them.
    static func encodeWithBodies(_ scans: [Scan]) -> (blob: [UInt8], bodies: [Range<Int>]) {
        var bodies: [Range<Int>] = []
        var blob = ByteWriter()
        blob.byte(version)
        blob.fixed(UInt32(0))
        let base = scans.first?.time.milliseconds ?? 0
        blob.zigzag(base)
        blob.varint(UInt64(scans.count))
        for scan in scans {
            var body = ByteWriter()
            body.varint(UInt64(bitPattern: Int64(scan.group.number)))
            body.zigzag(scan.time.milliseconds &- base)
            body.byte(scan.flags.rawValue)
            body.varint(UInt64(scan.sequence))
            let readings = body.bytes.count
            body.varint(UInt64(scan.readings.count))
            encode(scan.readings, into: &body)
            blob.varint(UInt64(body.bytes.count))
            bodies.append(
                blob.bytes.count + readings..<blob.bytes.count + body.bytes.count)
            blob.append(body.bytes)
        }
        blob.patch(CRC32.checksum(blob.bytes[headerLength...]), at: 1)
        return (blob.bytes, bodies)
    }

    /// The readings that stand at a position of bytes that were decoded once before.
    static func readings(of bytes: [UInt8], at position: Int) -> [Reading]? {
        var reader = ByteReader(bytes, from: position)
        var budget = maximumReadings
        return try? readings(&reader, budget: &budget)
    }

    /// One of the readings that stand at a position of bytes that were decoded once before.
    static func reading(of bytes: [UInt8], at position: Int, column: Int) -> Reading? {
        var reader = ByteReader(bytes, from: position)
        return try? one(&reader, column: column)
    }

    private static func one(_ reader: inout ByteReader, column: Int) throws(Damage) -> Reading? {
        var rest = column
        guard UInt64(rest) < (try reader.varint()) else { return nil }
        while true {
            let tag = try reader.byte()
            switch tag {
            case 0...UInt8(ScaledInteger.finestExponent):
                let mantissa = try reader.zigzag()
                if rest > 0 { break }
                let decimal = ScaledInteger(mantissa: Int128(mantissa), exponent: Int(tag))
                return .number(decimal.double)
            case Tag.double:
                let bits = try reader.fixed(UInt64.self)
                if rest == 0 { return .number(Double(bitPattern: bits)) }
            case Tag.text:
                if rest == 0 { return .text(try reader.text()) }
                try reader.skip(try reader.length(of: "text"))
            case Tag.bad:
                let reason = BadReason(rawValue: try reader.byte())
                let run = try reader.count(upTo: maximumReadingsPerScan, of: "bad readings")
                if rest < run { return reason.map { .bad($0) } }
                rest -= run - 1
            default: throw reader.damage("the unknown reading tag \(tag)")
            }
            rest -= 1
        }
    }

    /// The scans of a blob without their readings, and where in it those stand.
    static func walk(_ bytes: [UInt8]) throws(Damage) -> [(scan: Scan, body: Range<Int>)] {
        var scans: [(scan: Scan, body: Range<Int>)] = []
        try walk(bytes, where: { _, _ in true }) { header, reader, end throws(Damage) in
            guard reader.position <= end else { throw reader.damage("a scan of another length") }
            scans.append((header, reader.position..<end))
            try reader.skip(end - reader.position)
        }
        return scans
    }

    private static func encode(_ readings: [Reading], into body: inout ByteWriter) {
        var index = 0
        while index < readings.count {
            switch readings[index] {
            case .good(.number(let number)):
                if let decimal = decimal(number) {
                    body.byte(UInt8(decimal.places))
                    body.zigzag(decimal.mantissa)
                } else {
                    body.byte(Tag.double)
                    body.fixed(number.bitPattern)
                }
            case .good(.text(let text)):
                body.byte(Tag.text)
                body.text(text)
            case .bad(let reason):
                var run = 1
                while index + run < readings.count, readings[index + run] == .bad(reason) {
                    run += 1
                }
                body.byte(Tag.bad)
                body.byte(reason.rawValue)
                body.varint(UInt64(run))
                index += run - 1
            }
            index += 1
        }
    }

    /// The decimal of which `number` is the nearest double; nil for −0, which has no mantissa.
    private static func decimal(_ number: Double) -> (mantissa: Int64, places: Int)? {
        guard !(number == 0 && number.sign == .minus),
            let exact = ScaledInteger(exactly: number),
            let mantissa = Int64(exactly: exact.mantissa)
        else { return nil }
        return (mantissa, exact.exponent)
    }

    /// The scans of a blob, or only those that `isWanted` lets through.
    static func decode(
        _ bytes: [UInt8],
        where isWanted: (ScanGroup.ID, Timestamp) -> Bool = { _, _ in true }
    ) throws(Damage) -> [Scan] {
        var budget = maximumReadings
        var scans: [Scan] = []
        try walk(bytes, where: isWanted) { header, reader, end throws(Damage) in
            var scan = header
            scan.readings = try readings(&reader, budget: &budget)
            guard reader.position == end else { throw reader.damage("a scan of another length") }
            scans.append(scan)
        }
        return scans
    }

    private static func walk(
        _ bytes: [UInt8], where isWanted: (ScanGroup.ID, Timestamp) -> Bool,
        _ body: (Scan, inout ByteReader, Int) throws(Damage) -> Void
    ) throws(Damage) {
        var reader = try opened(bytes)
        let base = try reader.zigzag()
        // A scan takes at least six bytes, its length included.
        let count = try reader.count(upTo: reader.remaining / 6, of: "scans")
        for _ in 0..<count {
            let length = try reader.length(of: "a scan")
            let end = reader.position + length
            guard let number = Int(exactly: Int64(bitPattern: try reader.varint())) else {
                throw reader.damage("a group number beyond the machine's integers")
            }
            let group = ScanGroup.ID(number)
            let time = Timestamp(milliseconds: base &+ (try reader.zigzag()))
            guard isWanted(group, time) else {
                try reader.skip(end - reader.position)
                continue
            }
            let flags = ScanFlags(rawValue: try reader.byte())
            let sequence = try reader.count(upTo: Int(UInt16.max), of: "as sequence")
            try body(
                Scan(
                    group: group, time: time, sequence: UInt16(sequence), flags: flags,
                    readings: []), &reader, end)
        }
        guard reader.remaining == 0 else { throw reader.damage("bytes after the last scan") }
    }

    /// Checks version and checksum; the reader stands behind the header.
    private static func opened(_ bytes: [UInt8]) throws(Damage) -> ByteReader {
        var reader = ByteReader(bytes)
        let found = try reader.byte()
        guard found == version else { throw reader.damage("version \(found), known is \(version)") }
        let checksum = try reader.fixed(UInt32.self)
        guard checksum == CRC32.checksum(bytes[headerLength...]) else {
            throw reader.damage("the checksum does not hold")
        }
        return reader
    }

    private static func readings(
        _ reader: inout ByteReader, budget: inout Int
    ) throws(Damage) -> [Reading] {
        let limit = min(maximumReadingsPerScan, budget)
        let count = try reader.count(upTo: limit, of: "readings")
        budget -= count
        var readings: [Reading] = []
        readings.reserveCapacity(count)
        while readings.count < count {
            let tag = try reader.byte()
            switch tag {
            case 0...UInt8(ScaledInteger.finestExponent):
                let mantissa = try reader.zigzag()
                let decimal = ScaledInteger(mantissa: Int128(mantissa), exponent: Int(tag))
                readings.append(.number(decimal.double))
            case Tag.double:
                readings.append(.number(Double(bitPattern: try reader.fixed(UInt64.self))))
            case Tag.text:
                readings.append(.text(try reader.text()))
            case Tag.bad:
                let raw = try reader.byte()
                guard let reason = BadReason(rawValue: raw) else {
                    throw reader.damage("the unknown bad reason \(raw)")
                }
                let run = try reader.count(upTo: count - readings.count, of: "bad readings")
                guard run > 0 else { throw reader.damage("an empty run of bad readings") }
                readings.append(contentsOf: repeatElement(.bad(reason), count: run))
            default:
                throw reader.damage("the unknown reading tag \(tag)")
            }
        }
        return readings
    }
}
