import LocatedText
import Telemetry

/// Reads the shape of a template's messages.
///
///     key: 7, true, null, "7", word          the same in every message, as JSON has it
///     key: { … }                             an object; keys keep their order
///     key: [ … ]                             a list
///     key: { $records: SHAPE }               a list with SHAPE for each record
///     key: { $text: "{site}-{device}" }      {site} {device} {scope} {key} {revision} {resolution}
///     key: { $time: start, format: epoch_ms, as: number }
///          $time    start | end
///          format   rfc3339 (default) | epoch_s | epoch_ms | a pattern: "yyyy-MM-dd HH:mm:ss"
///     key: { $point: load_mass, statistic: max, unit: t, decimals: 2, as: text }
///          $point      a point's key; * stands for any characters
///          statistic   mean | min | max | first | last | sum | increase | leq | direction
///                      | exceeded_1 … exceeded_99
///          decimals    0 to 9; or scale: 10, the whole number nearest to ten times the value
///          words       { alarm: "1", normal: "0" }: what a state's words are there
///          unknown     omit | json_null | { text: "--" }
///     key: { $bits: { 0: alarm_wind }, width: 32, set: [alarm] }
///
/// A mapping with a key that begins with `$` is a field, every other one an object.
struct TemplateShapeReader {
    let unknown: TemplateUnknown
    let faults: FaultCollector
    private var recordsSeen = 0
    private var isInRecords = false
    /// What may stand only where a record is known, and where it stands.
    private var outside: [Location] = []

    init(unknown: TemplateUnknown, faults: FaultCollector) {
        self.unknown = unknown
        self.faults = faults
    }

    /// The whole of a message.
    mutating func body(_ node: LocatedNode) -> TemplateShape? {
        guard let shape = shape(node) else { return nil }
        switch shape {
        case .object, .list, .records: break
        default:
            faults.add(node.location, "a message is an object or a list")
        }
        if recordsSeen > 1 {
            faults.add(node.location, "'$records' stands more than once", remedy: "keep one")
        }
        if recordsSeen > 0 {
            for location in outside {
                faults.add(
                    location, "beside '$records' nothing can tell of one record",
                    remedy: "move it into '$records', or write only {site}")
            }
        }
        return shape
    }

    private mutating func shape(_ node: LocatedNode) -> TemplateShape? {
        switch node.content {
        case .scalar: return constant(node).map { .constant($0) }
        case .sequence(let nodes): return .list(nodes.compactMap { shape($0) })
        case .mapping(let entries):
            let marks = entries.filter { $0.key.hasPrefix("$") }
            if marks.count > 1 {
                faults.add(
                    marks[1].keyLocation,
                    "a field holds one thing, not '\(marks[0].key)' and "
                        + "'\(marks[1].key)'", remedy: "keep one of them")
                return nil
            }
            if let mark = marks.first { return field(node, mark) }
            var fields: [(key: String, shape: TemplateShape)] = []
            for entry in entries {
                if let shape = shape(entry.value) { fields.append((entry.key, shape)) }
            }
            return .object(fields)
        }
    }

    private mutating func field(
        _ node: LocatedNode, _ mark: LocatedNode.Entry
    ) -> TemplateShape? {
        var reader = MappingReader(node, faults)
        let value = reader.optional(mark.key) ?? mark.value
        defer { reader.finish() }
        switch mark.key {
        case "$records":
            recordsSeen += 1
            isInRecords = true
            defer { isInRecords = false }
            return shape(value).map { .records($0) }
        case "$text": return text(value)
        case "$time":
            note(value.location)
            return time(value, &reader)
        case "$point":
            note(value.location)
            return point(value, &reader)
        case "$bits":
            note(value.location)
            return bits(value, &reader)
        default:
            let words = ["$records", "$text", "$time", "$point", "$bits"]
            let near = Spelling.nearest(to: mark.key, among: words)
            faults.add(
                mark.keyLocation, "'\(mark.key)' is no kind of field",
                remedy: near.map { "did you mean '\($0)'?" }
                    ?? "one of: \(words.joined(separator: ", "))")
            // What else stands there is not to be judged.
            for entry in node.entries(faults) { _ = reader.optional(entry.key) }
            return nil
        }
    }

    private mutating func note(_ location: Location) {
        if !isInRecords { outside.append(location) }
    }

    // MARK: Fields

    private func constant(_ node: LocatedNode) -> TemplateConstant? {
        if node.isNull { return .null }
        guard case .scalar(let text, let isQuoted) = node.content else {
            faults.add(node.location, "a constant is expected, not \(node.kindWord)")
            return nil
        }
        if isQuoted { return .text(text) }
        if text == "true" || text == "false" { return .truth(text == "true") }
        if let number = Int(text) { return .integer(number) }
        let isDecimal = text.utf8.allSatisfy { "0123456789+-.eE".utf8.contains($0) }
        if isDecimal, let number = Double(text), number.isFinite { return .number(number) }
        return .text(text)
    }

    private mutating func text(_ node: LocatedNode) -> TemplateShape? {
        guard let written = node.string(faults) else { return nil }
        guard let text = TemplateText(written) else {
            let words = TemplateText.Place.allCases.map { "{\($0.rawValue)}" }
            faults.add(
                node.location, "'\(written)' has a place that is none",
                remedy: "places are \(words.joined(separator: ", "))")
            return nil
        }
        if !text.places.isSubset(of: TemplateText.Place.ofSite) { note(node.location) }
        return .text(text)
    }

