import LocatedText
import Telemetry

/// One element of `tables:` as it is written, before it is known what the others say.
struct TariffTableDraft {
    let location: Location
    var from: CivilDate?
    var until: CivilDate?
    private var untilLocation: Location
    private var origin: TariffOrigin
    private var bands: [TariffBand]
    private var isFlat: Bool
    private var year: TariffYearDraft?
    private var statesTimes: Bool
    private var charges: TariffChargesDraft
    private var other: (day: CivilDate, location: Location)?

    /// Reads all of it; mistakes go to the faults of `prices`.
    init(_ node: LocatedNode, days: TariffDays, prices: inout TariffPriceText) {
        let faults = prices.faults
        var reader = MappingReader(node, faults)
        location = node.location
        from = reader.required("from").flatMap { $0.civilDate(faults) }
        let untilNode = reader.optional("until")
        until = untilNode.flatMap { $0.civilDate(faults) }
        untilLocation = untilNode?.location ?? node.location
        origin =
            TariffText.origin(&reader, isRequired: true, faults)
            ?? TariffOrigin(source: "", status: "")
        other = reader.optional("as").flatMap { node in
            node.civilDate(faults).map { ($0, node.location) }
        }
        let price = reader.optional("price")
        let bandsNode = reader.optional("bands")
        let seasons = reader.optional("seasons")
        let times = reader.optional("times")
        charges = TariffChargesDraft(&reader, origin: origin, prices: prices, faults)
        reader.finish()

        isFlat = bandsNode == nil
        statesTimes = times != nil
        bands = []
        switch (price, bandsNode) {
        case (nil, nil):
            faults.add(
                node.location, "the table has no price",
                remedy: "add 'price: 0.5 CNY/kWh', or 'bands:' and 'times:'")
        case (let price?, nil):
            bands = prices.energyPrice(price).map { [Self.allDay($0)] } ?? []
            for (extra, key) in [(seasons, "seasons"), (times, "times")] {
                guard let extra else { continue }
                faults.add(
                    extra.location, "one price holds at all times, and '\(key)' stands beside it",
                    remedy: "leave it out, or write 'bands:' in place of 'price:'")
            }
        case (let price, let bandsNode?):
            if let price {
                faults.add(
                    price.location, "'price' stands beside 'bands'", remedy: "keep one of them")
            }
            bands = Self.bands(bandsNode, &prices)
            if let times {
                year = TariffYearDraft(seasons: seasons, times: times, days: days, faults)
            } else if let seasons {
                faults.add(
                    seasons.location, "'seasons' stands without 'times'", remedy: "add 'times:'")
            } else if other == nil {
                faults.add(
                    node.location, "'times' is missing: when each band holds",
                    remedy: "add 'times:', or 'as:' and the first day of a table that has them")
            }
        }
    }

    private static func allDay(_ price: Exact) -> TariffBand {
        TariffBand(
            name: TariffBand.allDay, title: LocalizedText(en: "All day", zh: "全时段"), price: price)
    }

    /// The usual bands need no title.
    private static let titles = [
        "sharp": LocalizedText(en: "Critical peak", zh: "尖峰"),
        "peak": LocalizedText(en: "Peak", zh: "高峰"),
        "flat": LocalizedText(en: "Flat", zh: "平段"),
        "valley": LocalizedText(en: "Valley", zh: "低谷"),
        "deep-valley": LocalizedText(en: "Deep valley", zh: "深谷"),
    ]

    private static func bands(_ node: LocatedNode, _ prices: inout TariffPriceText) -> [TariffBand]
    {
        let faults = prices.faults
        var bands: [TariffBand] = []
        var names: Set<String> = []
        for element in node.list(faults) {
            var reader = MappingReader(element, faults)
            let name = reader.required("band").flatMap { $0.name(faults) }
            let title = reader.optional("title").flatMap { LocalizedText.parse($0, faults) }
            let hasTitle = reader.has("title")
            let price = reader.required("price").flatMap { prices.energyPrice($0) }
            reader.finish()
            guard let name else { continue }
            if !names.insert(name).inserted {
                faults.add(
                    element.location, "the band '\(name)' stands twice", remedy: "remove one")
                continue
            }
            if !hasTitle, titles[name] == nil {
                faults.add(
                    element.location, "the band '\(name)' has no title",
                    remedy: "add 'title: { en: …, zh: … }'")
            }
            // A band whose price was refused stays, so that its times are not refused as well.
            bands.append(
                TariffBand(
                    name: name, title: title ?? titles[name] ?? LocalizedText(en: name, zh: name),
                    price: price ?? .zero))
        }
        if bands.isEmpty, names.isEmpty, case .sequence(let nodes) = node.content, nodes.isEmpty {
            faults.add(node.location, "a table has one band at least")
        }
        return bands
    }

