import Telemetry
import Testing

@testable import Store

@Suite("What the evaluation makes durable")
struct EffectsTests {
    let site = Site()
    static let bucket = Bucket(.quarterHour, containing: Site.start, calendar: .utc)

    static func rollup(_ value: Double) -> Rollup {
        var rollup = Rollup(expected: 90)
        rollup.add(.number(value), at: bucket.start + .seconds(5))
        rollup.add(.number(value + 0.1), at: bucket.start + .seconds(15))
        rollup.add(.bad(.timeout), at: bucket.start + .seconds(25))
        rollup.increase = ScaledInteger(exactly: 0.3)
        rollup.isEstimated = true
        return rollup
    }

    static func transition(
        _ from: AlarmState, _ to: AlarmState, at seconds: Int64, onset: Int64 = 0,
        value: Double = 80
    ) -> AlarmTransition {
        AlarmTransition(
            rule: "pm10-high", ruleVersion: "abc", severity: "high",
            series: SeriesID(device: DeviceID("dust"), point: PointKey("pm10")),
            onset: Site.start + .seconds(onset), from: from, to: to,
            time: Site.start + .seconds(seconds),
            evidence: AlarmEvidence(
                value: value, unit: "ug/m3", limit: 75, windowStart: Site.start,
                windowEnd: Site.start + .seconds(900), samples: 88, coverage: 0.97),
            isBackfill: false)
    }

    static func owed(_ scope: String = "dust/rs485/fast", revision: Int = 0) -> OwedItem {
        OwedItem(
            uplink: "city", kind: "rollup/15min", scope: scope, start: bucket.start,
            revision: revision, due: bucket.end)
    }

    static func effects(cursor: Int64 = 7, revision: Int = 0) -> EvaluationEffects {
        EvaluationEffects(
            rollups: [
                RollupRecord(series: 1, bucket: bucket, rollup: rollup(1), revision: revision),
                RollupRecord(series: 2, bucket: bucket, rollup: rollup(2), revision: revision),
            ],
            transitions: [
                transition(.normal, .pending, at: 10),
                transition(.pending, .activeUnacknowledged, at: 70, value: 90),
            ], owed: [owed(revision: revision)],
            checkpoint: EvaluationCheckpoint(version: 1, cursor: cursor, state: [1, 2, 3]))
    }

    @Test("applying the same effects twice leaves the same content, byte for byte")
    func idempotent() async throws {
        let store = try site.open()
        try await store.writer.apply(Self.effects())
        let once = try site.dump()
        #expect(once.count > 8)
        try await store.writer.apply(Self.effects())
        #expect(try site.dump() == once)
        try store.close()
    }

    @Test("effects that are replayed in other portions after a kill end in the same content")
    func replayed() async throws {
        let other = Site()
        func effects(_ index: Int64) -> EvaluationEffects {
            var effects = Self.effects(cursor: index, revision: Int(index) / 3)
            effects.transitions = [
                Self.transition(.pending, .activeUnacknowledged, at: index, onset: index)
            ]
            return effects
        }
        var store = try site.open()
        for index in Int64(1)...9 { try await store.writer.apply(effects(index)) }
        try store.close()
        // The other one falls back twice, as a process that was killed before its checkpoint.
        store = try other.open()
        for index in [Int64(1), 2, 3, 4, 2, 3, 4, 5, 6, 7, 7, 8, 9] {
            try await store.writer.apply(effects(index))
        }
        try store.close()
        #expect(try site.dump() == other.dump())
    }

    @Test("a failure in the middle leaves nothing of the effects behind")
    func atomic() async throws {
        let store = try site.open()
        let before = try site.dump()
        try site.meddle(
            """
            CREATE TRIGGER planted BEFORE INSERT ON evaluation_state
            BEGIN SELECT RAISE(ABORT, 'planted'); END
            """)
        await #expect(throws: StoreError.self) { try await store.writer.apply(Self.effects()) }
        #expect(try site.dump() == before)
        #expect(store.reader.effectsGeneration == 0)
        try site.meddle("DROP TRIGGER planted")
        try await store.writer.apply(Self.effects())
        #expect(store.reader.effectsGeneration == 1)
        #expect(try await store.reader.checkpoint() == Self.effects().checkpoint)
        try store.close()
    }

