import Telemetry

/// The highest mean power of a slot, and how evenly the load lies below it.
///
/// Over quarters of an hour this is the demand that a tariff asks for: the slot's energy times four.
package struct DemandPeak: Hashable, Sendable {
    /// In kW.
    package let power: Exact
    /// The slot in which it was; of several the first.
    package let start: Timestamp
    package let end: Timestamp
    /// Whether the slot itself is estimated.
    package let isEstimated: Bool
    /// Of all slots. Where some are unknown, the true peak may be higher and lie in one of them.
    package let load: Load

    /// nil when no slot is known.
    package init?(_ slots: LoadSlots) {
        var peak: (power: Exact, slot: LoadSlots.Slot)?
        for slot in slots.slots {
            guard let power = slot.power else { continue }
            if let highest = peak, highest.power >= power { continue }
            peak = (power, slot)
        }
        guard let peak else { return nil }
        power = peak.power
        start = peak.slot.start
        end = peak.slot.end
        isEstimated = peak.slot.isEstimated
        load = slots.load()
    }

    /// The mean power beside the peak, 1 for an even load; nil when the peak is not above zero.
    package var loadFactor: Exact? {
        guard power > .zero, let mean = load.meanPower else { return nil }
        return mean / power
    }
}

/// For which part of the time a load is reached or exceeded.
package struct LoadDurationCurve: Hashable, Sendable {
    /// One part of the time and the power of it.
    package struct Point: Hashable, Sendable {
        /// Of the known time.
        package var percent: Exact
        /// In kW: at least so much for so long.
        package var power: Exact
    }

    /// In the order in which the percentages were given.
    package let points: [Point]
    /// Of all slots; the unknown ones are in no point.
    package let load: Load

    /// nil when no slot is known.
    ///
    /// - Parameter percentages: 0 is the peak, 100 the lowest load; beyond, the nearer of them.
    package init?(_ slots: LoadSlots, at percentages: [Exact]) {
        let known = slots.slots
            .compactMap { slot in slot.power.map { (power: $0, hours: slot.hours) } }
            .sorted { $0.power > $1.power }
        load = slots.load()
        guard let lowest = known.last else { return nil }
        var passed: [Exact] = []
        var sum = Exact.zero
        for one in known {
            sum += one.hours
            passed.append(sum)
        }
        points = percentages.map { percent in
            let wanted = sum * percent / Exact(100)
            let index = passed.firstIndex { $0 >= wanted }
            return Point(percent: percent, power: index.map { known[$0].power } ?? lowest.power)
        }
    }
}
