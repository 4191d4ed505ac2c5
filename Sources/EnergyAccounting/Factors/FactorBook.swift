import LocatedText

/// The factors of all files that a site includes, found by what, of what, and on which day.
///
/// Where there is none the answer is nil: a factor is never borrowed from another region, scheme
/// or time.
package struct FactorBook: Hashable, Sendable {
    /// In the order of the files.
    package let factors: [ConversionFactor]
    /// Of one key in the order of their first days.
    private let rows: [ConversionFactor.Key: [ConversionFactor]]

    /// Puts several files together.
    ///
    /// - Throws: a fault for each figure that holds on a day of another of the same key.
    package init(merging files: [[ConversionFactor]]) throws(Faults) {
        let factors = files.flatMap { $0 }
        let faults = FaultCollector()
        Self.findCollisions(factors, faults)
        try faults.throwIfAny()
        self.factors = factors
        rows = Dictionary(grouping: factors, by: \.key).mapValues {
            $0.sorted { $0.validity.first < $1.validity.first }
        }
    }

    /// A book without a figure.
    package init() { (factors, rows) = ([], [:]) }

    /// Notes each figure that holds on a day of one before it in the list.
    static func findCollisions(_ factors: [ConversionFactor], _ faults: FaultCollector) {
        var seen: [ConversionFactor.Key: [ConversionFactor]] = [:]
        for factor in factors {
            let before = seen[factor.key] ?? []
            if let other = before.first(where: { $0.validity.collides(with: factor.validity) }) {
                let key = factor.key
                faults.add(
                    factor.location,
                    "two factors '\(key.kind.rawValue)' of \(key.carrier.rawValue) for "
                        + "'\(key.region) \(key.scheme)' hold on one day",
                    remedy: "the other is at \(other.location); end it with 'until:' or remove one")
            }
            seen[factor.key, default: []].append(factor)
        }
    }

    /// The factor that the site uses on a day.
    package func factor(
        _ kind: FactorKind, _ carrier: FactorCarrier, on day: CivilDate, choice: FactorChoice
    ) -> ConversionFactor? {
        held(kind, carrier, choice).last { $0.first <= day && ($0.last.map { day <= $0 } ?? true) }?
            .factor
    }

    /// Some days of a period with the factor that holds on them.
    package struct Part: Hashable, Sendable {
        package var first: CivilDate
        /// It belongs to the part.
        package var last: CivilDate
        /// nil where there is none.
        package var factor: ConversionFactor?
    }

    /// A period cut where the factor changes, without holes: a quantity is wanted for each part.
    package func parts(
        of period: AccountingPeriod, _ kind: FactorKind, _ carrier: FactorCarrier,
        choice: FactorChoice
    ) -> [Part] {
        var parts: [Part] = []
        var day = period.first
        for held in held(kind, carrier, choice) {
            let first = max(held.first, period.first)
            let last = held.last.map { min($0, period.last) } ?? period.last
            guard first <= last, day <= last else { continue }
            if day < first { parts.append(Part(first: day, last: first.advanced(days: -1))) }
            parts.append(Part(first: first, last: last, factor: held.factor))
            day = last.advanced(days: 1)
        }
        if day <= period.last { parts.append(Part(first: day, last: period.last)) }
        return parts
    }

    /// The figures of a choice with their days, each ended by the next.
    private func held(
        _ kind: FactorKind, _ carrier: FactorCarrier, _ choice: FactorChoice
    ) -> [(first: CivilDate, last: CivilDate?, factor: ConversionFactor)] {
        guard let line = choice.line(kind, carrier) else { return [] }
        let key = ConversionFactor.Key(
            kind: kind, carrier: carrier, region: line.region, scheme: line.scheme)
        let row = (rows[key] ?? []).filter {
            line.dataYear == nil || $0.dataYear == line.dataYear
        }
        return row.indices.map { index in
            let next = index + 1 < row.count ? row[index + 1].validity.first : nil
            let validity = row[index].validity
            return (validity.first, validity.lastDay(before: next), row[index])
        }
    }
}
