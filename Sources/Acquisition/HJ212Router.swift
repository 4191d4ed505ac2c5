import DeviceProfiles
import FieldLinks
import Frames
import Telemetry

/// The platform's part of HJ 212 as a value: packets in, scans and answers out.
///
///     data, A=1      scan ─▶ commit ─▶ 9014         a resend of what is committed: 9014 at once
///     data, A=0      scan
///     split          parts ─▶ one scan, when all are there or the rest is not in sight
///     not asked for  counted, 9014
///     a mean whose time a doubtful clock made: counted, and left with the station
///     1013           9013, then 1012 with the time, if the gateway knows it
///     9015, 1001     9013
///     another MN, a wrong password or checksum: counted, and not answered
struct HJ212Router: Sendable {
    private struct Connection: Sendable {
        var peer: String
        var opened: Int64
    }

    struct Station: Sendable {
        let target: Target
        var connection: Int?
        /// When the last packet came, in monotonic milliseconds.
        var lastHeard: Int64?
        var clock = HJ212ClockProof()
        var takeovers: [Int64] = []
        var isDouble = false
        var isSilent = false
        var coverage = HJ212Coverage()
        var parts = HJ212Parts()
        /// The commands and systems that nobody asks for, and that were told.
        var told: Set<String> = []
    }

    /// Times are rounded down to this: finer ones cost storage and mean nothing.
    private static let timeResolution = Duration.milliseconds(100)
    private static let mostStrangers = 256
    /// How many kinds of packet that nobody asks for are told of each station.
    private static let mostKinds = 64

