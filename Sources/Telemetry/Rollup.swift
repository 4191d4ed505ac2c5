/// The summary of one series over one bucket.
///
/// Rollups of disjoint samples merge in any order: counts, extremes, increases and sums of decimals
/// exactly, other sums up to rounding. A late sample, a replay and a day of quarters all use it.
package struct Rollup: Hashable, Sendable, Codable {
    /// A number and when it was read.
    package struct Timed: Hashable, Sendable, Codable {
        package var time: Timestamp
        package var value: Double
        package init(time: Timestamp, value: Double) {
            self.time = time
            self.value = value
        }

        /// Which of two readings of a counter at one instant counts: the lower, whichever came
        /// first, so that no figure depends on the order of arrival.
        package func lowest(_ other: Timed) -> Timed {
            value.isTotallyOrdered(belowOrEqualTo: other.value) ? self : other
        }
    }

    /// Good readings.
    package var count: Int
    /// Readings without a value, missed slots included.
    package var bad: Int
    /// Readings that should have come; nil when nobody has said how often.
    package var expected: Int?
    package var sum: ExactSum
    package var minimum: Double?
    package var maximum: Double?
    package var first: Timed?
    package var last: Timed?
    /// What a counter counted inside the bucket; nil when no interval of readings touches it.
    package var increase: ScaledInteger?
    /// Whether `increase` rests on a gap, a reset or a missing end.
    package var isEstimated: Bool

    package init(
        count: Int = 0, bad: Int = 0, expected: Int? = nil, sum: ExactSum = ExactSum(),
        minimum: Double? = nil, maximum: Double? = nil, first: Timed? = nil, last: Timed? = nil,
        increase: ScaledInteger? = nil, isEstimated: Bool = false
    ) {
        self.count = count
        self.bad = bad
        self.expected = expected
        self.sum = sum
        self.minimum = minimum
        self.maximum = maximum
        self.first = first
        self.last = last
        self.increase = increase
        self.isEstimated = isEstimated
    }

    /// The arithmetic mean of the good numbers; nil without any.
    package var mean: Double? { first == nil || count == 0 ? nil : sum.value / Double(count) }

    /// Good readings among those expected, 0 to 1; nil is unknown, never 100 %.
    package var coverage: Double? {
        guard let expected, expected > 0 else { return nil }
        return min(1, Double(count) / Double(expected))
    }

    /// Takes one reading in. Readings of one bucket arrive in order of time.
    package mutating func add(_ reading: Reading, at time: Timestamp) {
        guard case .good(let value) = reading else {
            bad += 1
            return
        }
        count += 1
        guard let number = value.number else { return }
        sum.add(number)
        minimum = minimum.map { Swift.min($0, number) } ?? number
        maximum = maximum.map { Swift.max($0, number) } ?? number
        if first == nil { first = Timed(time: time, value: number) }
        last = Timed(time: time, value: number)
    }

    /// Takes in the share of a counter's interval that lies in `bucket`, if any does.
    ///
    /// - Parameter period: how often a reading is expected; a gap of more than two periods (or,
    ///   when unknown, longer than the bucket) makes the share an estimate, and so does a reset.
    package mutating func add(_ interval: CounterInterval, in bucket: Bucket, period: Duration?) {
        guard interval.overlaps(from: bucket.start, to: bucket.end) else { return }
        let share = interval.share(from: bucket.start, to: bucket.end)
        increase = increase.map { $0 + share } ?? share
        let crossesBorder = interval.start < bucket.start || interval.end > bucket.end
        let longest = period.map { $0 * 2 } ?? bucket.duration
        if interval.step == .reset || (crossesBorder && interval.duration > longest) {
            isEstimated = true
        }
    }

    /// The rollup of the samples of both; they must be disjoint.
    package func merging(_ other: Rollup) -> Rollup {
        var merged = self
        merged.count += other.count
        merged.bad += other.bad
        merged.expected = expected.flatMap { mine in other.expected.map { mine + $0 } }
        merged.sum.add(other.sum)
        merged.minimum = [minimum, other.minimum].compactMap(\.self).min()
        merged.maximum = [maximum, other.maximum].compactMap(\.self).max()
        merged.first = [first, other.first].compactMap(\.self).min { $0.time < $1.time }
        merged.last = [last, other.last].compactMap(\.self).max { $0.time <= $1.time }
        if let theirs = other.increase {
            merged.increase = increase.map { $0 + theirs } ?? theirs
        }
        merged.isEstimated = isEstimated || other.isEstimated
        return merged
    }
}

extension Rollup {
    /// Folds one series over one bucket from its samples.
    ///
    /// - Parameters:
    ///   - previous: the last good reading before the bucket, where the counter comes from.
    ///   - samples: the readings inside the bucket, in order of time.
    ///   - next: the first good reading at or after the bucket's end, nil if none exists (yet);
    ///     without it the increase of a counter is an estimate.
    package static func fold(
        _ series: Series, over bucket: Bucket, previous: Timed?,
        samples: some Sequence<(time: Timestamp, reading: Reading)>, next: Timed?,
        period: Duration?, expected: Int?
    ) -> Rollup {
        var rollup = Rollup(expected: expected)
        var steps = series.counter.map { CounterSteps(from: previous, policy: $0) }
        func add(_ step: CounterInterval?) {
            if let step { rollup.add(step, in: bucket, period: period) }
        }
        for sample in samples {
            rollup.add(sample.reading, at: sample.time)
            guard steps != nil, let reading = sample.reading.timed(at: sample.time) else {
                continue
            }
            add(steps?.take(reading))
        }
        guard steps != nil else { return rollup }
        add(steps?.end())
        if let next {
            _ = steps?.take(next)
            add(steps?.end())
        } else {
            rollup.isEstimated = true
        }
        // Nothing was counted that anybody could know of: so it is said whenever it is asked.
        if rollup.increase == nil { rollup.isEstimated = true }
        return rollup
    }
}
