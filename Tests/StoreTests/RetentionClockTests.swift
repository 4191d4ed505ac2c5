import Telemetry
import TestSeeds
import Testing

@testable import Store

@Suite("The clock by which age is judged")
struct RetentionClockTests {
    private static let start = Timestamp(milliseconds: 1_795_000_000_000)
    private static let day: Int64 = 86_400_000

    private func reading(
        _ wall: Timestamp, _ monotonic: Int64, boot: String = "a", trusted: Bool = true
    ) -> ClockReading {
        ClockReading(bootID: boot, monotonic: monotonic, wall: wall, isTrusted: trusted)
    }

    @Test("beside a good clock it shows the same")
    func good() {
        var clock = RetentionClock(Self.start)
        for minute in 0..<1_000 as Range<Int64> {
            let wall = Self.start + .seconds(minute * 60)
            let judged = clock.advance(to: reading(wall, minute * 60_000))
            #expect(judged == wall)
        }
    }

    @Test("after months without power it catches up at twice the speed, not at once")
    func catchesUp() throws {
        var clock = RetentionClock(Self.start)
        let away = 90 * Self.day
        var caughtUp: Int64?
        for hour in 0..<5_000 as Range<Int64> {
            let wall = Timestamp(milliseconds: Self.start.milliseconds + away + hour * 3_600_000)
            let found = clock.advance(to: reading(wall, hour * 3_600_000))
            let judged = try #require(found)
            #expect(judged <= wall)
            #expect(judged.milliseconds <= Self.start.milliseconds + 2 * hour * 3_600_000)
            if judged == wall { caughtUp = caughtUp ?? hour }
        }
        #expect(caughtUp == Int64(90 * 24))
    }

    @Test("whatever the clock shows, it never runs faster than twice the uptime nor ahead of it")
    func property() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        let jumps: [Int64] = [
            3_600_000, -3_600_000, Self.day, -Self.day, 365 * Self.day, -365 * Self.day,
        ]
        for schedule in 0..<2_000 {
            var clock = RetentionClock(Self.start)
            var (wall, monotonic, boot) = (Self.start, Int64(0), 0)
            var limit = Self.start
            var newest = Self.start
            var isFirst = true
            for _ in 0..<60 {
                let pause = Int64.random(in: 1...600_000, using: &random)
                switch Int.random(in: 0..<12, using: &random) {
                case 0: wall = wall + .milliseconds(jumps.randomElement(using: &random) ?? 0)
                case 1: wall = Timestamp(milliseconds: 4_070_908_800_000)
                case 2: wall = Timestamp(milliseconds: Self.start.milliseconds + pause)
                case 3:
                    (boot, monotonic, isFirst) = (boot + 1, 0, true)
                    wall = wall + .milliseconds(Int64.random(in: 0...90 * Self.day, using: &random))
                default: break
                }
                wall = wall + .milliseconds(pause)
                monotonic += pause
                let isTrusted = Int.random(in: 0..<5, using: &random) > 0
                let before = clock.value
                let judged = clock.advance(
                    to: reading(wall, monotonic, boot: "\(boot)", trusted: isTrusted))
                if isTrusted {
                    if !isFirst { limit = limit + .milliseconds(2 * pause) }
                    newest = max(newest, wall)
                    let good =
                        judged.map { $0 <= wall && $0 <= limit && $0 <= clock.value } ?? false
                    #expect(good, "seed \(seed), schedule \(schedule)")
                } else {
                    #expect(judged == nil && clock.value == before, "seed \(seed)")
                }
                isFirst = false
                #expect(
                    clock.value >= before && clock.value <= newest,
                    "seed \(seed), schedule \(schedule)")
            }
        }
    }

    @Test("a clock that jumps to 2099 for a day deletes nothing of a month, and nothing afterwards")
    func jump() async throws {
        let site = Site()
        let store = try site.open(.process)
        let group = try await store.writer.register([Site.group()])[0]
        for day in 0..<28 as Range<Int64> {
            try await store.add(bucketOf: group, day: day)
        }
        let now = Site.start + .seconds(28 * 86_400)
        try await store.writer.commit(
            JournalBatch(clock: Site.clock(now), scans: [], deliveries: [])
        ).discard()
        let policy = HousekeepingPolicy(rawRetention: .seconds(30 * 86_400))
        for hour in 0..<24 as Range<Int64> {
            let report = try await store.writer.housekeeping(
                clock: reading(Timestamp(milliseconds: 4_070_908_800_000), hour * 3_600_000),
                policy: policy)
            #expect(report.removed.isEmpty)
        }
        let report = try await store.writer.housekeeping(
            clock: reading(now + .seconds(86_400), 24 * 3_600_000), policy: policy)
        #expect(report.judgedAt == now + .seconds(86_400))
        #expect(report.removed.isEmpty)
        try store.close()
    }

    @Test("with an untrusted clock nothing goes by age, and the value outlives a restart")
    func untrusted() async throws {
        let site = Site()
        var store = try site.open(.process)
        let group = try await store.writer.register([Site.group()])[0]
        try await store.add(bucketOf: group, day: 0)
        store.judge(at: Site.start + .seconds(40 * 86_400))
        let policy = HousekeepingPolicy(rawRetention: .seconds(30 * 86_400))
        let wall = Site.start + .seconds(400 * 86_400)
        var report = try await store.writer.housekeeping(
            clock: reading(wall, 5, trusted: false), policy: policy)
        #expect(report.removed.isEmpty && report.judgedAt == nil)
        report = try await store.writer.housekeeping(clock: reading(wall, 6), policy: policy)
        #expect(report.count(.raw, .age) == 10)
        try store.close()
        store = try site.open(.process)
        report = try await store.writer.housekeeping(
            clock: reading(wall, 7, boot: "b"), policy: policy)
        let saved = try #require(report.judgedAt)
        #expect(saved >= Site.start + .seconds(40 * 86_400))
        #expect(saved < Site.start + .seconds(41 * 86_400))
        #expect(try await store.reader.statistics().removed.map(\.items) == [10])
        try store.close()
    }
}

extension Store {
    /// Lets housekeeping judge age at this instant, as if the machine had been up until then.
    func judge(at time: Timestamp) {
        reader.shared.room.state.withValue { $0.clock = RetentionClock(time) }
    }

    /// A sealed bucket of ten scans and so many bytes; nobody decodes it here.
    func add(
        bucketOf group: ScanGroup, day: Int64, hour: Int64 = 0, bytes: Int = 400
    ) async throws {
        let start = (Site.start + .seconds(day * 86_400 + hour * 3_600)).milliseconds
        try await writer.write("add a bucket") { db in
            try db.execute(
                sql: """
                    INSERT INTO bucket (scan_group, start, end, rows, codec, data)
                    VALUES (?, ?, ?, 10, 1, ?)
                    """,
                arguments: [
                    group.id.number, start, start + 3_600_000,
                    Blob([UInt8](repeating: 7, count: bytes)),
                ])
        }
    }
}
