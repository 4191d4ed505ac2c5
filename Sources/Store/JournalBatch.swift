import Telemetry

/// What one group commit makes durable.
package struct JournalBatch: Hashable, Sendable {
    /// Both clocks at the moment of the commit.
    package var clock: ClockReading
    package var scans: [Scan]
    /// The QoS 1 messages from which the scans came.
    package var deliveries: [DeliveryMark]

    package init(clock: ClockReading, scans: [Scan], deliveries: [DeliveryMark] = []) {
        self.clock = clock
        self.scans = scans
        self.deliveries = deliveries
    }
}

/// One committed batch as it is read back.
package struct JournalRow: Hashable, Sendable {
    /// Its place in the journal: ascending, never used twice.
    package var sequence: Int64
    package var clock: ClockReading
    package var scans: [Scan]
    package var deliveries: [DeliveryMark]

    package init(
        sequence: Int64, clock: ClockReading, scans: [Scan], deliveries: [DeliveryMark]
    ) {
        self.sequence = sequence
        self.clock = clock
        self.scans = scans
        self.deliveries = deliveries
    }
}

/// A journal row that could not be decoded: skipped by every reader, counted, and left in place.
package struct DamagedRow: Hashable, Sendable {
    package var sequence: Int64
    package var cause: String

    package init(sequence: Int64, cause: String) {
        self.sequence = sequence
        self.cause = cause
    }
}
