import LocatedText
import Telemetry

/// Reads `crane-work/1`, the grammar of `Config/cranes/work.yaml`:
///
///     format: crane-work/1
///     figures:                                 every figure once, in any order
///       - figure: start_load                   one of the names below
///         value: 0.3 t                         in the unit of the figure
///         source: where the figure comes from
///         status: project                      verified | secondary | from-memory | project
///
/// What each figure means is told in `docs/formats/crane-work.md`.
package enum CraneWorkFile {
    package static let format = "crane-work/1"

    /// - Throws: every fault of the text at once, each with its place and a remedy.
    package static func parse(_ text: String, file: String) throws(Faults) -> LiftOptions {
        let root = try LocatedNode.parse(text, file: file)
        let faults = FaultCollector()
        var reader = MappingReader(root, faults)
        _ = reader.required("format")?.word([(format, ())], faults)
        let nodes = reader.required("figures")?.list(faults) ?? []
        reader.finish()
        var options = LiftOptions()
        var seen: Set<String> = []
        for node in nodes { take(node, &options, &seen, faults) }
        let missing = names.subtracting(seen).subtracting(optional)
        if !missing.isEmpty {
            faults.add(
                root.location, "figures are missing: \(missing.sorted().joined(separator: ", "))",
                remedy: "copy them from Config/cranes/work.yaml")
        }
        try faults.throwIfAny()
        for fault in options.faults { faults.add(root.location, fault) }
        try faults.throwIfAny()
        return options
    }

    private static let statuses = ["verified", "secondary", "from-memory", "project"]

    private static func take(
        _ node: LocatedNode, _ options: inout LiftOptions, _ seen: inout Set<String>,
        _ faults: FaultCollector
    ) {
        var reader = MappingReader(node, faults)
        let name = reader.required("figure")?.string(faults)
        let value = reader.required("value")
        _ = reader.required("source")?.string(faults)
        _ = reader.required("status")?.word(statuses.map { ($0, ()) }, faults)
        reader.finish()
        guard let name, let value else { return }
        guard names.contains(name) else {
            let near = Spelling.nearest(to: name, among: names.sorted())
            faults.add(
                node.location, "there is no figure '\(name)'",
                remedy: near.map { "did you mean '\($0)'?" }
                    ?? "known: \(names.sorted().joined(separator: ", "))")
            return
        }
        if !seen.insert(name).inserted {
            faults.add(node.location, "the figure '\(name)' stands twice", remedy: "remove one")
        }
        if let place = spans[name] {
            options[keyPath: place] = value.duration(faults) ?? .zero
        } else if let (place, unit) = amounts[name], let given = amount(value, unit, faults) {
            options[keyPath: place] = given
        } else if name == share, let given = amount(value, "%", faults) {
            options.startPercent = given
        }
    }

    private static func amount(
        _ node: LocatedNode, _ unit: String, _ faults: FaultCollector
    ) -> Double? {
        guard let (value, given) = node.quantity(faults) else { return nil }
        if given == unit { return value }
        faults.add(
            node.location, "the figure is in '\(given)'", remedy: "write it in '\(unit)'")
        return nil
    }

    // MARK: The figures

    private static let share = "start_share"
    private static let optional: Set<String> = [share]
    private static var names: Set<String> {
        Set(spans.keys).union(amounts.keys).union(optional)
    }

    private static var spans: [String: WritableKeyPath<LiftOptions, Duration>] {
        [
            "start_hold": \.startHold, "longest_dropout": \.longestDropout,
            "minimum_duration": \.minimumDuration, "longest_gap": \.longestGap,
            "longest_lift": \.longestLift, "zero_jump_after": \.zeroJumpAfter,
            "longest_lull": \.longestLull,
        ]
    }

    private static var amounts: [String: (WritableKeyPath<LiftOptions, Double>, unit: String)] {
        [
            "start_load": (\.startLoad, "t"), "end_load": (\.endLoad, "t"),
            "minimum_hoist": (\.minimumHoist, "m"), "minimum_trolley": (\.minimumTrolley, "m"),
            "minimum_slew": (\.minimumSlew, "deg"), "slew_dead_band": (\.slewDeadBand, "deg"),
            "zero_per_hour": (\.zeroRate, "t"), "zero_band": (\.zeroBand, "t"),
            "zero_jump_limit": (\.zeroJumpLimit, "t"), "warning": (\.warningPercent, "%"),
            "near_miss": (\.nearMissPercent, "%"), "overload": (\.overloadPercent, "%"),
            "wind": (\.windLimit, "m/s"),
        ]
    }
}
