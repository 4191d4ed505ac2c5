import LocatedText

/// Reads `diagnosis/1`, the grammar of `Config/diagnosis/meters.yaml`:
///
///     format: diagnosis/1
///     figures:                                 each figure once at most, in any order
///       - figure: stuck_power                  a name of `DiagnosisFigure`
///         value: 0.5 kW                        in the unit of the figure; a list where it is one
///         status: project                      verified | secondary | from-memory | project
///         source: where it comes from, or why it is so
///
/// A figure that is left out turns the diagnoses off that need it. What each figure means is told
/// in `docs/formats/diagnosis.md`.
package enum DiagnosisFile {
    package static let format = "diagnosis/1"

    /// - Throws: every fault of the text at once, each with its place and a remedy.
    package static func parse(_ text: String, file: String) throws(Faults) -> DiagnosisThresholds {
        let root = try LocatedNode.parse(text, file: file)
        let faults = FaultCollector()
        var reader = MappingReader(root, faults)
        _ = reader.required("format")?.word([(format, ())], faults)
        let nodes = reader.required("figures")?.list(faults) ?? []
        reader.finish()
        var entries: [DiagnosisFigure: DiagnosisThresholds.Entry] = [:]
        var places: [DiagnosisFigure: Location] = [:]
        for node in nodes {
            guard let (figure, entry) = read(node, faults) else { continue }
            if let first = places[figure] {
                faults.add(
                    node.location, "the figure '\(figure.rawValue)' stands twice",
                    remedy: "the first is at \(first); remove one")
                continue
            }
            places[figure] = node.location
            entries[figure] = entry
        }
        checkOrder(entries, places, faults)
        try faults.throwIfAny()
        return DiagnosisThresholds(entries)
    }

    private static let figures = DiagnosisFigure.allCases.map { ($0.rawValue, $0) }
    private static let statuses = DiagnosisThresholds.Status.allCases.map { ($0.rawValue, $0) }

    private static func read(
        _ node: LocatedNode, _ faults: FaultCollector
    ) -> (DiagnosisFigure, DiagnosisThresholds.Entry)? {
        var reader = MappingReader(node, faults)
        let name = reader.required("figure")
        let value = reader.required("value")
        let status = reader.required("status")?.word(statuses, faults)
        let source = reader.required("source")?.string(faults)
        reader.finish()
        guard let name, let figure = figure(name, faults), let value else { return nil }
        let values = values(value, of: figure, faults)
        guard let status, let source, !values.isEmpty else { return nil }
        return (figure, .init(values: values.sorted(), status: status, source: source))
    }

    private static func figure(_ node: LocatedNode, _ faults: FaultCollector) -> DiagnosisFigure? {
        guard let text = node.string(faults) else { return nil }
        if let figure = DiagnosisFigure(rawValue: text) { return figure }
        let names = figures.map(\.0)
        faults.add(
            node.location, "there is no figure '\(text)'",
            remedy: Spelling.nearest(to: text, among: names).map { "did you mean '\($0)'?" }
                ?? "known: \(names.joined(separator: ", "))")
        return nil
    }

    private static func values(
        _ node: LocatedNode, of figure: DiagnosisFigure, _ faults: FaultCollector
    ) -> [Exact] {
        guard figure.isList else { return value(node, of: figure, faults).map { [$0] } ?? [] }
        guard case .sequence(let nodes) = node.content, !nodes.isEmpty else {
            faults.add(
                node.location, "a list is expected, not \(node.kindWord)",
                remedy: "for example [100 \(figure.unit), 200 \(figure.unit)]")
            return []
        }
        return nodes.compactMap { value($0, of: figure, faults) }
    }

    private static func value(
        _ node: LocatedNode, of figure: DiagnosisFigure, _ faults: FaultCollector
    ) -> Exact? {
        let value =
            figure.unit.isEmpty ? node.exact(faults) : node.exact(unit: figure.unit, faults)
        guard let value else { return nil }
        if figure.range.contains(value) { return value }
        let unit = figure.unit.isEmpty ? "" : " " + figure.unit
        faults.add(
            node.location, "\(figure.rawValue) cannot be \(node.scalar ?? "so much")",
            remedy: "\(figure.range.lowerBound.plainText) to "
                + "\(figure.range.upperBound.plainText)\(unit)")
        return nil
    }

    /// Two figures that only mean something in one order.
    private static func checkOrder(
        _ entries: [DiagnosisFigure: DiagnosisThresholds.Entry],
        _ places: [DiagnosisFigure: Location], _ faults: FaultCollector
    ) {
        let pairs: [(DiagnosisFigure, DiagnosisFigure)] = [
            (.nightFrom, .nightTo), (.powerFactorLimit, .powerFactorTarget),
        ]
        for (low, high) in pairs {
            guard let a = entries[low]?.values.first, let b = entries[high]?.values.first,
                let place = places[high], a >= b
            else { continue }
            faults.add(
                place, "\(high.rawValue) is not above \(low.rawValue)",
                remedy: "raise \(high.rawValue) or lower \(low.rawValue)")
        }
        for figure in [DiagnosisFigure.nightFrom, .nightTo] {
            guard let value = entries[figure]?.values.first, let place = places[figure],
                value.denominator != 1
            else { continue }
            faults.add(
                place, "\(figure.rawValue) is no whole hour", remedy: "nights are cut at full hours"
            )
        }
    }
}
