import LocatedText
import Telemetry

/// Reads `baseline-method/1`, the grammar of `Config/baselines/method.yaml`:
///
///     format: baseline-method/1
///     method: ashrae-14                        [a-z0-9-]
///     version: "1"                             any text; change it with any figure
///     figures:                                 for each interval every figure once
///       - interval: month                      month | day
///         figure: cv_rmse                      one of BaselineLimits.Name
///         value: 15 %                          in the unit of the figure; counts are plain
///         status: from-memory                  verified | secondary | from-memory | project
///         source: where the figure comes from
///
/// What each figure means is told in `docs/formats/baseline.md`.
package enum BaselineMethodFile {
    package static let format = "baseline-method/1"

    /// - Throws: every fault of the text at once, each with its place and a remedy.
    package static func parse(_ text: String, file: String) throws(Faults) -> BaselineMethod {
        let root = try LocatedNode.parse(text, file: file)
        let faults = FaultCollector()
        var reader = MappingReader(root, faults)
        _ = reader.required("format")?.word([(format, ())], faults)
        let name = reader.required("method")?.baselineName(faults)
        let version = reader.required("version")?.filledText(faults)
        let nodes = reader.required("figures")?.list(faults) ?? []
        reader.finish()
        var figures: Figures = [:]
        for node in nodes { take(node, &figures, faults) }
        var limits: [BaselineMethod.Interval: BaselineLimits] = [:]
        for (interval, given) in figures.sorted(by: { $0.key < $1.key }) {
            limits[interval] = BaselineLimits(given)
            let missing = BaselineLimits.Name.allCases
                .filter { !$0.isOptional && given[$0] == nil }
                .map(\.rawValue)
            if !missing.isEmpty, faults.isEmpty {
                faults.add(
                    root.location,
                    "figures for '\(interval.rawValue)' are missing: "
                        + missing.joined(separator: ", "),
                    remedy: "copy them from Config/baselines/method.yaml")
            }
        }
        if figures.isEmpty, faults.isEmpty {
            faults.add(
                root.location, "there are no figures",
                remedy: "copy them from Config/baselines/method.yaml")
        }
        try faults.throwIfAny()
        return BaselineMethod(name: name ?? "", version: version ?? "", limits: limits)
    }

    private typealias Figures =
        [BaselineMethod.Interval: [BaselineLimits.Name: BaselineMethod.Figure]]

    private static func take(
        _ node: LocatedNode, _ figures: inout Figures, _ faults: FaultCollector
    ) {
        var reader = MappingReader(node, faults)
        let interval = reader.required("interval")?
            .word(BaselineMethod.Interval.allCases.map { ($0.rawValue, $0) }, faults)
        let name = reader.required("figure")?
            .word(BaselineLimits.Name.allCases.map { ($0.rawValue, $0) }, faults)
        let valueNode = reader.required("value")
        let status = reader.required("status")?
            .word(BaselineMethod.Status.allCases.map { ($0.rawValue, $0) }, faults)
        let source = reader.required("source")?.filledText(faults)
        reader.finish()
        guard let interval, let name, let valueNode,
            let value = value(of: name, valueNode, faults), let status, let source
        else { return }
        let figure = BaselineMethod.Figure(value: value, status: status, source: source)
        if figures[interval, default: [:]].updateValue(figure, forKey: name) != nil {
            faults.add(
                node.location,
                "the figure '\(name.rawValue)' stands twice for '\(interval.rawValue)'",
                remedy: "remove one")
        }
    }

    private static func value(
        of name: BaselineLimits.Name, _ node: LocatedNode, _ faults: FaultCollector
    ) -> Exact? {
        let given = name.unit.isEmpty ? node.exact(faults) : node.exact(unit: name.unit, faults)
        guard let given else { return nil }
        let (low, high) = (name.range.lowerBound, name.range.upperBound)
        guard name.range.contains(given) else {
            faults.add(
                node.location, "'\(name.rawValue)' cannot be \(node.kindWord)",
                remedy: "from \(low.shortText) to \(high.shortText) \(name.unit)".trimmedEnd)
            return nil
        }
        guard name != .leastPeriods || given.denominator == 1 else {
            faults.add(
                node.location, "'\(name.rawValue)' cannot be \(node.kindWord)",
                remedy: "a whole number")
            return nil
        }
        return given
    }
}

extension LocatedNode {
    /// A name of small letters, digits, `-` and `_`, not empty.
    func baselineName(_ faults: FaultCollector) -> String? {
        guard let text = string(faults) else { return nil }
        if text.isBaselineName { return text }
        faults.add(
            location, "'\(text)' is not a name", remedy: "small letters a to z, digits, '-' and '_'"
        )
        return nil
    }

    /// A text that is not empty.
    func filledText(_ faults: FaultCollector) -> String? {
        guard let text = string(faults) else { return nil }
        if !text.isEmpty { return text }
        faults.add(location, "the text is empty", remedy: "write it, or leave the key out")
        return nil
    }
}

extension String {
    /// Whether it consists of small letters, digits, `-` and `_`, and is not empty.
    var isBaselineName: Bool {
        !isEmpty
            && utf8.allSatisfy {
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D
                    || $0 == 0x5F
            }
    }

    /// Without blanks at its end.
    fileprivate var trimmedEnd: String {
        var text = self
        while text.last == " " { text.removeLast() }
        return text
    }
}

extension Exact {
    /// With as few decimal places as say it, at most nine.
    var shortText: String {
        let places = (0..<9).first { Exact(rounded(places: $0)) == self } ?? 9
        return text(places: places)
    }
}
