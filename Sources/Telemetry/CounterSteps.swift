/// The steps of a counter, out of its good readings in order of time.
///
/// All readings of one instant make one step, to the lowest of them: no figure depends on the order
/// in which conflicting scans stand.
package struct CounterSteps: Sendable {
    /// The reading at which the step that is open begins.
    private var from: Rollup.Timed?
    /// Its end, as far as its instant has been told.
    private var to: Rollup.Timed?
    private let policy: CounterPolicy

    /// - Parameter from: the reading at which the first step begins; nil where none is known.
    package init(from: Rollup.Timed?, policy: CounterPolicy) {
        self.from = from
        self.policy = policy
    }

    /// Takes a reading in.
    ///
    /// - Returns: the step that ended before its instant, if there was one.
    package mutating func take(_ reading: Rollup.Timed) -> CounterInterval? {
        guard let last = to else {
            to = reading
            return nil
        }
        if last.time == reading.time {
            to = last.lowest(reading)
            return nil
        }
        defer { to = reading }
        return end()
    }

    /// Ends the step that is open.
    package mutating func end() -> CounterInterval? {
        guard let to else { return nil }
        defer { (from, self.to) = (to, nil) }
        return from.flatMap {
            CounterInterval(
                from: $0.value, at: $0.time, to: to.value, at: to.time, policy: policy)
        }
    }
}

extension Sequence<Rollup.Timed> {
    /// The reading of a counter at the first instant of these, which are in order of time.
    package func atFirstInstant() -> Rollup.Timed? {
        var found: Rollup.Timed?
        for reading in self {
            guard let first = found else {
                found = reading
                continue
            }
            if reading.time > first.time { break }
            found = first.lowest(reading)
        }
        return found
    }

    /// The reading of a counter at the last instant of these, which are in order of time.
    package func atLastInstant() -> Rollup.Timed? {
        reduce(nil) { last, reading in
            if let last, last.time == reading.time { last.lowest(reading) } else { reading }
        }
    }
}

extension Scan {
    /// The good number of a column with the scan's time.
    package func timed(_ column: Int) -> Rollup.Timed? {
        column < readings.count ? readings[column].timed(at: time) : nil
    }
}

extension Reading {
    /// The good number with the time at which it was read.
    package func timed(at time: Timestamp) -> Rollup.Timed? {
        number.map { Rollup.Timed(time: time, value: $0) }
    }
}
