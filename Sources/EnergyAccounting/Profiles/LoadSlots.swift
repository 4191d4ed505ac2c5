import Telemetry

/// The mean power of each slot of a counter, with the civil hour and the kind of day it lies in.
package struct LoadSlots: Hashable, Sendable {
    /// One slot of the grid.
    package struct Slot: Hashable, Sendable {
        package var start: Timestamp
        package var end: Timestamp
        package var date: CivilDate
        /// 0 to 23, of the site's clocks.
        package var hour: Int
        package var dayClass: DayClass
        /// In kWh; nil when nothing is known of the slot.
        package var energy: Exact?
        package var isEstimated: Bool

        /// The length of the slot in hours; above zero.
        package var hours: Exact {
            Exact(Int128(max(1, end.milliseconds &- start.milliseconds)), over: 3_600_000)
        }

        /// The mean power in kW; nil when nothing is known of the slot.
        package var power: Exact? { energy.map { $0 / hours } }
    }

    /// In the order of time, those of which nothing is known among them.
    package let slots: [Slot]

    /// - Parameters:
    ///   - counts: a column of the grid; slots beyond its end are unknown.
    ///   - grid: hours or quarters of an hour.
    package init(
        _ counts: Counts, _ grid: CountGrid, calendar: SiteCalendar, days: ProfileDays
    ) {
        var last: (date: CivilDate, dayClass: DayClass)?
        slots = (0..<grid.count).map { index in
            let civil = calendar.civil(grid.start(index))
            let date = CivilDate(grid.start(index), calendar: calendar)
            let dayClass =
                last.flatMap { $0.date == date ? $0.dayClass : nil } ?? days.dayClass(of: date)
            last = (date, dayClass)
            let slot = index < counts.count ? counts[index] : Counts.Slot(increase: nil)
            return Slot(
                start: grid.start(index), end: grid.end(index), date: date, hour: civil.hour,
                dayClass: dayClass, energy: slot.increase.map { Exact($0) },
                isEstimated: slot.isEstimated)
        }
    }

    package init(_ slots: [Slot]) { self.slots = slots }

    /// The figures of some of the slots.
    package func load(where isWanted: (Slot) -> Bool = { _ in true }) -> Load {
        var load = Load()
        for slot in slots where isWanted(slot) { load.add(slot) }
        return load
    }

    /// The median power of some of the slots in kW; nil when none of them is known.
    package func medianPower(where isWanted: (Slot) -> Bool) -> Exact? {
        slots.lazy.filter(isWanted).compactMap(\.power).median
    }
}

/// What some slots come to; unknown slots are counted and in no sum.
package struct Load: Hashable, Sendable {
    /// In kWh, over the known slots.
    package private(set) var energy = Exact.zero
    /// The time of the known slots, in hours.
    package private(set) var hours = Exact.zero
    package private(set) var knownSlots = 0
    package private(set) var unknownSlots = 0
    /// Of the known slots.
    package private(set) var estimatedSlots = 0

    package init() {}

    /// The mean power over the known time, in kW; nil when nothing is known.
    package var meanPower: Exact? { hours.isZero ? nil : energy / hours }

    /// Of all slots, how many are known, in per cent; nil without slots.
    package var completenessPercent: Exact? {
        let all = knownSlots + unknownSlots
        return all == 0 ? nil : Exact(knownSlots) * Exact(100) / Exact(all)
    }

    /// Adds a known slot to the sums, and counts an unknown one.
    package mutating func add(_ slot: LoadSlots.Slot) {
        guard let energy = slot.energy else {
            unknownSlots += 1
            return
        }
        self.energy += energy
        hours += slot.hours
        knownSlots += 1
        if slot.isEstimated { estimatedSlots += 1 }
    }
}
