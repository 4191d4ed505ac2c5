import Frames
import Telemetry

/// A request for history that is being answered: 2051, 2061 or 2031 with BeginTime and EndTime.
///
///     9011 ─▶ look ─▶ found ─▶ one upload for each period, each with its own QN ─▶ look … ─▶ 9012
///
/// The range is looked up in parts of a day at most, and the next part when all of one is told:
/// whatever a platform asks for, what is held is one part.
struct HJ212History: Sendable {
    /// One part, while the store looks it up.
    struct Look: Hashable, Sendable {
        var number: Int
        var from: Timestamp
        var through: Timestamp
        var deadline: Duration
        /// Periods that have been handed in.
        var found = 0
    }

    /// The most periods of one part.
    static let longestPart = 32

    var number: Int
    var command: HJ212Conversation.Command
    var kind: String
    var grid: PeriodGrid
    /// The start of the first period that has not been looked up.
    var next: Timestamp
    /// The start of the last one that is asked for.
    var last: Timestamp
    var look: Look?
    /// Uploads that are not done.
    var outstanding = 0
    var told = 0

    /// Where periods of one kind begin.
    enum PeriodGrid: Hashable, Sendable {
        case minutes(Int)
        case bucket(Resolution)

        /// The period that holds an instant.
        func period(
            _ time: Timestamp, _ calendar: SiteCalendar
        ) -> (start: Timestamp, end: Timestamp) {
            switch self {
            case .minutes(let minutes):
                let length = Duration.seconds(60 * max(1, minutes))
                let offset = Duration.seconds(calendar.offset(at: time))
                let start = (time + offset).slot(every: length) - offset
                return (start, start + length)
            case .bucket(let resolution):
                let bucket = Bucket(resolution, containing: time, calendar: calendar)
                return (bucket.start, bucket.end)
            }
        }

        /// Periods that are looked up at once.
        var part: Int {
            switch self {
            case .minutes: HJ212History.longestPart
            case .bucket(.hour): 24
            case .bucket: 1
            }
        }
    }
}

extension HJ212Conversation {
    /// - Returns: the code of ExeRtn when there is nothing to look up; nil when a look is on its way.
    mutating func beginHistory(
        _ command: Command, _ time: ConversationTime, _ steps: inout [ConversationStep]
    ) -> Int? {
        if history != nil { return 5 }
        guard let (begin, end) = range(of: command.packet), begin <= end,
            (end - begin).milliseconds <= options.longestHistory.milliseconds
        else { return 3 }
        let grid: HJ212History.PeriodGrid
        let kind: String
        switch command.packet.cn {
        case "2061": (grid, kind) = (.bucket(.hour), "2061/1h")
        case "2031": (grid, kind) = (.bucket(.day), "2031/1d")
        default:
            let minutes = terms[command.station].minuteInterval
            (grid, kind) = (.minutes(minutes), "2051/\(minutes)min")
        }
        func start(_ time: Timestamp) -> Timestamp {
            let start = grid.period(time, calendar).start
            // A platform that takes DataTime for the end asks by ends too.
            guard options.dataTime == .end, start == time else { return start }
            return grid.period(time - .milliseconds(1), calendar).start
        }
        lookNumber += 1
        history = HJ212History(
            number: lookNumber, command: command, kind: kind, grid: grid, next: start(begin),
            last: min(start(end), grid.period(time.wall, calendar).start))
        goOn(time, &steps)
        return nil
    }

    private func range(of packet: HJ212Packet) -> (Timestamp, Timestamp)? {
        func time(_ name: String) -> Timestamp?? {
            switch packet.value(name) {
            case .absent: .some(nil)
            case .ambiguous: nil
            case .one(let text): HJ212Time.parse(text, calendar).map { .some($0) }
            }
        }
        guard let begin = time("BeginTime"), let end = time("EndTime"), let first = begin ?? end
        else { return nil }
        return (first, end ?? first)
    }

    /// Looks the next part up, or ends.
    private mutating func goOn(_ time: ConversationTime, _ steps: inout [ConversationStep]) {
        guard var run = history, run.look == nil, run.outstanding == 0 else { return }
        guard run.next <= run.last else {
            history = nil
            return finish(run.command, run.told > 0 ? 1 : 100, &steps)
        }
        var through = run.next
        var next = run.grid.period(run.next, calendar).end
        for _ in 1..<max(2, run.grid.part) where next <= run.last && run.grid.part > 1 {
            through = next
            next = run.grid.period(next, calendar).end
        }
        lookNumber += 1
        run.look = .init(
            number: lookNumber, from: run.next, through: through,
            deadline: time.elapsed + options.historyPatience)
        run.next = next
        history = run
        steps.append(
            .look(
                HistoryRequest(
                    number: lookNumber, kind: run.kind,
                    scope: stations[run.command.station].scope,
                    from: run.look?.from ?? through, through: through)))
    }

    /// Takes periods of history; what nobody asked for is left out and told.
    package mutating func found(
        _ items: [UplinkItem], for request: HistoryRequest, isLast: Bool, at time: ConversationTime
    ) -> [ConversationStep] {
        guard phase == .open, var run = history, var look = run.look,
            look.number == request.number
        else { return [] }
        var steps: [ConversationStep] = []
        let station = run.command.station
        for item in items {
            let isAsked =
                item.kind == run.kind && item.scope == stations[station].scope
                && look.from <= item.start && item.start <= look.through
            guard isAsked, look.found < run.grid.part else {
                note(.thought, "found, but not asked for: \(item.idempotencyKey)", &steps)
                continue
            }
            look.found += 1
            do throws(HJ212Report.Refusal) {
                let parts = try report.parts(
                    of: item, stations[station], password: terms[station].password)
                uploads.add(
                    .init(
                        purpose: .history(run: run.number), station: station, parts: parts,
                        isAcknowledged: run.command.packet.flag == nil
                            || run.command.packet.wantsAcknowledgement))
                run.outstanding += 1
            } catch {
                note(.thought, "\(item.idempotencyKey): \(error.reason)", &steps)
            }
        }
        look.deadline = time.elapsed + options.historyPatience
        run.look = isLast ? nil : look
        history = run
        pump(time, &steps)
        goOn(time, &steps)
        return steps
    }

    /// One period of history is on the platform's side, or can never be.
    mutating func historyAdvanced(
        _ run: Int, isTold: Bool, _ time: ConversationTime, _ steps: inout [ConversationStep]
    ) {
        guard history?.number == run else { return }
        history?.outstanding -= 1
        if isTold { history?.told += 1 }
        goOn(time, &steps)
    }

    /// Ends a request whose data the store does not find in time.
    mutating func endLateLook(
        _ time: ConversationTime, _ steps: inout [ConversationStep]
    ) {
        guard let run = history, let look = run.look, look.deadline <= time.elapsed else { return }
        history = nil
        finish(run.command, 4, &steps)
    }
}
