import Frames
import Telemetry

/// Uploads and notices of one connection on their way: what waits, what is on the wire, what has to
/// be sent again.
///
///     waiting ──window──▶ part 1 on the wire ──9014 or 9013──▶ part 2 … ──▶ done
///                               │ time-out
///                               ├─▶ the same bytes again, `resends` times
///                               └─▶ failed: the communication is unavailable (Table 1), all ends
///
/// A part is sent when the one before it is acknowledged. Acknowledgements are matched by MN and QN,
/// whatever their order. Nothing here knows what an upload is about.
struct HJ212Uploads: Sendable {
    /// What an upload is for.
    enum Purpose: Hashable, Sendable {
        case item(ticket: Int)
        /// A period that the platform has asked for.
        case history(run: Int)
        case heartbeat
        case notice
    }

    struct Upload: Sendable {
        var purpose: Purpose
        /// Which station sends it.
        var station: Int
        var parts: [HJ212Part]
        var isAcknowledged: Bool
    }

    /// One packet, matched by its acknowledgement.
    struct Key: Hashable, Sendable {
        var mn: String
        var qn: String
    }

    enum Event: Sendable {
        case send([UInt8])
        case note(String)
        case done(Purpose)
        /// It can never be sent.
        case unwritable(Purpose)
        /// No acknowledgement came, however often it was sent.
        case failed(Purpose, reason: String)
    }

    private struct Flight {
        var upload: Upload
        /// The part that goes out next, or is out.
        var part = 0
        var wire: Wire?
    }

    private struct Wire {
        var key: Key
        var cn: String
        var bytes: [UInt8]
        var sent = 1
        var deadline: Duration
    }

    /// Acknowledgements that come again are known for so many packets.
    static let memory = 64

    private let options: HJ212Options
    private let calendar: SiteCalendar
    private let mns: [String]
    private var control: [Upload] = []
    private var items: [Upload] = []
    private var history: [Upload] = []
    private var isHistorysTurn = false
    private var flights: [Flight] = []
    private var lastSent: Duration?
    private var finished: [Key] = []

    init(_ options: HJ212Options, _ stations: [HJ212Station], _ calendar: SiteCalendar) {
        self.options = options
        self.calendar = calendar
        mns = stations.map(\.mn)
    }

    // MARK: What is under way

    /// Everything that is neither done nor failed.
    var underWay: [Purpose] {
        flights.map(\.upload.purpose) + (control + items + history).map(\.purpose)
    }

    func holds(_ purpose: Purpose, of station: Int) -> Bool {
        flights.contains { $0.upload.purpose == purpose && $0.upload.station == station }
            || control.contains { $0.purpose == purpose && $0.station == station }
    }

    mutating func add(_ upload: Upload) {
        switch upload.purpose {
        case .item: items.append(upload)
        case .history: history.append(upload)
        case .heartbeat, .notice: control.append(upload)
        }
    }

    /// The connection is over. What acknowledgements were for is remembered; they may come late.
    mutating func clear() {
        for flight in flights { if let wire = flight.wire { remember(wire.key) } }
        (control, items, history, flights) = ([], [], [], [])
    }

    /// When `pump` wants to be called; nil: when something else happens.
    ///
    /// - Parameter canBegin: whether new packets may be made, which bear a time.
    func deadline(canBegin: Bool, _ terms: [HJ212Terms]) -> Duration? {
        let next = nextSending
        var times = flights.compactMap { flight -> Duration? in
            guard let wire = flight.wire else { return canBegin ? next : nil }
            let isLast = wire.sent > terms[flight.upload.station].resends
            return isLast ? wire.deadline : max(wire.deadline, next)
        }
        let waits = !control.isEmpty || !items.isEmpty || !history.isEmpty
        if canBegin, waits, flights.count < options.window { times.append(next) }
        return times.min()
    }

    private var nextSending: Duration { lastSent.map { $0 + options.gap } ?? .zero }

    // MARK: Acknowledgements

    enum Match: Hashable, Sendable {
        case acknowledged(cn: String)
        /// Its packet has been acknowledged before.
        case again
        /// Nothing of ours bears this MN and QN.
        case foreign
    }

    /// Takes an acknowledgement in.
    mutating func acknowledge(_ key: Key, _ events: inout [Event]) -> Match {
        guard let index = flights.firstIndex(where: { $0.wire?.key == key }),
            let wire = flights[index].wire
        else { return finished.contains(key) ? .again : .foreign }
        remember(key)
        advance(index, &events)
        return .acknowledged(cn: wire.cn)
    }

