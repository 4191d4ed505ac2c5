import BucketCodec
import Telemetry

/// The blob of a sealed bucket, as far as checks need it.
enum StoredBucket {
    /// Whether checksum and content hold.
    static func isSound(_ data: [UInt8]) -> Bool { (try? BucketCodec.decode(data)) != nil }

    /// What is wrong with a bucket's row; nil when it is as it should be.
    static func fault(
        _ data: [UInt8], codec: Int64?, rows: Int64, _ range: Range<Int64>
    ) -> String? {
        do throws(Damage) {
            let content = try BucketCodec.decode(data)
            if Int64(content.times.count) != rows { return "buckets with another number of rows" }
            if codec != Int64(BucketCodec.version) { return "buckets of an unknown codec" }
            let isInside = content.times.allSatisfy { range.contains($0.milliseconds) }
            let keys = zip(content.times, content.sequences)
            let isOrdered = zip(keys, keys.dropFirst()).allSatisfy { $0 < $1 }
            if !isInside { return "buckets with rows outside of their time" }
            return isOrdered ? nil : "buckets whose rows are not in order"
        } catch {
            return error.what
        }
    }
}
