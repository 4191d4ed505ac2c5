import Telemetry
import TestSeeds
import Testing

@testable import BucketCodec

@Suite struct DensityTests {
    private func size(_ rows: Int, _ period: Int64 = 1000, _ value: (Int) -> Reading) -> Int {
        let scans = (0..<rows).map {
            Scan(
                group: group, time: Timestamp(milliseconds: 1_800_000_000_000 + Int64($0) * period),
                readings: [value($0)])
        }
        let rows = BucketRows(scans: scans, width: 1)
        return BucketCodec.encode(rows, period: .milliseconds(period)).count
    }

    @Test func whatNeverChangesCostsNextToNothing() {
        #expect(size(3600) { _ in .number(12.3) } <= 32)
        #expect(size(3600) { _ in .text("stopped") } <= 40)
        #expect(size(3600) { _ in .bad(.disconnected) } <= 32)
    }

    @Test func anIdleColumnThatMovesNowAndThenCostsAFiftiethOfAByte() {
        // Still for six minutes, one step, still again.
        #expect(size(3600) { .number(Double($0 / 360)) } <= 72)
    }

    @Test func aSteadyCounterCostsNextToNothing() {
        #expect(size(3600) { .number(Double(500_000 + 7 * $0) / 10) } <= 48)
    }

    @Test func oneSpikeDoesNotWidenItsNeighbours() {
        var random = SeededGenerator(41)
        let quiet = (0..<3600).map { _ in Double(Int.random(in: 0...15, using: &random)) }
        let plain = size(3600) { .number(quiet[$0]) }
        let spiked = size(3600) { .number($0 == 1700 ? 4e15 : quiet[$0]) }
        #expect(spiked - plain <= 40)
    }

    @Test func noiseOfFourBitsCostsFourBitsAndAHalf() {
        var random = SeededGenerator(42)
        let noise = (0..<3600).map { _ in Double(Int.random(in: 0...15, using: &random)) / 10 }
        #expect(size(3600) { .number(noise[$0]) } <= 2110)
    }

    @Test func aPackedColumnHasFewBytesOfItsOwn() {
        #expect(NumberColumnCodec.encode([Double?](repeating: nil, count: 96)).count == 1)
        #expect(NumberColumnCodec.encode([Double?](repeating: 0, count: 96)).count == 2)
        #expect(NumberColumnCodec.encode([Double?](repeating: 900, count: 96)).count == 4)
        var random = SeededGenerator(43)
        let noise = (0..<96).map { _ in Double(Int.random(in: 0...15, using: &random)) / 10 }
        #expect(NumberColumnCodec.encode(noise).count <= 60)
    }
}
