import LocatedText
import Telemetry

extension AlarmTerm {
    /// Longer windows and holds are a slip of the pen, not a rule.
    private static let longest = Duration.seconds(366 * 86_400)

    /// A term that stands alone in its mapping.
    static func parse(_ node: LocatedNode, _ faults: FaultCollector) -> AlarmTerm? {
        var reader = MappingReader(node, faults)
        let term = AlarmTerm(&reader, faults)
        reader.finish()
        return term
    }

    /// Takes the keys of one term; nil after a fault.
    init?(_ reader: inout MappingReader, _ faults: FaultCollector) {
        let silence = reader.optional("silent_for")
        let unchanged = reader.optional("unchanged_for")
        let scope = reader.optional("of").map {
            $0.word(SilenceScope.allCases.map { ($0.rawValue, $0) }, faults)
        }
        if let scope, silence == nil {
            faults.add(
                reader.location, "'of: \(scope?.rawValue ?? "")' belongs to 'silent_for'",
                remedy: "remove it")
        }
        // Whose silence is meant says enough; everything else needs a point.
        let needsPoint = silence == nil || scope == .some(.point)
        let pointNode = needsPoint ? reader.required("point") : reader.optional("point")
        let point = pointNode.flatMap { Self.point($0, faults) }
        let device = reader.optional("device").flatMap { $0.string(faults) }.map { DeviceID($0) }
        let minus = Self.operands(reader.optional("minus"), faults)
        let within = reader.optional("within").flatMap { Self.length($0, faults) }
        let question: (measure: Measure, test: Test)?
        switch (silence, unchanged) {
        case (let node?, nil):
            Self.refuse(Self.numberKeys + Self.windowKeys, &reader, "silent_for", faults)
            question = Self.lasting(node, faults)
                .map { (.silence((scope ?? .device) ?? .device), .lasting($0)) }
        case (nil, let node?):
            Self.refuse(Self.numberKeys + Self.windowKeys, &reader, "unchanged_for", faults)
            question = Self.lasting(node, faults).map { (.unchanged, .lasting($0)) }
        case (_?, let node?):
            faults.add(
                node.location, "'unchanged_for' stands beside 'silent_for'",
                remedy: "write two terms")
            question = nil
        case (nil, nil): question = Self.question(&reader, faults)
        }
        let timesNode = reader.optional("times")
        let times = timesNode.flatMap { Self.times($0, faults) }
        guard let question, !needsPoint || point != nil, times != nil || timesNode == nil
        else { return nil }
        if let timesNode, !question.measure.isAligned {
            faults.add(
                timesNode.location, "only closed windows can be counted",
                remedy: "'window: aligned', or remove 'times'")
            return nil
        }
        self.init(
            operand: Operand(point: point ?? AlarmPoint(Self.anyPoint), device: device),
            minus: minus, measure: question.measure, test: question.test, times: times,
            within: within, location: reader.location)
    }

    /// Stands for "whatever it reports" in a term about silence.
    static let anyPoint = "communication"

    private static let numberKeys = ["above", "below", "clear", "is", "bit", "minus"]
    private static let windowKeys = ["input", "rollup", "over", "window", "coverage"]

    private static func refuse(
        _ keys: [String], _ reader: inout MappingReader, _ beside: String,
        _ faults: FaultCollector
    ) {
        for key in keys {
            guard let node = reader.optional(key) else { continue }
            faults.add(
                node.location, "'\(key)' has no meaning beside '\(beside)'",
                remedy: "remove one of the two")
        }
    }

    private static func question(
        _ reader: inout MappingReader, _ faults: FaultCollector
    ) -> (measure: Measure, test: Test)? {
        let words = reader.optional("is")
        let bit = reader.optional("bit")
        guard let node = words ?? bit else {
            let measure = measure(&reader, faults)
            let test = limit(&reader, faults)
            guard let measure, let test else { return nil }
            return (measure, test)
        }
        let key = words == nil ? "bit" : "is"
        refuse(["above", "below", "clear"], &reader, key, faults)
        if words != nil, let bit { faults.add(bit.location, "'bit' stands beside 'is'") }
        // A state is looked at reading by reading; to say so is no mistake.
        _ = reader.optional("input").flatMap { $0.word([("reading", ())], faults) }
        refuse(Array(windowKeys.dropFirst()), &reader, key, faults)
        if words != nil {
            let list = if case .sequence(let nodes) = node.content { nodes } else { [node] }
            let texts = list.compactMap { $0.string(faults) }
            if texts.isEmpty {
                faults.add(node.location, "no word is named", remedy: "for example 'is: [alarm]'")
                return nil
            }
            return (.reading, .isOneOf(texts))
        }
        guard let place = node.int(faults) else { return nil }
        guard (0...52).contains(place) else {
            faults.add(node.location, "a bit is 0 to 52", remedy: "0 is the lowest")
            return nil
        }
        return (.reading, .bit(place))
    }

