import Store
import Telemetry

/// A small store with something in every table: the content of the files in Tests/Fixtures/stores.
///
/// It is written through the same calls as the gateway's own content, and it is the same whatever
/// the schema, so one text of what it must hold serves the fixtures of all schemas.
struct FixtureContent {
    let store: Store
    let workload: Workload
    /// The meter before a sixth point was added: its scans belong to a superseded group.
    let formerMeter: ScanGroup

    /// The spans of 20 s that have data: minutes of two days, a week apart.
    static let spans: [Int64] =
        Array(1...24) + Array(170...186) + Array((7 * 4320 + 1)...(7 * 4320 + 16))

    static func write(to folder: String) async throws(StoreError) {
        let store = try Store.open(StoreOptions(directory: folder), calendar: shanghai)
        var former = Workload.unnumbered[1]
        former.series.removeLast()
        let formerMeter = try await store.writer.register([former])[0]
        let workload = Workload(groups: try await store.writer.register(Workload.unnumbered))
        let content = FixtureContent(store: store, workload: workload, formerMeter: formerMeter)
        try await content.commit()
        try await content.evaluate()
        try await content.report()
        try await content.audit()
        try await content.seal()
        try await content.pack()
        try store.close()
    }

    static let shanghai = SiteCalendar(zone: "Asia/Shanghai", initialOffset: 28_800)

    private static func time(_ seconds: Int64) -> Timestamp { Workload.start + .seconds(seconds) }

    private func commit() async throws(StoreError) {
        for (place, k) in Self.spans.enumerated() {
            var scans = workload.scans(ofBatch: k)
            if place < 6 {
                // The first minutes were read before the meter had its last point.
                scans = scans.map { scan in
                    guard scan.group == workload.groups[1].id else { return scan }
                    var scan = scan
                    scan.group = formerMeter.id
                    scan.readings.removeLast()
                    return scan
                }
            }
            let mark = DeliveryMark(
                link: place % 2 == 0 ? "broker" : "platform", messageID: UInt16(1 + place),
                digest: 0x9E37_79B9_7F4A_7C15 &* UInt64(1 + place))
            _ = try await store.writer.commit(
                JournalBatch(
                    clock: ClockReading(
                        bootID: k < 1000 ? "boot-before" : "boot-after", monotonic: k * 20_000,
                        wall: Workload.time(ofSpan: k + 1), isTrusted: true), scans: scans,
                    deliveries: place % 4 == 0 ? [mark] : []))
        }
    }

    private func evaluate() async throws(StoreError) {
        var effects = EvaluationEffects()
        let starts: [(Resolution, Int64)] = [
            (.minute, 0), (.quarterHour, 0), (.quarterHour, 900), (.quarterHour, 7 * 86_400),
            (.hour, 0),
            (.hour, 7 * 86_400), (.day, 0), (.day, 7 * 86_400), (.month, 0),
        ]
        for (place, (resolution, second)) in starts.enumerated() {
            let bucket = Bucket(
                resolution, containing: Self.time(second), calendar: Self.shanghai)
            for series in workload.groups.flatMap(\.series) {
                effects.rollups.append(
                    RollupRecord(
                        series: series.number, bucket: bucket,
                        rollup: rollup(of: series, bucket, place), revision: place % 3))
            }
        }
        effects.transitions = transitions()
        effects.checkpoint = EvaluationCheckpoint(
            version: 1, cursor: Int64(Self.spans.count), state: (0..<200).map { UInt8($0) })
        effects.owed = (0..<12).map { owed("city", $0) } + (0..<3).map { owed("district", $0) }
        try await store.writer.apply(effects)
    }

    private func rollup(of series: Series, _ bucket: Bucket, _ place: Int) -> Rollup {
        var rollup = Rollup(expected: series.number % 3 == 0 ? nil : 900)
        let isNumber = series.kind == .gauge || series.kind == .counter
        for index in 0..<(3 + Int64(place)) {
            let value = Double(series.number * 1000 + Int(index) * 7) / 8
            rollup.add(
                isNumber ? .number(value) : .text("running"),
                at: bucket.start + .seconds(index * 60))
        }
        rollup.bad = place
        if series.kind == .counter {
            rollup.increase = ScaledInteger(mantissa: Int128(12_345 + place), exponent: 2)
            rollup.isEstimated = place % 2 == 1
        }
        return rollup
    }

