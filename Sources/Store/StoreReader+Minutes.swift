import BucketCodec
import Telemetry

extension StoreReader {
    /// The minutes of a series that no row holds, folded from its samples when they are asked for.
    ///
    /// A row for each minute and series would wear the flash for nobody: only uplinks that report
    /// minutes have them stored. Minutes that are not over yet are left out.
    func foldedMinutes(
        series number: Int, from: Timestamp, to: Timestamp, except stored: Set<Timestamp>,
        limit: Int
    ) async throws(StoreError) -> [RollupRecord] {
        let registry = shared.registry.value
        let all = registry.groups + registry.superseded
        guard let group = all.first(where: { $0.series.contains { $0.number == number } }),
            let column = group.series.firstIndex(where: { $0.number == number })
        else { return [] }
        let length = Resolution.minute.nominal
        let begin = from.slot(every: length) < from ? from.slot(every: length) + length : from
        let newest = shared.latest.value.newest(of: group.id) ?? begin
        let end = min(to, newest.slot(every: length))
        guard begin < end else { return [] }
        var fold = MinuteFold(group: group, series: group.series[column], stored: stored)
        let place = ColumnPlace(group: group, column: column)
        if group.series[column].counter != nil {
            fold.previous = try await lastNumber(place, before: begin, among: 64)
        }
        // One quarter more, so that the last minutes find the reading that ends their increase.
        let reach = end + Resolution.quarterHour.nominal
        try await forEachColumn(place, from: begin, to: reach) { part throws(StoreError) in
            part.forEach { reading, time in fold.take(reading, at: time, before: end) }
            return fold.records.count < limit && !fold.isDone
        }
        fold.finish(before: end)
        return Array(fold.records.prefix(limit))
    }
}

/// Folds samples in order of time into one rollup for each minute.
private struct MinuteFold {
    let group: ScanGroup
    let series: Series
    let stored: Set<Timestamp>
    /// The last good number before the minute that is open.
    var previous: Rollup.Timed?
    private(set) var records: [RollupRecord] = []
    /// Nothing after this can change a minute any more.
    private(set) var isDone = false
    private var start: Timestamp?
    private var samples: [(time: Timestamp, reading: Reading)] = []
    /// The readings of the newest instant: what it says of a counter is known when it is over.
    private var instant: [(time: Timestamp, reading: Reading)] = []

    init(group: ScanGroup, series: Series, stored: Set<Timestamp>) {
        self.group = group
        self.series = series
        self.stored = stored
    }

    mutating func take(_ reading: Reading, at time: Timestamp, before end: Timestamp) {
        if isDone { return }
        if let open = instant.first, open.time < time { takeInstant(before: end) }
        instant.append((time, reading))
    }

    private mutating func takeInstant(before end: Timestamp) {
        guard let time = instant.first?.time else { return }
        defer { instant = [] }
        if isDone { return }
        let minute = time.slot(every: Resolution.minute.nominal)
        let timed = instant.compactMap(Self.timed).atFirstInstant()
        if let start, minute > start {
            // A counter's minute waits for the good reading that ends its increase.
            if series.counter == nil || timed != nil || waits(until: time) {
                close(next: timed, upTo: min(minute, end))
            }
        }
        if time >= end {
            isDone = start == nil
            return
        }
        if start == nil { start = minute }
        samples += instant
    }

    mutating func finish(before end: Timestamp) {
        takeInstant(before: end)
        guard let last = samples.last else { return }
        close(next: nil, upTo: last.time.slot(every: Resolution.minute.nominal) + .seconds(60))
    }

    private static func timed(_ sample: (time: Timestamp, reading: Reading)) -> Rollup.Timed? {
        sample.reading.timed(at: sample.time)
    }

    /// Whether so much has gone by that the increase stays an estimate.
    private func waits(until time: Timestamp) -> Bool {
        start.map { time - $0 > Resolution.quarterHour.nominal } ?? false
    }

    /// Ends every minute before `limit`.
    private mutating func close(next: Rollup.Timed?, upTo limit: Timestamp) {
        guard var minute = start else { return }
        var rest = samples[...]
        while minute < limit {
            let bucket = Bucket(.minute, containing: minute, calendar: .utc)
            let inside = rest.prefix { $0.time < bucket.end }
            rest = rest.dropFirst(inside.count)
            let following = rest.lazy.compactMap(Self.timed).atFirstInstant()
            let rollup = Rollup.fold(
                series, over: bucket, previous: previous, samples: inside,
                next: following ?? next, period: group.period,
                expected: group.expected(in: bucket))
            previous = inside.lazy.compactMap(Self.timed).atLastInstant() ?? previous
            if !stored.contains(minute) {
                records.append(
                    RollupRecord(
                        series: series.number, bucket: bucket, rollup: rollup, revision: 0))
            }
            minute = bucket.end
        }
        samples = Array(rest)
        start = samples.first.map { $0.time.slot(every: Resolution.minute.nominal) }
    }
}
