import Telemetry

/// The indicators of one period beside those of another.
package struct LoadComparison: Hashable, Sendable {
    /// What is compared; the raw value is its name in tables and never changes.
    package enum Indicator: String, Hashable, Sendable, CaseIterable {
        case meanPower = "mean_power"
        case baseLoad = "base_load"
        case baseLoadWorking = "base_load_working"
        case baseLoadFree = "base_load_free"
        case nightDayRatio = "night_day_ratio"
        case weekendRatio = "weekend_ratio"

        package var title: LocalizedText {
            switch self {
            case .meanPower: LocalizedText(en: "mean power", zh: "平均功率")
            case .baseLoad: LocalizedText(en: "base load at night", zh: "夜间基础负荷")
            case .baseLoadWorking:
                LocalizedText(en: "base load in working nights", zh: "工作日夜间基础负荷")
            case .baseLoadFree:
                LocalizedText(en: "base load in free nights", zh: "休息日夜间基础负荷")
            case .nightDayRatio: LocalizedText(en: "night to day", zh: "夜昼负荷比")
            case .weekendRatio:
                LocalizedText(en: "free days to working days", zh: "休息日与工作日负荷比")
            }
        }

        /// Whether it is a plain number; the others are powers.
        package var isRatio: Bool { self == .nightDayRatio || self == .weekendRatio }

        /// nil when it is unknown.
        package func value(of profile: LoadProfile) -> Exact? {
            switch self {
            case .meanPower: profile.load.meanPower
            case .baseLoad: profile.baseLoad
            case .baseLoadWorking: profile.byClass[.working]?.baseLoad
            case .baseLoadFree: profile.byClass[.free]?.baseLoad
            case .nightDayRatio: profile.nightDayRatio
            case .weekendRatio: profile.weekendRatio
            }
        }
    }

    /// One value of both periods; nil where either is unknown.
    package struct Change: Hashable, Sendable {
        package var before: Exact?
        package var after: Exact?

        package init(before: Exact?, after: Exact?) {
            self.before = before
            self.after = after
        }

        package var difference: Exact? { before.flatMap { before in after.map { $0 - before } } }

        /// Of the value before, in per cent; nil too when that is not above zero.
        package var percent: Exact? {
            guard let before, before > .zero, let difference else { return nil }
            return difference * Exact(100) / before
        }
    }

    /// One for each indicator.
    package let changes: [Indicator: Change]
    /// The mean power of each of 24 civil hours, by class of days.
    package let hours: [DayClass: [Change]]
    /// Of both periods, so that a reader sees what the comparison rests on.
    package let before: Load
    package let after: Load

    package init(before: LoadProfile, after: LoadProfile) {
        var changes: [Indicator: Change] = [:]
        for indicator in Indicator.allCases {
            changes[indicator] = Change(
                before: indicator.value(of: before), after: indicator.value(of: after))
        }
        self.changes = changes
        var hours: [DayClass: [Change]] = [:]
        for dayClass in DayClass.allCases {
            guard let one = before.byClass[dayClass], let other = after.byClass[dayClass] else {
                continue
            }
            hours[dayClass] = zip(one.hours, other.hours).map {
                Change(before: $0.meanPower, after: $1.meanPower)
            }
        }
        self.hours = hours
        self.before = before.load
        self.after = after.load
    }
}
