import Telemetry

/// Rows of a bucket ↔ compressed bytes.
package enum BucketCodec {
    /// The format that `encode` writes; the first byte of every bucket.
    package static let version: UInt8 = 1

    private static let headLength = 5

    /// The bucket's bytes. `period` is the slot length of a polled group, nil for messages.
    package static func encode(_ rows: BucketRows, period: Duration?) -> [UInt8] {
        var out = ByteWriter()
        out.byte(version)
        out.fixed(UInt32(0))
        out.varint(UInt64(rows.count))
        out.varint(UInt64(rows.columns.count))
        out.zigzag(period?.milliseconds ?? 0)
        for row in 0..<rows.count {
            out.zigzag(rows.times[row].milliseconds)
            out.fixed(rows.sequences[row])
            out.byte(rows.flags[row].rawValue)
        }
        for column in rows.columns {
            for row in 0..<rows.count {
                switch column.reading(at: row) {
                case .bad(let reason): out.byte(reason.rawValue)
                case .good(.number(let number)):
                    out.byte(254)
                    out.fixed(number.bitPattern)
                case .good(.text(let text)):
                    out.byte(255)
                    out.text(text)
                }
            }
        }
        out.patch(CRC32.checksum(out.bytes[headLength...]), at: 1)
        return out.bytes
    }

    /// The rows; columns that are not wanted come as `omitted` and cost no time.
    package static func decode(
        _ bytes: [UInt8], columns: Set<Int>? = nil
    ) throws(Damage) -> BucketRows {
        try decodeAll(bytes, columns: columns).rows
    }

    /// What the head says: rows, first and last time, and of each column minimum, maximum and
    /// the counts of good and bad.
    package static func summary(_ bytes: [UInt8]) throws(Damage) -> BucketSummary {
        let (rows, period) = try decodeAll(bytes, columns: nil)
        return BucketSummary(
            rows: rows.count, first: rows.times.first, last: rows.times.last, period: period,
            columns: rows.columns.map { column in
                var summary = BucketSummary.Column(good: 0, bad: 0, minimum: nil, maximum: nil)
                for row in 0..<rows.count {
                    if column.isGood(at: row) { summary.good += 1 } else { summary.bad += 1 }
                }
                column.forEachNumber { _, number in
                    if number.isNaN { return }
                    summary.minimum = Swift.min(summary.minimum ?? number, number)
                    summary.maximum = Swift.max(summary.maximum ?? number, number)
                }
                return summary
            })
    }

    private static func decodeAll(
        _ bytes: [UInt8], columns: Set<Int>?
    ) throws(Damage) -> (rows: BucketRows, period: Duration?) {
        var reader = ByteReader(bytes)
        let found = try reader.byte()
        guard found == version else { throw reader.damage("a bucket of version \(found)") }
        guard try reader.fixed(UInt32.self) == CRC32.checksum(bytes[headLength...]) else {
            throw reader.damage("the checksum does not fit")
        }
        let count = try reader.count(upTo: reader.remaining, of: "rows")
        let width = try reader.count(upTo: reader.remaining, of: "columns")
        let period = try reader.zigzag()
        var times: [Timestamp] = []
        var sequences: [UInt16] = []
        var flags: [ScanFlags] = []
        for _ in 0..<count {
            times.append(Timestamp(milliseconds: try reader.zigzag()))
            sequences.append(try reader.fixed(UInt16.self))
            flags.append(ScanFlags(rawValue: try reader.byte()))
        }
        var decoded: [BucketColumn] = []
        for column in 0..<width {
            var readings: [Reading] = []
            for _ in 0..<count {
                let tag = try reader.byte()
                switch tag {
                case 254: readings.append(.number(.init(bitPattern: try reader.fixed(UInt64.self))))
                case 255: readings.append(.text(try reader.text()))
                default:
                    guard let reason = BadReason(rawValue: tag) else {
                        throw reader.damage("an unknown reason")
                    }
                    readings.append(.bad(reason))
                }
            }
            let isWanted = columns?.contains(column) ?? true
            decoded.append(
                isWanted
                    ? BucketColumn(readings)
                    : BucketColumn(rows: count, values: .omitted, reasons: nil))
        }
        return (
            BucketRows(times: times, sequences: sequences, flags: flags, columns: decoded),
            period > 0 ? .milliseconds(period) : nil
        )
    }
}
