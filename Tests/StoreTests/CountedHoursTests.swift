import EnergyAccounting
import GRDB
import Telemetry
import TestSeeds
import Testing

@testable import Store

@Suite("Counted hours")
struct CountedHoursTests {
    private static let first = Timestamp(
        milliseconds: CountedHours.stretch(Site.start.milliseconds) + 5 * 3_600_000)
    private static let hour = Duration.seconds(3_600)
    private static let days = 70

    private static func hour(
        of series: Series, _ slot: Int, revision: Int, minute: Int = 0,
        _ random: inout SeededGenerator
    ) -> RollupRecord {
        let start = first + hour * slot + .seconds(Int64(60 * minute))
        var rollup = Rollup(
            count: Int.random(in: 0...360, using: &random),
            expected: Int.random(in: 0..<5, using: &random) > 0 ? 360 : nil)
        if Int.random(in: 0..<9, using: &random) > 0 {
            let places = series.number % 4
            rollup.increase = ScaledInteger(
                mantissa: Int128(Int.random(in: -50...100_000, using: &random)), exponent: places)
            rollup.isEstimated = Bool.random(using: &random)
        }
        return RollupRecord(
            series: series.number, bucket: Bucket(.hour, containing: start, calendar: .utc),
            rollup: rollup, revision: revision)
    }

    private struct Filled {
        var site = Site()
        var store: Store
        var series: [Series] = []
        var needs: AccountNeeds
        var end: Timestamp { CountedHoursTests.first + CountedHoursTests.hour * (24 * days) }
    }

    private func filled(_ random: inout SeededGenerator) async throws -> Filled {
        let site = Site()
        let store = try site.open(.process)
        let groups = try await store.writer.register((0..<5).map { Site.group("meter\($0)") })
        let series = groups.flatMap(\.series).filter { $0.counter != nil }
        var records: [RollupRecord] = []
        for series in series {
            for slot in 0..<24 * Self.days where Int.random(in: 0..<11, using: &random) > 0 {
                records.append(Self.hour(of: series, slot, revision: 1, &random))
            }
        }
        try await store.writer.apply(EvaluationEffects(rollups: records))
        var needs = AccountNeeds(
            tree: .empty, entries: .none,
            grid: CountGrid(
                .hour, from: Self.first - .seconds(86_400),
                to: Self.first + .seconds(Int64(Self.days + 2) * 86_400), calendar: .utc))
        needs.series = series.map(\.id)
        return Filled(site: site, store: store, series: series, needs: needs)
    }

    private func counts(_ filled: Filled, now: Timestamp) async throws -> [SeriesID: [Counts.Slot]]
    {
        try await filled.store.reader.accountData(for: filled.needs, now: now).counts
            .mapValues { counts in (0..<counts.count).map { counts[$0] } }
    }

    private func packs(_ store: Store) async throws -> Int {
        try await store.reader.read("count") {
            try Int.fetchOne($0, sql: "SELECT count(*) FROM counted_hours") ?? -1
        }
    }

    /// Packs all there is, as housekeeping does on a new day.
    private func pack(_ store: Store, before cutoff: Timestamp) async throws {
        store.reader.shared.room.state.withValue {
            $0.counting = nil
            $0.countedUntil = nil
        }
        while try await store.writer.packCountedHours(before: cutoff) {}
    }

    @Test("accounts read the same before packing, behind it, and after hours that change later")
    func sameForAccounts() async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        let filled = try await filled(&random)
        let store = filled.store
        let now = filled.end + .seconds(86_400 * 9)
        let before = try await counts(filled, now: now)
        #expect(before.count == 5)
        #expect(before.values.allSatisfy { $0.contains { $0.increase != nil } })
        for cutoff in [20, 33, 69, 90] {
            try await pack(store, before: Self.first + .seconds(Int64(cutoff) * 86_400))
            #expect(try await counts(filled, now: now) == before, "seed \(seed), day \(cutoff)")
        }
        #expect(try await packs(store) == 5 * 3)

