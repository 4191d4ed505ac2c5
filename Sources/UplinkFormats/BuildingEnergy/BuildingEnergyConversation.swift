import Telemetry
import XMLText

/// The conversation with a platform of the building energy upload; the gateway calls.
///
///     idle ──open──▶ asked ──challenge──▶ answered ──pass──▶ through ──▶ over
///                      └──────────────────────┴─fail, 30 s──────▲────────────┘ silence, a new key
///
///     gateway   id_validate request  id_validate md5         heart_beat notify   data report
///     platform        … sequence              … result pass          … time             … ack
///
/// An item that is not told in time, or corrected, goes out as `continuous`: one stored period in a
/// packet. `total` and `current` count such packets since the last one that was in time: the
/// gateway does not know how many will follow, so `total` is what this run has been so far.
///
/// A report without acknowledgement is settled as to be tried again; it comes back as backlog. The
/// clock of the machine is never set: what the platform's heartbeat says of the time becomes the
/// setting `clock_offset_ms`, platform minus gateway, good to a second.
package struct BuildingEnergyConversation: UplinkConversation {
    enum Phase: Hashable, Sendable {
        case idle
        /// The log-in is under way, until then; whether the challenge was answered.
        case login(until: Duration, isAnswered: Bool)
        case through
        case over
    }

    let options: BuildingEnergyOptions
    let calendar: SiteCalendar
    /// As the platform has set them, or as they are configured.
    var secret: String
    var cipher: EnergyCipher
    var period: Int
    /// Milliseconds; nil until the platform has told its time.
    var clockOffset: Int64?

    var phase = Phase.idle
    private var stream: EnergyStream
    private var reports = ReportsUnderWay()
    private var reportCount = 0
    /// Stored periods since the last report that was in time.
    private var run = 0
    private var heartbeatDue: Duration?
    /// When the platform was last asked for its time and has not answered.
    var clockAsked: Duration?
    private var heard = Duration.zero
    /// The sequence bytes of the message that is being answered.
    private var answered: [UInt8]?
    var query: (request: HistoryRequest, newest: UplinkItem?)?
    var queryCount = 0
    /// Why the last message could not be read, for the reason of a failed log-in.
    private var lastRefusal: String?

    /// - Parameter settings: what earlier conversations have set: `period`, `clock_offset_ms`, and
    ///   `md5_key` and `aes_key` where the site obeys them.
    package init(
        _ options: BuildingEnergyOptions, calendar: SiteCalendar,
        settings: [PlatformSetting] = []
    ) {
        self.options = options
        self.calendar = calendar
        func setting(_ name: String) -> String? { settings.last { $0.name == name }?.value }
        secret =
            (options.obeys.contains(.secret) ? setting(EnergyDemand.Kind.secret.rawValue) : nil)
            ?? options.secret
        cipher = options.cipher
        if options.obeys.contains(.key),
            let key = setting(EnergyDemand.Kind.key.rawValue).flatMap({ EnergyKey($0) })
        {
            cipher.key = key
        }
        period = setting("period").flatMap { Int($0) } ?? options.period
        clockOffset = setting("clock_offset_ms").flatMap { Int64($0) }
        stream = EnergyStream(options.dialect.marks, longest: options.longestFrame)
    }

    package var correction: CorrectionForm { options.dialect.correction }

    package var room: Int {
        phase == .through ? max(0, options.window - reports.open.count) : 0
    }

    package var deadline: Duration? {
        switch phase {
        case .idle, .over: nil
        case .login(let until, _): until
        case .through:
            [heartbeatDue, reports.deadline, options.patience.silence.map { heard + $0 }]
                .compactMap(\.self).min()
        }
    }

    /// Asks for the log-in.
    package mutating func open(at time: ConversationTime) -> [ConversationStep] {
        guard !isUnderWay else { return [] }
        // What an earlier connection left half said belongs to nothing.
        stream = EnergyStream(options.dialect.marks, longest: options.longestFrame)
        (heartbeatDue, clockAsked, answered, lastRefusal) = (nil, nil, nil, nil)
        phase = .login(until: time.elapsed + options.patience.login, isAnswered: false)
        heard = time.elapsed
        return send(XMLTree("id_validate", [.init("operation", "request")]), "request")
    }

    /// Sends one period; without room it comes back at once, as to be tried again.
    package mutating func submit(
        _ item: UplinkItem, ticket: Int, at time: ConversationTime
    ) -> [ConversationStep] {
        guard room > 0 else {
            let reason = phase == .through ? "the window is full" : "not logged in"
            return [.settle(ticket: ticket, .retry(after: .zero, reason: reason))]
        }
        guard let report = EnergyReport(item, options, calendar) else {
            return [
                .settle(
                    ticket: ticket,
                    .expired(reason: "none of its series is in the table of meters"))
            ]
        }
        let isContinuous = item.isBacklog || item.revision > 0
        run = isContinuous ? run &+ 1 : 0
        reportCount &+= 1
        let sequence = "\(reportCount)"
        reports.send(
            .init(
                ticket: ticket, isContinuous: isContinuous, time: report.time, sequence: sequence,
                deadline: time.elapsed + options.patience.acknowledgement))
        let operation = isContinuous ? "continuous" : "report"
        let place = max(1, run)
        return send(
            report.element(operation, sequence: sequence, total: place, current: place), operation)
    }

    /// Takes what the platform sent, cut anywhere; whatever it is, the gateway goes on or hangs up.
    package mutating func receive(
        _ bytes: [UInt8], at time: ConversationTime
    ) -> [ConversationStep] {
        guard isUnderWay else { return [] }
        var steps: [ConversationStep] = []
        for event in stream.append(bytes) where isUnderWay {
            switch event {
            case .frame(let frame):
                heard = time.elapsed
                steps += take(frame, at: time)
            case .refused(let refusal):
                steps.append(
                    refused("bytes refused (\(refusal.reason.rawValue)): \(refusal.detail)"))
            }
        }
        if stream.isLost, isUnderWay {
            steps += close("what the platform sends cannot be read as frames")
        }
        return steps
    }

    /// Gives up what has waited long enough, and calls when a heartbeat is due.
    package mutating func wake(at time: ConversationTime) -> [ConversationStep] {
        switch phase {
        case .idle, .over: return []
        case .login(let until, _):
            guard time.elapsed >= until else { return [] }
            let why = lastRefusal.map { "; \($0)" } ?? ""
            return close("the log-in was not through in time\(why)")
        case .through: break
        }
        var steps: [ConversationStep] = []
        for report in reports.expire(at: time.elapsed) {
            steps.append(
                .settle(
                    ticket: report.ticket,
                    .retry(after: options.patience.retry, reason: "no acknowledgement in time")))
        }
        if let silence = options.patience.silence, time.elapsed >= heard + silence {
            return steps + close("nothing was heard for \(silence.milliseconds / 1000) s")
        }
        if let due = heartbeatDue, time.elapsed >= due { steps += beat(at: time) }
        return steps
    }

    /// Settles what is open; nothing is done after it.
    package mutating func closed(
        reason: String, at time: ConversationTime
    ) -> [ConversationStep] {
        var steps: [ConversationStep] = []
        if case .refused(let refusal) = stream.end() { steps.append(refused(refusal.detail)) }
        phase = .over
        query = nil
        return steps
            + reports.abandon().map {
                .settle(ticket: $0.ticket, .retry(after: .zero, reason: reason))
            }
    }

    // MARK: What came

    private var isUnderWay: Bool {
        switch phase {
        case .idle, .over: false
        case .login, .through: true
        }
    }

    private mutating func take(
        _ frame: EnergyFrame, at time: ConversationTime
    ) -> [ConversationStep] {
        guard let body = plain(frame.body) else {
            return [refused("a frame refused: its body of \(frame.body.count) bytes is no AES-CBC")]
        }
        let document: EnergyDocument
        do throws(EnergyDocument.Refusal) {
            document = try EnergyDocument.read(body, longest: options.longestFrame)
        } catch {
            return [refused("a frame refused: \(error)")]
        }
        let note = ConversationStep.note(ConversationNote(.received, document.line))
        guard isForUs(document) else {
            let whom = EnergyText.short("\(document.building)/\(document.gateway)")
            return [note, thought("passed over: it is for \(whom)")]
        }
        answered = frame.sequence
        defer { answered = nil }
        return [note] + handle(EnergyMessage(document), at: time)
    }

    private func plain(_ body: [UInt8]) -> [UInt8]? {
        if options.dialect.plainMessages != .none, phase != .through {
            let text = body.drop { $0 == 0x20 || (0x09...0x0D).contains($0) }
            if text.starts(with: "<?xml".utf8) || text.starts(with: "<root".utf8) { return body }
        }
        return cipher.decrypt(body)
    }

    /// Empty names are for everybody.
    private func isForUs(_ document: EnergyDocument) -> Bool {
        guard options.dialect.checksAddress else { return true }
        return ["", options.building].contains(document.building)
            && ["", options.gateway].contains(document.gateway)
    }

    private mutating func handle(
        _ message: EnergyMessage, at time: ConversationTime
    ) -> [ConversationStep] {
        switch phase {
        case .idle, .over: return []
        case .login(let until, let isAnswered):
            return logIn(message, until, isAnswered, at: time)
        case .through: break
        }
        switch message {
        case .clock(let text): return tell(text, at: time)
        case .acknowledgement(let word): return acknowledge(word, at: time)
        case .deviceTaken: return []
        case .challenge, .verdict: return [thought("passed over: the log-in is through")]
        default: return obey(message, at: time)
        }
    }

    private mutating func logIn(
        _ message: EnergyMessage, _ until: Duration, _ isAnswered: Bool, at time: ConversationTime
    ) -> [ConversationStep] {
        switch message {
        case .challenge(let sequence):
            phase = .login(until: until, isAnswered: true)
            let digest = EnergyCipher.md5(
                options.dialect.digestOrder == .sequenceSecret
                    ? sequence + secret : secret + sequence)
            return send(
                XMLTree(
                    "id_validate", [.init("operation", "md5")],
                    children: [XMLTree("md5", text: digest)]), "md5")
        case .verdict(let passes, let word, let clock):
            guard isAnswered else { return [thought("passed over: nobody asked for it")] }
            guard passes else {
                return close("the platform refused the log-in: '\(EnergyText.short(word))'")
            }
            phase = .through
            var steps: [ConversationStep] = []
            if let clock { steps += tell(clock, at: time) }
            if options.dialect.announcesDevice { steps += describeDevice() }
            return steps + beat(at: time)
        default: return [thought("passed over: the log-in is not through")]
        }
    }

    private mutating func acknowledge(
        _ word: EnergyAcknowledgement, at time: ConversationTime
    ) -> [ConversationStep] {
        switch reports.take(word, at: time.elapsed) {
        case .report(let report):
            if word.passes { return [.settle(ticket: report.ticket, .accepted)] }
            let reason = "the platform refused it: '\(EnergyText.short(word.word ?? ""))'"
            return [
                .settle(
                    ticket: report.ticket, .retry(after: options.patience.refusal, reason: reason))
            ]
        case .late(let report):
            return [thought("too late for the report of \(report.time), which is sent again")]
        case .nothing: return [thought("passed over: no report waits for it")]
        case .ambiguous:
            return close("an acknowledgement does not say which of two reports it means")
        }
    }

    // MARK: What goes out

    private mutating func beat(at time: ConversationTime) -> [ConversationStep] {
        heartbeatDue = time.elapsed + options.patience.heartbeat
        clockAsked = time.elapsed
        return send(
            XMLTree("heart_beat", [.init("operation", "notify")]), "notify", isAnswer: false)
    }

    /// Puts one element into a frame.
    ///
    /// - Parameter isAnswer: whether it answers the message that is being handled, if one is.
    mutating func send(
        _ element: XMLTree, _ operation: String, isAnswer: Bool = true
    ) -> [ConversationStep] {
        let dialect = options.dialect
        let document = EnergyDocument(
            building: options.building, gateway: options.gateway,
            type: dialect.typeWord == .operation ? operation : element.name, element: element)
        let text = document.bytes(
            encoding: dialect.encoding == .none ? nil : dialect.encoding.rawValue)
        let isPlain =
            switch dialect.plainMessages {
            case .none: false
            case .request: operation == "request"
            case .login: phase != .through
            }
        let echoes = isAnswer && dialect.sequenceBytes == .echo
        let frame = EnergyFrame(
            sequence: (echoes ? answered : nil) ?? EnergyFrame.usualSequence,
            body: isPlain ? text : cipher.encrypt(text))
        return [
            .send(frame.bytes(dialect.marks)), .note(ConversationNote(.sent, document.line)),
        ]
    }

    /// Ends the connection; what is open is settled by `closed`.
    mutating func close(_ reason: String) -> [ConversationStep] {
        phase = .over
        return [.close(reason: reason)]
    }

    /// A line of the gateway's own.
    func thought(_ text: String) -> ConversationStep { .note(ConversationNote(.thought, text)) }

    private mutating func refused(_ text: String) -> ConversationStep {
        lastRefusal = text
        return thought(text)
    }
}