    @Test("a rollup comes back with its figures, and gives way only to a higher revision")
    func revisions() async throws {
        let store = try site.open()
        let bucket = Self.bucket
        func stored() async throws -> RollupRecord? {
            try await store.reader.rollups(
                series: 1, resolution: .quarterHour, from: bucket.start, to: bucket.end
            ).first
        }
        func apply(_ value: Double, _ revision: Int) async throws {
            let record = RollupRecord(
                series: 1, bucket: bucket, rollup: Self.rollup(value), revision: revision)
            try await store.writer.apply(EvaluationEffects(rollups: [record]))
        }
        try await apply(1, 1)
        try await apply(2, 1)
        try await apply(3, 0)
        let first = try #require(try await stored())
        #expect(first.revision == 1)
        #expect(first.bucket == bucket)
        #expect(first.rollup.count == 2)
        #expect(first.rollup.bad == 1)
        #expect(first.rollup.expected == 90)
        #expect(first.rollup.sum.value == 2.1)
        #expect(first.rollup.mean == 1.05)
        #expect(first.rollup.minimum == 1)
        #expect(first.rollup.maximum == 1.1)
        #expect(first.rollup.first == Rollup.Timed(time: bucket.start, value: 1))
        #expect(first.rollup.last == Rollup.Timed(time: bucket.start, value: 1.1))
        #expect(first.rollup.increase == ScaledInteger(exactly: 0.3))
        #expect(first.rollup.isEstimated)
        try await apply(4, 2)
        #expect(try await stored()?.rollup.minimum == 4)
        try store.close()
    }

    @Test("a rollup without numbers stays without numbers, and unknown stays unknown")
    func emptyRollup() async throws {
        let store = try site.open()
        let record = RollupRecord(
            series: 1, bucket: Self.bucket, rollup: Rollup(count: 3, bad: 4), revision: 0)
        try await store.writer.apply(EvaluationEffects(rollups: [record]))
        let found = try await store.reader.rollups(
            series: 1, resolution: .quarterHour, from: Self.bucket.start, to: Self.bucket.end)
        #expect(found == [record])
        #expect(found.first?.rollup.coverage == nil)
        #expect(found.first?.rollup.mean == nil)
        try store.close()
    }

