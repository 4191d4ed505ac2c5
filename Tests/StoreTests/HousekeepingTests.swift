import GRDB
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

    @Test("journal rows are not housekeeping's business, however old they are")
    func journal() async throws {
        let (store, _) = try await filled(40, cursor: 25)
        store.judge(at: Site.start + .seconds(365 * 86_400))
        let report = try await store.writer.housekeeping(
            clock: Self.far, policy: HousekeepingPolicy(rawRetention: .zero))
        #expect(report.removed.isEmpty)
        #expect(try await store.reader.journal(after: 0).count == 40)
        try store.close()
    }

    private static let far = Site.clock(Site.start + .seconds(3_650 * 86_400))

    @Test("buckets go by their end, oldest first of all groups, and what went is counted for ever")
    func buckets() async throws {
        var store = try site.open(.process)
        let groups = try await store.writer.register([Site.group(), Site.group("other")])
        for group in groups {
            for day in 0..<10 as Range<Int64> { try await store.add(bucketOf: group, day: day) }
        }
        // At the very end of a bucket it is as old as the policy says, and goes.
        store.judge(at: Site.start + .seconds(5 * 86_400 + 3_600))
        var policy = HousekeepingPolicy(
            rawRetention: .seconds(2 * 86_400), maximumRowsPerStep: 3)
        policy.rawAcknowledgedUntil = Site.start + .seconds(3 * 86_400)
        var counts: [Int] = []
        var report = HousekeepingReport()
        repeat {
            report = try await store.writer.housekeeping(clock: Self.far, policy: policy)
            counts.append(report.count(.raw))
            if counts.count == 1 {
                #expect(report.removed.first?.last == Site.start + .seconds(86_400 + 3_600))
            }
        } while report.hasMore
        #expect(counts == [30, 30, 20, 0])
        try store.close()
        store = try site.open(.process)
        let removed = try await store.reader.statistics().removed
        #expect(
            removed == [
                Removal(
                    .raw, .age, items: 80, owed: 20, first: Site.start,
                    last: Site.start + .seconds(3 * 86_400 + 3_600))
            ])
        let left = try await store.reader.read("count") {
            try Int.fetchOne($0, sql: "SELECT count(*) FROM bucket") ?? 0
        }
        #expect(left == 12)
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
        store.judge(at: Site.start + .seconds(3_600))
        let report = try await store.writer.housekeeping(
            clock: Self.far,
            policy: HousekeepingPolicy(
                rawRetention: .seconds(86_400), rollupRetention: [.minute: .seconds(1_800)],
                outboxRetention: .seconds(1_900), attemptsKept: 2))
        #expect(report.count(.minute, .age) == 2)
        #expect(report.count(.outbox) == 2)
        #expect(report.count(.attempt) == 1)
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
        store.judge(at: far)
        let second = try await store.writer.housekeeping(
            clock: Self.far,
            policy: HousekeepingPolicy(rawRetention: .zero, outboxRetention: .zero))
        #expect(second.count(.outbox) == 1)
        #expect(try await store.reader.uplinkStatus(uplink: "city").owed == 1)
        try store.close()
    }

    @Test(
        "a message to a feed stays as long as it is owed, and lifts as long as quarters of an hour")
    func feedsAndCranes() async throws {
        let store = try site.open(.process)
        let notices = (0..<3).map { index in
            NoticeRecord(
                feed: "phone", kind: "notice/raised", subject: "north/dust",
                time: Site.start + .seconds(Int64(index)), alarms: ["a|d.p|\(index)"], total: 1,
                since: Site.start)
        }
        let items = notices.map { notice in
            OwedItem(
                uplink: "feed/phone", kind: notice.kind, scope: notice.subject, start: notice.time,
                revision: 0, due: notice.time)
        }
        let cranes = ["lift", "overload", "near_miss"].enumerated().flatMap { place, kind in
            (0..<2).map { day in
                StoredCraneRecord(
                    key: "\(kind)|\(day)", kind: .init(rawValue: kind) ?? .lift,
                    crane: DeviceID("crane-1"), start: Site.start + .seconds(Int64(day) * 86_400),
                    end: Site.start + .seconds(Int64(day) * 86_400 + 60), peakLoad: nil,
                    peakMoment: nil, greatestWind: nil, overloads: place, isBackfill: false,
                    body: "{}")
            }
        }
        try await store.writer.apply(
            EvaluationEffects(owed: items, notices: notices, craneRecords: cranes))
        try await store.writer.settle(items[0], outcome: .accepted, at: Site.start)
        let later = Site.start + .seconds(2 * 86_400)
        store.judge(at: later)
        let report = try await store.writer.housekeeping(
            clock: Self.far,
            policy: HousekeepingPolicy(
                rawRetention: .zero, rollupRetention: [.quarterHour: .seconds(86_400 + 60)],
                outboxRetention: .seconds(600)))
        #expect(report.count(.outbox) == 1)
        #expect(report.count(.crane) == 3)
        let kept = try await store.reader.owedNotices(
            feed: "phone", now: later, limit: 10
        )
        #expect(kept.map(\.notice) == [notices[1], notices[2]])
        for kind in StoredCraneRecord.Kind.allCases {
            let kept = try await store.reader.craneRecords(
                kind, from: Site.start, to: later)
            #expect(kept.map(\.start) == [Site.start + .seconds(86_400)])
        }
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
                clock: Site.clock(Site.start),
                policy: HousekeepingPolicy(rawRetention: .seconds(86_400)))
        }
        let statistics = try await store.reader.statistics()
        #expect(statistics.walBytes <= StoreFile.walLimit + (1 << 20))
        #expect(statistics.fileBytes > 1 << 20)
        try store.close()
    }
}
