import LocatedText
import Telemetry

/// Reads `alarm-rules/1`, the grammar of the files in `Config/alarms/`:
///
///     format: alarm-rules/1
///     rules:
///       - alarm: pm10_15min                     [a-z0-9_-], once
///         title: { en: …, zh: … }
///         severity: warning                     info | warning | critical
///         source: where the figure comes from
///         status: project                       verified | secondary | from-memory | project
///         valid_from: 2026-03-01                first day in force, site time      optional
///         valid_to: 2029-03-14                  last day in force, site time       optional
///         devices: [dust-north]                 all that have the point            optional
///         when:
///           point: pm10                         the point key
///           rollup: mean                        mean | max | min | last
///           over: 15min                         aligned: 15min
///           window: rolling                     rolling | aligned
///           coverage: 75 %                      good of expected readings          optional
///           above: 150 ug/m3                    or below; beyond it is a breach
///           clear: 120 ug/m3                    at it the alarm returns            optional: the limit
///           hold: 1min                          how long a breach lasts first      optional: 0 s
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
        let name = reader.required("alarm").flatMap { self.name($0, faults) }
        let title = reader.required("title").flatMap { self.title($0, faults) }
        let severity = reader.required("severity")
            .flatMap { $0.word(AlarmRule.Severity.allCases.map { ($0.rawValue, $0) }, faults) }
        let source = reader.required("source").flatMap { self.words($0, faults) }
        let status = reader.required("status")
            .flatMap { $0.word(AlarmRule.Status.allCases.map { ($0.rawValue, $0) }, faults) }
        let validFrom = reader.optional("valid_from").flatMap { day($0, faults) }
        let lastDay = reader.optional("valid_to")
        let validTo = lastDay.flatMap { day($0, faults) }
        if let validFrom, let validTo, let lastDay,
            validTo.timestamp(offset: 0) < validFrom.timestamp(offset: 0)
        {
            faults.add(
                lastDay.location, "the rule ends before it begins",
                remedy: "a 'valid_to' on or after \(validFrom.dateText)")
        }
        let devices = reader.optional("devices").map { self.devices($0, faults) }
        let condition = reader.required("when").flatMap { AlarmCondition($0, faults) }
        let tests = (reader.optional("tests")?.list(faults) ?? [])
            .compactMap { AlarmRuleTest($0, faults) }
        reader.finish()
        guard let name, let title, let severity, let source, let status, let condition else {
            return nil
        }
        return AlarmRule(
            name: name, title: title, severity: severity, source: source, status: status,
            validFrom: validFrom, validTo: validTo, point: condition.point, devices: devices,
            input: condition.input, direction: condition.direction, limit: condition.limit,
            clear: condition.clear, unit: condition.unit, hold: condition.hold, tests: tests,
            location: node.location)
    }

    private static func name(_ node: LocatedNode, _ faults: FaultCollector) -> String? {
        guard let text = node.string(faults) else { return nil }
        let isName =
            !text.isEmpty
            && text.utf8.allSatisfy {
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F
                    || $0 == 0x2D
            }
        if isName { return text }
        faults.add(
            node.location, "'\(text)' is not the name of an alarm",
            remedy: "small letters a to z, digits, '_' and '-'")
        return nil
    }

    private static func devices(_ node: LocatedNode, _ faults: FaultCollector) -> [DeviceID] {
        let list = node.list(faults)
        if list.isEmpty {
            faults.add(
                node.location, "the list names no device",
                remedy: "name one, or remove 'devices:' to watch all that have the point")
        }
        return list.compactMap { $0.string(faults).map { DeviceID($0) } }
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
        var cursor = DigitCursor(text.utf8)
        if let year = cursor.digits(4), cursor.take("-"), let month = cursor.digits(2),
            cursor.take("-"), let day = cursor.digits(2), cursor.isAtEnd
        {
            let civil = CivilTime(year: year, month: month, day: day)
            if civil.isValid { return civil }
        }
        faults.add(
            node.location, "'\(text)' is not a date", remedy: "year, month, day: '2026-03-01'")
        return nil
    }
}