    private func time(_ node: LocatedNode, _ reader: inout MappingReader) -> TemplateShape? {
        let instant = node.word(
            TemplateTime.Instant.allCases.map { ($0.rawValue, $0) }, faults)
        let form = reader.optional("format").map { timeForm($0) } ?? .rfc3339
        let asNode = reader.optional("as")
        let isText = asNode.flatMap { readsAsText($0) } ?? false
        guard let instant, let form else { return nil }
        if let asNode, form != .epochSeconds, form != .epochMilliseconds {
            faults.add(asNode.location, "this time is a text anyway", remedy: "leave 'as' out")
        }
        return .time(TemplateTime(instant: instant, form: form, isText: isText))
    }

    private func timeForm(_ node: LocatedNode) -> TemplateTime.Form? {
        guard let text = node.string(faults) else { return nil }
        switch text {
        case "rfc3339": return .rfc3339
        case "epoch_s": return .epochSeconds
        case "epoch_ms": return .epochMilliseconds
        default:
            if let pattern = TemplateTime.pattern(text) { return .civil(pattern) }
            faults.add(
                node.location, "'\(text)' is no format of a time",
                remedy: "rfc3339, epoch_s, epoch_ms, or a pattern as 'yyyy-MM-dd HH:mm:ss' "
                    + "with yyyy, MM, dd, HH, mm and perhaps ss and SSS")
            return nil
        }
    }

    private func readsAsText(_ node: LocatedNode) -> Bool? {
        node.word([("number", false), ("text", true)], faults)
    }

    private func point(_ node: LocatedNode, _ reader: inout MappingReader) -> TemplateShape? {
        let pattern = pattern(node)
        var point = TemplatePoint(pattern: pattern ?? "", location: node.location)
        point.statistic = reader.optional("statistic").flatMap { statistic($0) }
        point.unit = reader.optional("unit").flatMap { node in
            node.string(faults).map { .init(symbol: $0, location: node.location) }
        }
        if let node = reader.optional("decimals"), let places = node.int(faults) {
            if (0...ScaledInteger.finestExponent).contains(places) { point.decimals = places }
            if point.decimals == nil { faults.add(node.location, "decimals lie between 0 and 9") }
        }
        if let node = reader.optional("scale"), let scale = node.double(faults) {
            if scale > 0, scale <= 1e9 { point.scale = scale }
            if point.scale == nil {
                faults.add(node.location, "a scale lies between 0 and 1000000000")
            } else if point.decimals != nil {
                faults.add(
                    node.location, "'scale' makes whole numbers, which have no decimals",
                    remedy: "keep 'scale' or 'decimals'")
            }
        }
        point.isText = reader.optional("as").flatMap { readsAsText($0) } ?? false
        for entry in reader.optional("words")?.entries(faults) ?? [] {
            point.words[entry.key] = constant(entry.value)
        }
        point.unknown =
            reader.optional("unknown").flatMap { TemplateUnknown($0, faults) } ?? unknown
        return pattern == nil ? nil : .point(point)
    }

    private func pattern(_ node: LocatedNode) -> String? {
        guard let text = node.string(faults) else { return nil }
        let isPattern = text.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x30...0x39).contains($0)
                || [0x2A, 0x2D, 0x2E, 0x5F].contains($0)
        }
        if isPattern, !text.isEmpty { return text }
        faults.add(
            node.location, "'\(text)' is no point",
            remedy: "a key of the vocabulary, as 'load_mass' or 'tilt.*'; '*' stands for anything")
        return nil
    }

    private func statistic(_ node: LocatedNode) -> Statistic? {
        guard let text = node.string(faults) else { return nil }
        if let statistic = Statistic.named(text) { return statistic }
        faults.add(
            node.location, "'\(text)' is no statistic",
            remedy: "one of: mean, min, max, first, last, sum, increase, leq, direction, "
                + "exceeded_1 to exceeded_99")
        return nil
    }

    private func bits(_ node: LocatedNode, _ reader: inout MappingReader) -> TemplateShape? {
        let widthNode = reader.required("width")
        let width = widthNode?.int(faults) ?? 1
        if let widthNode, !(1...64).contains(width) {
            faults.add(widthNode.location, "'width' lies between 1 and 64")
        }
        let set = (reader.required("set")?.list(faults) ?? []).compactMap { $0.string(faults) }
        let unknown =
            reader.optional("unknown").flatMap { TemplateUnknown($0, faults) } ?? unknown
        var points: [Int: TemplatePoint] = [:]
        for entry in node.entries(faults) {
            guard let bit = Int(entry.key), (0..<max(1, width)).contains(bit) else {
                faults.add(
                    entry.keyLocation, "'\(entry.key)' is no bit of \(width)",
                    remedy: "the rightmost is 0")
                continue
            }
            if let pattern = pattern(entry.value) {
                points[bit] = TemplatePoint(
                    pattern: pattern, location: entry.value.location, statistic: .last)
            }
        }
        return .bits(
            TemplateBits(
                width: min(max(width, 1), 64), points: points, set: Set(set), unknown: unknown))
    }
}
