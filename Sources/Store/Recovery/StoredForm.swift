import Telemetry

/// The packed forms of the store's tables, by name: what stands behind their checksums is read as the
/// store reads it, without a file around it.
///
/// A checksum makes a damaged page unlikely to get this far, and no more. `make fuzz` looks here for
/// bytes that end the program.
package enum StoredForm: String, CaseIterable, Sendable {
    /// Scans of a row of `journal`.
    case journal
    /// Messages of MQTT that a row of `journal` was acknowledged with.
    case deliveries
    /// One series of a row of `rollup_pack`.
    case packedRollups
    /// A row of `counted_hours`.
    case countedHours

    /// What the store writes for what it has read; nil when it refuses the bytes.
    ///
    /// - Parameter body: what stands behind the header; version, checksums and directory are put in
    ///   front of it here.
    package func rewritten(_ body: [UInt8]) -> [UInt8]? {
        switch self {
        case .journal:
            let blob = Self.behindHeader(JournalCodec.version, body)
            return (try? JournalCodec.decode(blob)).map {
                Self.withoutHeader(JournalCodec.encode($0))
            }
        case .deliveries:
            let blob = Self.behindHeader(DeliveriesCodec.version, body)
            return (try? DeliveriesCodec.decode(blob)).flatMap { DeliveriesCodec.encode($0) }
                .map(Self.withoutHeader)
        case .packedRollups:
            guard let pack = try? RollupPack(RollupPack.around(body), day: 0, block: 0),
                let rows = try? pack.rows(of: 0), rows.allSatisfy(RollupPack.holds)
            else { return nil }
            return RollupPack.section(of: rows)
        case .countedHours:
            let blob = Self.behindHeader(CountedHours.version, body)
            return (try? CountedHours(blob)).map { Self.withoutHeader($0.bytes) }
        }
    }

    private static func behindHeader(_ version: UInt8, _ body: [UInt8]) -> [UInt8] {
        var writer = ByteWriter()
        writer.byte(version)
        writer.fixed(CRC32.checksum(body[...]))
        writer.append(body)
        return writer.bytes
    }

    private static func withoutHeader(_ blob: [UInt8]) -> [UInt8] { Array(blob.dropFirst(5)) }
}
