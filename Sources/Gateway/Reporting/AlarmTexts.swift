import Alarms
import Store
import Telemetry

/// What the site calls its rules, devices and points: everything that a message about an alarm needs
/// beside the alarm.
package struct AlarmTexts: Sendable {
    /// What people know of a rule.
    struct Rule: Hashable, Sendable {
        var title: LocalizedText
        var module: String
        var colour: String?
        var risk: String?
        var source: String
        var status: String
    }

    let site: SiteID
    let siteName: String
    private let rules: [String: Rule]
    private let devices: [DeviceID: LocalizedText]
    private let areas: [DeviceID: String]
    private let points: [PointKey: LocalizedText]

    init(
        site: SiteID, siteName: String, rules: [AlarmRule], devices: [DeviceID: LocalizedText],
        areas: [DeviceID: String], points: [PointKey: LocalizedText]
    ) {
        self.site = site
        self.siteName = siteName
        self.rules = Dictionary(
            rules.map { rule in
                let source = rule.clause.map { "\(rule.source) (\($0))" } ?? rule.source
                return (
                    rule.name,
                    Rule(
                        title: rule.title, module: rule.module, colour: rule.colour?.rawValue,
                        risk: rule.risk, source: source, status: rule.status.rawValue)
                )
            }, uniquingKeysWith: { first, _ in first })
        self.devices = devices
        self.areas = areas
        self.points = points
    }

    /// An alarm as it stands, as feeds tell of it.
    func brief(_ alarm: AlarmRecord, facts: [AlarmBrief.Fact] = []) -> AlarmBrief {
        let rule = rules[alarm.rule]
        let series = alarm.series
        let link =
            series.device.text.hasPrefix("link/")
            ? String(series.device.text.dropFirst("link/".count)) : nil
        return AlarmBrief(
            key: alarm.key, rule: alarm.rule,
            title: rule?.title ?? LocalizedText(en: alarm.rule, zh: alarm.rule),
            severity: alarm.severity, colour: rule?.colour, module: rule?.module ?? "other",
            area: areas[series.device], series: series,
            device: devices[series.device]
                ?? link.map { LocalizedText(en: "link \($0)", zh: "链路 \($0)") }
                ?? LocalizedText(en: series.device.text, zh: series.device.text),
            point: points[series.point]
                ?? LocalizedText(en: series.point.text, zh: series.point.text),
            state: alarm.state, onset: alarm.onset, raised: alarm.raised, changed: alarm.changed,
            evidence: alarm.evidence, source: rule?.source ?? "", status: rule?.status ?? "project",
            risk: rule?.risk, actor: alarm.actor, note: alarm.note, facts: facts)
    }
}
