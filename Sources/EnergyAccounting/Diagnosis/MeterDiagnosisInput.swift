import Telemetry

/// The phases of a three-phase line; a single-phase meter has one of them.
package enum DiagnosisPhase: Int, Hashable, Sendable, CaseIterable {
    case a
    case b
    case c

    /// As it stands on the busbar.
    package var letter: String {
        switch self {
        case .a: "A"
        case .b: "B"
        case .c: "C"
        }
    }
}

/// Means of the electrical quantities of one meter, slot by slot.
///
/// What is not measured is an empty column; what was not read is nil.
package struct ElectricalHours: Hashable, Sendable {
    /// One quantity on each phase and on all of them together.
    package struct Columns: Hashable, Sendable {
        package var a: [Double?]
        package var b: [Double?]
        package var c: [Double?]
        package var total: [Double?]

        package init(
            a: [Double?] = [], b: [Double?] = [], c: [Double?] = [], total: [Double?] = []
        ) {
            self.a = a
            self.b = b
            self.c = c
            self.total = total
        }

        /// The value of a phase in a slot; nil also for what is not finite, so that an absurd
        /// reading cannot pass through a comparison.
        package subscript(_ phase: DiagnosisPhase, _ slot: Int) -> Double? {
            switch phase {
            case .a: Self.finite(a, slot)
            case .b: Self.finite(b, slot)
            case .c: Self.finite(c, slot)
            }
        }

        /// The value of all phases together in a slot.
        package func total(_ slot: Int) -> Double? { Self.finite(total, slot) }

        var all: [[Double?]] { [a, b, c, total] }

        private static func finite(_ column: [Double?], _ slot: Int) -> Double? {
            guard slot < column.count, let value = column[slot], value.magnitude < 1e12 else {
                return nil
            }
            return value
        }
    }

    /// Volts from phase to neutral; `total` is not used.
    package var voltage: Columns
    /// Amperes; `total` is not used.
    package var current: Columns
    /// Kilowatts, negative where power is fed back.
    package var activePower: Columns
    /// Kilovars, positive where the load is inductive.
    package var reactivePower: Columns
    /// −1 … 1; with a sign only where the meter gives one.
    package var powerFactor: Columns

    package init(
        voltage: Columns = Columns(), current: Columns = Columns(),
        activePower: Columns = Columns(), reactivePower: Columns = Columns(),
        powerFactor: Columns = Columns()
    ) {
        self.voltage = voltage
        self.current = current
        self.activePower = activePower
        self.reactivePower = reactivePower
        self.powerFactor = powerFactor
    }

    var quantities: [Columns] { [voltage, current, activePower, reactivePower, powerFactor] }

    /// Kilowatts of all phases: as the meter says, else the sum of the phases that it measures.
    package func power(_ slot: Int) -> Double? {
        if let total = activePower.total(slot) { return total }
        var sum = 0.0
        var isAny = false
        for (phase, column) in zip(DiagnosisPhase.allCases, activePower.all)
        where !column.isEmpty {
            guard let value = activePower[phase, slot] else { return nil }
            sum += value
            isAny = true
        }
        return isAny ? sum : nil
    }

    /// Kilovolt-amperes of one phase.
    package func apparent(_ phase: DiagnosisPhase, _ slot: Int) -> Double? {
        guard let u = voltage[phase, slot], let i = current[phase, slot] else { return nil }
        return u.magnitude * i.magnitude / 1000
    }

    /// The power factor of one phase with the sign of its power, P / (U · I); where power or
    /// voltage is not measured, what the meter says.
    package func signedPowerFactor(_ phase: DiagnosisPhase, _ slot: Int) -> Double? {
        if let p = activePower[phase, slot], let s = apparent(phase, slot), s > 0 { return p / s }
        return powerFactor[phase, slot]
    }

    /// Whether every column has this many slots or is empty.
    func fits(_ count: Int) -> Bool {
        quantities.allSatisfy { $0.all.allSatisfy { $0.isEmpty || $0.count == count } }
    }
}

/// A current transformer as it is configured, for example 200/5 A.
package struct CurrentTransformer: Hashable, Sendable {
    /// Amperes.
    package var primary: Exact
    /// Amperes, usually 5 or 1.
    package var secondary: Exact

    package init(primary: Exact, secondary: Exact) {
        self.primary = primary
        self.secondary = secondary
    }
}

/// What one unit of a carrier costs, for the yearly cost of what is lost.
package struct DiagnosisPrice: Hashable, Sendable {
    /// Per kWh, or per m³ of water.
    package var perUnit: Exact
    /// For example `CNY`.
    package var currency: String

    package init(perUnit: Exact, currency: String) {
        self.perUnit = perUnit
        self.currency = currency
    }
}

/// The readings of one meter over the period that is judged.
package struct MeterDiagnosisInput: Hashable, Sendable {
    package var id: String
    /// What the main counter counted: kWh imported, m³ of water; of a generator what it made.
    package var counts: Counts
    /// kWh fed back, where the meter counts them apart.
    package var exported: Counts?
    /// Inductive kvarh.
    package var reactive: Counts?
    package var electrical: ElectricalHours?
    /// The smallest step of the counter in its unit, ratios included; nil is taken from the counts.
    package var counterStep: Exact?
    /// As configured in the meter; nil when it is connected directly or nobody has said.
    package var currentTransformer: CurrentTransformer?
    package var price: DiagnosisPrice?

    package init(
        id: String, counts: Counts, exported: Counts? = nil, reactive: Counts? = nil,
        electrical: ElectricalHours? = nil, counterStep: Exact? = nil,
        currentTransformer: CurrentTransformer? = nil, price: DiagnosisPrice? = nil
    ) {
        self.id = id
        self.counts = counts
        self.exported = exported
        self.reactive = reactive
        self.electrical = electrical
        self.counterStep = counterStep
        self.currentTransformer = currentTransformer
        self.price = price
    }
}

/// The place of one meter among the others, as plain values.
package struct DiagnosisRelation: Hashable, Sendable {
    package var id: String
    /// The meter that measures this one's energy too; nil for a root.
    package var parent: String?
    /// The meters directly below; one of them without readings keeps the balance from being judged.
    package var children: [String]
    /// `electricity`, `water`, `heat` …
    package var carrier: String
    /// Percent, 1 for class 1; nil when nobody has said.
    package var accuracyClass: Exact?
    /// Whether it measures a generator or a store that feeds the line.
    package var isGeneration: Bool
    /// What the connection can carry, in kW (m³/h for water).
    package var limit: Exact?

    package init(
        id: String, parent: String? = nil, children: [String] = [],
        carrier: String = "electricity", accuracyClass: Exact? = nil, isGeneration: Bool = false,
        limit: Exact? = nil
    ) {
        self.id = id
        self.parent = parent
        self.children = children
        self.carrier = carrier
        self.accuracyClass = accuracyClass
        self.isGeneration = isGeneration
        self.limit = limit
    }
}
