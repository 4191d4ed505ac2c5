import BucketCodec
import Telemetry

/// The quarters of one UTC day and up to 64 series as one blob (table `rollup_pack`, codec 1).
///
///     byte   0      version, 1
///     bytes  1–4    CRC-32 of the directory, little endian
///            5…     directory: varint number of series, then for each, in ascending order
///                     byte     series.number modulo 64
///                     varint   length in bytes of its section
///                     4 bytes  CRC-32 of its section, little endian
///                   the sections, in the order of the directory, nothing behind the last
///
/// A section, so that one series costs its own bytes only:
///
///     12 bytes   which quarters of the day there are: quarter i is bit i modulo 8 of byte i / 8
///     11 columns, one value for each quarter there is: count, bad, expected, sum, min, max,
///                first, last, increase, estimated, revision; each by its first byte
///       0   NULL in all of them
///       1   the same whole number in all of them: zigzag
///       2   varint length, then the numbers as a column of docs/formats/bucket.md
///
/// The doubles come back bit for bit. What is no quarter of the day, and what a double cannot
/// hold, is not packed and stays a row.
struct RollupPack: Sendable {
    static let version: UInt8 = 1
    static let dayLength: Int64 = 86_400_000
    static let slotLength: Int64 = 900_000
    static let slots = 96
    static let seriesPerBlock = 64

    /// The block of a series, and the start of the UTC day of an instant.
    static func block(_ series: Int) -> Int { series >> 6 }
    static func day(_ start: Int64) -> Int64 { start &- start.modulo(dayLength) }

    let day: Int64
    let block: Int
    private let bytes: [UInt8]
    private var sections: [(series: Int, range: Range<Int>, checksum: UInt32)] = []

    /// Reads the directory; sections are looked at when a series is asked for.
    init(_ bytes: [UInt8], day: Int64, block: Int) throws(Damage) {
        self.bytes = bytes
        self.day = day
        self.block = block
        var reader = ByteReader(bytes)
        let version = try reader.byte()
        guard version == Self.version else { throw reader.damage("version \(version)") }
        let checksum = try reader.fixed(UInt32.self)
        let count = try reader.count(upTo: Self.seriesPerBlock, of: "series")
        var lengths: [(series: Int, length: Int, checksum: UInt32)] = []
        for _ in 0..<count {
            let number = Int(try reader.byte())
            let series = block &* Self.seriesPerBlock &+ number
            guard number < Self.seriesPerBlock, lengths.last.map({ $0.series < series }) ?? true
            else { throw reader.damage("series \(number) out of order") }
            let length = try reader.count(upTo: bytes.count, of: "bytes")
            lengths.append((series, length, try reader.fixed(UInt32.self)))
        }
        guard CRC32.checksum(bytes[5..<reader.position]) == checksum else {
            throw reader.damage("the directory's checksum does not fit")
        }
        var position = reader.position
        for (series, length, checksum) in lengths {
            guard bytes.count - position >= length else { throw reader.damage("a section is cut") }
            sections.append((series, position..<position + length, checksum))
            position += length
        }
        guard position == bytes.count else { throw reader.damage("bytes behind the sections") }
    }

    var series: [Int] { sections.map(\.series) }

    /// The rows of one series in order of time; empty for one that is not in it.
    func rows(of series: Int) throws(Damage) -> [RollupRow] {
        guard let section = sections.first(where: { $0.series == series }) else { return [] }
        let slice = bytes[section.range]
        guard CRC32.checksum(slice) == section.checksum else {
            throw Damage(
                what: "the checksum of series \(series) does not fit",
                position: section.range.lowerBound)
        }
        var reader = ByteReader([UInt8](slice))
        var starts: [Int64] = []
        for byte in 0..<Self.slots / 8 {
            let bits = try reader.byte()
            for bit in 0..<8 where bits & (1 << bit) != 0 {
                starts.append(day &+ Int64(byte * 8 + bit) * Self.slotLength)
            }
        }
        var columns: [[Double?]] = []
        for _ in 0..<Self.columnCount {
            columns.append(try PackedColumn.decode(&reader, count: starts.count))
        }
        guard reader.remaining == 0 else { throw reader.damage("bytes behind the columns") }
        var rows: [RollupRow] = []
        rows.reserveCapacity(starts.count)
        for (index, start) in starts.enumerated() {
            let value = columns.map { $0[index] }
            guard let count = Self.whole(value[0]), let bad = Self.whole(value[1]),
                let revision = Self.whole(value[10]),
                let estimated = Self.whole(value[9]), value[2] == nil || Self.whole(value[2]) != nil
            else { throw reader.damage("a count that is none") }
            rows.append(
                RollupRow(
                    series: series, start: start, count: count, bad: bad,
                    expected: Self.whole(value[2]), sum: value[3], minimum: value[4],
                    maximum: value[5], first: value[6], last: value[7], increase: value[8],
                    isEstimated: estimated != 0, revision: revision))
        }
        return rows
    }

