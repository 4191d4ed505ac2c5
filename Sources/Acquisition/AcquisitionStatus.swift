import Synchronization
import Telemetry

/// Live counters of the southbound side, for `/metrics` and the status page.
package final class AcquisitionStatus: Sendable {
    /// One link as it is now.
    package struct Link: Hashable, Sendable {
        package var isConnected = false
        /// The last error, kept after it has passed; nil before the first.
        package var lastError: String?
        /// Requests made, or messages received.
        package var requests: UInt64 = 0
        /// Requests that brought no usable answer.
        package var failures: UInt64 = 0
        /// Slots that passed before they could be polled.
        package var missed: UInt64 = 0
        /// Messages that brought no reading, by reason.
        package var refused: [RefusalReason: UInt64] = [:]
        /// Times in which the broker came back without the session.
        package var sessionsLost: UInt64 = 0
        /// Times in which the connection stood and the subscriptions were gone.
        package var subscriptionsLost: UInt64 = 0
        /// False once the broker does not let the link watch its own subscriptions.
        package var isWatched = true
    }

    /// One device as it is now.
    package struct Device: Hashable, Sendable {
        package var link: String
        /// The time of the newest scan with a good reading; nil before the first.
        package var lastScan: Timestamp?
        package var scans: UInt64 = 0
        /// Whether the last poll or message brought a good reading; nil before the first.
        package var answers: Bool?
    }

    private struct State {
        var links: [String: Link] = [:]
        var devices: [DeviceID: Device] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    package var links: [String: Link] { state.withLock { $0.links } }
    package var devices: [DeviceID: Device] { state.withLock { $0.devices } }

    /// Changes the figures of a link.
    package func update(link: String, _ change: (inout Link) -> Void) {
        state.withLock { change(&$0.links[link, default: Link()]) }
    }

    /// Makes the device known before its first scan.
    package func register(_ device: DeviceID, on link: String) {
        state.withLock { state in
            if state.devices[device] == nil { state.devices[device] = Device(link: link) }
            if state.links[link] == nil { state.links[link] = Link() }
        }
    }

    /// Counts scans, the n-th one of the n-th device.
    package func count(_ scans: [Scan], of devices: [DeviceID], on link: String) {
        state.withLock { state in
            for (scan, device) in zip(scans, devices) {
                let hasGood = scan.readings.contains { $0.isGood }
                var entry = state.devices[device] ?? Device(link: link)
                entry.scans += 1
                entry.answers = hasGood
                if hasGood { entry.lastScan = max(entry.lastScan ?? scan.time, scan.time) }
                state.devices[device] = entry
            }
        }
    }

    /// Counts a message that brought no reading.
    package func refuse(_ reason: RefusalReason, on link: String) {
        state.withLock { $0.links[link, default: Link()].refused[reason, default: 0] += 1 }
    }
}
