import Alarms
import Store
import Telemetry
import TestSeeds
import Testing

@testable import Gateway

@Suite("Evaluation")
struct EvaluationTests {
    static let start = RollupsOfTheStoreTests.start
    static let power = 0
    static let energy = 1

    static let rules = """
        format: alarm-rules/1
        rules:
          - alarm: high
            title: { en: "High power", zh: "功率偏高" }
            severity: warning
            source: made up for a test
            status: project
            when: { point: active_power.total, input: reading, above: 8000 W, clear: 7000 W, hold: 20s }
          - alarm: mean
            title: { en: "High mean", zh: "均值偏高" }
            severity: info
            source: made up for a test
            status: project
            when:
              point: active_power.total
              rollup: mean
              over: 15min
              window: aligned
              above: 4200 W
        """

    static func folded(
        _ groups: [ScanGroup] = [RollupsOfTheStoreTests.group()], start: Timestamp = start,
        calendar: SiteCalendar = .utc
    ) async throws -> FoldedStore {
        try await FoldedStore(
            groups: groups, start: start, calendar: calendar,
            rules: try AlarmRuleFile.parse(rules, file: "rules.yaml"),
            selections: [
                OwedSelection(uplink: "city", resolution: .minute),
                OwedSelection(uplink: "boss", resolution: .hour),
            ])
    }

    static func scan(
        _ folded: FoldedStore, _ seconds: Int, power: Double? = 100, energy: Double?
    ) -> Scan {
        func reading(_ value: Double?) -> Reading { value.map { .number($0) } ?? .bad(.timeout) }
        return Scan(
            group: folded.groups[0].id, time: folded.clock.start + .seconds(seconds),
            readings: [reading(power), reading(energy)])
    }

    @Test("ends when it finds the file damaged again and again, so that the next start salvages it")
    func damagedFile() async throws {
        let folded = try await Self.folded()
        defer { folded.remove() }
        var evaluation = folded.evaluation
        evaluation.write = { _ in
            throw StoreError(.corrupt, "apply", cause: "planted", disposition: .reopen)
        }
        let broken = evaluation
        try await folded.commit([Self.scan(folded, 0, energy: 1)])
        try await folded.pass(.seconds(3600))
        let start = folded.clock.now
        let run = Task { try await broken.run() }
        let watch = Task {
            while !Task.isCancelled {
                if folded.clock.sleepers > 0 { folded.clock.advance(by: .seconds(1)) }
                try await Task.sleep(for: .milliseconds(1))
            }
        }
        await #expect(throws: StoreError.self) { try await run.value }
        watch.cancel()
        // Two pauses of five seconds lie between three attempts.
        #expect(start.duration(to: folded.clock.now) >= .seconds(10))
    }

    // MARK: every effect once

    /// Rows with everything in them: alarms, failures, gaps, a reset, late and doubled scans.
    private static func rows(_ folded: FoldedStore, seed: UInt64) -> [(at: Timestamp, [Scan])] {
        var random = SeededGenerator(seed: seed)
        var rows: [[Scan]] = Array(repeating: [], count: 130)
        var energy = 500.0
        for index in 0..<720 {
            let isGap = (200..<290).contains(index)
            if index == 400 { energy = 3 }
            energy = ((energy + Double.random(in: 0...0.2, using: &random)) * 100).rounded() / 100
            if isGap { continue }
            let fails = Int.random(in: 0..<15, using: &random) == 0
            let power = Double(Int.random(in: 0...90_000, using: &random)) / 10
            let scan = Self.scan(
                folded, index * 10, power: fails ? nil : power, energy: fails ? nil : energy)
            let isLate = Int.random(in: 0..<12, using: &random) == 0
            let row = index / 6 + (isLate ? Int.random(in: 1...9, using: &random) : 0)
            rows[row].append(scan)
            if isLate { rows[row].append(scan) }
        }
        return rows.enumerated().map { (start + .seconds(60 * ($0.offset + 1)), $0.element) }
    }

    enum Manner: CaseIterable {
        case running
        case restartedAtEveryRow
        /// The planted bug: one checkpoint is stored without the effects that belong to it.
        case checkpointAlone
    }