        // What comes later is told at once, whether its pack is made anew or not.
        let late = (0..<40).map { _ in
            Self.hour(
                of: filled.series.randomElement(using: &random) ?? filled.series[0],
                Int.random(in: 0..<24 * Self.days, using: &random), revision: 2, &random)
        }
        try await store.writer.apply(EvaluationEffects(rollups: late))
        let after = try await counts(filled, now: now)
        #expect(after != before)
        try await pack(store, before: filled.end)
        #expect(try await counts(filled, now: now) == after, "seed \(seed)")
        try filled.site.meddle("DELETE FROM counted_hours")
        #expect(try await counts(filled, now: now) == after, "seed \(seed)")
        try store.close()
    }

    @Test("an hour that changes takes the pack of its series with it, and no other")
    func forgets() async throws {
        var random = SeededGenerator(seed: 3)
        let filled = try await filled(&random)
        try await pack(filled.store, before: Self.first + .seconds(40 * 86_400))
        #expect(try await packs(filled.store) == 10)
        // Behind the packed hours nothing has to go.
        let young = Self.hour(of: filled.series[0], 24 * 41, revision: 5, &random)
        try await filled.store.writer.apply(EvaluationEffects(rollups: [young]))
        #expect(try await packs(filled.store) == 10)
        let old = Self.hour(of: filled.series[0], 24 * 39, revision: 5, &random)
        try await filled.store.writer.apply(EvaluationEffects(rollups: [old]))
        #expect(try await packs(filled.store) == 9)
        try filled.store.close()
    }

    @Test("a damaged pack is passed over, and made anew")
    func damaged() async throws {
        var random = SeededGenerator(seed: 4)
        let filled = try await filled(&random)
        let now = filled.end + .seconds(86_400 * 9)
        let before = try await counts(filled, now: now)
        try await pack(filled.store, before: filled.end)
        try filled.site.meddle(
            "UPDATE counted_hours SET data = CAST(substr(data, 1, 40) || x'ffff' || substr(data, 43) AS BLOB)"
        )
        #expect(try await counts(filled, now: now) == before)
        try filled.site.meddle("UPDATE counted_hours SET codec = 1, data = zeroblob(900)")
        #expect(try await counts(filled, now: now) == before)
        try await pack(filled.store, before: filled.end)
        let readable = try await filled.store.reader.read("read") { db in
            try (0..<3).reduce(0) { sum, stretch in
                let start =
                    CountedHours.stretch(Self.first.milliseconds)
                    + Int64(stretch) * CountedHours.length
                return sum + (try CountedHourRows.stored(start, db).count { $0.hours != nil })
            }
        }
        #expect(readable == 15)
        try filled.store.close()
    }

    @Test("hours that go by age are gone for the accounts too")
    func retention() async throws {
        var random = SeededGenerator(seed: 5)
        let filled = try await filled(&random)
        let now = filled.end + .seconds(86_400)
        try await pack(filled.store, before: filled.end)
        filled.store.judge(at: now)
        let policy = HousekeepingPolicy(
            rawRetention: .seconds(9_999 * 86_400),
            rollupRetention: [.hour: .seconds(50 * 86_400)])
        var report = HousekeepingReport()
        repeat {
            report = try await filled.store.writer.housekeeping(
                clock: Site.clock(now), policy: policy)
        } while report.hasMore
        #expect(report.judgedAt != nil)
        let counts = try await counts(filled, now: now)
        let cutoff = now - .seconds(50 * 86_400)
        for slots in counts.values {
            for (slot, value) in slots.enumerated() where filled.needs.grid.start(slot) < cutoff {
                #expect(value.increase == nil)
            }
            #expect(slots.contains { $0.increase != nil })
        }
        try filled.store.close()
    }

    @Test("hours that begin at different minutes are read as rows")
    func uneven() async throws {
        var random = SeededGenerator(seed: 6)
        let filled = try await filled(&random)
        let series = filled.series[0]
        try filled.site.meddle(
            "UPDATE rollup SET start = start + 1800000 WHERE series = ? AND start >= ?",
            [series.number, (Self.first + .seconds(3 * 86_400)).milliseconds])
        let now = filled.end + .seconds(86_400)
        let before = try await counts(filled, now: now)
        try await pack(filled.store, before: filled.end)
        #expect(try await counts(filled, now: now) == before)
        #expect(
            try await filled.store.reader.read("count") {
                try Int.fetchOne($0, sql: "SELECT count(*) FROM counted_hours WHERE codec = 0")
            } == 1)
        try filled.store.close()
    }

    @Test("bytes that nobody wrote are refused, whatever they are")
    func garbage() throws {
        var random = SeededGenerator(seed: UInt64.random(in: 0...UInt64.max))
        let rows = (0..<300).map {
            CountedHours.Row(
                start: Int64($0) * CountedHours.hour, count: $0 % 7, expected: $0 % 3,
                increase: Double($0) / 8, isEstimated: $0 % 5 == 0)
        }
        let hours = try #require(CountedHours(rows, stretch: 0))
        #expect(try CountedHours(hours.bytes) == hours)
        for _ in 0..<2_000 {
            var bytes = hours.bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 5..<bytes.count, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            if Bool.random(using: &random) {
                bytes.removeLast(Int.random(in: 0..<bytes.count - 5, using: &random))
            }
            // As if the damage had come before the checksum was taken.
            let checksum = CRC32.checksum(bytes[5...])
            for index in 0..<4 {
                bytes[1 + index] = UInt8(truncatingIfNeeded: checksum >> (8 * UInt32(index)))
            }
            _ = try? CountedHours(bytes)
        }
        #expect(throws: Damage.self) { try CountedHours([1, 0, 0, 0, 0, 9]) }
    }

    @Test(
        "what no pack can hold is not packed",
        arguments: [
            [CountedHours.Row(start: 0, count: -1, expected: 1, increase: 1, isEstimated: false)],
            [
                .init(start: 0, count: 1, expected: 1, increase: 9e15, isEstimated: false),
                .init(start: 3_600_000, count: 1, expected: 1, increase: 1e-6, isEstimated: false),
            ],
            [
                .init(
                    start: CountedHours.length, count: 1, expected: 1, increase: 1,
                    isEstimated: false)
            ],
        ])
    func unfit(rows: [CountedHours.Row]) {
        #expect(CountedHours(rows, stretch: 0) == nil)
    }
}