    // MARK: writing

    private static let columnCount = 11
    private static let largest = 9_007_199_254_740_992

    /// Whether every column of the row comes back from a pack as it is.
    static func holds(_ row: RollupRow) -> Bool {
        [row.count, row.bad, row.expected ?? 0, row.revision].allSatisfy {
            $0.magnitude < largest
        }
            && row.start.modulo(slotLength) == 0
    }

    /// - Parameter rows: of one day and one block, at most one for each series and quarter, all of
    ///   which a pack `holds`; in any order.
    static func encode(_ rows: [RollupRow]) -> [UInt8] {
        pack(
            Dictionary(grouping: rows, by: \.series).sorted { $0.key < $1.key }.map {
                ($0.key, section(of: $0.value.sorted { $0.start < $1.start }))
            })
    }

    /// One section as the pack of the first series of its block.
    static func around(_ section: [UInt8]) -> [UInt8] { pack([(series: 0, bytes: section)]) }

    private static func pack(_ bySeries: [(series: Int, bytes: [UInt8])]) -> [UInt8] {
        var directory = ByteWriter()
        directory.varint(UInt64(bySeries.count))
        var sections: [UInt8] = []
        for (series, section) in bySeries {
            directory.byte(UInt8(truncatingIfNeeded: series & 63))
            directory.varint(UInt64(section.count))
            directory.fixed(CRC32.checksum(section[...]))
            sections += section
        }
        var writer = ByteWriter()
        writer.byte(version)
        writer.fixed(CRC32.checksum(directory.bytes[...]))
        writer.append(directory.bytes)
        writer.append(sections)
        return writer.bytes
    }

    /// The rows of one series, in order of time.
    static func section(of rows: [RollupRow]) -> [UInt8] {
        var present = [UInt8](repeating: 0, count: slots / 8)
        for row in rows {
            let slot = Int(row.start.modulo(dayLength) / slotLength)
            present[slot / 8] |= 1 << UInt8(slot % 8)
        }
        var writer = ByteWriter()
        writer.append(present)
        let columns: [[Double?]] = [
            rows.map { Double($0.count) }, rows.map { Double($0.bad) },
            rows.map { $0.expected.map(Double.init) }, rows.map(\.sum), rows.map(\.minimum),
            rows.map(\.maximum), rows.map(\.first), rows.map(\.last), rows.map(\.increase),
            rows.map { $0.isEstimated ? 1 : 0 }, rows.map { Double($0.revision) },
        ]
        for column in columns { PackedColumn.encode(column, &writer) }
        return writer.bytes
    }

    /// A whole number out of a column; nil when it is none, so that a forged blob cannot trap.
    private static func whole(_ value: Double?) -> Int? { value.flatMap { Int(exactly: $0) } }
}

/// One column of a section.
private enum PackedColumn {
    static func encode(_ values: [Double?], _ writer: inout ByteWriter) {
        if values.allSatisfy({ $0 == nil }) {
            writer.byte(0)
        } else if let only = constant(values) {
            writer.byte(1)
            writer.zigzag(only)
        } else {
            let bytes = NumberColumnCodec.encode(values)
            writer.byte(2)
            writer.varint(UInt64(bytes.count))
            writer.append(bytes)
        }
    }

    /// The whole number that every value is, bit for bit: -0.0 is none.
    private static func constant(_ values: [Double?]) -> Int64? {
        guard let first = values.first ?? nil, let whole = Int64(exactly: first),
            whole.magnitude < 1 << 53, Double(whole).bitPattern == first.bitPattern,
            values.allSatisfy({ $0?.bitPattern == first.bitPattern })
        else { return nil }
        return whole
    }

    static func decode(_ reader: inout ByteReader, count: Int) throws(Damage) -> [Double?] {
        switch try reader.byte() {
        case 0: return Array(repeating: nil, count: count)
        case 1: return Array(repeating: Double(try reader.zigzag()), count: count)
        case 2:
            let length = try reader.length(of: "a column")
            let end = reader.position + length
            let values = try NumberColumnCodec.decode(&reader, count: count)
            guard reader.position == end, values.count == count else {
                throw reader.damage("a column of another length")
            }
            return values
        case let form: throw reader.damage("form \(form) of a column")
        }
    }
}
