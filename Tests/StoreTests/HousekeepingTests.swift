import Telemetry
import Testing

@testable import Store

@Suite("Housekeeping")
struct HousekeepingTests {
    let site = Site()

    private func filled(_ rows: Int, cursor: Int64?) async throws -> (Store, ScanGroup) {
        let store = try site.open(.process)
        let group = try await store.writer.register([Site.group()])[0]
        for index in 0..<rows {
            try await store.writer.commit(Site.batch([Site.scan(group, at: Int64(index) * 60)]))
                .discard()
        }
        if let cursor {
            let checkpoint = EvaluationCheckpoint(version: 1, cursor: cursor, state: [])
            try await store.writer.apply(EvaluationEffects(checkpoint: checkpoint))
        }
        return (store, group)
    }

    @Test("nothing above the evaluation's cursor is deleted, however old it is")
    func cursor() async throws {
        var (store, _) = try await filled(40, cursor: 25)
        let policy = HousekeepingPolicy(rawRetention: .seconds(0))
        let far = Site.start + .seconds(365 * 86_400)
        let report = try await store.writer.housekeeping(now: far, policy: policy)
        #expect(report.journalRows == 25)
        #expect(report.journalRange == Site.start...(Site.start + .seconds(24 * 60)))
        #expect(try await store.reader.journal(after: 0).map(\.sequence) == Array(26...40))
        #expect(try await store.reader.statistics().journalRows == 15)
        try store.close()
        store = try site.open()
        #expect(store.reader.newestSequence() == 40)
        try store.close()
    }

    @Test("without a checkpoint no journal row is deleted")
    func noCheckpoint() async throws {
        let (store, _) = try await filled(5, cursor: nil)
        let report = try await store.writer.housekeeping(
            now: Site.start + .seconds(365 * 86_400),
            policy: HousekeepingPolicy(rawRetention: .seconds(0)))
        #expect(report.journalRows == 0)
        try store.close()
    }

    @Test(
        "rows within the retention stay, and the newest row stays so that no sequence comes twice")
    func retention() async throws {
        var (store, group) = try await filled(10, cursor: 10)
        let now = Site.start + .seconds(9 * 60)
        var report = try await store.writer.housekeeping(
            now: now, policy: HousekeepingPolicy(rawRetention: .seconds(240)))
        #expect(report.journalRows == 5)
        report = try await store.writer.housekeeping(
            now: now + .seconds(86_400), policy: HousekeepingPolicy(rawRetention: .seconds(240)))
        #expect(report.journalRows == 4)
        try store.close()
        store = try site.open(.process)
        let next = try await store.writer.commit(Site.batch([Site.scan(group, at: 900)]))
        #expect(next == 11)
        try store.close()
    }

    @Test("a step is bounded and says that there is more")
    func bounded() async throws {
        let (store, _) = try await filled(30, cursor: 30)
        let policy = HousekeepingPolicy(rawRetention: .seconds(0), maximumRowsPerStep: 12)
        let far = Site.start + .seconds(86_400)
        var counts: [Int] = []
        var hasMore = true
        while hasMore {
            let report = try await store.writer.housekeeping(now: far, policy: policy)
            counts.append(report.journalRows)
            hasMore = report.hasMore
        }
        #expect(counts == [12, 12, 5])
        try store.close()
    }

    @Test("rollups, settled items and attempts are pruned by their own rules")
    func rest() async throws {
        let store = try site.open(.process)
        let rollups = [Resolution.minute, .quarterHour].flatMap { resolution in
            (0..<4).map { index in
                RollupRecord(
                    series: 1,
                    bucket: Bucket(
                        resolution, containing: Site.start + .seconds(Int64(index) * 900),
                        calendar: .utc), rollup: Rollup(count: 1), revision: 0)
            }
        }
        let items = (0..<4).map { OutboxTests.item(Int64($0)) }
        try await store.writer.apply(EvaluationEffects(rollups: rollups, owed: items))
        for item in items.prefix(3) {
            try await store.writer.settle(item, outcome: .accepted, at: Site.start)
        }
        let report = try await store.writer.housekeeping(
            now: Site.start + .seconds(3_600),
            policy: HousekeepingPolicy(
                rawRetention: .seconds(86_400), rollupRetention: [.minute: .seconds(1_800)],
                outboxRetention: .seconds(1_900), attemptsKept: 2))
        #expect(report.rollups == [.minute: 2])
        #expect(report.outboxRows == 2)
        #expect(report.attempts == 1)
        #expect(!report.hasMore)
        #expect(report.isCheckpointComplete)
        let status = try await store.reader.uplinkStatus(uplink: "city")
        #expect(status.owed == 1)
        #expect(status.accepted == 3)
        let far = Site.start + .seconds(100_000)
        #expect(
            try await store.reader.rollups(
                series: 1, resolution: .quarterHour, from: Site.start, to: far
            ).count == 4)
        // What is still owed stays, however old.
        let second = try await store.writer.housekeeping(
            now: far, policy: HousekeepingPolicy(rawRetention: .zero, outboxRetention: .zero))
        #expect(second.outboxRows == 1)
        #expect(try await store.reader.uplinkStatus(uplink: "city").owed == 1)
        try store.close()
    }

    @Test("the log stays bounded under commits with housekeeping")
    func log() async throws {
        let (store, group) = try await filled(0, cursor: nil)
        let readings = [Reading](repeating: .number(.pi), count: group.series.count)
        for round in 0..<20 {
            let scans = (0..<2_000).map { index in
                Scan(
                    group: group.id, time: Site.start + .seconds(Int64(round * 2_000 + index)),
                    readings: readings)
            }
            try await store.writer.commit(Site.batch(scans)).discard()
            _ = try await store.writer.housekeeping(
                now: Site.start, policy: HousekeepingPolicy(rawRetention: .seconds(86_400)))
        }
        let statistics = try await store.reader.statistics()
        #expect(statistics.walBytes <= StoreFile.walLimit + (1 << 20))
        #expect(statistics.fileBytes > 1 << 20)
        try store.close()
    }
}
