import LocatedText
import Telemetry

/// Finds the series that each rule watches, and says where a rule and a series do not fit.
struct AlarmBinding {
    private(set) var monitors: [AlarmMonitor] = []
    private(set) var faults: [Fault] = []

    init(rules: [AlarmRule], groups: [ScanGroup], calendar: SiteCalendar) {
        var names: [String: Location] = [:]
        for rule in rules {
            if let first = names[rule.name] {
                faults.append(
                    Fault(
                        rule.location, "the alarm '\(rule.name)' stands twice",
                        remedy: "the first is at \(first); give one another name"))
                continue
            }
            names[rule.name] = rule.location
            bind(rule, groups, calendar)
        }
    }

    private mutating func bind(_ rule: AlarmRule, _ groups: [ScanGroup], _ calendar: SiteCalendar) {
        let version = rule.version
        let validity = (
            start: rule.validFrom.map(calendar.timestamp),
            end: rule.validTo.map { calendar.timestamp($0.nextDay) }
        )
        var watched: Set<SeriesID> = []
        var seen: Set<DeviceID> = []
        for group in groups where rule.devices?.contains(group.device) ?? true {
            for series in group.series where series.id.point == rule.point {
                seen.insert(series.id.device)
                guard !watched.contains(series.id) else { continue }
                if let fault = Self.mismatch(rule, series, group) {
                    faults.append(fault)
                    continue
                }
                watched.insert(series.id)
                monitors.append(
                    AlarmMonitor(
                        rule: rule, version: version, series: series.id, unit: series.unit,
                        expected: rule.expected(every: group.period), lateness: group.lateness,
                        validity: validity))
            }
        }
        for device in rule.devices ?? [] where !seen.contains(device) {
            let near = Spelling.nearest(
                to: device.text, among: Set(groups.map(\.device.text)).sorted())
            faults.append(
                Fault(
                    rule.location,
                    "the rule '\(rule.name)' watches '\(device)', which reports no '\(rule.point)'",
                    remedy: near.map {
                        $0 == device.text ? "name a point it has" : "did you mean '\($0)'?"
                    }
                        ?? "remove it from 'devices:'"))
        }
    }

    private static func mismatch(
        _ rule: AlarmRule, _ series: Series, _ group: ScanGroup
    ) -> Fault? {
        let pair = "the rule '\(rule.name)' does not fit '\(series.id)': "
        guard series.kind == .gauge || series.kind == .counter else {
            return Fault(
                rule.location, pair + "it has \(series.kind.rawValue) values, not numbers",
                remedy: "name a point with numbers")
        }
        guard UnitText.plain(series.unit) == rule.unit else {
            return Fault(
                rule.location,
                pair + "the limit is in '\(rule.unit)', the point in '\(series.unit)'",
                remedy: "write the limit in '\(series.unit)'")
        }
        guard case .window(let window) = rule.input else { return nil }
        guard let period = group.period, period > .zero else {
            guard window.coverage != nil else { return nil }
            return Fault(
                rule.location,
                pair + "it asks for coverage, and nobody has said how often the point comes",
                remedy: "give the interface an 'every:', or remove 'coverage:' from the rule")
        }
        guard window.over >= period else {
            return Fault(
                rule.location, pair + "the window is shorter than the time between two readings",
                remedy: "a longer 'over:', or 'input: reading'")
        }
        guard
            window.kind == .aligned
                || window.over.milliseconds / max(1, period.milliseconds) <= RollingWindow.capacity
        else {
            return Fault(
                rule.location,
                pair + "the window would hold more than \(RollingWindow.capacity) readings",
                remedy: "a shorter 'over:', or 'window: aligned'")
        }
        return nil
    }
}

extension AlarmRule {
    /// Readings expected in a rolling window; nil when nobody has said how often they come.
    fileprivate func expected(every period: Duration?) -> Int? {
        guard case .window(let window) = input, let period, period > .zero else { return nil }
        return max(1, Int(window.over.milliseconds / max(1, period.milliseconds)))
    }
}

extension CivilTime {
    fileprivate var nextDay: CivilTime {
        let days = Self.daysSinceEpoch(year: year, month: month, day: day) + 1
        let next = Self.date(daysSinceEpoch: days)
        return CivilTime(year: next.year, month: next.month, day: next.day)
    }
}

/// The spelling of units in which limits are read.
enum UnitText {
    /// `µ`, `³` and `²` as the letters and digits that a keyboard has.
    static func plain(_ text: String) -> String {
        String(
            text.map { character in
                switch character {
                case "µ", "μ": "u"
                case "³": "3"
                case "²": "2"
                default: character
                }
            })
    }
}
