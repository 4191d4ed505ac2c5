import LocatedText
import Telemetry

/// Reads `tariff/1`, the grammar of `Config/tariffs/*.yaml`:
///
///     format: tariff/1
///     tariff: works-power                        [a-z0-9-]
///     title: { en: Power of the works, zh: 工厂用电 }
///     carrier: electricity                       [a-z0-9-]
///     currency: CNY                              three capital letters
///     days:                                      optional: without it all days are working days
///       weekend: [sat, sun]                      mon tue wed thu fri sat sun
///       known: 2026                              the days whose holidays are stated: a year, a
///                                                month, a day or day..day
///       holidays: [2026-01-01, 2026-02-15..2026-02-23]
///       working_days: [2026-02-14]               worked whatever the day of the week
///       source: where the days come from
///       status: example                          verified | secondary | from-memory | project |
///                                                example
///     tables:
///       - from: 2026-01-01                       the first day
///         until: 2026-06-30                      the last day; without it the table holds until
///                                                the next one, or without end
///         source: where the prices come from
///         status: example
///         as: 2025-07-01                         optional: what is not stated here, the prices of
///                                                energy excepted, is as in the table of that day
///         price: 0.5 CNY/kWh                     either one price …
///         bands:                                 … or one for each band
///           - { band: peak, price: 1.02 CNY/kWh }
///           - { band: night, title: { en: Night, zh: 夜间 }, price: 0.3 CNY/kWh }
///         seasons:                               optional: without it all the year is one
///           - { season: summer, months: [7, 8], title: { en: Summer, zh: 夏季 } }
///           - { season: winter, days: [12-15..01-31] }
///           - { season: rest, other: true }      whatever is left
///         times:                                 for bands: each season and kind of day once
///           - seasons: [summer, winter]          one or a list; without it every season
///             days: working-day                  working-day | weekend | holiday; likewise
///             hours: { peak: [08:00-22:00], night: 22:00-08:00 }
///         capacity: { price: 30 CNY/(kVA*month), kva: 1000 kVA }
///         demand: { price: 48 CNY/(kW*month), over: 15min, contracted: 800 kW,
///                   excess: { above: 105 %, share: 200 % } }
///         fixed: 12.5 CNY/month                  or { price: …, source: …, status: … }
///         power_factor:
///           on: [energy, capacity, demand]
///           places: 2                            optional: the factor is rounded first
///           steps: [{ below: 0.85, percent: 2.5 }, { percent: 0 }]
///
/// Times stand on quarters of an hour; `22:00-08:00` goes over midnight, and a day ends at 24:00.
/// A minute, a day of the year or a day between two tables that has no price or two is refused.
/// `docs/formats/tariff.md` tells what each figure means.
package enum TariffFile {
    package static let format = "tariff/1"

    /// - Throws: every fault of the text at once, each with its place and a remedy.
    package static func parse(_ text: String, file: String) throws(Faults) -> TariffBook {
        let root = try LocatedNode.parse(text, file: file)
        let faults = FaultCollector()
        var reader = MappingReader(root, faults)
        _ = reader.required("format")?.word([(format, ())], faults)
        let name = reader.required("tariff").flatMap {
            $0.name(faults)
        }
        let title = reader.required("title").flatMap { LocalizedText.parse($0, faults) }
        let carrier = reader.required("carrier").flatMap { $0.name(faults) }
        let currency = reader.required("currency").flatMap { TariffText.currency($0, faults) }
        let days = reader.optional("days").map { TariffDaysText.read($0, faults) } ?? .allAlike
        let tableNodes = reader.required("tables")
        reader.finish()

        var prices = TariffPriceText(carrier: carrier, currency: currency, faults: faults)
        let drafts = (tableNodes?.list(faults) ?? []).map {
            TariffTableDraft($0, days: days, prices: &prices)
        }
        if drafts.isEmpty, let tableNodes {
            faults.add(tableNodes.location, "a tariff has one table at least")
        }
        let tables = TariffTableDraft.tables(drafts, faults)
        try faults.throwIfAny()
        guard let name, let title, let carrier, let currency, let unit = prices.unit else {
            throw Faults([Fault(root.location, "the tariff is not complete")])
        }
        return TariffBook(
            name: name, title: title, carrier: carrier, currency: currency, unit: unit, days: days,
            tables: tables)
    }
}

/// The small words of a tariff file: currencies, origins, days and times as they are written.
enum TariffText {
    static func currency(_ node: LocatedNode, _ faults: FaultCollector) -> String? {
        guard let text = node.string(faults) else { return nil }
        if text.utf8.count == 3, text.utf8.allSatisfy({ (0x41...0x5A).contains($0) }) {
            return text
        }
        faults.add(
            node.location, "'\(text)' is not a currency",
            remedy: "its three capital letters, for example 'CNY'")
        return nil
    }

    /// `source:` and `status:` of a block; both nil where neither is wanted nor given.
    static func origin(
        _ reader: inout MappingReader, isRequired: Bool, _ faults: FaultCollector
    ) -> TariffOrigin? {
        let isStated = isRequired || reader.has("source") || reader.has("status")
        let source = isStated ? reader.required("source") : reader.optional("source")
        let status = isStated ? reader.required("status") : reader.optional("status")
        let text = source?.string(faults)
        let word: String? = status?.word(TariffOrigin.statuses.map { ($0, $0) }, faults)
        guard let text, let word else { return nil }
        return TariffOrigin(source: text, status: word)
    }

    /// The elements of a list, or the one element that stands in its place.
    static func oneOrMore(_ node: LocatedNode, _ faults: FaultCollector) -> [LocatedNode] {
        if case .scalar = node.content { return [node] }
        return node.list(faults)
    }

    /// Quarters of an hour as a time of day, `22:15`; 96 is `24:00`.
    static func time(_ quarter: Int) -> String {
        "\(padded(quarter / 4)):\(padded(quarter % 4 * 15))"
    }

    static func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    /// Ascending numbers gathered into spans without a gap.
    static func spans(_ numbers: [Int]) -> [ClosedRange<Int>] {
        var spans: [ClosedRange<Int>] = []
        for number in numbers {
            if let last = spans.last, last.upperBound + 1 == number {
                spans[spans.count - 1] = last.lowerBound...number
            } else {
                spans.append(number...number)
            }
        }
        return spans
    }
}
