/// How a scan came to be. The raw value is stored: never renumber, only append.
package struct ScanFlags: OptionSet, Hashable, Sendable, Codable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    /// History that did not come over a wire now: makes alarm history, sends no notification.
    package static let backfill = ScanFlags(rawValue: 1)
    /// The device's own time was not to be trusted; `time` is the arrival.
    package static let arrivalTime = ScanFlags(rawValue: 2)
    /// The gateway's clock was not trusted when the scan was stamped.
    package static let timeEstimated = ScanFlags(rawValue: 4)
    /// `time` is the monotonic time of this boot. Never stored: the row of the journal says it.
    package static let monotonicTime = ScanFlags(rawValue: 8)
}

/// What one device said at one instant: a time and a row of readings.
///
/// Identity is (group, time, sequence). A polled scan bears the time of the slot for which it was
/// scheduled; a message bears the device's time if that is trusted, else its arrival.
package struct Scan: Hashable, Sendable {
    package var group: ScanGroup.ID
    package var time: Timestamp
    /// Counts differing scans of one group at one instant, from 0; Ingestion assigns it.
    package var sequence: UInt16
    package var flags: ScanFlags
    /// One reading for each series of the group, in the group's order.
    package var readings: [Reading]

    package init(
        group: ScanGroup.ID, time: Timestamp, sequence: UInt16 = 0, flags: ScanFlags = [],
        readings: [Reading]
    ) {
        self.group = group
        self.time = time
        self.sequence = sequence
        self.flags = flags
        self.readings = readings
    }
}

/// The identity of one QoS 1 message for as long as its redelivery is possible.
package struct DeliveryMark: Hashable, Sendable, Codable {
    package let link: String
    /// The packet identifier of the PUBLISH, 1 to 65,535.
    package let messageID: UInt16
    /// A stable hash of topic and payload.
    package let digest: UInt64

    package init(link: String, messageID: UInt16, digest: UInt64) {
        self.link = link
        self.messageID = messageID
        self.digest = digest
    }
}
