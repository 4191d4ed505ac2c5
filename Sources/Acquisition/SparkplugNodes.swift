import DeviceProfiles
import FieldLinks
import Telemetry

/// The Sparkplug devices of a link: which row each has reached, and which node owes a birth.
///
/// Data hold only what has changed, so a scan is the row before with the news in it. A row is as
/// old as its oldest metric says, but it is what the device states: an edge node promises to send
/// every change, and a number that is missing in its sequence turns the rows of the node `stale`.
struct SparkplugNodes: Sendable {
    /// A scan of one device, or why there is none.
    enum Result: Sendable {
        /// - `isHeard`: the device said it; false for what follows from the node's death or a gap.
        case scan(target: Int, Scan, isHeard: Bool)
        case refused(target: Int?, RefusalReason, String)
    }

    /// A node that cannot be read further without a new birth.
    struct Owing: Hashable, Sendable {
        var node: SparkplugAddress
        var reason: String
    }

    private struct Device: Sendable {
        var target: Int
        var row: [Reading]
    }

    private var session = SparkplugSession()
    private var devices: [SparkplugAddress: Device] = [:]

    init(_ targets: [MessageRouter.Target]) {
        for (index, target) in targets.enumerated()
        where target.binding.interface.format == .sparkplug {
            guard let address = SparkplugAddress(key: target.binding.key) else { continue }
            devices[address] = Device(
                target: index, row: target.binding.emptyRow(.absent))
        }
    }

    /// Takes a message in.
    ///
    /// - Returns: the scans that follow, in order, and the nodes that owe a birth.
    mutating func take(
        _ message: MQTTMessage, _ targets: [MessageRouter.Target], now: ClockReading,
        slot: (Timestamp) -> Timestamp
    ) -> (results: [Result], owing: [Owing]) {
        var results: [Result] = []
        var owing: [Owing] = []
        for effect in session.take(topic: message.topic, payload: message.payload) {
            switch effect {
            case .metrics(let address, let isBirth, let moments):
                guard let device = devices[address] else { continue }
                // A birth names every metric; it is often of several instants, so that the row is
                // emptied once and not with each of them.
                if isBirth, moments.contains(where: { !$0.isHistorical }) {
                    devices[address]?.row = targets[device.target].binding.emptyRow(.absent)
                }
                results += moments.flatMap { moment in
                    scans(of: address, moment, targets, now: now, slot: slot)
                }
            case .died(let address):
                results += fail(address, .disconnected, targets, now: now, slot: slot)
            case .gap(let node, _):
                results += fail(node, .stale, targets, now: now, slot: slot)
            case .needsBirth(let node, let reason):
                owing.append(Owing(node: node, reason: reason))
            case .refused(let reason, let detail):
                results.append(
                    .refused(target: nil, reason == .malformed ? .malformed : .refused, detail))
            }
        }
        return (results, owing)
    }

    private mutating func scans(
        of address: SparkplugAddress, _ moment: SparkplugSession.Moment,
        _ targets: [MessageRouter.Target], now: ClockReading, slot: (Timestamp) -> Timestamp
    ) -> [Result] {
        guard var device = devices[address] else { return [] }
        let binding = targets[device.target].binding
        let time = binding.sparkplugTime(
            moment.time, isHistorical: moment.isHistorical, arrival: now.wall,
            isTimeOfDay: now.isTrusted)
        guard let time else {
            return [.refused(target: device.target, .refused, "too far from the arrival")]
        }
        // History says nothing of what the row is now.
        var row = moment.isHistorical ? binding.emptyRow(.absent) : device.row
        let hasAny = binding.apply(moment.metrics, to: &row)
        if !moment.isHistorical {
            device.row = row
            devices[address] = device
        }
        guard hasAny else { return [] }
        var scan = Scan(
            group: targets[device.target].group.id, time: slot(time.time), readings: row)
        scan.flags = time.isDevices ? time.flags : time.flags.union(now.scanFlags)
        return [.scan(target: device.target, scan, isHeard: true)]
    }

    /// Every reading of the device, or of the node with all of its devices, goes bad, once.
    private mutating func fail(
        _ address: SparkplugAddress, _ reason: BadReason, _ targets: [MessageRouter.Target],
        now: ClockReading, slot: (Timestamp) -> Timestamp
    ) -> [Result] {
        let hit = devices.keys.filter {
            $0 == address || (address.device == nil && $0.owner == address)
        }
        return hit.sorted { $0.key < $1.key }.compactMap { key in
            // Of a device that has said nothing yet there is nothing to take back.
            guard var device = devices[key], device.row.contains(where: \.isGood) else {
                return nil
            }
            let target = targets[device.target]
            device.row = target.binding.emptyRow(reason)
            devices[key] = device
            var scan = Scan(group: target.group.id, time: slot(now.wall), readings: device.row)
            scan.flags = now.scanFlags
            return .scan(target: device.target, scan, isHeard: false)
        }
    }
}
