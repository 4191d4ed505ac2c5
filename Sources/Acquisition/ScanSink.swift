import Telemetry

/// What one poll or one batch of messages brings: admitted and committed together or not at all.
package struct Admission: Sendable {
    /// More readings than this are never one admission, so that those of several links fit into
    /// one journal row. Links split what they bring, and refuse a message that is larger.
    package static let mostReadings = 524_288

    package var scans: [Scan]
    /// The identities of the QoS 1 messages that the scans came from; empty for polls.
    package var deliveries: [DeliveryMark]
    /// The link holds as many unacknowledged messages as it may: commit at once.
    package var holdsWindow: Bool

    package init(scans: [Scan], deliveries: [DeliveryMark] = [], holdsWindow: Bool = false) {
        self.scans = scans
        self.deliveries = deliveries
        self.holdsWindow = holdsWindow
    }
}

/// Where scans go. Acquisition does not know the store; whoever composes the gateway does.
package protocol ScanSink: Sendable {
    /// Takes an admission over; suspends only while the buffer is full.
    ///
    /// - Throws: when nothing can be taken any more.
    func admit(_ admission: sending Admission) async throws -> CommitTicket

    /// Takes polled scans over without a thread change, which costs more than a request.
    ///
    /// - Returns: false when there is no room; then `admit` waits for it.
    func offer(_ admission: Admission) -> Bool
}

extension ScanSink {
    /// A sink that has no such way: everything goes through `admit`.
    package func offer(_ admission: Admission) -> Bool { false }
}
