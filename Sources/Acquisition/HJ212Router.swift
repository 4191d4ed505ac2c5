import DeviceProfiles
import FieldLinks
import Frames
import Telemetry

/// The platform's part of HJ 212 as a value: packets in, scans and answers out.
///
///     data, A=1      scan ─▶ commit ─▶ 9014         a resend of what is committed: 9014 at once
///     data, A=0      scan
///     1013           9013, then 1012 with the time, if the gateway knows it
///     9015, 1001     9013
///     another MN, a wrong password or checksum: counted, and not answered
struct HJ212Router: Sendable {
    /// One station that the site knows.
    struct Target: Sendable {
        let binding: HJ212Binding
        let group: ScanGroup
    }

    /// What is asked of every packet.
    struct Rules: Sendable {
        var link: String
        /// nil accepts any password.
        var password: String?
        /// What is older than this when it arrives is history.
        var backfillAfter: Duration
        /// How many marks of committed packets are kept.
        var memory = 4096
    }

    /// What became of one batch.
    struct Outcome: Sendable {
        /// Sent again unless they are acknowledged.
        var awaited = Admission(scans: [])
        /// Sent once.
        var unawaited = Admission(scans: [])
        var devices: [(scan: Scan, device: DeviceID)] = []
        var replies: [HJ212Listener.Reply] = []
        /// What is sent after the commit of `awaited`.
        var acknowledgements: [HJ212Listener.Reply] = []
        var refused: [(reason: RefusalReason, device: DeviceID?, what: String, detail: String)] = []
        var events: [AcquisitionEvent] = []
        var packets = 0
        /// Minutes of stations that are stored with these admissions.
        fileprivate var covered: [(station: String, minute: Int64)] = []
    }

    private struct Connection: Sendable {
        var peer: String
        var opened: Int64
    }

    private struct Station: Sendable {
        let target: Target
        var connection: Int?
        /// When the last packet came, in monotonic milliseconds.
        var lastHeard: Int64?
        /// When a packet last showed that the station's clock is right, likewise.
        var clockProven: Int64?
        var takeovers: [Int64] = []
        var isDouble = false
        var isSilent = false
        /// Minutes for which a real-time or minute value is stored.
        var covered: Set<Int64> = []
        /// The parts of a split upload so far.
        var parts: (command: String, time: Timestamp, readings: [Reading])?
    }

    /// Times are rounded down to this: finer ones cost storage and mean nothing.
    private static let timeResolution = Duration.milliseconds(100)
    /// Minutes that are remembered: a day and two hours.
    private static let coveredMinutes: Int64 = 26 * 60
    private static let mostStrangers = 256
    /// How long a station's clock is believed after it was seen to be right: a day.
    private static let clockStaysRight: Int64 = 86_400_000

    private let rules: Rules
    private var stations: [String: Station] = [:]
    private var connections: [Int: Connection] = [:]
    private var strangers: Set<String> = []
    /// The marks of what is committed, oldest first, and of what is being committed.
    private var recent: [DeliveryMark] = []
    private var known: Set<DeliveryMark> = []
    private var pending: Set<DeliveryMark> = []
    private var lastQN: Int64 = 0
    private var began: Int64?

    init(_ rules: Rules, targets: [Target], recent: [DeliveryMark] = []) {
        self.rules = rules
        for target in targets where stations[target.binding.key] == nil {
            stations[target.binding.key] = Station(target: target)
        }
        remember(recent.filter { $0.link == rules.link })
    }

    /// Reads a batch in its order.
    mutating func route(_ events: [HJ212Listener.Event], now: ClockReading) -> Outcome {
        var outcome = Outcome()
        for event in events {
            switch event {
            case .opened(let id, let peer):
                connections[id] = Connection(peer: peer, opened: now.monotonic)
            case .closed(let id, _):
                connections[id] = nil
                for key in stations.keys where stations[key]?.connection == id {
                    stations[key]?.connection = nil
                }
            case .received(let id, .refused(let refusal)):
                let reason: RefusalReason =
                    refusal.reason == .checksum ? .badChecksum : .malformed
                outcome.refused.append((reason, nil, peer(id), refusal.detail))
            case .received(let id, .packet(let received)):
                outcome.packets += 1
                take(received, on: id, now, &outcome)
            }
        }
        listen(now, &outcome)
        return outcome
    }

    /// Notes what of an outcome is committed, so that it is known when it comes again.
    mutating func settle(_ outcome: Outcome, isCommitted: Bool) {
        for mark in outcome.awaited.deliveries { pending.remove(mark) }
        guard isCommitted else { return }
        remember(outcome.awaited.deliveries)
        for (key, minute) in outcome.covered {
            guard var station = stations.removeValue(forKey: key) else { continue }
            station.covered.insert(minute)
            if station.covered.count > 2 * Self.coveredMinutes,
                let newest = station.covered.max()
            {
                station.covered = station.covered.filter { $0 > newest - Self.coveredMinutes }
            }
            stations[key] = station
        }
    }