    private static func point(_ node: LocatedNode, _ faults: FaultCollector) -> AlarmPoint? {
        guard let text = node.string(faults) else { return nil }
        var parts = text.split(separator: ".", omittingEmptySubsequences: false)
        if parts.count > 1, parts.last == "*" { parts.removeLast() }
        let isKey = parts.allSatisfy { part in
            !part.isEmpty
                && part.utf8.allSatisfy {
                    (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F
                        || $0 == 0x2D
                }
        }
        if isKey { return AlarmPoint(text) }
        faults.add(
            node.location, "'\(text)' is not a point",
            remedy: "a key of the vocabulary without a device, for example 'pm10' "
                + "or 'residual_current.*'")
        return nil
    }

    private static func operands(_ node: LocatedNode?, _ faults: FaultCollector) -> [Operand] {
        guard let node else { return [] }
        let nodes = if case .sequence(let list) = node.content { list } else { [node] }
        return nodes.compactMap { node in
            var reader = MappingReader(node, faults)
            let found = reader.required("point").flatMap { point($0, faults) }
            let device = reader.optional("device").flatMap { $0.string(faults) }
            reader.finish()
            return found.map { Operand(point: $0, device: device.map { DeviceID($0) }) }
        }
    }

    private static func measure(
        _ reader: inout MappingReader, _ faults: FaultCollector
    ) -> Measure? {
        if let node = reader.optional("input") {
            let isReading = node.word([("reading", true)], faults) ?? false
            refuse(Array(windowKeys.dropFirst()), &reader, "input: reading", faults)
            return isReading ? .reading : nil
        }
        let statistic = reader.required("rollup").flatMap { $0.word(Statistic.words, faults) }
        let overNode = reader.required("over")
        let over = overNode.flatMap { length($0, faults) }
        let kind = reader.required("window")
            .flatMap { $0.word(WindowKind.allCases.map { ($0.rawValue, $0) }, faults) }
        let coverageNode = reader.optional("coverage")
        let coverage = coverageNode.flatMap { share($0, faults) }
        guard let statistic, let overNode, let over, let kind,
            coverage != nil || coverageNode == nil
        else { return nil }
        guard over > .zero else {
            faults.add(overNode.location, "a window needs a length", remedy: "for example '15min'")
            return nil
        }
        if kind == .aligned, !isCutOfDay(over) {
            faults.add(
                overNode.location, "no whole number of such windows makes a day",
                remedy: "1min, 5min, 10min, 15min, 20min, 30min, 1h, 8h, 1d, or 'window: rolling'")
            return nil
        }
        if statistic == .increase, kind == .rolling || over != Resolution.quarterHour.nominal {
            faults.add(
                overNode.location, "what a counter counted is known of closed quarters of an hour",
                remedy: "'over: 15min' with 'window: aligned', or 'rollup: change'")
            return nil
        }
        return .window(Window(statistic: statistic, over: over, kind: kind, coverage: coverage))
    }

    /// Whether a day is a whole number of such windows, of a minute or more each.
    private static func isCutOfDay(_ over: Duration) -> Bool {
        over >= .seconds(60) && 86_400_000 % over.milliseconds == 0
    }

    private static func limit(_ reader: inout MappingReader, _ faults: FaultCollector) -> Test? {
        let above = reader.optional("above")
        let below = reader.optional("below")
        let clearNode = reader.optional("clear")
        let clear = clearNode.flatMap { $0.quantity(faults) }
        guard let node = above ?? below else {
            faults.add(
                reader.location, "the limit is missing",
                remedy: "add 'above: …' or 'below: …', for example 'above: 150 ug/m3'")
            return nil
        }
        if above != nil, let below {
            faults.add(
                below.location, "a rule has one limit, 'above' or 'below'",
                remedy: "write a second rule for the other side")
            return nil
        }
        guard let (limit, unit) = node.quantity(faults) else { return nil }
        let isAbove = above != nil
        if let clear, let clearNode {
            if clear.unit != unit {
                faults.add(
                    clearNode.location, "'clear' is in '\(clear.unit)', the limit in '\(unit)'",
                    remedy: "write both in '\(unit)'")
            } else if isAbove ? clear.value > limit : clear.value < limit {
                faults.add(
                    clearNode.location,
                    "'clear' lies beyond the limit, so the alarm would never be off",
                    remedy: "at or \(isAbove ? "below" : "above") \(limit) \(unit)")
            }
        }
        let back = clear?.value ?? limit
        return isAbove
            ? .above(limit: limit, clear: back, unit: unit)
            : .below(limit: limit, clear: back, unit: unit)
    }

    private static func times(_ node: LocatedNode, _ faults: FaultCollector) -> Times? {
        var reader = MappingReader(node, faults)
        let countNode = reader.required("more_than")
        let count = countNode.flatMap { $0.int(faults) }
        _ = reader.required("in").flatMap { $0.word([("day", ())], faults) }
        reader.finish()
        guard let count, let countNode else { return nil }
        if (0...1440).contains(count) { return Times(moreThan: count) }
        faults.add(countNode.location, "a count is 0 to 1440", remedy: "for example 'more_than: 6'")
        return nil
    }

    private static func share(_ node: LocatedNode, _ faults: FaultCollector) -> Double? {
        guard let (value, unit) = node.quantity(faults) else { return nil }
        if unit == "%", value > 0, value <= 100 { return value / 100 }
        faults.add(
            node.location, "coverage is a share above 0 % up to 100 %",
            remedy: "for example '75 %'")
        return nil
    }

    private static func lasting(_ node: LocatedNode, _ faults: FaultCollector) -> Duration? {
        guard let span = length(node, faults) else { return nil }
        if span > .zero { return span }
        faults.add(node.location, "a span of time is longer than nothing", remedy: "'10min'")
        return nil
    }

    /// A duration of at most a year.
    static func length(_ node: LocatedNode, _ faults: FaultCollector) -> Duration? {
        guard let duration = node.duration(faults) else { return nil }
        if duration <= longest { return duration }
        faults.add(node.location, "longer than a year", remedy: "for example '15min'")
        return nil
    }
}

extension AlarmTerm.Measure {
    /// Whether it is judged once for each closed window.
    var isAligned: Bool {
        if case .window(let window) = self { window.kind == .aligned } else { false }
    }
}
