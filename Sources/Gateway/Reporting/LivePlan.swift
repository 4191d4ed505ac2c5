import Store
import Synchronization
import Telemetry

/// What an uplink tells, as it is now: a platform may change how often it is told.
///
///     platform ──1064──▶ conversation ──set──▶ store, LivePlan ──▶ the fold's selection, the courier
package final class LivePlan: Sendable {
    private struct State {
        var plan: UplinkPlan
        /// The newest instant that has been owed.
        var lastInstant: Timestamp?
        var isBootOwed: Bool
    }

    // A mutex: the courier reads it each round, the connection changes it. Nothing waits inside.
    private let state: Mutex<State>
    private let selections: OwedSelections

    /// - Parameter owesBoot: whether the platform is told of this start.
    package init(_ plan: UplinkPlan, selections: OwedSelections, owesBoot: Bool = false) {
        state = Mutex(State(plan: plan, isBootOwed: !owesBoot))
        self.selections = selections
    }

    package var plan: UplinkPlan { state.withLock { $0.plan } }

    /// Takes what the platform has set; what does not concern the plan changes nothing.
    package func apply(_ setting: PlatformSetting) {
        let selection: OwedSelection? = state.withLock { state in
            let before = state.plan
            state.plan.apply(setting)
            return state.plan.kinds == before.kinds ? nil : state.plan.selection
        }
        if let selection { selections.replace(selection) }
    }

    /// What has to be owed because of the time alone: the instant that has come, and the start.
    ///
    /// - Parameter settling: how long readings of an instant may take to be stored.
    func owedByTime(
        at now: Timestamp, settling: Duration = .seconds(3)
    ) -> [OwedItem] {
        state.withLock { state in
            let plan = state.plan
            func items(_ kind: String, _ start: Timestamp) -> [OwedItem] {
                plan.subjects.keys.sorted().map {
                    OwedItem(
                        uplink: plan.uplink, kind: kind, scope: $0, start: start, revision: 0,
                        due: now)
                }
            }
            var owed: [OwedItem] = []
            if !state.isBootOwed {
                state.isBootOwed = true
                owed += items(UplinkPlan.bootKind, now)
            }
            guard let kind = plan.instants, let period = ItemPeriod(kind: kind) else {
                return owed
            }
            let instant = (now - settling).slot(every: period.nominal)
            // Of the instants before the start nothing more is to be told. The clock may have been
            // set back: each is told once.
            guard let last = state.lastInstant else {
                state.lastInstant = now.slot(every: period.nominal)
                return owed
            }
            if instant <= last { return owed }
            state.lastInstant = instant
            return owed + items(kind, instant)
        }
    }
}

extension UplinkPlan {
    /// The start of the gateway, as HJ 212 tells it.
    static let bootKind = "2081/start"

    /// Changes how often is told what; other settings belong to the conversation alone.
    mutating func apply(_ setting: PlatformSetting) {
        switch setting.name {
        case "realtime_interval":
            guard let seconds = Int(setting.value), seconds > 0, let kind = instantKind else {
                return
            }
            let name = "\(kind)/\(ItemPeriod.text(.seconds(seconds)))"
            if instants != nil { instants = name } else { pausedInstants = name }
        case "realtime":
            if setting.value == "on" {
                instants = instants ?? pausedInstants
            } else {
                pausedInstants = instants ?? pausedInstants
                instants = nil
            }
        case "minute_interval": setSpan(of: "2051", minutes: setting.value)
        case "period": setSpan(of: "report", minutes: setting.value)
        default: break
        }
    }

    /// Whether items of a kind tell of an instant, whatever the interval was when they were owed.
    func isInstant(_ kind: String) -> Bool {
        instantKind.map { kind.prefix { $0 != "/" } == $0 } ?? false
    }

    private var instantKind: Substring? {
        (instants ?? pausedInstants)?.prefix { $0 != "/" }
    }

    private mutating func setSpan(of content: String, minutes: String) {
        guard let minutes = Int(minutes), (1...1440).contains(minutes) else { return }
        for index in kinds.indices where kinds[index].hasPrefix("\(content)/") {
            kinds[index] = "\(content)/\(ItemPeriod.text(.seconds(minutes * 60)))"
        }
    }
}
