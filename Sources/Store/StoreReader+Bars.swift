import Telemetry

extension StoreReader {
    /// A series over `[from, to)` as at most `count` bars or so, for a chart.
    ///
    /// Bars of a quarter of an hour and multiples come from stored rollups, and from samples where
    /// none has closed yet; narrower ones from samples. A bar without readings stands for silence.
    /// - Parameter count: 1 to 2,000.
    package func bars(
        series: SeriesID, from: Timestamp, to: Timestamp, count: Int
    ) async throws(StoreError) -> [Bar] {
        guard from < to, let entry = shared.registry.value.series(series) else { return [] }
        let grid = BarGrid(
            from: from, to: to, count: min(max(1, count), 2_000), calendar: shared.calendar)
        var fold = BarFold(grid)
        fold.open(from)
        var begin = from
        if let resolution = grid.stored {
            let records = try await rollups(
                series: entry.number, resolution: resolution, from: grid.bar(0).start, to: to)
            for record in records where record.bucket.start < to {
                fold.add(record.rollup, at: record.bucket.start)
                begin = max(begin, record.bucket.end)
            }
        }
        if begin < to { try await addSamples(of: entry, from: begin, to: to, &fold) }
        let group = shared.registry.value.group(of: series)
        let newest = group.flatMap { shared.latest.value.newest(of: $0.id) }
        fold.open(min(to - .milliseconds(1), max(from, newest ?? from)))
        return fold.bars(expecting: group?.period.map { Int(grid.width / max(1, $0.milliseconds)) })
    }

    private func addSamples(
        of series: Series, from: Timestamp, to: Timestamp, _ fold: inout BarFold
    ) async throws(StoreError) {
        let places = try await columns(of: series.id)
        guard let place = places.first, places.count == 1 else {
            return try await addSamples(of: series, in: places, from: from, to: to, &fold)
        }
        guard let counter = series.counter else {
            return try await forEachColumn(place, from: from, to: to) { part in
                fold.add(part)
                return true
            }
        }
        var steps = CounterSteps(
            from: try await lastNumber(place, before: from, among: 32), policy: counter)
        try await forEachColumn(place, from: from, to: to) { part in
            part.forEach { fold.add($0, at: $1, &steps) }
            return true
        }
        if let interval = steps.end() { fold.add(interval) }
    }

    /// The same for a series whose group has changed its columns: what the groups hold may follow
    /// each other in any order, when an earlier list of columns came back.
    private func addSamples(
        of series: Series, in places: [ColumnPlace], from: Timestamp, to: Timestamp,
        _ fold: inout BarFold
    ) async throws(StoreError) {
        var before: [Rollup.Timed] = []
        var samples: [Sample] = []
        for place in places {
            if series.counter != nil {
                let last = try await lastNumber(place, before: from, among: 32)
                before += last.map { [$0] } ?? []
            }
            try await forEachColumn(place, from: from, to: to) { part in
                samples += part.samples
                return true
            }
        }
        samples.sort { $0.time < $1.time }
        guard let counter = series.counter else {
            for sample in samples { fold.add(sample.reading, at: sample.time) }
            return
        }
        before.sort { $0.time < $1.time }
        var steps = CounterSteps(from: before.atLastInstant(), policy: counter)
        for sample in samples { fold.add(sample.reading, at: sample.time, &steps) }
        if let interval = steps.end() { fold.add(interval) }
    }

    /// The stretches of `[from, to)` without a good reading of a group that reports at intervals.
    ///
    /// A gap begins one period after the last good reading and ends at the next one. Groups whose
    /// period nobody has said have no gaps that could be known.
    package func gaps(
        group id: ScanGroup.ID, from: Timestamp, to: Timestamp
    ) async throws(StoreError) -> [Gap] {
        guard let period = shared.registry.value.group(id)?.period else { return [] }
        var gaps: [Gap] = []
        var expected = from
        var reason: BadReason?
        try await forEachPage(group: id, from: from, to: to, upTo: .max) { scans in
            for scan in scans {
                guard scan.readings.contains(where: \.isGood) else {
                    if case .bad(let why)? = scan.readings.first { reason = why }
                    continue
                }
                // Half a period of grace: messages do not come on the dot.
                if scan.time - expected >= period / 2 {
                    gaps.append(Gap(start: expected, end: scan.time, reason: reason))
                }
                expected = scan.time + period
                reason = nil
            }
            return true
        }
        if to - expected >= period / 2 {
            gaps.append(Gap(start: expected, end: to, reason: reason))
        }
        return gaps
    }
}

/// A stretch of time without a good reading.
package struct Gap: Hashable, Sendable {
    package var start: Timestamp
    package var end: Timestamp
    /// Why the last reading in it was bad; nil when there was none at all.
    package var reason: BadReason?

    package init(start: Timestamp, end: Timestamp, reason: BadReason?) {
        self.start = start
        self.end = end
        self.reason = reason
    }
}

extension BarFold {
    /// Takes a counter's reading in, and the step that ends with it.
    fileprivate mutating func add(
        _ reading: Reading, at time: Timestamp, _ steps: inout CounterSteps
    ) {
        add(reading, at: time)
        if let timed = reading.timed(at: time), let step = steps.take(timed) { add(step) }
    }
}
