import LocatedText
import Telemetry

/// Something about a building by which its use is made comparable with the quota.
package enum QuotaCorrectionInput: String, Hashable, Sendable, CaseIterable {
    /// Hours of use in a year.
    case useHours = "use-hours"
    /// Hours of opening in a year.
    case openingHours = "opening-hours"
    /// Floor area for each person.
    case areaPerPerson = "area-per-person"
    /// Rooms let, of all.
    case occupancy
    /// Guest rooms' area, of all.
    case guestRoomShare = "guest-room-share"

    /// The unit in which it is given.
    package var unit: String {
        switch self {
        case .useHours, .openingHours: "h"
        case .areaPerPerson: "m2/person"
        case .occupancy, .guestRoomShare: "%"
        }
    }
}

/// One coefficient by which the use of a year is multiplied before it is judged:
///
///     γ = constant + share · value / reference     direct
///     γ = constant + share · reference / value     inverse
///
/// All of its figures are the file's.
package struct QuotaCorrection: Hashable, Sendable {
    /// Whether γ grows with the value or falls with it.
    package enum Proportion: String, Hashable, Sendable, CaseIterable {
        case direct
        case inverse
    }

    /// The name by which quotas of its file refer to it.
    package var name: String
    package var input: QuotaCorrectionInput
    package var constant: Exact
    package var share: Exact
    /// The value for which γ is `constant` + `share`, in the input's unit.
    package var reference: Exact
    package var proportion: Proportion
    package var source: String
    package var evidence: FigureEvidence

    /// γ for a value; nil for one that is not above nought.
    package func coefficient(_ value: Exact) -> Exact? {
        guard value > .zero else { return nil }
        let ratio = proportion == .direct ? value / reference : reference / value
        let coefficient = constant + share * ratio
        return coefficient > .zero ? coefficient : nil
    }

    /// Reads one entry of `corrections:`.
    init?(_ node: LocatedNode, _ faults: FaultCollector) {
        var reader = MappingReader(node, faults)
        let name = reader.required("correction")?.name(faults)
        let input = reader.required("input")?
            .word(QuotaCorrectionInput.allCases.map { ($0.rawValue, $0) }, faults)
        let constant = reader.required("constant").flatMap { Self.weight($0, faults) }
        let share = reader.required("share").flatMap { Self.weight($0, faults) }
        let referenceNode = reader.required("reference")
        let proportion = reader.required("proportion")?
            .word(Proportion.allCases.map { ($0.rawValue, $0) }, faults)
        let source = reader.required("source")?.sentence(faults)
        let evidence = reader.required("status")?.word(FigureEvidence.words, faults)
        reader.finish()
        guard let name, let input, let constant, let share, let proportion, let source,
            let evidence,
            let reference = referenceNode?.figure(
                unit: input.unit, in: Exact(1, over: 1000)...Exact(100_000), faults)
        else { return nil }
        self.name = name
        self.input = input
        self.constant = constant
        self.share = share
        self.reference = reference
        self.proportion = proportion
        self.source = source
        self.evidence = evidence
    }

    private static func weight(_ node: LocatedNode, _ faults: FaultCollector) -> Exact? {
        guard let value = node.exact(faults) else { return nil }
        if (Exact.zero...Exact(10)).contains(value) { return value }
        faults.add(node.location, "\(node.kindWord) is absurd here", remedy: "from 0 to 10")
        return nil
    }
}
