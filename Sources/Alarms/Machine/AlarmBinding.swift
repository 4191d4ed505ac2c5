import LocatedText
import Telemetry

/// Finds the series that each rule watches, and says where a rule and a series do not fit.
struct AlarmBinding {
    private(set) var monitors: [AlarmMonitor] = []
    private(set) var faults: [Fault] = []
    /// Devices that have the point of a rule and not what else it asks for: they are not watched.
    private(set) var remarks: [Fault] = []

    private let site: AlarmSite
    private var series: [SeriesID: (series: Series, group: ScanGroup)] = [:]

    init(rules: [AlarmRule], site: AlarmSite) {
        self.site = site
        for group in site.groups {
            for one in group.series where series[one.id] == nil { series[one.id] = (one, group) }
        }
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
            bind(rule)
        }
    }

    private mutating func bind(_ rule: AlarmRule) {
        let version = rule.version
        let primary = rule.primary
        var seen: Set<DeviceID> = []
        for subject in subjects(of: rule) {
            seen.insert(subject.device)
            do throws(Fault) {
                var terms: [BoundTerm] = []
                for term in rule.when.terms + rule.unless {
                    terms.append(try bound(term, rule, subject))
                }
                monitors.append(
                    AlarmMonitor(
                        rule: rule, version: version, series: subject, terms: terms, site: site))
            } catch {
                // A rule for every device passes by those that cannot tell; one that was named for
                // this device, or that another one must answer for, is a mistake.
                if isOptional(rule, subject) {
                    remarks.append(error)
                } else {
                    faults.append(error)
                }
            }
        }
        for device in rule.devices ?? [] where !seen.contains(device) {
            let near = Spelling.nearest(
                to: device.text, among: Set(site.groups.map(\.device.text)).sorted())
            faults.append(
                Fault(
                    rule.location,
                    "the rule '\(rule.name)' watches '\(device)', which reports no "
                        + "'\(primary.operand.point)'",
                    remedy: near.map {
                        $0 == device.text ? "name a point it has" : "did you mean '\($0)'?"
                    }
                        ?? "remove it from 'devices:'"))
        }
    }

    /// Whether nobody asked for this very device, and all that is missing is a point of its own.
    private func isOptional(_ rule: AlarmRule, _ subject: SeriesID) -> Bool {
        guard rule.devices == nil else { return false }
        let operands = (rule.when.terms + rule.unless)
            .filter { if case .silence = $0.measure { false } else { true } }
            .flatMap { [$0.operand] + $0.minus }
        return operands.contains {
            $0.device == nil && series[id(of: $0, rule, subject)] == nil
        } && operands.allSatisfy { $0.device == nil || series[id(of: $0, rule, subject)] != nil }
    }

    /// What the rule watches, each once, in the order of the groups.
    private func subjects(of rule: AlarmRule) -> [SeriesID] {
        let primary = rule.primary
        var found: [SeriesID] = []
        var known: Set<SeriesID> = []
        func add(_ id: SeriesID) { if known.insert(id).inserted { found.append(id) } }
        for group in site.groups {
            guard rule.devices?.contains(group.device) ?? true,
                rule.kinds?.contains(site.devices[group.device]?.kind ?? "") ?? true,
                primary.operand.device.map({ $0 == group.device }) ?? true
            else { continue }
            switch primary.measure {
            case .silence(.device):
                // What stands until it is taken back is silent by nature.
                guard !site.standing.contains(group.device), group.period != nil else { continue }
                add(SeriesID(device: group.device, point: PointKey(AlarmTerm.anyPoint)))
            case .silence(.link):
                guard let link = site.devices[group.device]?.link, !link.isEmpty else { continue }
                add(
                    SeriesID(
                        device: DeviceID("link/\(link)"), point: PointKey(AlarmTerm.anyPoint)))
            default:
                for series in group.series where primary.operand.point.matches(series.id.point) {
                    add(series.id)
                }
            }
        }
        return found
    }

    private func bound(
        _ term: AlarmTerm, _ rule: AlarmRule, _ subject: SeriesID
    ) throws(Fault) -> BoundTerm {
        switch term.measure {
        case .silence(.device), .silence(.link):
            let groups = groups(heardBy: term, subject)
            guard let lateness = groups.map(\.lateness).max() else {
                throw Fault(
                    term.location,
                    "the rule '\(rule.name)' listens to '\(term.operand.device ?? subject.device)', "
                        + "which reports nothing",
                    remedy: "name a device of this site")
            }
            return BoundTerm(term: term, operands: [], lateness: lateness)
        default: break
        }
        var operands: [BoundTerm.Operand] = []
        for operand in [term.operand] + term.minus {
            operands.append(try bound(operand, term, rule, subject))
        }
        let lateness = operands.map(\.lateness).max() ?? .zero
        if case .silence = term.measure {
            return BoundTerm(term: term, operands: [], lateness: lateness)
        }
        guard let unit = unit(of: term, for: operands) else {
            return BoundTerm(term: term, operands: operands, lateness: lateness)
        }
        return BoundTerm(
            term: term, operands: operands, lateness: lateness,
            test: term.test.converted(from: unit, to: operands[0].unit), shown: unit)
    }

    /// The unit of the limit, where it is not that of the series.
    private func unit(of term: AlarmTerm, for operands: [BoundTerm.Operand]) -> Unit? {
        guard let limit = term.limit, UnitSpelling.plain(operands[0].unit) != limit.unit else {
            return nil
        }
        return site.units[limit.unit]
    }

    /// The groups whose readings end the silence of a term.
    func groups(heardBy term: AlarmTerm, _ subject: SeriesID) -> [ScanGroup] {
        guard case .silence(let scope) = term.measure else { return [] }
        switch scope {
        case .link:
            let link =
                term.operand.device.map { "link/\(site.devices[$0]?.link ?? "")" }
                ?? (subject.device.text.hasPrefix("link/")
                    ? subject.device.text : "link/\(site.devices[subject.device]?.link ?? "")")
            return site.groups.filter { "link/\(site.devices[$0.device]?.link ?? "")" == link }
        case .device, .point:
            let device = term.operand.device ?? subject.device
            return site.groups.filter { $0.device == device }
        }
    }

    /// The series of an operand, on the rule's device or on the one it names.
    func id(of operand: AlarmTerm.Operand, _ rule: AlarmRule, _ subject: SeriesID) -> SeriesID {
        let pattern = rule.primary.operand.point
        let point =
            operand.point == pattern && operand.device == nil
            ? subject.point : operand.point.resolved(like: subject.point, under: pattern)
        return SeriesID(device: operand.device ?? subject.device, point: point)
    }

    private func bound(
        _ operand: AlarmTerm.Operand, _ term: AlarmTerm, _ rule: AlarmRule, _ subject: SeriesID
    ) throws(Fault) -> BoundTerm.Operand {
        let id = id(of: operand, rule, subject)
        guard let found = series[id] else {
            throw Fault(
                term.location,
                "the rule '\(rule.name)' does not fit '\(subject.device)': there is no '\(id)'",
                remedy: "name a device that has the point, or the devices to watch in 'devices:'")
        }
        if let fault = AlarmFit.mismatch(term, rule, found.series, found.group, site.units) {
            throw fault
        }
        return BoundTerm.Operand(
            series: id, unit: found.series.unit, period: found.group.period,
            isPolled: found.group.isPolled, lateness: found.group.lateness,
            isStanding: site.standing.contains(id.device))
    }
}

