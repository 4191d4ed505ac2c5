import LocatedText
import Telemetry

/// The charges beside the energy as one table states them.
struct TariffChargesDraft {
    var capacity: TariffCharges.Capacity?
    var demand: TariffCharges.Demand?
    var fixed: TariffCharges.Fixed?
    var powerFactor: PowerFactorAdjustment?

    /// Takes the keys of the charges from a table.
    ///
    /// - Parameter origin: of the table; a charge may state its own.
    init(
        _ reader: inout MappingReader, origin: TariffOrigin, prices: TariffPriceText,
        _ faults: FaultCollector
    ) {
        capacity = reader.optional("capacity").flatMap {
            Self.capacity($0, origin, prices, faults)
        }
        demand = reader.optional("demand").flatMap { Self.demand($0, origin, prices, faults) }
        fixed = reader.optional("fixed").flatMap { Self.fixed($0, origin, prices, faults) }
        powerFactor = reader.optional("power_factor").flatMap {
            PowerFactorText.read($0, origin, faults)
        }
    }

    /// With what is not stated here from another table.
    func charges(otherwise other: TariffChargesDraft?) -> TariffCharges {
        TariffCharges(
            capacity: capacity ?? other?.capacity, demand: demand ?? other?.demand,
            fixed: fixed ?? other?.fixed, powerFactor: powerFactor ?? other?.powerFactor)
    }

    private static func capacity(
        _ node: LocatedNode, _ origin: TariffOrigin, _ prices: TariffPriceText,
        _ faults: FaultCollector
    ) -> TariffCharges.Capacity? {
        var reader = MappingReader(node, faults)
        let price = reader.required("price").flatMap {
            prices.monthlyPrice($0, per: "(kVA*month)")
        }
        let kva = reader.required("kva").flatMap { amount($0, unit: "kVA", faults) }
        let own = TariffText.origin(&reader, isRequired: false, faults)
        reader.finish()
        guard let price, let kva else { return nil }
        return TariffCharges.Capacity(price: price, kva: kva, origin: own ?? origin)
    }

    private static func demand(
        _ node: LocatedNode, _ origin: TariffOrigin, _ prices: TariffPriceText,
        _ faults: FaultCollector
    ) -> TariffCharges.Demand? {
        var reader = MappingReader(node, faults)
        let price = reader.required("price").flatMap {
            prices.monthlyPrice($0, per: "(kW*month)")
        }
        let over = reader.required("over").flatMap { span($0, faults) }
        let contracted = reader.optional("contracted").flatMap { amount($0, unit: "kW", faults) }
        let excessNode = reader.optional("excess")
        let excess = excessNode.flatMap { Self.excess($0, faults) }
        let own = TariffText.origin(&reader, isRequired: false, faults)
        if let excessNode, !reader.has("contracted") {
            faults.add(
                excessNode.location, "there is no contracted demand to exceed",
                remedy: "add 'contracted: 800 kW'")
        }
        reader.finish()
        guard let price, let over else { return nil }
        return TariffCharges.Demand(
            price: price, over: over, contracted: contracted, excess: excess, origin: own ?? origin)
    }

    private static func excess(
        _ node: LocatedNode, _ faults: FaultCollector
    ) -> TariffCharges.Excess? {
        var reader = MappingReader(node, faults)
        let aboveNode = reader.required("above")
        let above = aboveNode.flatMap { amount($0, unit: "%", faults) }
        let share = reader.required("share").flatMap { amount($0, unit: "%", faults) }
        reader.finish()
        if let above, let aboveNode, above < Exact(100) {
            faults.add(
                aboveNode.location, "'above' is less than the contracted demand itself",
                remedy: "100 % or more")
        }
        guard let above, let share else { return nil }
        return TariffCharges.Excess(above: above, share: share)
    }

    /// An amount a month, `12.5 CNY/month`, plain or with its origin.
    private static func fixed(
        _ node: LocatedNode, _ origin: TariffOrigin, _ prices: TariffPriceText,
        _ faults: FaultCollector
    ) -> TariffCharges.Fixed? {
        guard case .mapping = node.content else {
            return prices.monthlyPrice(node, per: "month").map {
                TariffCharges.Fixed(price: $0, origin: origin)
            }
        }
        var reader = MappingReader(node, faults)
        let price = reader.required("price").flatMap { prices.monthlyPrice($0, per: "month") }
        let own = TariffText.origin(&reader, isRequired: false, faults)
        reader.finish()
        return price.map { TariffCharges.Fixed(price: $0, origin: own ?? origin) }
    }

    private static func amount(
        _ node: LocatedNode, unit: String, _ faults: FaultCollector
    ) -> Exact? {
        guard let value = node.exact(unit: unit, faults) else { return nil }
        if value.isNegative {
            faults.add(node.location, "'\(node.scalar ?? "")' is below zero")
            return nil
        }
        return value
    }

