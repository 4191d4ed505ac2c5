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

        mutating func note(_ time: Timestamp, hasGood: Bool) {
            scans += 1
            answers = hasGood
            if hasGood { lastScan = max(lastScan ?? time, time) }
        }
    }

    // A mutex, because links register from tasks of their own.
    private let figures = Mutex<[String: LinkStatus]>([:])

    package init() {}

    /// The figures of a link, which are made at the first call.
    package func link(_ name: String) -> LinkStatus {
        figures.withLock { figures in
            if let known = figures[name] { return known }
            let new = LinkStatus(name)
            figures[name] = new
            return new
        }
    }

    package var links: [String: Link] {
        figures.withLock { $0 }.mapValues(\.link)
    }

    package var devices: [DeviceID: Device] {
        figures.withLock { $0 }.values.reduce(into: [:]) { devices, link in
            devices.merge(link.devices) { first, _ in first }
        }
    }
}

/// The figures of one link and its devices.
///
/// Each link has a lock of its own: hundreds of them count at the same instant of every second.
package final class LinkStatus: Sendable {
    private struct State {
        var link = AcquisitionStatus.Link()
        var devices: [DeviceID: AcquisitionStatus.Device] = [:]
    }

    private let name: String
    private let state = Mutex(State())

    fileprivate init(_ name: String) { self.name = name }

    package var link: AcquisitionStatus.Link { state.withLock { $0.link } }
    package var devices: [DeviceID: AcquisitionStatus.Device] { state.withLock { $0.devices } }

    /// Changes the figures of the link.
    package func update(_ change: (inout AcquisitionStatus.Link) -> Void) {
        state.withLock { change(&$0.link) }
    }

    /// Makes the device known before its first scan.
    package func register(_ device: DeviceID) {
        state.withLock { state in
            if state.devices[device] == nil { state.devices[device] = .init(link: name) }
        }
    }

    /// Counts scans, the n-th one of the n-th device.
    package func count(_ scans: [Scan], of devices: [DeviceID]) {
        state.withLock { state in
            for (scan, device) in zip(scans, devices) {
                let hasGood = scan.readings.contains { $0.isGood }
                state.devices[device, default: .init(link: name)].note(
                    scan.time, hasGood: hasGood)
            }
        }
    }

    /// Counts a message that brought no reading.
    package func refuse(_ reason: RefusalReason) {
        state.withLock { $0.link.refused[reason, default: 0] += 1 }
    }
}
