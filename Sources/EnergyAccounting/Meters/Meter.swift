import LocatedText
import Telemetry

/// One meter of the site's tree: a counter, a formula or people's entries, with a place among the
/// others.
package struct Meter: Hashable, Sendable, Identifiable {
    /// Where its figures come from.
    package enum Source: Hashable, Sendable {
        /// A series that counts in the carrier's unit.
        case counter(SeriesID)
        /// Other meters.
        case formula(MeterFormula)
        /// What people write down: deliveries, bills, readings by eye.
        case entries
    }

    /// On which side of the site's balance it stands.
    package enum Role: String, Hashable, Sendable, CaseIterable {
        /// What comes in or is used.
        case consumption
        /// What the site makes itself, a roof's photovoltaics.
        case generation
        /// What it gives away.
        case export
    }

    /// `[a-z0-9-]`, unique in the tree.
    package let id: String
    /// What people call it; nil takes the device's name, or the id.
    package var title: LocalizedText?
    /// The meter whose figure holds this one's; nil for a root.
    package let parent: String?
    package let carrier: Carrier
    package let role: Role
    package let source: Source
    /// The end use, for example `lighting-sockets`; nil takes the parent's.
    package let item: String?
    /// The part of a site, for example `plant`, `office`, `living`; nil takes the parent's.
    package var zone: String?
    /// The machine that it measures, for example `crane`; nil for none.
    package var machine: String?
    /// To whom it belongs, from the group down: at most four levels.
    package var organisation: [String] = []
    /// What the connection can carry, in the carrier's unit an hour; nil is not bounded.
    package var limit: Exact?
    /// The floor that it supplies, in m², beside which its energy is ranked among its peers; nil
    /// takes part in no ranking.
    package var area: Exact?
    /// The accuracy class, in per cent; nil when nobody has said.
    package var accuracy: Exact?
    /// Where the configuration says so.
    package let location: Location

    package init(
        id: String, parent: String?, item: String?, carrier: Carrier,
        role: Role = .consumption, source: Source, location: Location
    ) {
        self.id = id
        self.parent = parent
        self.item = item
        self.carrier = carrier
        self.role = role
        self.source = source
        self.location = location
    }

    /// The series that counts; nil for a meter without one.
    package var counter: SeriesID? {
        if case .counter(let series) = source { series } else { nil }
    }
}

/// The meters of a site, each below the one that measures it too.
package struct MeterTree: Hashable, Sendable {
    /// In the order of the configuration.
    package let meters: [Meter]
    private let indices: [String: Int]
    private let childIndices: [String: [Int]]

    /// - Parameter meters: ids unique, parents and formulas known, no cycle; `parse` makes sure.
    package init(_ meters: [Meter]) {
        self.meters = meters
        var indices: [String: Int] = [:]
        var children: [String: [Int]] = [:]
        for (index, meter) in meters.enumerated() {
            indices[meter.id] = index
            if let parent = meter.parent { children[parent, default: []].append(index) }
        }
        self.indices = indices
        childIndices = children
    }

    /// A tree without meters.
    package static let empty = MeterTree([])

    package subscript(_ id: String) -> Meter? { indices[id].map { meters[$0] } }

    /// The meters that stand below no other.
    package var roots: [Meter] { meters.filter { $0.parent == nil } }

    /// The meters by which a carrier comes in.
    ///
    /// A formula that stands below nothing and above nothing is a view of other meters: it is told,
    /// and counts nowhere else, or what it is made of would count twice.
    package func mains(of carrier: Carrier) -> [Meter] {
        roots.filter { meter in
            guard meter.carrier == carrier, meter.role == .consumption else { return false }
            if case .formula = meter.source { return !children(of: meter.id).isEmpty }
            return true
        }
    }

    /// The meters directly below `id`, in the order of the configuration.
    package func children(of id: String) -> [Meter] {
        (childIndices[id] ?? []).map { meters[$0] }
    }

    /// The carriers of the tree, in the order of the accounts.
    package var carriers: [Carrier] { Set(meters.map(\.carrier)).sorted() }

    /// How far below its root a meter stands, 0 for a root.
    package func depth(of id: String) -> Int {
        var depth = 0
        var above = self[id]?.parent
        while let parent = above, depth < meters.count {
            depth += 1
            above = self[parent]?.parent
        }
        return depth
    }

    /// The end use of a meter, its own or that of the nearest above.
    package func item(of meter: Meter) -> String? {
        var one: Meter? = meter
        for _ in meters.indices {
            if let item = one?.item { return item }
            one = one?.parent.flatMap { self[$0] }
        }
        return nil
    }

    /// The meters in the order of a list that shows the tree: each before those below it.
    package var inTreeOrder: [Meter] {
        var order: [Meter] = []
        var left = Array(roots.reversed())
        while let meter = left.popLast() {
            order.append(meter)
            left += children(of: meter.id).reversed()
        }
        return order
    }

    /// The meters with a source of their own that a meter rests on, each with its factor, in the
    /// order of the tree; a meter with a counter rests on itself.
    package func parts(of id: String) -> [MeterFormula.Term] {
        var factors: [String: Exact] = [:]
        var open: [MeterFormula.Term] = [.init(factor: .one, meter: id)]
        while let term = open.popLast() {
            guard let meter = self[term.meter] else { continue }
            if case .formula(let formula) = meter.source {
                open += formula.terms.map {
                    .init(factor: $0.factor * term.factor, meter: $0.meter)
                }
            } else {
                factors[meter.id, default: .zero] += term.factor
            }
        }
        return meters.compactMap { meter in
            factors[meter.id].flatMap {
                $0.isZero ? nil : MeterFormula.Term(factor: $0, meter: meter.id)
            }
        }
    }
}
