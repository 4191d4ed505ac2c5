import LocatedText
import Telemetry

/// What stands under `when:` of a rule.
struct AlarmCondition {
    let point: PointKey
    let input: AlarmRule.Input
    let direction: AlarmRule.Direction
    let limit: Double
    let clear: Double
    let unit: String
    let hold: Duration

    /// Longer windows and holds are a slip of the pen, not a rule.
    private static let longest = Duration.seconds(366 * 86_400)

    /// nil after a fault.
    init?(_ node: LocatedNode, _ faults: FaultCollector) {
        var reader = MappingReader(node, faults)
        let point = reader.required("point").flatMap { Self.point($0, faults) }
        let input = Self.input(&reader, faults)
        let limit = Self.limit(&reader, faults)
        let clearNode = reader.optional("clear")
        let clear = clearNode.flatMap { $0.quantity(faults) }
        let hold = reader.optional("hold").flatMap { Self.length($0, faults) } ?? .zero
        reader.finish()
        if let limit, let clear, let clearNode { Self.check(clear, clearNode, limit, faults) }
        guard let point, let input, let limit else { return nil }
        self.point = point
        self.input = input
        direction = limit.direction
        self.limit = limit.value
        self.clear = clear?.value ?? limit.value
        unit = limit.unit
        self.hold = hold
    }

    private typealias Limit = (direction: AlarmRule.Direction, value: Double, unit: String)

    private static func point(_ node: LocatedNode, _ faults: FaultCollector) -> PointKey? {
        guard let text = node.string(faults) else { return nil }
        let isKey =
            text.split(separator: ".", omittingEmptySubsequences: false)
            .allSatisfy { part in
                !part.isEmpty
                    && part.utf8.allSatisfy {
                        (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F
                            || $0 == 0x2D
                    }
            }
        if isKey { return PointKey(text) }
        faults.add(
            node.location, "'\(text)' is not a point",
            remedy: "a key of the vocabulary without a device, for example 'pm10'")
        return nil
    }

    private static func input(
        _ reader: inout MappingReader, _ faults: FaultCollector
    ) -> AlarmRule.Input? {
        let windowKeys = ["rollup", "over", "window", "coverage"]
        if let node = reader.optional("input") {
            let isReading = node.word([("reading", true)], faults) ?? false
            for key in windowKeys {
                guard let foreign = reader.optional(key) else { continue }
                faults.add(
                    foreign.location, "'\(key)' has no meaning beside 'input: reading'",
                    remedy: "remove one of the two")
            }
            return isReading ? .reading : nil
        }
        let statistic = reader.required("rollup")
            .flatMap { $0.word(AlarmRule.Statistic.allCases.map { ($0.rawValue, $0) }, faults) }
        let overNode = reader.required("over")
        let over = overNode.flatMap { length($0, faults) }
        let kind = reader.required("window")
            .flatMap { $0.word(AlarmRule.WindowKind.allCases.map { ($0.rawValue, $0) }, faults) }
        let coverageNode = reader.optional("coverage")
        let coverage = coverageNode.flatMap { share($0, faults) }
        guard let statistic, let overNode, let over, let kind,
            coverage != nil || coverageNode == nil
        else { return nil }
        guard over > .zero else {
            faults.add(overNode.location, "a window needs a length", remedy: "for example '15min'")
            return nil
        }
        if kind == .aligned, !judged.contains(where: { $0.nominal == over }) {
            faults.add(
                overNode.location, "no closed bucket of that length is judged",
                remedy: judged.map(\.rawValue).joined(separator: ", ") + ", or 'window: rolling'")
            return nil
        }
        return .window(
            AlarmRule.Window(statistic: statistic, over: over, kind: kind, coverage: coverage))
    }

    /// The resolutions whose closed buckets the evaluation hands to the machine.
    private static let judged: [Resolution] = [.quarterHour]

    private static func limit(_ reader: inout MappingReader, _ faults: FaultCollector) -> Limit? {
        let above = reader.optional("above")
        let below = reader.optional("below")
        switch (above, below) {
        case (let node?, nil):
            return node.quantity(faults).map { (.above, $0.value, $0.unit) }
        case (nil, let node?):
            return node.quantity(faults).map { (.below, $0.value, $0.unit) }
        case (_?, let node?):
            faults.add(
                node.location, "a rule has one limit, 'above' or 'below'",
                remedy: "write a second rule for the other side")
        case (nil, nil):
            faults.add(
                reader.location, "the limit is missing",
                remedy: "add 'above: …' or 'below: …', for example 'above: 150 ug/m3'")
        }
        return nil
    }

    private static func check(
        _ clear: (value: Double, unit: String), _ node: LocatedNode, _ limit: Limit,
        _ faults: FaultCollector
    ) {
        if clear.unit != limit.unit {
            faults.add(
                node.location, "'clear' is in '\(clear.unit)', the limit in '\(limit.unit)'",
                remedy: "write both in '\(limit.unit)'")
        } else if limit.direction == .above ? clear.value > limit.value : clear.value < limit.value
        {
            faults.add(
                node.location, "'clear' lies beyond the limit, so the alarm would never be off",
                remedy: "at or \(limit.direction == .above ? "below" : "above") \(limit.value)"
                    + " \(limit.unit)")
        }
    }

    private static func share(_ node: LocatedNode, _ faults: FaultCollector) -> Double? {
        guard let (value, unit) = node.quantity(faults) else { return nil }
        if unit == "%", value > 0, value <= 100 { return value / 100 }
        faults.add(
            node.location, "coverage is a share above 0 % up to 100 %",
            remedy: "for example '75 %'")
        return nil
    }

    private static func length(_ node: LocatedNode, _ faults: FaultCollector) -> Duration? {
        guard let duration = node.duration(faults) else { return nil }
        if duration <= longest { return duration }
        faults.add(node.location, "longer than a year", remedy: "for example '15min'")
        return nil
    }
}
