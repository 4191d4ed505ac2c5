import Telemetry

// A sealed bucket, version 1. docs/formats/bucket.md says the same at length, with an example.
//
//     byte 0       version, 1
//     bytes 1–4    CRC-32 (that of zlib) of every byte from 5 to the end, little endian
//     head         varint rows R, at most 65,536; varint columns C, R × C at most 2²³
//                  only if R > 0: zigzag time of the first row, zigzag last − first (ms)
//                  varint period in ms, 0 for none
//     directory    C entries, see `BucketDirectory`:
//                  byte form: bits 0–2 kind (0 none, 1 integers, 2 doubles, 3 words, 4 mixed),
//                             bit 3 some readings are bad, bits 4–7 decimal places of integers
//                  varint bad readings, with bit 3
//                  integers: zigzag least mantissa, varint greatest − least
//                  doubles, mixed: least and greatest number, 8 bytes each, NaN for none
//                  varint length of the body
//     rows         times, sequences, flags: see `RowCoding`
//     bodies       one for each column, see `ColumnCoding`; they end where the bucket ends
//
// varint: unsigned LEB128, seven bits a byte, lowest first. zigzag: a varint of 0, −1, 1, −2, …
// Whatever is a list of integers is a stream: `IntegerStream`, `Prediction`, `ResidualBlocks`,
// `RiceCode`. One column decodes without its neighbours, and the directory answers for bounds and
// counts without any body.

/// Rows of a bucket ↔ compressed bytes.
package enum BucketCodec {
    /// The format that `encode` writes; the first byte of every bucket.
    package static let version: UInt8 = 1

    private static let headLength = 5

    /// The bucket's bytes; the same rows give the same bytes. `period` is the slot length of a
    /// polled group, nil for messages.
    ///
    /// The rows must not exceed `BucketRows.maximumRows` and `maximumReadings`.
    package static func encode(_ rows: BucketRows, period: Duration?) -> [UInt8] {
        precondition(
            BucketRows.fits(rows: rows.count, width: rows.columns.count),
            "a bucket larger than one may be")
        // An omitted column written back would be a loss that nobody notices.
        precondition(
            rows.columns.allSatisfy { $0.rows == rows.count && $0.values != .omitted },
            "a column that is not whole")
        var directory = BucketDirectory(rows, period: period)
        var bodies = ByteWriter()
        for (index, column) in rows.columns.enumerated() {
            let start = bodies.bytes.count
            ColumnCoding.encode(
                column, minimum: directory.entries[index].minimumMantissa, into: &bodies)
            directory.entries[index].bodyLength = bodies.bytes.count - start
        }
        var out = ByteWriter()
        out.byte(version)
        out.fixed(UInt32(0))
        directory.write(to: &out)
        RowCoding.encode(rows, period: directory.period, into: &out)
        out.append(bodies.bytes)
        out.patch(CRC32.checksum(out.bytes[headLength...]), at: 1)
        return out.bytes
    }

    /// The rows; columns that are not wanted come as `omitted` and cost no time.
    ///
    /// Throws on any byte that is not as `encode` wrote it; never traps, and never asks for more
    /// memory than the largest bucket needs.
    package static func decode(
        _ bytes: [UInt8], columns: Set<Int>? = nil
    ) throws(Damage) -> BucketRows {
        var reader = try opened(bytes)
        let directory = try BucketDirectory(&reader)
        var rows = try RowCoding.decode(directory, &reader)
        guard reader.position == directory.bodiesStart else {
            throw reader.damage("the rows do not end where the columns begin")
        }
        rows.columns.reserveCapacity(directory.entries.count)
        for (index, entry) in directory.entries.enumerated() {
            let end = reader.position + entry.bodyLength
            if columns?.contains(index) ?? true {
                rows.columns.append(
                    try ColumnCoding.decode(entry, rows: directory.rows, &reader))
            } else {
                rows.columns.append(
                    BucketColumn(rows: directory.rows, values: .omitted, reasons: nil))
                try reader.skip(entry.bodyLength)
            }
            guard reader.position == end else {
                throw reader.damage("column \(index) does not end where the next begins")
            }
        }
        return rows
    }

    /// What the head says: rows, first and last time, and of each column minimum, maximum and
    /// the counts of good and bad. Checks the checksum, decodes no row.
    package static func summary(_ bytes: [UInt8]) throws(Damage) -> BucketSummary {
        var reader = try opened(bytes)
        return try BucketDirectory(&reader).summary
    }

    private static func opened(_ bytes: [UInt8]) throws(Damage) -> ByteReader {
        var reader = ByteReader(bytes)
        let found = try reader.byte()
        guard found == version else { throw reader.damage("a bucket of version \(found)") }
        let checksum = try reader.fixed(UInt32.self)
        guard checksum == CRC32.checksum(bytes[headLength...]) else {
            throw reader.damage("the checksum does not fit")
        }
        return reader
    }
}
