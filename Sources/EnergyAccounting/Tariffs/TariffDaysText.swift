import LocatedText
import Telemetry

/// Reads `days:`, which says what kind each day is.
enum TariffDaysText {
    private static let weekdays = [
        ("mon", 1), ("tue", 2), ("wed", 3), ("thu", 4), ("fri", 5), ("sat", 6), ("sun", 7),
    ]
    /// A holiday longer than a year is a slip of the pen.
    private static let longestSpan = 366

    static func read(_ node: LocatedNode, _ faults: FaultCollector) -> TariffDays {
        var reader = MappingReader(node, faults)
        let weekend = Set(
            (reader.optional("weekend").map { TariffText.oneOrMore($0, faults) } ?? [])
                .compactMap { $0.word(weekdays, faults) })
        let knownNode = reader.optional("known")
        let known = knownNode.flatMap { period($0, faults) }
        var seen: [Int: String] = [:]
        let holidayNode = reader.optional("holidays")
        let holidays = holidayNode.map { days($0, "holidays", known, &seen, faults) } ?? []
        let workNode = reader.optional("working_days")
        let working = workNode.map { days($0, "working_days", known, &seen, faults) } ?? []
        let origin = TariffText.origin(&reader, isRequired: true, faults)
        reader.finish()
        if knownNode == nil, holidayNode != nil || workNode != nil {
            faults.add(
                node.location, "'known' is missing: the days for which holidays are stated",
                remedy: "for example 'known: 2026'; days outside it get no price that depends on "
                    + "holidays")
        }
        return TariffDays(
            weekend: weekend, holidays: Set(holidays), workingDays: Set(working), known: known,
            origin: origin)
    }

    private static func days(
        _ node: LocatedNode, _ key: String, _ known: AccountingPeriod?,
        _ seen: inout [Int: String], _ faults: FaultCollector
    ) -> [Int] {
        var all: [Int] = []
        for element in TariffText.oneOrMore(node, faults) {
            guard let span = period(element, faults) else { continue }
            guard span.days <= longestSpan else {
                faults.add(element.location, "'\(span.label)' is longer than a year")
                continue
            }
            if let known, !(known.contains(span.first) && known.contains(span.last)) {
                faults.add(
                    element.location, "'\(span.label)' lies outside 'known: \(known.label)'",
                    remedy: "make 'known' longer, or remove the day")
            }
            for day in span.first.dayNumber...span.last.dayNumber {
                if let first = seen[day] {
                    faults.add(
                        element.location,
                        "\(CivilDate(daysSinceEpoch: day)) stands in '\(first)' already",
                        remedy: "name each day once")
                    continue
                }
                seen[day] = key
                all.append(day)
            }
        }
        return all
    }

    private static func period(
        _ node: LocatedNode, _ faults: FaultCollector
    ) -> AccountingPeriod? {
        guard let text = node.string(faults) else { return nil }
        if let period = AccountingPeriod(text) { return period }
        faults.add(
            node.location, "'\(text)' is not a day or a span of days",
            remedy: "for example '2026-10-01' or '2026-10-01..2026-10-07'")
        return nil
    }
}