/// Whether a term and a series go together.
enum AlarmFit {
    static func mismatch(
        _ term: AlarmTerm, _ rule: AlarmRule, _ series: Series, _ group: ScanGroup,
        _ units: [String: Unit]
    ) -> Fault? {
        let pair = "the rule '\(rule.name)' does not fit '\(series.id)': "
        func fault(_ what: String, _ remedy: String) -> Fault {
            Fault(term.location, pair + what, remedy: remedy)
        }
        let isNumber = series.kind == .gauge || series.kind == .counter
        switch term.test {
        case .above(_, _, let unit), .below(_, _, let unit):
            guard isNumber else {
                return fault(
                    "it has \(series.kind.rawValue) values, not numbers",
                    "name a point with numbers")
            }
            let plain = UnitSpelling.plain(series.unit)
            let isAlike =
                units[unit].map { other in
                    // Of a difference the offset of a unit would be taken twice.
                    units[plain]?.dimension == other.dimension
                        && (term.minus.isEmpty || other.offset == 0)
                } ?? false
            guard plain == unit || isAlike else {
                return fault(
                    "the limit is in '\(unit)', the point in '\(series.unit)'",
                    "write the limit in '\(series.unit)'")
            }
        case .isOneOf where isNumber:
            return fault("it has numbers, not words", "'above:', 'below:' or 'bit:'")
        case .bit where !isNumber:
            return fault("it has words, not numbers", "'is:' with the words of an alarm")
        case .isOneOf, .bit, .lasting: break
        }
        guard case .window(let window) = term.measure else { return nil }
        return mismatch(window, series, group, fault)
    }

    private static func mismatch(
        _ window: AlarmTerm.Window, _ series: Series, _ group: ScanGroup,
        _ fault: (String, String) -> Fault
    ) -> Fault? {
        if window.statistic == .increase, series.kind != .counter {
            return fault("only counters count", "'rollup: change', or name a counter")
        }
        guard let period = group.period, period > .zero else {
            guard window.coverage != nil else { return nil }
            return fault(
                "it asks for coverage, and nobody has said how often the point comes",
                "give the interface an 'every:', or remove 'coverage:' from the rule")
        }
        guard window.over >= period else {
            return fault(
                "the window is shorter than the time between two readings",
                "a longer 'over:', or 'input: reading'")
        }
        let isInRollups =
            window.kind == .aligned && window.over == Resolution.quarterHour.nominal
            && window.statistic.isInRollups
        guard
            isInRollups
                || window.over.milliseconds / max(1, period.milliseconds) <= RollingWindow.capacity
        else {
            return fault(
                "the window would hold more than \(RollingWindow.capacity) readings",
                "a shorter 'over:', or 'window: aligned' over 15min")
        }
        return nil
    }
}