    private static func content(_ manner: Manner, seed: UInt64) async throws -> [String] {
        let folded = try await folded()
        defer { folded.remove() }
        let evaluation = folded.evaluation
        var progress = try await evaluation.begin()
        for (index, row) in rows(folded, seed: seed).enumerated() {
            folded.clock.advance(to: row.at)
            try await folded.commit(row.1)
            switch manner {
            case .running:
                try await evaluation.catchUp(&progress)
            case .checkpointAlone where index == 60:
                var machine = folded.machine
                let checkpoint = try #require(try await folded.store.reader.checkpoint())
                machine.restore(try Evaluation.state(of: checkpoint), cursor: checkpoint.cursor)
                for row in try await folded.store.reader.journal(after: checkpoint.cursor) {
                    machine.handle(row)
                }
                let hasEffects = machine.hasEffects
                #expect(hasEffects)
                try await folded.store.writer.apply(
                    EvaluationEffects(checkpoint: evaluation.checkpoint(of: machine)))
            case .restartedAtEveryRow, .checkpointAlone:
                try await folded.evaluate()
            }
        }
        try await folded.pass(.seconds(7200))
        try await folded.evaluate()
        return try folded.effects()
    }

    @Test("a platform that is reported to since an instant is owed no bucket that begins before")
    func owedSince() async throws {
        let since = Self.start + .seconds(90)
        var folded = try await Self.folded()
        defer { folded.remove() }
        folded.selections = [
            OwedSelection(uplink: "old", resolution: .minute),
            OwedSelection(uplink: "new", resolution: .minute, since: since),
        ]
        try await folded.commit(
            (0..<30).map { Self.scan(folded, $0 * 10, energy: Double($0)) })
        try await folded.pass(.seconds(600))
        try await folded.evaluate()
        func starts(_ uplink: String) async throws -> [Timestamp] {
            try await folded.store.reader.owedItems(
                uplink: uplink, now: .init(milliseconds: .max / 2), correctionSpacing: .zero,
                liveSince: Self.start, live: true, limit: 100
            ).map(\.start)
        }
        let all = try await starts("old")
        let new = try await starts("new")
        #expect(all.first == Self.start)
        #expect(new == all.filter { $0 >= since })
        #expect(new.first == Self.start + .seconds(120))
    }

    @Test("a restart at every row leaves the store as if it had run on, effect by effect")
    func restarts() async throws {
        for seed in [UInt64(1), 2] {
            let running = try await Self.content(.running, seed: seed)
            let restarted = try await Self.content(.restartedAtEveryRow, seed: seed)
            let isEqual = running == restarted
            #expect(isEqual, "seed \(seed)")
            for table in ["rollup", "alarm ", "alarm_transition", "outbox"] {
                let holds = running.contains { $0.hasPrefix(table) }
                #expect(holds, "\(table), seed \(seed)")
            }
            // The comparison can fail: a checkpoint that ran ahead of its effects is found out.
            let planted = try await Self.content(.checkpointAlone, seed: seed)
            let isFound = planted != running
            #expect(isFound, "seed \(seed)")
        }
    }

