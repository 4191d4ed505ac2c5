import Telemetry

/// How a consumer's power runs through the day and the week.
///
/// All means are energy over time of what is known; an unknown hour is left out and counted, and is
/// never taken for an hour without consumption.
package struct LoadProfile: Hashable, Sendable {
    /// One civil hour over all days of one class.
    package struct Hour: Hashable, Sendable {
        /// In kW; nil when the hour is known on no day.
        package var meanPower: Exact?
        /// Days on which something of the hour is known, and days of the class on which nothing is.
        package var knownDays: Int
        package var unknownDays: Int

        package init(meanPower: Exact?, knownDays: Int, unknownDays: Int) {
            self.meanPower = meanPower
            self.knownDays = knownDays
            self.unknownDays = unknownDays
        }
    }

    /// What one class of days shows.
    package struct Days: Hashable, Sendable {
        package var load: Load
        package var night: Load
        package var day: Load
        /// The median of the hourly powers of the night in kW; nil when none is known.
        package var baseLoad: Exact?
        /// 24, from midnight on.
        package var hours: [Hour]

        /// The mean power of the night beside that of the day; nil when either is unknown or the
        /// day's is not above zero.
        package var nightDayRatio: Exact? {
            LoadProfile.ratio(night.meanPower, to: day.meanPower)
        }
    }

    /// Of everything.
    package let load: Load
    /// By class; a class without days has no slots.
    package let byClass: [DayClass: Days]
    /// The median of the hourly powers of all nights in kW.
    package let baseLoad: Exact?
    /// The mean power of all nights beside that of all days.
    package let nightDayRatio: Exact?
    /// The mean power of the free days beside that of the working days.
    package let weekendRatio: Exact?

    /// - Parameters:
    ///   - slots: hours of civil time.
    ///   - night: which hours count as night.
    package init(_ slots: LoadSlots, night: NightHours) {
        var byClass: [DayClass: Days] = [:]
        for dayClass in DayClass.allCases {
            byClass[dayClass] = Days(
                LoadSlots(slots.slots.filter { $0.dayClass == dayClass }), night: night)
        }
        self.byClass = byClass
        load = slots.load()
        baseLoad = slots.medianPower { night.contains($0.hour) }
        nightDayRatio = Self.ratio(
            slots.load { night.contains($0.hour) }.meanPower,
            to: slots.load { !night.contains($0.hour) }.meanPower)
        weekendRatio = Self.ratio(
            byClass[.free]?.load.meanPower, to: byClass[.working]?.load.meanPower)
    }

    fileprivate static func ratio(_ part: Exact?, to whole: Exact?) -> Exact? {
        guard let part, let whole, whole > .zero else { return nil }
        return part / whole
    }
}

extension LoadProfile.Days {
    fileprivate init(_ slots: LoadSlots, night: NightHours) {
        load = slots.load()
        self.night = slots.load { night.contains($0.hour) }
        day = slots.load { !night.contains($0.hour) }
        baseLoad = slots.medianPower { night.contains($0.hour) }
        // A repeated hour of the clock change adds to the energy and the time, not to the days.
        var loads = Array(repeating: Load(), count: 24)
        var known = Array(repeating: Set<CivilDate>(), count: 24)
        var unknown = known
        for slot in slots.slots where loads.indices.contains(slot.hour) {
            loads[slot.hour].add(slot)
            if slot.energy == nil {
                unknown[slot.hour].insert(slot.date)
            } else {
                known[slot.hour].insert(slot.date)
            }
        }
        hours = loads.indices.map {
            LoadProfile.Hour(
                meanPower: loads[$0].meanPower, knownDays: known[$0].count,
                unknownDays: unknown[$0].subtracting(known[$0]).count)
        }
    }
}
