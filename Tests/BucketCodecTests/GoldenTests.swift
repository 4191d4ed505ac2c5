import Foundation
import Telemetry
import TestSeeds
import Testing

@testable import BucketCodec

@Suite struct GoldenTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()

    /// Buckets once written decode to the same for ever, whatever later versions write.
    @Test(arguments: ["polled-1", "messages-1"])
    func aCommittedBucketDecodesToTheSame(name: String) throws {
        let golden = Self.folder.appending(path: "Golden")
        let bytes = [UInt8](try Data(contentsOf: golden.appending(path: "\(name).blob")))
        let table = try String(contentsOf: golden.appending(path: "\(name).csv"), encoding: .utf8)
        #expect(ExactTable(try BucketCodec.decode(bytes)).text == table)
    }

    /// Writes the files above; for a new version, with a new name.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["WRITE_GOLDEN"] != nil))
    func writeGolden() throws {
        var random = SeededGenerator(61)
        for (name, period) in [("polled-1", Duration.seconds(1)), ("messages-1", nil)] {
            var time: Int64 = 1_800_000_000_000
            let scans = (0..<160).map { row in
                time +=
                    row % 97 == 96
                    ? 5000 : period == nil ? .random(in: 1..<9, using: &random) : 1000
                let isBad = row / 20 == 3
                return Scan(
                    group: group, time: Timestamp(milliseconds: time),
                    sequence: row % 61 == 7 ? 2 : 0, flags: row < 20 ? [.backfill] : [],
                    readings: [
                        isBad ? .bad(.timeout) : .number(Double(2310 + row % 7) / 10),
                        .number(Double(40_000 + 3 * row) / 100),
                        .number(row % 150 == 9 ? 1 : 0),
                        .number(.random(in: -1...1, using: &random)),
                        .number(Double(Float(row) / 7)),
                        .text(row / 40 % 2 == 0 ? "on" : "停机"),
                        row % 3 == 0 ? .text("n/a") : .number(Double(row) / 8),
                        .bad(row % 2 == 0 ? .absent : .invalid),
                        .number(RandomBucket.odd[row % RandomBucket.odd.count]),
                        .number(Double(Int.random(in: 0..<8, using: &random))),
                    ])
            }
            let rows = BucketRows(scans: scans, width: 10)
            let golden = Self.folder.appending(path: "Golden")
            try Data(BucketCodec.encode(rows, period: period)).write(
                to: golden.appending(path: "\(name).blob"))
            try ExactTable(rows).text.write(
                to: golden.appending(path: "\(name).csv"), atomically: true, encoding: .utf8)
        }
    }

    /// The example of docs/formats/bucket.md.
    @Test func theExampleOfTheDocumentIsRight() throws {
        let document = try String(
            contentsOf: Self.folder.deletingLastPathComponent().deletingLastPathComponent()
                .appending(path: "docs/formats/bucket.md"), encoding: .utf8)
        let section = try #require(
            document.split(separator: "\n## Example\n").last?.split(separator: "\n## ").first)
        let bytes = section.split(separator: "\n").filter { $0.hasPrefix("    ") }
            .flatMap { $0.prefix(28).split(separator: " ").compactMap { UInt8($0, radix: 16) } }
        let start: Int64 = 1_800_000_000_000
        let scans = [
            [Reading.number(231.4), .text("on")], [.number(231.5), .text("on")],
            [.bad(.timeout), .text("off")],
        ].enumerated().map { row, readings in
            Scan(
                group: group, time: Timestamp(milliseconds: start + Int64(row) * 1000),
                readings: readings)
        }
        let written = BucketCodec.encode(BucketRows(scans: scans, width: 2), period: .seconds(1))
        #expect(bytes == written)
        #expect(try BucketCodec.decode(bytes).scans(of: group) == scans)
    }
}