    private mutating func remember(_ key: Key) {
        finished.append(key)
        if finished.count > Self.memory { finished.removeFirst() }
    }

    private mutating func advance(_ index: Int, _ events: inout [Event]) {
        flights[index].wire = nil
        flights[index].part += 1
        if flights[index].part == flights[index].upload.parts.count {
            events.append(.done(flights.remove(at: index).upload.purpose))
        }
    }

    // MARK: Sending

    /// Sends what may be sent now; nothing begins while the time is not to be believed.
    mutating func pump(
        _ time: ConversationTime, _ terms: [HJ212Terms], _ numbers: inout HJ212Numbers,
        _ events: inout [Event]
    ) {
        let now = time.elapsed
        if let index = flights.firstIndex(where: { isLost($0, now, terms) }) {
            return fail(index, &events)
        }
        while nextSending <= now {
            if let index = flights.firstIndex(where: { $0.wire.map { $0.deadline <= now } ?? false }
            ) {
                sendAgain(index, now, terms, &events)
            } else if !time.isTrusted {
                return
            } else if let index = flights.firstIndex(where: { $0.wire == nil }) {
                send(index, time, terms, &numbers, &events)
            } else if flights.count < options.window, let upload = nextWaiting() {
                flights.append(Flight(upload: upload))
            } else {
                return
            }
        }
    }

    private mutating func fail(_ index: Int, _ events: inout [Event]) {
        let flight = flights.remove(at: index)
        guard let wire = flight.wire else { return }
        remember(wire.key)
        events.append(
            .failed(
                flight.upload.purpose,
                reason: "no acknowledgement of \(wire.cn) with QN \(wire.key.qn), which was sent"
                    + " \(wire.sent) times"))
    }

    private func isLost(_ flight: Flight, _ now: Duration, _ terms: [HJ212Terms]) -> Bool {
        guard let wire = flight.wire else { return false }
        return wire.deadline <= now && wire.sent > terms[flight.upload.station].resends
    }

    /// Notices first; items and history take turns, so that neither starves.
    private mutating func nextWaiting() -> Upload? {
        if !control.isEmpty { return control.removeFirst() }
        let takesHistory = items.isEmpty || (isHistorysTurn && !history.isEmpty)
        isHistorysTurn = !takesHistory
        if takesHistory { return history.isEmpty ? nil : history.removeFirst() }
        return items.removeFirst()
    }

    private mutating func send(
        _ index: Int, _ time: ConversationTime, _ terms: [HJ212Terms],
        _ numbers: inout HJ212Numbers, _ events: inout [Event]
    ) {
        let (upload, now) = (flights[index].upload, time.elapsed)
        let (part, station) = (upload.parts[flights[index].part], upload.station)
        let key = Key(mn: mns[station], qn: numbers.next(at: time.wall, calendar))
        let flag =
            options.edition.flag | (part.pnum == nil ? 0 : 2) | (upload.isAcknowledged ? 1 : 0)
        let packet = HJ212Packet(
            qn: key.qn, st: part.st, cn: part.cn, pw: terms[station].password, mn: key.mn,
            flag: flag, pnum: part.pnum, pno: part.pno, items: part.items)
        guard let bytes = packet.encoded(options.crc, layout: options.layout) else {
            // Only a password that has become longer since the upload was cut leads here.
            flights.remove(at: index)
            events.append(.unwritable(upload.purpose))
            return
        }
        lastSent = now
        events.append(.send(bytes))
        if upload.isAcknowledged {
            flights[index].wire = Wire(
                key: key, cn: part.cn, bytes: bytes, deadline: now + terms[station].timeout)
        } else {
            advance(index, &events)
        }
    }

    private mutating func sendAgain(
        _ index: Int, _ now: Duration, _ terms: [HJ212Terms], _ events: inout [Event]
    ) {
        guard var wire = flights[index].wire else { return }
        let term = terms[flights[index].upload.station]
        events.append(
            .note(
                "no acknowledgement of \(wire.cn) with QN \(wire.key.qn) in \(term.timeout):"
                    + " sent again, \(wire.sent) of \(term.resends)"))
        events.append(.send(wire.bytes))
        wire.sent += 1
        wire.deadline = now + term.timeout
        flights[index].wire = wire
        lastSent = now
    }
}
