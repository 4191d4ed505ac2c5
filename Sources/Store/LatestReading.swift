import Telemetry

/// The newest reading of one series, and the newest good one if that is another.
package struct LatestReading: Hashable, Sendable {
    package var time: Timestamp
    package var reading: Reading
    /// When the last good value was read; nil when none is remembered.
    package var goodTime: Timestamp?
    package var goodValue: Value?

    package init(time: Timestamp, reading: Reading, previous: LatestReading? = nil) {
        self.time = time
        self.reading = reading
        if let value = reading.value {
            goodTime = time
            goodValue = value
        } else {
            goodTime = previous?.goodTime
            goodValue = previous?.goodValue
        }
    }
}

extension [Sample] {
    /// The good numbers, with their times.
    package var numbers: [(time: Timestamp, value: Double)] {
        compactMap { sample in sample.reading.number.map { (time: sample.time, value: $0) } }
    }
}