    let rules: Rules
    var stations: [String: Station] = [:]
    private var connections: [Int: Connection] = [:]
    private var strangers: Set<String> = []
    /// The marks of what is committed, oldest first, and of what is being committed.
    private var recent: [DeliveryMark] = []
    private var known: Set<DeliveryMark> = []
    var pending: Set<DeliveryMark> = []
    private var lastQN: Int64 = 0
    private var began: Int64?
    /// Whether callers are turned away, and that was told.
    private var isFull = false

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
                isFull = false
            case .turnedAway(let peer, let cause):
                turnAway(peer, cause, &outcome)
            case .closed(let id, _):
                connections[id] = nil
                for key in stations.keys where stations[key]?.connection == id {
                    stations[key]?.connection = nil
                }
            case .received(let id, .refused(let refusal)):
                let reason: RefusalReason =
                    refusal.reason == .checksum ? .badChecksum : .malformed
                outcome.refused.append(
                    Refusal(reason: reason, what: peer(id), detail: refusal.detail))
            case .received(let id, .packet(let received)):
                outcome.packets += 1
                take(received, on: id, now, &outcome)
            }
        }
        for (key, station) in stations.sorted(by: { $0.key < $1.key }) {
            guard let held = station.parts.held,
                now.monotonic - held.since >= HJ212Upload.patience
            else { continue }
            release(key, now, &outcome)
        }
        listen(now, &outcome)
        return outcome
    }

    /// Lets go of the parts that wait for others, because nothing more will come.
    mutating func finish(now: ClockReading) -> Outcome {
        var outcome = Outcome()
        for key in stations.keys.sorted() { release(key, now, &outcome) }
        return outcome
    }

    /// Notes what of an outcome is committed, so that it is known when it comes again.
    mutating func settle(_ outcome: Outcome, isCommitted: Bool) {
        for mark in outcome.awaited.deliveries { pending.remove(mark) }
        guard isCommitted else { return }
        remember(outcome.awaited.deliveries)
        for (key, upload) in outcome.uploads {
            guard var station = stations.removeValue(forKey: key) else { continue }
            if upload.hasDeviceTime, let mark = HJ212Coverage.mark(upload.command, upload.scan) {
                station.coverage.add(mark)
            }
            station.parts.store(upload)
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
            outcome.refused.append(
                Refusal(
                    reason: reason, device: device, what: "\(packet.cn) from \(peer(id))",
                    detail: detail))
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
        judgeClock(packet, binding, now)
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
            } else {
                // Equipment states and the like: nothing to store, and no reason to send it again.
                if let acknowledgement { outcome.replies.append(acknowledgement) }
                if HJ212Interface.unreadDataCommands.contains(packet.cn) {
                    noteUnselected(packet, &outcome)
                }
            }
        }
    }

    /// Counts measured values that the profile does not ask for, and tells each kind once.
    private mutating func noteUnselected(_ packet: HJ212Packet, _ outcome: inout Outcome) {
        guard let station = stations[packet.mn] else { return }
        let device = station.target.group.device
        func plain(_ text: String) -> String {
            String(text.unicodeScalars.filter { (0x21...0x7E).contains($0.value) }.prefix(8))
        }
        let kind = "CN=\(plain(packet.cn)) of ST=\(plain(packet.st))"
        let detail = "the profile does not take \(kind): see its 'select'"
        outcome.refused.append(
            Refusal(reason: .refused, device: device, what: kind, detail: detail, isTold: true))
        guard station.told.count < Self.mostKinds,
            stations[packet.mn]?.told.insert(kind).inserted == true
        else { return }
        outcome.events.append(
            .messageRefused(
                link: rules.link, device: device, topic: kind, reason: .refused, detail: detail))
    }

    private mutating func turnAway(_ peer: String, _ cause: String, _ outcome: inout Outcome) {
        let what = "call from \(peer)"
        outcome.refused.append(Refusal(reason: .refused, what: what, detail: cause, isTold: true))
        if isFull { return }
        isFull = true
        outcome.events.append(
            .messageRefused(
                link: rules.link, device: nil, topic: what, reason: .refused, detail: cause))
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
        let isProven = station.clock.holds(at: now.monotonic)
        switch binding.decode(
            packet, arrival: now.wall, isTimeOfDay: now.isTrusted, isClockProven: isProven)
        {
        case .unselected:
            noteUnselected(packet, &outcome)
            return answerNow()
        case .refused(let reason, let detail):
            outcome.refused.append(
                Refusal(reason: .refused, device: group.device, what: packet.cn, detail: detail))
            // History without a clock to place it by, ours or the station's, is left with it.
            if !now.isTrusted { return }
            guard packet.cn == "2011" else {
                let sent = binding.sendingSkew(packet, arrival: now.wall) ?? .zero
                let mayYetBeProven = reason == .stale && sent < .zero && !binding.isTolerable(sent)
                return isProven || !mayYetBeProven ? answerNow() : ()
            }
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
        func refuseDuplicate(_ detail: String) {
            outcome.refused.append(
                Refusal(
                    reason: .duplicate, device: group.device, what: packet.cn, detail: detail))
        }
        // Without QN and time two equal packets are two.
        let isUnique = packet.qn != nil || isOwnTime
        if isUnique, known.contains(mark) {
            refuseDuplicate("committed before, acknowledged again")
            return answerNow()
        }
        if isUnique, pending.contains(mark) { return refuseDuplicate("being committed") }
        var upload = HJ212Upload(
            command: packet.cn, since: now.monotonic, scan: scan, hasDeviceTime: isOwnTime,
            answers: acknowledgement.map { [.init(mark: mark, reply: $0)] } ?? [])
        if acknowledgement != nil { pending.insert(mark) }
        if let count = packet.pnum, let number = packet.pno {
            var time = ""
            if case .one(let text) = packet.value(binding.interface.timeField) { time = text }
            upload.split(
                .init(system: packet.st, command: packet.cn, time: time, count: count),
                number: number)
        }
        guard upload.key != nil else { return admit(upload, of: packet.mn, now, &outcome) }
        hold(upload, of: packet.mn, now, &outcome)
    }

    // MARK: Time

    private mutating func judgeClock(
        _ packet: HJ212Packet, _ binding: HJ212Binding, _ now: ClockReading
    ) {
        // An answer bears the QN of our request.
        guard now.isTrusted,
            !packet.cn.hasPrefix("90") || HJ212Interface.notices.contains(packet.cn),
            let skew = binding.sendingSkew(packet, arrival: now.wall)
        else { return }
        stations[packet.mn]?.clock.take(
            skew, isTolerable: binding.isTolerable(skew),
            isNotice: HJ212Interface.notices.contains(packet.cn), at: now.monotonic)
    }

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
