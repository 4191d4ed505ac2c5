import LocatedText

/// Which of the factors of its books a site uses:
///
///     - { factor: co2, carrier: electricity, region: east, scheme: regional, data_year: 2023 }
///     - { factor: coal, region: national, scheme: reference }
///
///     factor     as in `factors/1`                                          required
///     carrier    without it the line is for every carrier that has no own   optional
///     region     as in the book                                             required
///     scheme     as in the book                                             required
///     data_year  only figures of that year, even when later ones exist      optional
///
/// What has no line has no factor: there is no default.
package struct FactorChoice: Hashable, Sendable {
    /// One line.
    package struct Line: Hashable, Sendable {
        package var kind: FactorKind
        /// nil for every carrier that has no line of its own.
        package var carrier: FactorCarrier?
        package var region: String
        package var scheme: String
        /// nil for whichever figure holds on the day.
        package var dataYear: Int?
        package var location: Location

        package init(
            kind: FactorKind, carrier: FactorCarrier?, region: String, scheme: String,
            dataYear: Int? = nil, location: Location
        ) {
            self.kind = kind
            self.carrier = carrier
            self.region = region
            self.scheme = scheme
            self.dataYear = dataYear
            self.location = location
        }
    }

    package let lines: [Line]

    /// - Parameter lines: of several for one factor and carrier the first counts; `parse` refuses.
    package init(_ lines: [Line]) { self.lines = lines }

    /// The line for a factor of a carrier; nil when the site has chosen none.
    package func line(_ kind: FactorKind, _ carrier: FactorCarrier) -> Line? {
        lines.first { $0.kind == kind && $0.carrier == carrier }
            ?? lines.first { $0.kind == kind && $0.carrier == nil }
    }

    /// Reads the list; every mistake goes to `faults`, and what is sound is kept.
    package static func parse(_ node: LocatedNode, faults: FaultCollector) -> FactorChoice {
        var lines: [Line] = []
        for element in node.list(faults) {
            var reader = MappingReader(element, faults)
            let kind = reader.required("factor")?
                .word(FactorKind.allCases.map { ($0.rawValue, $0) }, faults)
            let carrier = reader.optional("carrier").map {
                $0.word(FactorCarrier.allCases.map { ($0.rawValue, $0) }, faults)
            }
            let region = reader.required("region")?.name(faults)
            let scheme = reader.required("scheme")?.name(faults)
            let dataYear = reader.optional("data_year")?.calendarYear(faults)
            reader.finish()
            guard let kind, let region, let scheme else { continue }
            // A misspelt carrier must not turn the line into one for all carriers.
            if let carrier, carrier == nil { continue }
            let chosen = carrier ?? nil
            if let first = lines.first(where: { $0.kind == kind && $0.carrier == chosen }) {
                faults.add(
                    element.location, "'\(kind.rawValue)' is chosen twice",
                    remedy: "the first is at \(first.location); keep one")
                continue
            }
            lines.append(
                Line(
                    kind: kind, carrier: chosen, region: region, scheme: scheme,
                    dataYear: dataYear, location: element.location))
        }
        return FactorChoice(lines)
    }

    /// Says which lines choose what the book does not hold.
    package func bindingFaults(book: FactorBook) -> [Fault] {
        lines.compactMap { line in
            let held = book.factors.filter {
                $0.key.kind == line.kind && (line.carrier == nil || $0.key.carrier == line.carrier)
            }
            let isHeld = held.contains {
                $0.key.region == line.region && $0.key.scheme == line.scheme
                    && (line.dataYear == nil || $0.dataYear == line.dataYear)
            }
            if isHeld { return nil }
            let wanted = "\(line.region) \(line.scheme)"
            let known = Set(held.map { "\($0.key.region) \($0.key.scheme)" }).sorted()
            let year = line.dataYear.map { " of \($0)" } ?? ""
            let remedy: String
            if known.contains(wanted) {
                remedy = "choose another 'data_year', or leave it out"
            } else if let near = Spelling.nearest(to: wanted, among: known) {
                remedy = "did you mean '\(near)'?"
            } else {
                remedy =
                    known.isEmpty
                    ? "include a file of factors that holds it"
                    : "held are: \(known.joined(separator: ", "))"
            }
            return Fault(
                line.location,
                "no '\(line.kind.rawValue)' of \(line.carrier?.rawValue ?? "any carrier")"
                    + "\(year) is held for '\(wanted)'", remedy: remedy)
        }
    }
}