    private static func span(_ node: LocatedNode, _ faults: FaultCollector) -> Duration? {
        guard let span = node.duration(faults) else { return nil }
        let accepted: [Duration] = [.seconds(900), .seconds(1800), .seconds(3600)]
        if accepted.contains(span) { return span }
        faults.add(
            node.location, "demand is not taken over '\(node.scalar ?? "")'",
            remedy: "one of 15min, 30min, 60min")
        return nil
    }
}

/// Reads `power_factor:`.
enum PowerFactorText {
    static func read(
        _ node: LocatedNode, _ origin: TariffOrigin, _ faults: FaultCollector
    ) -> PowerFactorAdjustment? {
        var reader = MappingReader(node, faults)
        let charges = ["energy", "capacity", "demand"]
        let on = Set(
            (reader.required("on").map { TariffText.oneOrMore($0, faults) } ?? [])
                .compactMap { $0.word(charges.map { ($0, $0) }, faults) })
        let placesNode = reader.optional("places")
        let places = placesNode.flatMap { $0.int(faults) }
        if let placesNode, let places, !(1...4).contains(places) {
            faults.add(placesNode.location, "'\(places)' places", remedy: "1 to 4")
        }
        let steps = reader.required("steps").map { Self.steps($0, faults) }
        let own = TariffText.origin(&reader, isRequired: false, faults)
        reader.finish()
        guard let steps, !steps.isEmpty else { return nil }
        return PowerFactorAdjustment(
            steps: steps, places: places, onEnergy: on.contains("energy"),
            onCapacity: on.contains("capacity"), onDemand: on.contains("demand"),
            origin: own ?? origin)
    }

    private struct Entry {
        var from: Exact?
        var below: Exact?
        var percent: Exact
        var location: Location
    }

    /// The steps in the order of their factors, which is the order in which they have to stand.
    private static func steps(
        _ node: LocatedNode, _ faults: FaultCollector
    ) -> [PowerFactorAdjustment.Step] {
        let soFar = faults.faults.count
        let entries = node.list(faults).compactMap { element -> Entry? in
            var reader = MappingReader(element, faults)
            let from = reader.optional("from").flatMap { factor($0, faults) }
            let below = reader.optional("below").flatMap { factor($0, faults) }
            let percent = reader.required("percent")?.exact(faults)
            reader.finish()
            return percent.map {
                Entry(from: from, below: below, percent: $0, location: element.location)
            }
        }
        // What could not be read would be reported as a hole once more.
        guard faults.faults.count == soFar else { return [] }
        guard !entries.isEmpty else {
            faults.add(node.location, "the table of power factors is empty")
            return []
        }
        var steps: [PowerFactorAdjustment.Step] = []
        var reached = Exact.zero
        for (index, entry) in entries.enumerated() {
            let isLast = index + 1 == entries.count
            let from = entry.from ?? reached
            let below = entry.below ?? (isLast ? nil : entries[index + 1].from)
            complain(entry.location, from: from, below: below, reached: reached, isLast, faults)
            steps.append(
                PowerFactorAdjustment.Step(from: from, below: below, percent: entry.percent))
            reached = below ?? reached
        }
        return steps
    }

    /// Says what is wrong with a step that follows others up to the factor `reached`.
    private static func complain(
        _ location: Location, from: Exact, below: Exact?, reached: Exact, _ isLast: Bool,
        _ faults: FaultCollector
    ) {
        let (first, end) = (from.plainText, reached.plainText)
        if from > reached {
            faults.add(
                location, "no step holds the power factors from \(end) to below \(first)",
                remedy: "the steps go from 0 to 1 without a hole")
        } else if from < reached {
            faults.add(
                location, "the power factors from \(first) to below \(end) stand in two steps",
                remedy: "write the steps in ascending order")
        }
        if let below, below <= from {
            faults.add(
                location, "a step from \(first) to below \(below.plainText) holds nothing"
            )
        }
        if let below, isLast {
            faults.add(
                location, "no step holds the power factors from \(below.plainText) to 1",
                remedy: "leave 'below' out of the last step")
        }
        if below == nil, !isLast {
            faults.add(
                location, "it is not said where the step ends", remedy: "add 'below: 0.9'")
        }
    }

    private static func factor(_ node: LocatedNode, _ faults: FaultCollector) -> Exact? {
        guard let value = node.exact(faults) else { return nil }
        if !value.isNegative, value <= .one { return value }
        faults.add(
            node.location, "'\(node.scalar ?? "")' is not a power factor", remedy: "0 to 1")
        return nil
    }
}