    // MARK: All tables together

    /// The tables in order of their days; sound only when `faults` stays empty.
    static func tables(_ drafts: [Self], _ faults: FaultCollector) -> [TariffTable] {
        let ends = ends(drafts, faults)
        var tables: [TariffTable] = []
        for (index, draft) in drafts.enumerated() {
            guard let from = draft.from else { continue }
            let other = draft.referred(in: drafts, faults)
            let year: TariffYear?
            if draft.isFlat {
                year = .flat
            } else if let own = draft.year {
                year = own.bound(to: draft.bands, at: nil, faults)
            } else if let other, !draft.statesTimes {
                year = other.year?.bound(to: draft.bands, at: draft.other?.location, faults)
                if other.isFlat, let place = draft.other {
                    faults.add(
                        place.location, "the table of \(place.day) has one price and no times",
                        remedy: "add 'times:' here")
                }
            } else {
                year = nil
            }
            guard let year, !draft.bands.isEmpty else { continue }
            tables.append(
                TariffTable(
                    from: from, until: ends[index], origin: draft.origin, bands: draft.bands,
                    calendar: year, charges: draft.charges.charges(otherwise: other?.charges)))
        }
        return tables.sorted { $0.from < $1.from }
    }

    /// The table that `as:` names.
    private func referred(in drafts: [Self], _ faults: FaultCollector) -> Self? {
        guard let other else { return nil }
        guard let found = drafts.first(where: { $0.from == other.day }), found.from != from else {
            let others = drafts.compactMap(\.from).filter { $0 != from }.sorted()
            faults.add(
                other.location, "no other table begins on \(other.day)",
                remedy: others.isEmpty
                    ? "leave 'as' out"
                    : "they begin on \(others.map(\.description).joined(separator: ", "))")
            return nil
        }
        if let next = found.other {
            faults.add(
                other.location, "the table of \(other.day) refers to another one itself",
                remedy: "write 'as: \(next.day)', and state here what differs from it")
            return nil
        }
        return found
    }

    /// The last day of each table; a table without one ends where the next begins.
    private static func ends(_ drafts: [Self], _ faults: FaultCollector) -> [CivilDate?] {
        var ends = drafts.map(\.until)
        var order: [(from: CivilDate, index: Int)] = []
        for (index, draft) in drafts.enumerated() {
            guard let from = draft.from else { continue }
            if let until = draft.until, until < from {
                faults.add(
                    draft.untilLocation, "the last day \(until) lies before the first, \(from)",
                    remedy: "'until' is the last day on which the table holds")
                ends[index] = nil
            }
            order.append((from, index))
        }
        // Of two that begin on one day the one with an end comes first: the end is what they share.
        order.sort {
            ($0.from, ends[$0.index] == nil ? 1 : 0, $0.index)
                < ($1.from, ends[$1.index] == nil ? 1 : 0, $1.index)
        }
        /// The table that reaches furthest so far.
        var reach: (last: CivilDate, from: CivilDate)?
        for (position, entry) in order.enumerated() {
            let next = position + 1 < order.count ? order[position + 1].from : nil
            if let reach {
                let place = drafts[entry.index].location
                if entry.from <= reach.last {
                    let last = min(reach.last, ends[entry.index] ?? reach.last)
                    faults.add(
                        place,
                        "two tables cover \(days(entry.from, max(entry.from, last))): "
                            + "this one and the one from \(reach.from)",
                        remedy: "end the earlier one with 'until:' on the day before")
                } else if reach.last.advanced(days: 1) < entry.from {
                    let hole = days(
                        reach.last.advanced(days: 1), entry.from.advanced(days: -1))
                    faults.add(
                        place, "no table covers \(hole)",
                        remedy: "add a table for the days, or move 'from' or 'until'")
                }
            }
            if ends[entry.index] == nil, let next {
                // Two that begin on one day are told apart by nothing: that is the overlap above.
                ends[entry.index] = max(entry.from, next.advanced(days: -1))
            }
            if let last = ends[entry.index], last > (reach?.last ?? last.advanced(days: -1)) {
                reach = (last, entry.from)
            }
        }
        return ends
    }

    private static func days(_ first: CivilDate, _ last: CivilDate) -> String {
        first == last ? "\(first)" : "\(first)..\(last)"
    }
}