    @Test("a series is read over gaps, in order, within its limits, and only its own")
    func rangeOfRollups() async throws {
        let store = try site.open(.process)
        let calendar = SiteCalendar.utc
        var records: [RollupRecord] = []
        for index in [0, 1, 2, 5, 9, 40, 41, 4_000] {
            let bucket = Bucket(
                .minute, containing: Site.start + .seconds(Int64(index) * 60), calendar: calendar)
            for series in 1...3 where !(series == 2 && index == 2) {
                records.append(
                    RollupRecord(
                        series: series, bucket: bucket, rollup: Rollup(count: index), revision: 0))
            }
        }
        try await store.writer.apply(EvaluationEffects(rollups: records))
        func counts(_ series: Int, _ from: Int64, _ to: Int64, _ limit: Int = 100) async throws
            -> [Int]
        {
            try await store.reader.rollups(
                series: series, resolution: .minute, from: Site.start + .seconds(from * 60),
                to: Site.start + .seconds(to * 60), limit: limit
            ).map(\.rollup.count)
        }
        #expect(try await counts(2, -1_000_000, 1_000_000) == [0, 1, 5, 9, 40, 41, 4_000])
        #expect(try await counts(1, 1, 9) == [1, 2, 5])
        #expect(try await counts(3, 1, 10_000, 3) == [1, 2, 5])
        #expect(try await counts(4, 0, 10_000) == [])
        #expect(
            try await store.reader.rollups(
                series: 1, resolution: .hour, from: Site.start, to: Site.start + .seconds(86_400)
            ).isEmpty)
        try store.close()
    }

    @Test("the rollups of one bucket of a group come in the order of its series")
    func groupRollups() async throws {
        let store = try site.open()
        let group = try await store.writer.register([Site.group()])[0]
        let records = group.series.reversed().map {
            RollupRecord(
                series: $0.number, bucket: Self.bucket, rollup: Rollup(count: $0.number),
                revision: 0)
        }
        try await store.writer.apply(EvaluationEffects(rollups: records))
        let found = try await store.reader.rollups(
            group: group.id, start: Self.bucket.start, resolution: .quarterHour)
        #expect(found.map(\.series) == group.series.map(\.number))
        try store.close()
    }

    @Test("an alarm shows its newest state, and its transitions in order")
    func alarms() async throws {
        let store = try site.open()
        let opening = [
            Self.transition(.normal, .pending, at: 10),
            Self.transition(.pending, .activeUnacknowledged, at: 70, value: 90),
        ]
        try await store.writer.apply(EvaluationEffects(transitions: opening))
        let open = try await store.reader.alarms(openOnly: true)
        #expect(open.map(\.state) == [.activeUnacknowledged])
        #expect(open.first?.evidence == opening[1].evidence)
        #expect(open.first?.raised == Site.start + .seconds(70))
        #expect(open.first?.onset == Site.start)
        let closing = [
            Self.transition(.activeUnacknowledged, .returnedUnacknowledged, at: 200, value: 50),
            Self.transition(.returnedUnacknowledged, .normal, at: 300, value: .nan),
        ]
        try await store.writer.apply(EvaluationEffects(transitions: closing))
        #expect(try await store.reader.alarms(openOnly: true).isEmpty)
        let all = try await store.reader.alarms()
        #expect(all.map(\.state) == [.normal])
        #expect(all.first?.evidence.value.isNaN == true)
        let key = opening[0].alarmKey
        let transitions = try await store.reader.transitions(alarmKey: key)
        #expect(transitions.prefix(3) == (opening + closing).prefix(3))
        #expect(transitions.count == 4)
        // A replay of the opening does not open it again.
        try await store.writer.apply(EvaluationEffects(transitions: opening))
        #expect(try await store.reader.alarms(openOnly: true).isEmpty)
        try store.close()
    }

    @Test("a breach that went away before its hold is no alarm")
    func onlyPending() async throws {
        let store = try site.open()
        try await store.writer.apply(
            EvaluationEffects(transitions: [
                Self.transition(.normal, .pending, at: 10),
                Self.transition(.pending, .normal, at: 20),
            ]))
        #expect(try await store.reader.alarms().isEmpty)
        try store.close()
    }

    @Test("the list of alarms is paged from the newest onset to the oldest")
    func alarmPages() async throws {
        let store = try site.open()
        let onsets: [Int64] = [5, 1, 9, 3, 7, 7_000, 2]
        for onset in onsets {
            try await store.writer.apply(
                EvaluationEffects(transitions: [
                    Self.transition(.pending, .activeUnacknowledged, at: onset + 1, onset: onset)
                ]))
        }
        var seen: [Timestamp] = []
        var cursor: AlarmCursor?
        while true {
            let page = try await store.reader.alarms(limit: 3, before: cursor)
            seen += page.map(\.onset)
            guard let last = page.last else { break }
            cursor = AlarmCursor(last.cursor.description)
        }
        #expect(seen == onsets.sorted(by: >).map { Site.start + .seconds($0) })
        #expect(AlarmCursor("x_1") == nil)
        #expect(AlarmCursor("1") == nil)
        try store.close()
    }
}
