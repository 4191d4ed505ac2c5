import BucketCodec
import Foundation
import Telemetry

extension StoreBenchmark {
    /// Rates of the codec alone, over two days of the corpus cut as the store cuts them.
    static func codec(_ options: Options) async throws {
        let corpus = Corpus(days: 2)
        var buckets: [(rows: BucketRows, period: Duration)] = []
        for (index, group) in corpus.groups.enumerated() {
            let window = group.period == 1 ? 3600 : 6 * 3600
            let one = Corpus(start: corpus.start, seconds: corpus.seconds, groups: [group])
            for start in stride(from: 0, to: corpus.seconds, by: window) {
                let scans = one.scans(
                    in: start..<(start + window), ids: [ScanGroup.ID(index + 1)], resolution: nil)
                buckets.append(
                    (
                        BucketRows(scans: scans, width: group.columns.count),
                        .seconds(group.period)
                    ))
            }
        }
        var encoding = Timings()
        var decoding = Timings()
        var bytes = 0
        var kept = 0
        for _ in 0..<5 {
            let encoded = await encoding.measure {
                buckets.map { BucketCodec.encode($0.rows, period: $0.period) }
            }
            bytes = encoded.reduce(0) { $0 + $1.count }
            kept = try await decoding.measure {
                try encoded.reduce(0) { try $0 + BucketCodec.decode($1).times.count }
            }
        }
        guard kept == buckets.reduce(0, { $0 + $1.rows.times.count }) else {
            throw Failure("the codec lost rows")
        }
        let values = Double(corpus.samples)
        try report([
            "encode_m_per_s": values / encoding.quantile(0.5) / 1000,
            "decode_m_per_s": values / decoding.quantile(0.5) / 1000,
            "codec_bytes_per_sample": Double(bytes) / values,
        ])
    }
}