    private mutating func remember(_ marks: [DeliveryMark]) {
        for mark in marks where known.insert(mark).inserted { recent.append(mark) }
        while recent.count > rules.memory { known.remove(recent.removeFirst()) }
    }

    private func peer(_ connection: Int) -> String { connections[connection]?.peer ?? "?" }

    // MARK: One packet

    private mutating func take(
        _ received: HJ212Stream.Received, on id: Int, _ now: ClockReading,
        _ outcome: inout Outcome
    ) {
        let packet = received.packet
        func refuse(_ reason: RefusalReason, _ device: DeviceID?, _ detail: String) {
            outcome.refused.append((reason, device, "\(packet.cn) from \(peer(id))", detail))
        }
        guard let station = stations[packet.mn] else {
            let name = String(packet.mn.unicodeScalars.filter { (0x21...0x7E).contains($0.value) })
            refuse(.unknownStation, nil, "no device of the link has the key '\(name.prefix(32))'")
            if strangers.count < Self.mostStrangers, strangers.insert(packet.mn).inserted {
                outcome.events.append(
                    .stationUnknown(
                        link: rules.link, peer: peer(id), name: String(name.prefix(32))))
            }
            return
        }
        let (binding, device) = (station.target.binding, station.target.group.device)
        guard binding.accepts(received.checksum, isUpperCase: received.isUpperCase) else {
            return refuse(.badChecksum, device, "the profile does not take this form of checksum")
        }
        if let password = rules.password, packet.pw != password {
            return refuse(.wrongPassword, device, "the packet bears another password")
        }
        hear(packet.mn, on: id, now, &outcome)
        if now.isTrusted, binding.provesClock(packet, arrival: now.wall) {
            stations[packet.mn]?.clockProven = now.monotonic
        }
        func answer(_ cn: String) -> HJ212Listener.Reply? {
            guard packet.wantsAcknowledgement else { return nil }
            return packet.acknowledgement(cn: cn).encoded(received.checksum)
                .map { .init(connection: id, bytes: $0) }
        }
        switch packet.cn {
        case "9011", "9012", "9013", "9014": return
        case "1013":
            if let reply = answer("9013") { outcome.replies.append(reply) }
            if let bytes = timeOfDay(for: packet, binding, now)?.encoded(received.checksum) {
                outcome.replies.append(.init(connection: id, bytes: bytes))
            }
        case "9015", "1001":
            if let reply = answer("9013") { outcome.replies.append(reply) }
        default:
            let acknowledgement = answer("9014")
            if HJ212Interface.dataCommands.contains(packet.cn) {
                store(received, acknowledgement, now, &outcome)
            } else if let acknowledgement {
                // Equipment states and the like: nothing to store, and no reason to send it again.
                outcome.replies.append(acknowledgement)
            }
        }
    }

    private mutating func store(
        _ received: HJ212Stream.Received, _ acknowledgement: HJ212Listener.Reply?,
        _ now: ClockReading, _ outcome: inout Outcome
    ) {
        let packet = received.packet
        guard let station = stations[packet.mn] else { return }
        let (binding, group) = (station.target.binding, station.target.group)
        func answerNow() {
            if let acknowledgement { outcome.replies.append(acknowledgement) }
        }
        var scan = Scan(
            group: group.id, time: now.wall.slot(every: Self.timeResolution), readings: [])
        var isOwnTime = false
        let proven = station.clockProven.map { now.monotonic - $0 < Self.clockStaysRight }
        switch binding.decode(
            packet, arrival: now.wall, isTimeOfDay: now.isTrusted,
            isClockProven: proven ?? false)
        {
        case .unselected: return answerNow()
        case .refused(let reason, let detail):
            outcome.refused.append((.refused, group.device, packet.cn, detail))
            // History without a clock to place it by is left with the station.
            if !now.isTrusted { return }
            scan.flags = now.scanFlags
            scan.readings = group.series.map { _ in .bad(reason) }
        case .scan(let time, let flags, let readings, let hasDeviceTime):
            isOwnTime = hasDeviceTime
            scan.time = time.slot(every: Self.timeResolution)
            scan.flags = hasDeviceTime ? flags : flags.union(now.scanFlags)
            scan.readings = readings
        }
        var hash = FNV1a()
        hash.combine(received.segment)
        let mark = DeliveryMark(
            link: rules.link, messageID: UInt16(packet.cn) ?? 0, digest: hash.value)
        // Without QN and time two equal packets are two.
        let isUnique = packet.qn != nil || isOwnTime
        if isUnique, known.contains(mark) {
            outcome.refused.append(
                (.duplicate, group.device, packet.cn, "committed before, acknowledged again"))
            return answerNow()
        }
        if isUnique, pending.contains(mark) {
            outcome.refused.append((.duplicate, group.device, packet.cn, "being committed"))
            return
        }
        if isOwnTime {
            if isCovered(station, packet.cn, scan.time) { return answerNow() }
            merge(packet, &scan)
            if now.wall - end(of: packet.cn, scan.time) > rules.backfillAfter {
                scan.flags.insert(.backfill)
            }
            if packet.cn == "2011" || packet.cn == "2051", scan.readings.contains(where: \.isGood) {
                outcome.covered.append((packet.mn, Self.minute(scan.time)))
            }
        }
        outcome.devices.append((scan, group.device))
        guard let acknowledgement else { return outcome.unawaited.scans.append(scan) }
        outcome.awaited.scans.append(scan)
        outcome.awaited.deliveries.append(mark)
        outcome.acknowledgements.append(acknowledgement)
        pending.insert(mark)
    }

