import Telemetry
import TestSeeds
import Testing

@testable import BucketCodec

@Suite struct RoundTripTests {
    @Test func aSmallBucketReturnsAsItWas() throws {
        let scans = (0..<10).map { index in
            Scan(
                group: group,
                time: Timestamp(milliseconds: 1_800_000_000_000 + Int64(index) * 1000),
                readings: [
                    .number(Double(index) / 10), .text("on"),
                    index == 4 ? .bad(.timeout) : .number(-0.0),
                ])
        }
        let bytes = BucketCodec.encode(BucketRows(scans: scans, width: 3), period: .seconds(1))
        #expect(exact(try BucketCodec.decode(bytes).scans(of: group)) == exact(scans))
    }

    @Test func everyBucketReturnsBitForBit() throws {
        var random = SeededGenerator(17)
        for round in 0..<3000 {
            let bucket = RandomBucket(using: &random)
            let bytes = BucketCodec.encode(bucket.rows, period: bucket.period)
            let decoded = try BucketCodec.decode(bytes)
            try #require(exact(decoded.scans(of: group)) == exact(bucket.scans), "round \(round)")
            try #require(BucketCodec.encode(decoded, period: bucket.period) == bytes)
        }
    }

    @Test func bucketsOfThousandsOfRowsReturn() throws {
        var random = SeededGenerator(18)
        for round in 0..<20 {
            let bucket = RandomBucket(using: &random, rows: round == 0 ? 65_536 : 5000)
            let bytes = BucketCodec.encode(bucket.rows, period: bucket.period)
            let decoded = try BucketCodec.decode(bytes)
            try #require(exact(decoded.scans(of: group)) == exact(bucket.scans), "round \(round)")
        }
    }

    @Test func aColumnDecodesWithoutItsNeighbours() throws {
        var random = SeededGenerator(19)
        for _ in 0..<300 {
            let bucket = RandomBucket(using: &random)
            let bytes = BucketCodec.encode(bucket.rows, period: bucket.period)
            for wanted in 0..<bucket.width {
                let rows = try BucketCodec.decode(bytes, columns: [wanted])
                for (row, scan) in bucket.scans.enumerated() {
                    let reading = rows.columns[wanted].reading(at: row)
                    try #require(exact(reading) == exact(scan.readings[wanted]))
                }
                for other in 0..<bucket.width where other != wanted {
                    #expect(rows.columns[other].values == .omitted)
                }
            }
        }
    }

    @Test func theHeadTellsCountsBoundsAndTimes() throws {
        var random = SeededGenerator(20)
        for _ in 0..<500 {
            let bucket = RandomBucket(using: &random)
            let summary = try BucketCodec.summary(
                BucketCodec.encode(bucket.rows, period: bucket.period))
            #expect(summary.rows == bucket.scans.count && summary.period == bucket.period)
            #expect(summary.first == bucket.scans.first?.time)
            #expect(summary.last == bucket.scans.last?.time)
            for column in 0..<bucket.width {
                let readings = bucket.scans.map { $0.readings[column] }
                let numbers = readings.compactMap(\.number).filter { !$0.isNaN }
                #expect(summary.columns[column].good == readings.filter(\.isGood).count)
                #expect(summary.columns[column].bad == readings.filter { !$0.isGood }.count)
                #expect(summary.columns[column].minimum == numbers.min())
                #expect(summary.columns[column].maximum == numbers.max())
            }
        }
    }

    @Test func theIntegersOfAColumnAreTheDecimalsThatSumsUse() {
        var random = SeededGenerator(21)
        for _ in 0..<200 {
            let numbers = (0..<100).map { _ in random.decimal() }
            let column = BucketColumn(numbers.map { .number($0) })
            guard let (mantissas, exponent, reasons) = column.integers else {
                Issue.record("decimals that are no integers")
                continue
            }
            #expect(reasons == nil)
            for (number, mantissa) in zip(numbers, mantissas) {
                let decimal = ScaledInteger(exactly: number)
                #expect(decimal?.rescaled(to: exponent).mantissa == Int128(mantissa))
            }
            var seen: [Double] = []
            column.forEachNumber { row, number in
                #expect(row == seen.count)
                seen.append(number)
            }
            #expect(seen == numbers)
        }
    }

    @Test func optionalNumbersReturnBitForBit() throws {
        var random = SeededGenerator(22)
        for _ in 0..<1000 {
            let bucket = RandomBucket(using: &random)
            for column in bucket.rows.columns {
                let values = (0..<column.rows).map { column.reading(at: $0).number }
                var reader = ByteReader([9] + NumberColumnCodec.encode(values) + [7], from: 1)
                let decoded = try NumberColumnCodec.decode(&reader, count: values.count)
                try #require(decoded.map { $0.map(hex) } == values.map { $0.map(hex) })
                #expect(reader.remaining == 1)
            }
        }
    }
}