    @Test("an alarm's transitions are stored once, however often the fold is repeated")
    func transitionsOnce() async throws {
        let folded = try await Self.folded()
        defer { folded.remove() }
        for index in 0..<30 {
            folded.clock.advance(by: .seconds(10))
            let power = (5..<15).contains(index) ? 9000.0 : 1000
            try await folded.commit([Self.scan(folded, index * 10, power: power, energy: 1)])
            // A crash before the effects were stored: folded in memory, and given up.
            var lost = folded.machine
            for row in try await folded.store.reader.journal(after: 0) { lost.handle(row) }
            try await folded.evaluate()
        }
        let alarms = try await folded.store.reader.alarms()
        #expect(alarms.count == 1)
        let key = try #require(alarms.first?.key)
        #expect(
            try await folded.store.reader.transitions(alarmKey: key).map(\.to)
                == [.pending, .activeUnacknowledged, .returnedUnacknowledged])
    }

    // MARK: counters

    private static func increase(_ record: RollupRecord?) -> Double? {
        record?.rollup.increase?.double
    }

    @Test("a counter that rolls over goes on counting, one that is set back loses nothing counted")
    func rollOverAndReset() async throws {
        var group = RollupsOfTheStoreTests.group()
        group.series[Self.energy].counter = CounterPolicy(modulus: 1000, resets: .manual)
        let folded = try await Self.folded([group])
        defer { folded.remove() }
        // 999.5 → 0.5 is a roll-over of 1; 40 → 2 is a reset.
        let energies = [999.0, 999.5, 0.5, 1, 40, 2, 3]
        let seconds = [0, 10, 20, 60, 70, 80, 120]
        folded.clock.advance(by: .seconds(121))
        try await folded.commit(
            zip(seconds, energies).map { Self.scan(folded, $0, energy: $1) })
        try await folded.evaluate()
        let first = try await folded.rollup(Self.energy, .minute, at: Self.start)
        let second = try await folded.rollup(
            Self.energy, .minute, at: Self.start + .seconds(60))
        #expect(Self.increase(first) == 2)
        #expect(first?.rollup.isEstimated == false, "the gap of 40 s ends with the minute")
        #expect(Self.increase(second) == 40)
        #expect(second?.rollup.isEstimated == true)
    }

    @Test("a bucket that closes by lateness is estimated, and corrected when the counter is read")
    func closedByLateness() async throws {
        let folded = try await Self.folded()
        defer { folded.remove() }
        let complete = (0..<6).map { Self.scan(folded, $0 * 10, energy: Double($0)) }
        folded.clock.advance(by: .seconds(95))
        try await folded.commit(complete)
        try await folded.evaluate()
        let before = try #require(try await folded.rollup(Self.energy, .minute, at: Self.start))
        #expect(before.revision == 0)
        #expect(before.rollup.isEstimated)
        #expect(Self.increase(before) == 5)
        folded.clock.advance(by: .seconds(60))
        // Ten minutes of silence lie in between; the increase is spread over them.
        folded.clock.advance(to: Self.start + .seconds(650))
        try await folded.commit([Self.scan(folded, 650, energy: 65)])
        try await folded.evaluate()
        let after = try #require(try await folded.rollup(Self.energy, .minute, at: Self.start))
        #expect(after.revision == 1)
        #expect(Self.increase(after) == 6)
        #expect(after.rollup.isEstimated, "the share of a gap is an estimate")
        let silent = try #require(
            try await folded.rollup(Self.energy, .minute, at: Self.start + .seconds(300)))
        #expect(Self.increase(silent) == 6)
        #expect(silent.rollup.coverage == 0)
    }

    // MARK: silence, history, gaps

    @Test("silence closes empty buckets with coverage 0, on every resolution")
    func silence() async throws {
        let folded = try await Self.folded()
        defer { folded.remove() }
        folded.clock.advance(by: .seconds(10))
        try await folded.commit([Self.scan(folded, 0, energy: 1)])
        for _ in 0..<26 { try await folded.pass(.seconds(300)) }
        try await folded.evaluate()
        for (resolution, count) in [(Resolution.minute, 129), (.quarterHour, 8), (.hour, 2)] {
            let rows = try await folded.store.reader.rollups(
                series: folded.groups[0].series[Self.power].number, resolution: resolution,
                from: Self.start, to: Self.start + .seconds(86_400))
            #expect(rows.count == count, "\(resolution)")
            #expect(rows.dropFirst().allSatisfy { $0.rollup.coverage == 0 })
        }
    }

    @Test("history is folded in its own time, and live scans go on from it")
    func historyThenLive() async throws {
        let folded = try await Self.folded()
        defer { folded.remove() }
        folded.clock.advance(by: .seconds(86_400))
        var scans = (0..<(86_400 / 60)).map {
            Self.scan(folded, $0 * 60, power: $0 == 600 ? 9000 : 100, energy: Double($0))
        }
        for index in scans.indices { scans[index].flags = .backfill }
        for chunk in stride(from: 0, to: scans.count, by: 180) {
            try await folded.commit(Array(scans[chunk..<chunk + 180]))
        }
        try await folded.evaluate()
        for minute in 0..<5 {
            let second = 86_400 + minute * 60
            folded.clock.advance(to: Self.start + .seconds(second + 1))
            try await folded.commit([Self.scan(folded, second, energy: 1440 + Double(minute))])
        }
        try await folded.pass(.seconds(40))
        try await folded.evaluate()
        let day = try #require(try await folded.rollup(Self.energy, .day, at: Self.start))
        #expect(Self.increase(day) == 1440)
        #expect(day.rollup.count == 1440)
        let rows = try await folded.store.reader.rollups(
            series: folded.groups[0].series[Self.energy].number, resolution: .minute,
            from: Self.start, to: Self.start + .seconds(86_400 + 240))
        #expect(rows.count == 1444)
        #expect(rows.allSatisfy { Self.increase($0) == 1 })
        #expect(rows.allSatisfy { $0.revision == 0 }, "a first close is no correction")
        let alarms = try await folded.store.reader.alarms()
        for alarm in alarms {
            let transitions = try await folded.store.reader.transitions(alarmKey: alarm.key)
            #expect(transitions.allSatisfy { $0.isBackfill })
        }
    }

    @Test("a gap of twenty days is filled without holding it in memory, and its energy is kept")
    func longGap() async throws {
        let folded = try await Self.folded()
        defer { folded.remove() }
        folded.clock.advance(by: .seconds(60))
        try await folded.commit((0..<6).map { Self.scan(folded, $0 * 10, energy: 100) })
        try await folded.evaluate()
        let gap = 20 * 86_400
        folded.clock.advance(to: Self.start + .seconds(gap))
        try await folded.commit([Self.scan(folded, gap, energy: 100 + 1919.9)])
        var machine = folded.machine
        for row in try await folded.store.reader.journal(after: 0) { machine.handle(row) }
        #expect(machine.folds.values.allSatisfy { $0.lanes.allSatisfy { $0.open.count < 100 } })
        #expect(machine.due.count < 20)
        #expect(machine.pending.rollups.count < 1000)
        for second in stride(from: gap + 10, through: gap + 1000, by: 10) {
            folded.clock.advance(to: Self.start + .seconds(second))
            try await folded.commit([Self.scan(folded, second, energy: 100 + 1919.9)])
        }
        try await folded.evaluate()
        for (resolution, expected) in [(Resolution.quarterHour, 1920), (.hour, 480), (.day, 20)] {
            let rows = try await folded.store.reader.rollups(
                series: folded.groups[0].series[Self.energy].number, resolution: resolution,
                from: Self.start, to: Self.start + .seconds(gap))
            #expect(rows.count == expected, "\(resolution)")
            let sum = rows.reduce(0) { $0 + ($1.rollup.increase?.rescaled(to: 1).mantissa ?? 0) }
            #expect(sum == 19_199, "\(resolution)")
        }
    }

    @Test("a scan far older than the first one of its group is folded all the same")
    func olderThanTheFirst() async throws {
        let folded = try await Self.folded(start: Self.start)
        defer { folded.remove() }
        folded.clock.advance(by: .seconds(10 * 86_400))
        let now = 10 * 86_400
        try await folded.commit([Self.scan(folded, now, energy: 50)])
        try await folded.commit([Self.scan(folded, 5, energy: 1)])
        try await folded.pass(.seconds(120))
        try await folded.evaluate()
        #expect(try await folded.rollup(Self.power, .minute, at: Self.start)?.rollup.count == 1)
        let live = Self.start + .seconds(now)
        #expect(try await folded.rollup(Self.power, .minute, at: live)?.rollup.count == 1)
    }

    @Test("hours and days are the site's, also on the day that has twenty-five hours")
    func daylightSaving() async throws {
        let calendar = try #require(SiteCalendar(systemZone: "Europe/Berlin"))
        let start = try #require(Timestamp(rfc3339: "2026-10-24T22:00:00Z"))
        var group = RollupsOfTheStoreTests.group()
        group.period = .seconds(60)
        let folded = try await Self.folded([group], start: start, calendar: calendar)
        defer { folded.remove() }
        let minutes = 25 * 60
        for hour in 0...25 {
            folded.clock.advance(to: start + .seconds((hour + 1) * 3600))
            try await folded.commit(
                (hour * 60..<min(hour * 60 + 60, minutes + 5)).map {
                    Self.scan(folded, $0 * 60, energy: Double($0))
                })
        }
        try await folded.evaluate()
        let series = folded.groups[0].series[Self.energy].number
        let days = try await folded.store.reader.rollups(
            series: series, resolution: .day, from: start, to: start + .seconds(86_400 * 2))
        let day = try #require(days.first)
        #expect(day.bucket.start == start)
        #expect(day.bucket.duration == .seconds(25 * 3600))
        #expect(day.rollup.count == minutes)
        #expect(day.rollup.expected == minutes)
        #expect(Self.increase(day) == Double(minutes))
        let hours = try await folded.store.reader.rollups(
            series: series, resolution: .hour, from: start, to: day.bucket.end)
        #expect(hours.count == 25)
        #expect(hours.allSatisfy { Self.increase($0) == 60 })
        #expect(Set(hours.map { calendar.civil($0.bucket.start).hour }).count == 24)
    }
}
