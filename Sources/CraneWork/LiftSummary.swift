import Telemetry

/// What was lifted in one shift, by one crane or operator or by all.
package struct LiftFigures: Hashable, Sendable {
    package var lifts = 0
    /// Tonnes, without the empty hook.
    package var liftedLoad = 0.0
    /// While a load hung, all cranes added up.
    package var timeLifting = Duration.zero
    /// From the first lift to the last one, without pauses longer than the summary was told.
    package var timeWorking = Duration.zero
    /// Lifts that reached the warning limit of load or moment; overloaded ones count here too.
    package var liftsAtWarning = 0
    /// Lifts that reached 100 % of load or moment.
    package var liftsOverloaded = 0
    /// Lifts for which the crane said that nobody was logged on.
    package var liftsWithoutSession = 0
    /// Lifts whose start or end nobody saw.
    package var truncatedLifts = 0
    package var nearMisses = 0

    package init() {}
}

/// The work of one shift: a whole lift belongs to the shift in which it began.
package struct LiftSummary: Hashable, Sendable {
    package var shift: ShiftSpan
    package var total: LiftFigures
    package var byCrane: [DeviceID: LiftFigures]
    /// Personal data; lifts without a known operator are in `total` and `byCrane` only.
    package var byOperator: [String: LiftFigures]

    /// One summary for each shift in which something happened, in order of time.
    ///
    /// - Parameters:
    ///   - lifts: in any order; of two with one key the last counts.
    ///   - nearMisses: in any order, inside and outside of lifts.
    ///   - longestPause: a pause no longer than this is work too.
    package static func summaries(
        of lifts: [Lift], nearMisses: [NearMiss], plan: ShiftPlan,
        longestPause: Duration = .seconds(900)
    ) -> [LiftSummary] {
        struct Work {
            var lifts: [String: Lift] = [:]
            var nearMisses: [String: NearMiss] = [:]
        }
        var shifts: [ShiftSpan: Work] = [:]
        for lift in lifts {
            shifts[plan.span(containing: lift.start), default: Work()].lifts[lift.key] = lift
        }
        for miss in nearMisses {
            shifts[plan.span(containing: miss.start), default: Work()].nearMisses[miss.key] = miss
        }
        return shifts.sorted { $0.key < $1.key }.map { shift, work in
            let lifts = work.lifts.values.sorted { ($0.start, $0.crane) < ($1.start, $1.crane) }
            let misses = Array(work.nearMisses.values)
            func figures<Key: Hashable>(
                _ key: (Lift) -> Key?, _ missKey: (NearMiss) -> Key?
            ) -> [Key: LiftFigures] {
                var groups: [Key: (lifts: [Lift], misses: Int)] = [:]
                for lift in lifts {
                    if let key = key(lift) { groups[key, default: ([], 0)].lifts.append(lift) }
                }
                for miss in misses {
                    if let key = missKey(miss) { groups[key, default: ([], 0)].misses += 1 }
                }
                return groups.mapValues {
                    LiftFigures(of: $0.lifts, nearMisses: $0.misses, longestPause: longestPause)
                }
            }
            return LiftSummary(
                shift: shift,
                total: LiftFigures(
                    of: lifts, nearMisses: misses.count, longestPause: longestPause),
                byCrane: figures(\.crane, \.crane), byOperator: figures(\.operatorID, \.operatorID))
        }
    }
}

extension LiftFigures {
    /// - Parameter lifts: in order of their start.
    init(of lifts: [Lift], nearMisses: Int, longestPause: Duration) {
        var sum = ExactSum()
        for lift in lifts {
            sum.add(lift.liftedLoad)
            timeLifting += lift.duration
            if lift.warnings > 0 { liftsAtWarning += 1 }
            if lift.overloads > 0 { liftsOverloaded += 1 }
            if lift.session == .absent { liftsWithoutSession += 1 }
            if lift.isTruncated { truncatedLifts += 1 }
        }
        self.lifts = lifts.count
        liftedLoad = sum.value
        self.nearMisses = nearMisses
        // Cranes work beside each other: each has its own pauses.
        for crane in Dictionary(grouping: lifts, by: \.crane).values {
            timeWorking += Self.working(crane, longestPause)
        }
    }

    private static func working(_ lifts: [Lift], _ longestPause: Duration) -> Duration {
        var total = Duration.zero
        var until: Timestamp?
        for lift in lifts {
            if let until, lift.start - until <= longestPause {
                total += max(.zero, lift.end - until)
            } else {
                total += lift.duration
            }
            until = max(until ?? lift.end, lift.end)
        }
        return total
    }
}