    private static func minute(_ time: Timestamp) -> Int64 {
        time.slot(every: .seconds(60)).milliseconds / 60_000
    }

    private func period(of command: String) -> Duration {
        switch command {
        case "2051": .seconds(60)
        case "2061": .seconds(3600)
        case "2031": .seconds(86_400)
        default: .zero
        }
    }

    private func end(of command: String, _ time: Timestamp) -> Timestamp {
        // How long a minute packet's period is, nobody says; it is at most half an hour.
        time + (command == "2051" ? .seconds(1800) : period(of: command))
    }

    /// Whether a mean says nothing that is not stored in finer steps: it fills gaps only.
    private func isCovered(_ station: Station, _ command: String, _ time: Timestamp) -> Bool {
        guard command != "2011" else { return false }
        let first = Self.minute(time)
        let count = period(of: command).milliseconds / 60_000
        // A minute's own mean may come in several parts.
        if command == "2051", station.parts?.command == command, station.parts?.time == time {
            return false
        }
        return (first..<(first + count)).contains { station.covered.contains($0) }
    }

    /// A later part of a split upload repeats what the earlier ones said, so that the latest scan of
    /// an instant is the whole.
    private mutating func merge(_ packet: HJ212Packet, _ scan: inout Scan) {
        guard packet.pnum ?? 1 > 1 else { return }
        if let parts = stations[packet.mn]?.parts, parts.command == packet.cn,
            parts.time == scan.time, parts.readings.count == scan.readings.count
        {
            for (index, reading) in parts.readings.enumerated()
            where scan.readings[index] == .bad(.absent) {
                scan.readings[index] = reading
            }
        }
        stations[packet.mn]?.parts = (packet.cn, scan.time, scan.readings)
    }

    // MARK: Time

    /// The request that sets the station's clock; nil while the gateway's own is not trusted.
    private mutating func timeOfDay(
        for packet: HJ212Packet, _ binding: HJ212Binding, _ now: ClockReading
    ) -> HJ212Packet? {
        guard now.isTrusted, !now.isEstimated else { return nil }
        lastQN = max(lastQN + 1, now.wall.milliseconds)
        return HJ212Packet(
            qn: binding.stamp(Timestamp(milliseconds: lastQN)), st: packet.st, cn: "1012",
            pw: packet.pw, mn: packet.mn, flag: packet.edition << 2 | 1,
            items: [[.init("SystemTime", String(binding.stamp(now.wall).prefix(14)))]])
    }

    // MARK: Who is there

    /// Notes on which connection a station speaks, and ends the one that it has left.
    private mutating func hear(
        _ mn: String, on id: Int, _ now: ClockReading, _ outcome: inout Outcome
    ) {
        guard var station = stations.removeValue(forKey: mn) else { return }
        defer { stations[mn] = station }
        let device = station.target.group.device
        let before = station.lastHeard
        station.lastHeard = now.monotonic
        if station.isSilent {
            station.isSilent = false
            outcome.events.append(.deviceAnswers(link: rules.link, device: device))
        }
        guard let old = station.connection, old != id, let left = connections[old] else {
            station.connection = id
            return
        }
        station.takeovers = station.takeovers.filter { now.monotonic - $0 < 600_000 }
        if station.takeovers.isEmpty { station.isDouble = false }
        station.takeovers.append(now.monotonic)
        station.connection = id
        // One station never speaks on the old connection after it has opened the new one.
        let bothLive = (before ?? 0) > (connections[id]?.opened ?? 0)
        if station.isDouble { return }
        if bothLive || station.takeovers.count > 5 {
            station.isDouble = true
            outcome.events.append(
                .stationTwice(link: rules.link, device: device, peers: [left.peer, peer(id)]))
        } else {
            outcome.replies.append(.init(connection: old, bytes: [], closes: true))
            connections[old] = nil
        }
    }

    /// Says once when a station has been silent for longer than its profile allows.
    private mutating func listen(_ now: ClockReading, _ outcome: inout Outcome) {
        let start = began ?? now.monotonic
        began = start
        for (key, station) in stations.sorted(by: { $0.key < $1.key }) where !station.isSilent {
            let interface = station.target.binding.interface
            guard let limit = interface.silentAfter ?? interface.every.map({ $0 * 3 }),
                now.monotonic - (station.lastHeard ?? start) > limit.milliseconds
            else { continue }
            stations[key]?.isSilent = true
            outcome.events.append(
                .deviceSilent(
                    link: rules.link, device: station.target.group.device,
                    cause: "no packet for \(limit)"))
        }
    }
}
