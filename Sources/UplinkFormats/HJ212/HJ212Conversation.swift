import Frames
import Telemetry

/// HJ 212 as its field side (现场机) speaks it: one or several stations over one TCP connection to a
/// supervision platform (上位机).
///
///     station                                platform
///     2011 2051 2061 2031 2081   ────────▶            upload, each part with a QN of its own
///                                ◀────────  9014      the same MN and QN
///     9011 QnRtn                 ◀────────  1000 …    request
///     [uploads] 9012 ExeRtn      ────────▶            the request's QN and PW
///     1013, 9015                 ────────▶            notice, answered by 9013
///     9013                       ────────▶  2012      notice
///
/// There is no log-in: items may be submitted once the connection stands and the time of day is
/// believed, because every packet bears one. A packet that is not acknowledged after its last resend
/// means that the communication is unavailable (Table 1): the conversation ends, and its owner
/// connects anew. One value serves connection after connection, so that numbers go on growing,
/// commands are not executed twice and settings hold.
package struct HJ212Conversation: UplinkConversation {
    enum Phase: Hashable, Sendable { case idle, open, closing }

    /// An item that could not be sent is tried again after this long.
    static let pause = Duration.seconds(10)
    /// How often the clock is looked at while it is not to be believed.
    private static let clockCheck = Duration.seconds(5)

    let options: HJ212Options
    let stations: [HJ212Station]
    let calendar: SiteCalendar
    let report: HJ212Report
    /// What holds for each station.
    var terms: [HJ212Terms]
    /// The settings of the platform as its owner keeps them.
    var kept: [SettingKey: String] = [:]
    var executed = HJ212CommandMemory()
    var history: HJ212History?
    var lookNumber = 0
    var uploads: HJ212Uploads
    private var numbers = HJ212Numbers()
    private var stream: HJ212Stream
    private(set) var phase = Phase.idle
    private var isTrusted = false
    private var clockChecked = Duration.zero
    private var heartbeatDue: Duration?

    struct SettingKey: Hashable, Sendable {
        var scope: String
        var name: String
    }

    /// - Parameters:
    ///   - settings: what the platform has set so far (`ConversationStep.set`).
    package init(
        _ options: HJ212Options, stations: [HJ212Station], calendar: SiteCalendar,
        settings: [PlatformSetting] = []
    ) {
        self.options = options
        self.stations = stations
        self.calendar = calendar
        report = HJ212Report(options: options, calendar: calendar)
        uploads = HJ212Uploads(options, stations, calendar)
        terms = stations.map { HJ212Terms(options, $0) }
        stream = HJ212Stream(Self.rules(options))
        let general = settings.filter(\.scope.isEmpty)
        for setting in general + settings.filter({ !$0.scope.isEmpty }) {
            kept[SettingKey(scope: setting.scope, name: setting.name)] = setting.value
            for index in stations.indices
            where setting.scope.isEmpty || setting.scope == stations[index].scope {
                _ = terms[index].apply(setting.name, setting.value, options)
            }
        }
    }

    private static func rules(_ options: HJ212Options) -> HJ212Stream.Rules {
        HJ212Stream.Rules(
            checksums: options.crcReceived.isEmpty ? [options.crc] : options.crcReceived)
    }

    // MARK: What the owner asks

    package var correction: CorrectionForm { options.corrections }

    package var room: Int {
        guard phase == .open, isTrusted else { return 0 }
        return max(0, options.window - tickets.count)
    }

    package var deadline: Duration? {
        guard phase == .open else { return nil }
        return [
            uploads.deadline(canBegin: isTrusted, terms), heartbeatDue, history?.look?.deadline,
            isTrusted ? nil : clockChecked + Self.clockCheck,
        ].compactMap(\.self).min()
    }

    private var tickets: [Int] {
        uploads.underWay.compactMap { if case .item(let ticket) = $0 { ticket } else { nil } }
    }

    // MARK: What happens

    /// The connection stands: notices are queued, and nothing of the last connection is left.
    package mutating func open(at time: ConversationTime) -> [ConversationStep] {
        var steps = closed(reason: "a new connection stands", at: time)
        observe(time)
        phase = .open
        heartbeatDue = options.heartbeat.map { time.elapsed + $0 }
        if options.asksForTime {
            for station in stations.indices { announce("1013", .notice, station) }
        }
        pump(time, &steps)
        return steps
    }

    /// Takes one item over; what can never be told is given up at once.
    package mutating func submit(
        _ item: UplinkItem, ticket: Int, at time: ConversationTime
    ) -> [ConversationStep] {
        observe(time)
        guard phase == .open else { return retry(ticket, "the connection does not stand") }
        func giveUp(_ reason: String) -> [ConversationStep] {
            [.settle(ticket: ticket, .expired(reason: reason))]
        }
        guard let station = stations.firstIndex(where: { $0.scope == item.scope }) else {
            return giveUp("no station of this uplink is '\(item.scope)'")
        }
        if item.kind.hasPrefix("2011"), !terms[station].isRealtimeOn {
            return giveUp("the platform has stopped real-time data (2012)")
        }
        guard isTrusted else { return retry(ticket, "the time of day is not to be believed") }
        guard room > 0 else { return retry(ticket, "another upload is under way") }
        let parts: [HJ212Part]
        do throws(HJ212Report.Refusal) {
            parts = try report.parts(
                of: item, stations[station], password: terms[station].password)
        } catch {
            return giveUp(error.reason)
        }
        uploads.add(
            .init(
                purpose: .item(ticket: ticket), station: station, parts: parts,
                isAcknowledged: options.acknowledged))
        var steps: [ConversationStep] = []
        pump(time, &steps)
        return steps
    }

    private func retry(_ ticket: Int, _ reason: String) -> [ConversationStep] {
        [.settle(ticket: ticket, .retry(after: Self.pause, reason: reason))]
    }

    /// Takes what the platform sent, cut anywhere.
    package mutating func receive(
        _ bytes: [UInt8], at time: ConversationTime
    ) -> [ConversationStep] {
        guard phase == .open else { return [] }
        observe(time)
        var steps: [ConversationStep] = []
        for event in stream.append(bytes) where phase == .open {
            switch event {
            case .refused(let refusal):
                note(.received, "not a packet: \(refusal.detail)", &steps)
            case .packet(let received): take(received, time, &steps)
            }
            pump(time, &steps)
        }
        return steps
    }

    /// Sends again what was not acknowledged, and whatever else is due.
    package mutating func wake(at time: ConversationTime) -> [ConversationStep] {
        guard phase == .open else { return [] }
        observe(time)
        var steps: [ConversationStep] = []
        if let due = heartbeatDue, let interval = options.heartbeat, due <= time.elapsed {
            heartbeatDue = time.elapsed + interval
            for station in stations.indices { announce("9015", .heartbeat, station) }
        }
        endLateLook(time, &steps)
        pump(time, &steps)
        return steps
    }

    /// The connection is over; numbers, settings and executed commands are kept.
    package mutating func closed(
        reason: String, at time: ConversationTime
    ) -> [ConversationStep] {
        guard phase != .idle else { return [] }
        observe(time)
        var steps: [ConversationStep] = []
        if case .refused(let refusal) = stream.end() {
            note(.received, "not a packet: \(refusal.detail)", &steps)
        }
        for ticket in tickets { steps += retry(ticket, reason) }
        if let run = history {
            note(.thought, "the history of \(run.kind) that was asked for ends here", &steps)
        }
        uploads.clear()
        stream = HJ212Stream(Self.rules(options))
        (history, heartbeatDue, phase) = (nil, nil, .idle)
        return steps
    }

    private mutating func observe(_ time: ConversationTime) {
        isTrusted = time.isTrusted
        clockChecked = time.elapsed
    }

    // MARK: Packets

    private mutating func take(
        _ received: HJ212Stream.Received, _ time: ConversationTime,
        _ steps: inout [ConversationStep]
    ) {
        let packet = received.packet
        note(.received, HJ212Transcript.text(received), &steps)
        switch packet.cn {
        case "9013", "9014":
            var events: [HJ212Uploads.Event] = []
            let match = uploads.acknowledge(
                .init(mn: packet.mn, qn: packet.qn ?? ""), &events)
            switch match {
            case .acknowledged(let cn):
                let wanted = ["1013", "9015"].contains(cn) ? "9013" : "9014"
                if packet.cn != wanted {
                    note(.thought, "\(packet.cn) taken for the \(wanted) of \(cn)", &steps)
                }
            case .again: note(.thought, "acknowledged before: ignored", &steps)
            case .foreign: note(.thought, "acknowledges nothing of ours: ignored", &steps)
            }
            perform(events, time, &steps)
        case "9011", "9012": note(.thought, "nothing was asked of the platform", &steps)
        default: obey(packet, time, &steps)
        }
    }

    /// Queues a notice without data, unless one is under way.
    private mutating func announce(
        _ cn: String, _ purpose: HJ212Uploads.Purpose, _ station: Int
    ) {
        guard !uploads.holds(purpose, of: station) else { return }
        let part = HJ212Part(st: stations[station].st ?? options.st, cn: cn, items: [])
        let isAcknowledged =
            purpose == .heartbeat ? options.heartbeatAcknowledged : options.acknowledged
        uploads.add(
            .init(
                purpose: purpose, station: station, parts: [part], isAcknowledged: isAcknowledged))
    }

    func note(
        _ direction: ConversationNote.Direction, _ text: String,
        _ steps: inout [ConversationStep]
    ) {
        steps.append(.note(ConversationNote(direction, HJ212Transcript.plain(text))))
    }

    // MARK: Uploads

    mutating func pump(_ time: ConversationTime, _ steps: inout [ConversationStep]) {
        guard phase == .open else { return }
        var events: [HJ212Uploads.Event] = []
        uploads.pump(time, terms, &numbers, &events)
        perform(events, time, &steps)
    }

    private mutating func perform(
        _ events: [HJ212Uploads.Event], _ time: ConversationTime,
        _ steps: inout [ConversationStep]
    ) {
        for event in events {
            switch event {
            case .send(let bytes):
                steps.append(.send(bytes))
                note(.sent, HJ212Transcript.text(packet: bytes), &steps)
            case .note(let text): note(.thought, text, &steps)
            case .done(let purpose): done(purpose, time, &steps)
            case .unwritable(let purpose):
                let reason = "the packet is too long with the password that the platform has set"
                if case .item(let ticket) = purpose {
                    steps.append(.settle(ticket: ticket, .expired(reason: reason)))
                } else {
                    note(.thought, reason, &steps)
                }
                if case .history(let run) = purpose {
                    historyAdvanced(run, isTold: false, time, &steps)
                }
            case .failed(let purpose, let reason): failed(purpose, reason, &steps)
            }
        }
    }

    private mutating func done(
        _ purpose: HJ212Uploads.Purpose, _ time: ConversationTime,
        _ steps: inout [ConversationStep]
    ) {
        switch purpose {
        case .item(let ticket):
            if !options.acknowledged {
                note(.thought, "counts as accepted: no acknowledgement is asked for", &steps)
            }
            steps.append(.settle(ticket: ticket, .accepted))
        case .history(let run): historyAdvanced(run, isTold: true, time, &steps)
        case .heartbeat, .notice: break
        }
    }

    private mutating func failed(
        _ purpose: HJ212Uploads.Purpose, _ reason: String, _ steps: inout [ConversationStep]
    ) {
        // Many platforms do not know 1013, and nothing depends on it.
        if purpose == .notice { return note(.thought, reason, &steps) }
        if case .item(let ticket) = purpose { steps += retry(ticket, reason) }
        note(.thought, "\(reason): the communication is unavailable", &steps)
        steps.append(.close(reason: "no acknowledgement"))
        phase = .closing
    }
}
