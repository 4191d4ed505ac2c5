import LocatedText
import Telemetry

/// What stands under `when:` of a rule: the terms, and how long a judgement has to last.
struct AlarmCondition {
    let expression: AlarmExpression
    let hold: Duration
    let keep: Duration

    /// More terms are no rule that anybody can explain.
    private static let mostTerms = 16

    /// nil after a fault.
    init?(_ node: LocatedNode, _ faults: FaultCollector) {
        var reader = MappingReader(node, faults)
        let hold = reader.optional("hold").flatMap { AlarmTerm.length($0, faults) } ?? .zero
        let keep = reader.optional("keep").flatMap { AlarmTerm.length($0, faults) } ?? .zero
        let expression = Self.expression(&reader, faults)
        reader.finish()
        guard let expression else { return nil }
        if expression.terms.count > Self.mostTerms {
            faults.add(
                node.location, "a rule has at most \(Self.mostTerms) terms",
                remedy: "write several rules")
            return nil
        }
        self.expression = expression
        self.hold = hold
        self.keep = keep
    }

    private static func expression(
        _ reader: inout MappingReader, _ faults: FaultCollector
    ) -> AlarmExpression? {
        let joins = ["all", "any", "not"].compactMap { key in
            reader.optional(key).map { (key: key, node: $0) }
        }
        guard let join = joins.first else {
            return AlarmTerm(&reader, faults).map { .term($0) }
        }
        for other in joins.dropFirst() {
            faults.add(
                other.node.location, "'\(other.key)' stands beside '\(join.key)'",
                remedy: "put one inside the other")
        }
        if join.key == "not" { return nested(join.node, faults).map { .not($0) } }
        let nodes = join.node.list(faults)
        if nodes.count < 2 {
            faults.add(
                join.node.location, "'\(join.key)' joins two terms or more",
                remedy: "write the term without '\(join.key)'")
            return nil
        }
        let parts = nodes.compactMap { nested($0, faults) }
        guard parts.count == nodes.count else { return nil }
        return join.key == "all" ? .all(parts) : .any(parts)
    }

    private static func nested(
        _ node: LocatedNode, _ faults: FaultCollector
    ) -> AlarmExpression? {
        var reader = MappingReader(node, faults)
        let found = expression(&reader, faults)
        reader.finish()
        return found
    }
}
