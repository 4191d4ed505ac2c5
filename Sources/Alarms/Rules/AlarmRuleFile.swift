import LocatedText
import Telemetry

/// Reads `alarm-rules/1`, the grammar of the files in `Config/alarms/`:
///
///     format: alarm-rules/1
///     rules:
///       - alarm: pm10_15min                     [a-z0-9_-], once
///         title: { en: …, zh: … }
///         module: dust                          [a-z0-9_-]                         optional: other
///         severity: warning                     info | warning | critical
///         colour: yellow                        red | orange | yellow | blue       optional
///         risk: R-07                            the site's number of the risk      optional
///         source: where the figure comes from
///         clause: "4.2"                                                            optional
///         status: project                       verified | secondary | from-memory | project
///         enabled: true                         optional: only verified and project ones are on
///         valid_from: 2026-03-01                first day in force, site time      optional
///         valid_to: 2029-03-14                  last day in force, site time       optional
///         only: { time: "06:00-22:00" }         AlarmSchedule                      optional
///         devices: [dust-north]                 all that have the point            optional
///         kinds: [station.dust-noise]                 of these kinds                     optional
///         when:
///           point: pm10                         the point key; `all:`, `any:`, `not:` join several
///           rollup: mean                        mean | max | min | last | leq | p95 | …
///           over: 15min                         aligned: a whole part of a day
///           window: rolling                     rolling | aligned
///           coverage: 75 %                      good of expected readings          optional
///           above: 150 ug/m3                    or below; beyond it is a breach
///           clear: 120 ug/m3                    at it the alarm returns            optional: the limit
///           hold: 1min                          how long a breach lasts first      optional: 0 s
///           keep: 1min                          how long all is well before it returns      0 s
///         unless: [ { point: …, is: … } ]       suppressed while one of them holds optional
///         latch: true                           somebody has to reset it           optional
///         tests:                                                                   optional
///           - { every: 10s, given: "140x90 160x95 110x100", then: "normal pending active returned" }
///
/// `input: reading` instead of `rollup`, `over`, `window` and `coverage` judges each reading by itself.
/// What the words mean, and the notation of tests, is told in `docs/formats/alarm-rules.md`.
package enum AlarmRuleFile {
    package static let format = "alarm-rules/1"

    /// - Throws: every fault of the text at once, each with its place and a remedy.
    package static func parse(_ text: String, file: String) throws(Faults) -> [AlarmRule] {
        let root = try LocatedNode.parse(text, file: file)
        let faults = FaultCollector()
        var reader = MappingReader(root, faults)
        _ = reader.required("format")?.word([(format, ())], faults)
        let nodes = reader.required("rules")?.list(faults) ?? []
        reader.finish()
        var rules: [AlarmRule] = []
        for node in nodes {
            guard let rule = rule(node, faults) else { continue }
            if let first = rules.first(where: { $0.name == rule.name }) {
                faults.add(
                    rule.location, "the alarm '\(rule.name)' stands twice",
                    remedy: "the first is at \(first.location); give one another name")
            }
            rules.append(rule)
        }
        try faults.throwIfAny()
        return rules
    }

    private static func rule(_ node: LocatedNode, _ faults: FaultCollector) -> AlarmRule? {
        var reader = MappingReader(node, faults)
        let name = reader.required("alarm").flatMap { word($0, "the name of an alarm", faults) }
        let title = reader.required("title").flatMap { self.title($0, faults) }
        let module = reader.optional("module").flatMap { word($0, "the name of a module", faults) }
        let severity = reader.required("severity")
            .flatMap { $0.word(AlarmRule.Severity.allCases.map { ($0.rawValue, $0) }, faults) }
        let colour = reader.optional("colour")
            .flatMap { $0.word(AlarmRule.Colour.allCases.map { ($0.rawValue, $0) }, faults) }
        let risk = reader.optional("risk").flatMap { words($0, faults) }
        let source = reader.required("source").flatMap { words($0, faults) }
        let clause = reader.optional("clause").flatMap { words($0, faults) }
        let status = reader.required("status")
            .flatMap { $0.word(AlarmRule.Status.allCases.map { ($0.rawValue, $0) }, faults) }
        let isEnabled = reader.optional("enabled").flatMap { $0.bool(faults) }
        let validity = validity(&reader, faults)
        let onlyNode = reader.optional("only")
        let only = onlyNode.flatMap { AlarmSchedule($0, faults) }
        let devices = reader.optional("devices")
            .map { names($0, "device", "all that have the point", faults).map { DeviceID($0) } }
        let kinds = reader.optional("kinds").map {
            names($0, "kind", "devices of every kind", faults)
        }
        let condition = reader.required("when").flatMap { AlarmCondition($0, faults) }
        let unless = (reader.optional("unless")?.list(faults) ?? [])
            .map { AlarmTerm.parse($0, faults) }
        let isLatched = reader.optional("latch").flatMap { $0.bool(faults) } ?? false
        let tests = (reader.optional("tests")?.list(faults) ?? [])
            .compactMap { AlarmRuleTest($0, faults) }
        reader.finish()
        guard let name, let title, let severity, let source, let status, let condition,
            only != nil || onlyNode == nil, !unless.contains(where: { $0 == nil })
        else { return nil }
        let rule = AlarmRule(
            name: name, title: title, module: module ?? "other", severity: severity,
            colour: colour, risk: risk, source: source, clause: clause, status: status,
            isEnabled: isEnabled ?? status.isOnByDefault, validFrom: validity.from,
            validTo: validity.to, only: only, devices: devices, kinds: kinds,
            when: condition.expression, unless: unless.compactMap(\.self), hold: condition.hold,
            keep: condition.keep, isLatched: isLatched, tests: tests, location: node.location)
        for test in tests { test.check(against: rule, faults) }
        return rule
    }

    private static func validity(
        _ reader: inout MappingReader, _ faults: FaultCollector
    ) -> (from: CivilTime?, to: CivilTime?) {
        let from = reader.optional("valid_from").flatMap { day($0, faults) }
        let lastDay = reader.optional("valid_to")
        let to = lastDay.flatMap { day($0, faults) }
        if let from, let to, let lastDay, to.timestamp(offset: 0) < from.timestamp(offset: 0) {
            faults.add(
                lastDay.location, "the rule ends before it begins",
                remedy: "a 'valid_to' on or after \(from.dateText)")
        }
        return (from, to)
    }

    private static func word(
        _ node: LocatedNode, _ what: String, _ faults: FaultCollector
    ) -> String? {
        guard let text = node.string(faults) else { return nil }
        let isName =
            !text.isEmpty
            && text.utf8.allSatisfy {
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F
                    || $0 == 0x2D
            }
        if isName { return text }
        faults.add(
            node.location, "'\(text)' is not \(what)",
            remedy: "small letters a to z, digits, '_' and '-'")
        return nil
    }

    private static func names(
        _ node: LocatedNode, _ what: String, _ otherwise: String, _ faults: FaultCollector
    ) -> [String] {
        let list = node.list(faults)
        if list.isEmpty {
            faults.add(
                node.location, "the list names no \(what)",
                remedy: "name one, or remove '\(what)s:' to watch \(otherwise)")
        }
        return list.compactMap { $0.string(faults) }
    }

    private static func title(_ node: LocatedNode, _ faults: FaultCollector) -> LocalizedText? {
        var reader = MappingReader(node, faults)
        let en = reader.required("en").flatMap { words($0, faults) }
        let zh = reader.required("zh").flatMap { words($0, faults) }
        reader.finish()
        guard let en, let zh else { return nil }
        return LocalizedText(en: en, zh: zh)
    }

    private static func words(_ node: LocatedNode, _ faults: FaultCollector) -> String? {
        guard let text = node.string(faults) else { return nil }
        if text.contains(where: { !$0.isWhitespace }) { return text }
        faults.add(node.location, "the text is empty", remedy: "say it in words")
        return nil
    }

    private static func day(_ node: LocatedNode, _ faults: FaultCollector) -> CivilTime? {
        guard let text = node.string(faults) else { return nil }
        if let civil = CivilTime(date: text[...]) { return civil }
        faults.add(
            node.location, "'\(text)' is not a date", remedy: "year, month, day: '2026-03-01'")
        return nil
    }
}
