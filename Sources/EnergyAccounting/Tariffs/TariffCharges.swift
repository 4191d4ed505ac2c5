import Telemetry

/// What is paid beside the energy; each part nil where there is none.
package struct TariffCharges: Hashable, Sendable {
    /// A charge on the capacity of the transformers.
    package struct Capacity: Hashable, Sendable {
        /// Per kVA and month.
        package let price: Exact
        package let kva: Exact
        package let origin: TariffOrigin
    }

    /// A charge on the greatest mean power of a month.
    package struct Demand: Hashable, Sendable {
        /// Per kW and month.
        package let price: Exact
        /// The span over which the mean is taken.
        package let over: Duration
        /// The kW that are paid in any case; nil when only the measured demand is paid.
        package let contracted: Exact?
        /// What lies above a multiple of the contracted demand costs a multiple of the price.
        package let excess: Excess?
        package let origin: TariffOrigin
    }

    /// The rule for a demand beyond the contracted one.
    package struct Excess: Hashable, Sendable {
        /// Percent of the contracted demand up to which no more than that is paid.
        package let above: Exact
        /// Percent of the price for each kW beyond.
        package let share: Exact
    }

    /// An amount a month, whatever is used.
    package struct Fixed: Hashable, Sendable {
        package let price: Exact
        package let origin: TariffOrigin
    }

    package let capacity: Capacity?
    package let demand: Demand?
    package let fixed: Fixed?
    package let powerFactor: PowerFactorAdjustment?

    static let none = TariffCharges(capacity: nil, demand: nil, fixed: nil, powerFactor: nil)
}

/// A surcharge or a rebate by the mean power factor of a month.
package struct PowerFactorAdjustment: Hashable, Sendable {
    /// One line of the table: from a factor, itself included, to the next one.
    package struct Step: Hashable, Sendable {
        /// 0 to 1.
        package let from: Exact
        /// The first factor that belongs to the next step; nil in the last one, which ends with 1.
        package let below: Exact?
        /// What is added to the charges, negative for a rebate.
        package let percent: Exact
    }

    /// From 0 to 1 without hole or overlap.
    package let steps: [Step]
    /// The places to which the factor is rounded, a half upwards; nil when it is not rounded.
    package let places: Int?
    /// Whether it applies to the energy, the capacity charge and the demand charge.
    package let onEnergy: Bool
    package let onCapacity: Bool
    package let onDemand: Bool
    package let origin: TariffOrigin

    /// The step that a power factor falls in, and the factor as it is printed.
    ///
    /// The factor is P ÷ √(P² + Q²). Its square is a quotient, so that it is compared exactly and
    /// no root is drawn.
    ///
    /// - Parameters:
    ///   - active: kWh of the month, not negative.
    ///   - reactive: kvarh of the month, not negative.
    /// - Returns: nil when both are zero or one is negative: then there is no factor.
    package func step(active: Exact, reactive: Exact) -> (factor: Exact, step: Step)? {
        guard !active.isNegative, !reactive.isNegative, !(active.isZero && reactive.isZero) else {
            return nil
        }
        // Only the proportion counts. Dividing by the greater keeps the squares small.
        let scale = max(active, reactive)
        let square = (active / scale) * (active / scale)
        let sum = square + (reactive / scale) * (reactive / scale)
        func isAtLeast(_ factor: Exact) -> Bool { square >= factor * factor * sum }

        func rounded(_ places: Int) -> Exact {
            let one = Int(Exact.powerOfTen(places))
            var (low, high) = (0, one)
            while low < high {
                let middle = (low + high + 1) / 2
                // The factor rounds to `middle` or more from half a unit below it.
                let edge = Exact(Int128(2 * middle - 1), over: Int128(2 * one))
                if isAtLeast(edge) { low = middle } else { high = middle - 1 }
            }
            return Exact(Int128(low), over: Int128(one))
        }
        if let places {
            let factor = rounded(places)
            return steps.last { $0.from <= factor }.map { (factor, $0) }
        }
        return steps.last { isAtLeast($0.from) }.map { (rounded(4), $0) }
    }
}
