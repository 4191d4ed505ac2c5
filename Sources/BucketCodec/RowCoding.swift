import Telemetry

/// Times, sequences and flags of the rows ↔ bytes.
///
///     with a period P > 0:
///         stream    s: slot number of the row, less the row's number
///         stream    r: milliseconds off the slot
///                   time = first + (s + row) × P + r
///     without:
///         stream    time − first
///     stream    sequences
///     stream    flags
///
/// Scans on the grid without a gap cost one byte for each stream.
enum RowCoding {
    static func encode(_ rows: BucketRows, period: Int64, into out: inout ByteWriter) {
        let first = rows.times.first?.milliseconds ?? 0
        if period > 0 {
            var slots: [Int64] = []
            var offsets: [Int64] = []
            slots.reserveCapacity(rows.count)
            offsets.reserveCapacity(rows.count)
            for (row, time) in rows.times.enumerated() {
                let distance = time.milliseconds &- first
                // The nearest slot, so that jitter around it makes small offsets and no gaps.
                let shifted = distance &+ period / 2
                let slot = (shifted &- shifted.modulo(period)) / period
                slots.append(slot &- Int64(row))
                offsets.append(distance &- slot &* period)
            }
            IntegerStream.encode(slots, into: &out)
            IntegerStream.encode(offsets, into: &out)
        } else {
            IntegerStream.encode(rows.times.map { $0.milliseconds &- first }, into: &out)
        }
        IntegerStream.encode(rows.sequences.map(Int64.init), into: &out)
        IntegerStream.encode(rows.flags.map { Int64($0.rawValue) }, into: &out)
    }

    static func decode(
        _ directory: BucketDirectory, _ reader: inout ByteReader
    ) throws(Damage) -> BucketRows {
        let count = directory.rows
        var times: [Int64]
        if directory.period > 0 {
            times = try IntegerStream.decode(&reader, count: count)
            let offsets = try IntegerStream.decode(&reader, count: count)
            for row in times.indices {
                let slot = times[row] &+ Int64(row)
                times[row] = directory.first &+ slot &* directory.period &+ offsets[row]
            }
        } else {
            times = try IntegerStream.decode(&reader, count: count)
            for row in times.indices { times[row] &+= directory.first }
        }
        guard times.last ?? directory.last == directory.last else {
            throw reader.damage("the last time is not that of the head")
        }
        let sequences = try IntegerStream.decode(&reader, count: count)
        let flags = try IntegerStream.decode(&reader, count: count)
        guard sequences.allSatisfy({ $0 >= 0 && $0 <= UInt16.max }) else {
            throw reader.damage("a sequence outside 0 to 65535")
        }
        guard flags.allSatisfy({ $0 >= 0 && $0 <= UInt8.max }) else {
            throw reader.damage("flags outside 0 to 255")
        }
        return BucketRows(
            times: times.map(Timestamp.init(milliseconds:)),
            sequences: sequences.map { UInt16(truncatingIfNeeded: $0) },
            flags: flags.map { ScanFlags(rawValue: UInt8(truncatingIfNeeded: $0)) }, columns: [])
    }
}
