import Alarms
import Store
import Telemetry

/// The alarms' part of the fold: scans and closed quarters in; changes, what people asked for and
/// messages out.
///
///     scan ───────────▶ AlarmMachine ──changes──▶ NoticePlanner, one for each feed ──▶ notices
///     instruction ────▶      │
///     (text of a scan)       └──▶ the record of the instruction
package struct AlarmFold: Sendable {
    /// What a checkpoint keeps of it.
    struct State: Hashable, Sendable {
        var alarms: AlarmMachineState
        /// The planners' states by the feed's name, as they encode themselves.
        var feeds: [String: [UInt8]] = [:]
    }

    /// What one row of the journal has brought.
    struct Findings {
        var transitions: [AlarmTransition] = []
        var instructions: [InstructionRecord] = []
        var notices: [NoticeRecord] = []
        var owed: [OwedItem] = []
    }

    private(set) var machine: AlarmMachine
    private var planners: [NoticePlanner]
    /// The group whose texts are what people ask for.
    private let operators: ScanGroup.ID?
    private let rules: [String: (severity: AlarmRule.Severity, module: String)]
    private let areas: [DeviceID: String]
    private let calendar: SiteCalendar
    private var findings = Findings()

    /// - Parameters:
    ///   - operators: the group whose texts are instructions; nil when nobody may give any.
    package init(
        rules: [AlarmRule], site: AlarmSite, feeds: [FeedSubscription] = [],
        operators: ScanGroup.ID? = nil
    ) {
        machine = AlarmMachine(rules: rules, site: site)
        planners = feeds.map { NoticePlanner($0) }
        self.operators = operators
        self.rules = Dictionary(
            rules.map { ($0.name, ($0.severity, $0.module)) },
            uniquingKeysWith: { first, _ in first })
        areas = site.devices.compactMapValues(\.area)
        calendar = site.calendar
    }

    /// Whether a group's scans are instructions, of which there is nothing to roll up.
    func isOperators(_ group: ScanGroup.ID) -> Bool { group == operators }

    mutating func take(_ scan: Scan) {
        guard scan.group == operators else {
            findings.transitions += machine.handle(scan)
            return
        }
        for case .good(.text(let text)) in scan.readings {
            guard let instruction = AlarmInstruction(text: text) else { continue }
            let changes = machine.handle(instruction)
            findings.transitions += changes
            findings.instructions.append(InstructionRecord(instruction, changes: changes.count))
        }
    }

    mutating func take(_ rollup: Rollup, of series: Series, bucket: Bucket, isBackfill: Bool) {
        findings.transitions += machine.handle(
            rollup, of: series, bucket: bucket, isBackfill: isBackfill)
    }

    /// Ends a row: lets time pass and decides what the feeds are told.
    ///
    /// - Parameter now: the row's trusted wall time; nil while nobody trusts the clock.
    mutating func endRow(now: Timestamp?) -> Findings {
        findings.transitions += machine.endRow()
        if let now { findings.transitions += machine.advance(to: now) }
        for index in planners.indices {
            let planned = planners[index].handle(
                findings.transitions, now: now, calendar: calendar, traits: traits)
            for notice in planned {
                let record = NoticeRecord(notice)
                findings.notices.append(record)
                // Due at once, whatever the clocks of devices say: one that is ahead delays nothing.
                findings.owed.append(
                    OwedItem(
                        uplink: NoticeRecord.receiver(record.feed), kind: record.kind,
                        scope: record.subject, start: record.time, revision: 0,
                        due: Timestamp(milliseconds: 0)))
            }
        }
        defer { findings = Findings() }
        return findings
    }

    private func traits(_ change: AlarmTransition) -> AlarmTraits {
        let rule = rules[change.rule]
        return AlarmTraits(
            severity: rule?.severity ?? AlarmRule.Severity(rawValue: change.severity) ?? .info,
            module: rule?.module ?? "other", area: areas[change.series.device])
    }

    var state: State {
        State(
            alarms: machine.state,
            feeds: Dictionary(
                planners.map { ($0.feed.id, $0.encoded()) }, uniquingKeysWith: { first, _ in first }
            ))
    }

    /// Goes on from a stored state; a feed whose part cannot be read begins anew.
    mutating func restore(_ state: State) {
        machine.restore(state.alarms)
        for index in planners.indices {
            var planner = NoticePlanner(planners[index].feed)
            if let bytes = state.feeds[planner.feed.id] { try? planner.restore(decoding: bytes) }
            planners[index] = planner
        }
    }
}

extension NoticeRecord {
    init(_ notice: PlannedNotice) {
        self.init(
            feed: notice.feed,
            kind: notice.to.map { "change/\($0.rawValue)" } ?? "notice/\(notice.kind.rawValue)",
            subject: notice.subject, time: notice.time, alarms: notice.alarms.map(\.text),
            total: notice.total, from: notice.from, to: notice.to, since: notice.since)
    }

    /// Why it is sent.
    var noticeKind: AlarmNotice.Kind {
        to != nil
            ? .change
            : AlarmNotice.Kind(rawValue: String(kind.dropFirst("notice/".count))) ?? .raised
    }
}

extension InstructionRecord {
    init(_ instruction: AlarmInstruction, changes: Int) {
        let (time, actor) = (instruction.time, instruction.actor)
        var (verb, subject, detail, effect) = ("", "", "", Effect.none)
        switch instruction.action {
        case .acknowledge(let key): (verb, subject) = ("acknowledge", key.text)
        case .comment(let key): (verb, subject) = ("comment", key.text)
        case .shelve(let target, let until):
            (verb, subject, detail) = ("shelve", target.text, "until \(until.rfc3339())")
            effect = .silence(
                SilenceRecord(
                    target: target.text, state: .shelved, since: time, until: until, actor: actor,
                    reason: instruction.note ?? ""))
        case .takeOut(let target):
            (verb, subject) = ("take-out", target.text)
            effect = .silence(
                SilenceRecord(
                    target: target.text, state: .outOfService, since: time, until: nil,
                    actor: actor, reason: instruction.note ?? ""))
        case .unsilence(let target):
            (verb, subject) = ("unsilence", target.text)
            effect = .unsilence(target: target.text)
        case .hazard(let key, let step):
            var hazard = HazardStep(
                alarm: key.text, kind: .closed, time: time, actor: actor, note: instruction.note)
            switch step {
            case .open(let owner, let deadline):
                (hazard.kind, hazard.owner, hazard.deadline) = (.opened, owner, deadline)
            case .reopened(let deadline): (hazard.kind, hazard.deadline) = (.reopened, deadline)
            case .rectified: hazard.kind = .rectified
            case .closed: hazard.kind = .closed
            }
            (verb, subject, detail) = ("hazard", key.text, hazard.kind.rawValue)
            effect = .hazard(hazard)
        }
        self.init(
            id: instruction.id, time: time, actor: actor, verb: verb, subject: subject,
            detail: detail, note: instruction.note, changes: changes, effect: effect)
    }
}
