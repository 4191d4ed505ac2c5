import Telemetry
import Testing

@testable import BucketCodec

@Suite struct RoundTripTests {
    @Test func aSmallBucketReturnsAsItWas() throws {
        let scans = (0..<10).map { index in
            Scan(
                group: ScanGroup.ID(3),
                time: Timestamp(milliseconds: 1_800_000_000_000 + Int64(index) * 1000),
                readings: [
                    .number(Double(index) / 10), .text("on"),
                    index == 4 ? .bad(.timeout) : .number(-0.0),
                ])
        }
        let bytes = BucketCodec.encode(BucketRows(scans: scans, width: 3), period: .seconds(1))
        #expect(try BucketCodec.decode(bytes).scans(of: ScanGroup.ID(3)) == scans)
        let summary = try BucketCodec.summary(bytes)
        #expect(summary.rows == 10 && summary.columns[0].maximum == 0.9)
        #expect(summary.columns[2].bad == 1)
    }
}
