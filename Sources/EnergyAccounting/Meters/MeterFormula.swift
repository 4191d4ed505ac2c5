import LocatedText

/// What a meter without a counter counts: other meters, each times a factor.
///
///     main - plant - office          sums and differences; the signs stand between spaces
///     0.5 * common + tenant          a factor in front
///
/// A share by area or by heads is a formula with one term, its factor part over whole.
package struct MeterFormula: Hashable, Sendable {
    /// One meter and what it is multiplied by.
    package struct Term: Hashable, Sendable {
        package var factor: Exact
        package var meter: String

        package init(factor: Exact, meter: String) {
            self.factor = factor
            self.meter = meter
        }
    }

    package let terms: [Term]

    package init(_ terms: [Term]) { self.terms = terms }

    /// As it is written and read.
    package var text: String {
        terms.enumerated().map { index, term in
            let isMinus = term.factor.isNegative
            let sign = isMinus ? (index == 0 ? "-1 * " : " - ") : (index == 0 ? "" : " + ")
            let size = term.factor.magnitude
            if size == .one { return sign + term.meter }
            return (isMinus && index == 0 ? "-" : sign) + "\(size.quotientText) * \(term.meter)"
        }.joined()
    }

    /// Reads a formula; a fault names the word that does not fit.
    static func parse(_ node: LocatedNode, _ faults: FaultCollector) -> MeterFormula? {
        guard let text = node.string(faults) else { return nil }
        func refuse(_ what: String) -> MeterFormula? {
            faults.add(
                node.location, "the formula '\(text)' cannot be read: \(what)",
                remedy: "meters with ' + ' and ' - ' between them, 'main - plant - 0.5 * common'")
            return nil
        }
        var terms: [Term] = []
        var sign = Exact.one
        var factor: Exact?
        var wantsTerm = true
        for word in text.split(separator: " ") {
            switch word {
            case "+", "-":
                if wantsTerm { return refuse("a meter is expected before '\(word)'") }
                sign = word == "-" ? Exact(-1) : .one
                wantsTerm = true
            case "*":
                if factor == nil { return refuse("a number is expected before '*'") }
            default:
                guard wantsTerm else { return refuse("a sign is expected before '\(word)'") }
                if let number = Exact(text: word) {
                    if factor != nil { return refuse("two numbers follow each other") }
                    factor = number
                } else if LocatedNode.isName(word) {
                    terms.append(Term(factor: sign * (factor ?? .one), meter: String(word)))
                    (sign, factor, wantsTerm) = (.one, nil, false)
                } else {
                    return refuse("'\(word)' is no meter's id")
                }
            }
        }
        if wantsTerm || terms.isEmpty { return refuse("it ends before a meter") }
        return MeterFormula(terms)
    }

    /// Reads `{ of: common, by: area, part: 350 m2, whole: 1200 m2 }` or `by: people` with numbers.
    static func parseShare(_ node: LocatedNode, _ faults: FaultCollector) -> MeterFormula? {
        var reader = MappingReader(node, faults)
        let meter = reader.required("of")?.string(faults)
        let isByArea = reader.required("by")?.word([("area", true), ("people", false)], faults)
        func size(_ key: String) -> (Exact, Location)? {
            guard let node = reader.required(key) else { return nil }
            let value = isByArea == false ? node.exact(faults) : node.exact(unit: "m2", faults)
            return value.map { ($0, node.location) }
        }
        let part = size("part")
        let whole = size("whole")
        reader.finish()
        guard let meter, let part, let whole else { return nil }
        guard Exact.zero < whole.0, !part.0.isNegative, part.0 <= whole.0 else {
            faults.add(
                part.1, "a share lies between nothing and the whole",
                remedy: "'part' is at most 'whole', and 'whole' more than 0")
            return nil
        }
        return MeterFormula([Term(factor: part.0 / whole.0, meter: meter)])
    }
}