    private func transitions() -> [AlarmTransition] {
        let pm10 = SeriesID(device: DeviceID("dust"), point: PointKey("pm10"))
        let wind = SeriesID(device: DeviceID("crane"), point: PointKey("wind"))
        func change(
            _ series: SeriesID, _ onset: Int64, _ from: AlarmState, _ to: AlarmState, _ at: Int64,
            backfill: Bool = false
        ) -> AlarmTransition {
            AlarmTransition(
                rule: series == pm10 ? "pm10-high" : "wind-high", ruleVersion: "5f3a",
                severity: "high", series: series, onset: Self.time(onset), from: from, to: to,
                time: Self.time(at),
                evidence: AlarmEvidence(
                    value: 80.25 + Double(at), unit: series == pm10 ? "ug/m3" : "m/s", limit: 75,
                    windowStart: Self.time(onset), windowEnd: Self.time(at), samples: Int(at),
                    coverage: backfill ? nil : 0.96875), isBackfill: backfill)
        }
        return [
            change(pm10, 10, .normal, .pending, 10),
            change(pm10, 10, .pending, .activeUnacknowledged, 70),
            change(pm10, 10, .activeUnacknowledged, .returnedUnacknowledged, 300),
            change(pm10, 600, .normal, .pending, 600),
            change(pm10, 600, .pending, .normal, 620),
            change(wind, 40, .normal, .activeUnacknowledged, 40, backfill: true),
            change(wind, 900, .normal, .activeUnacknowledged, 900),
        ]
    }

    private func owed(_ uplink: String, _ quarter: Int64, revision: Int = 0) -> OwedItem {
        let start = Self.time(quarter * 900)
        return OwedItem(
            uplink: uplink, kind: "rollup/15min", scope: workload.groups[0].scope, start: start,
            revision: revision, due: start + .seconds(930))
    }

    private func report() async throws(StoreError) {
        let now = Self.time(13 * 900)
        try await store.writer.settle(
            (0..<5).map { Settlement(owed("city", $0), .accepted) }, at: now)
        try await store.writer.settle(
            owed("city", 5), outcome: .rejected(reason: "未知站点"), at: now + .seconds(1))
        try await store.writer.settle(
            owed("city", 6), outcome: .retry(after: .seconds(60), reason: "broker away"),
            at: now + .seconds(2))
        try await store.writer.settle(
            owed("city", 7), outcome: .expired(reason: "beyond retention"), at: now + .seconds(3))
        try await store.writer.apply(EvaluationEffects(owed: [owed("city", 1, revision: 2)]))
    }

    /// What an hour or more has passed over; the rest stays in the journal.
    private func seal() async throws(StoreError) {
        guard let checkpoint = try await store.reader.checkpoint() else { return }
        let now = Workload.time(ofSpan: Self.spans.last ?? 1)
        for _ in 0..<20 {
            let seals = store.reader.dueSeals(cursor: checkpoint.cursor, now: now)
            if seals.isEmpty { return }
            try await store.writer.apply(
                EvaluationEffects(checkpoint: checkpoint, seals: seals))
        }
    }

    /// The quarters of the first day, in one blob for each block of series; nothing is removed.
    private func pack() async throws(StoreError) {
        let decade = Duration.seconds(3650 * 86_400)
        for step in 0..<20 {
            let monotonic = ((Self.spans.last ?? 1) + Int64(step)) * 20_000
            let report = try await store.writer.housekeeping(
                clock: ClockReading(
                    bootID: "boot-after", monotonic: monotonic,
                    wall: Workload.start + .milliseconds(monotonic), isTrusted: true),
                policy: HousekeepingPolicy(rawRetention: decade, outboxRetention: decade))
            if report.packedRollups > 0, !report.hasMore { return }
        }
    }

    private func audit() async throws(StoreError) {
        for (place, detail) in ["site.name: 测试工地", "data.raw_days: 30 → 90", ""].enumerated() {
            try await store.writer.appendAudit(
                actor: place == 1 ? "管理员" : "gateway", action: "configuration.changed",
                detail: detail, at: Self.time(Int64(place) * 3600))
        }
    }
}
