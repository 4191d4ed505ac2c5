import Crypto
import Telemetry

// The hash of an audit row is SHA-256 over
//
//     32 bytes  the hash of the row before; zeros for the first
//      8 bytes  seq, big endian
//      8 bytes  time, milliseconds since 1970, big endian
//     actor, action, detail, each: 4 bytes length, big endian, then the text in UTF-8

/// How one audit row seals the one before.
enum AuditChain {
    static let origin = [UInt8](repeating: 0, count: 32)

    static func hash(
        previous: [UInt8], sequence: Int64, time: Timestamp, actor: String, action: String,
        detail: String
    ) -> [UInt8] {
        var hash = SHA256()
        hash.update(data: previous)
        withUnsafeBytes(of: sequence.bigEndian) { hash.update(bufferPointer: $0) }
        withUnsafeBytes(of: time.milliseconds.bigEndian) { hash.update(bufferPointer: $0) }
        for text in [actor, action, detail] {
            let length = UInt32(truncatingIfNeeded: text.utf8.count)
            withUnsafeBytes(of: length.bigEndian) { hash.update(bufferPointer: $0) }
            hash.update(data: Array(text.utf8))
        }
        return Array(hash.finalize())
    }
}
