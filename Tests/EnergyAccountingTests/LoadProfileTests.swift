import EnergyAccounting
import Telemetry
import TestSeeds
import Testing

/// A zone eight hours east, without changes.
private let east = SiteCalendar(zone: "Asia/Shanghai", initialOffset: 28_800)

private let week = ProfileDays(freeWeekdays: [6, 7])

/// Slots of a period with the energy that `energy` says for a date and an hour; nil is unknown.
private func slots(
    _ text: String, _ resolution: Resolution = .hour, calendar: SiteCalendar = east,
    days: ProfileDays = week, energy: (CivilTime) -> Exact?
) throws -> LoadSlots {
    let period = try #require(AccountingPeriod(text))
    let grid = CountGrid(resolution, of: period, calendar: calendar)
    var counts = Counts(count: grid.count)
    for slot in 0..<grid.count {
        let known = energy(calendar.civil(grid.start(slot)))
        counts[slot] = Counts.Slot(increase: known.map { $0.rounded(places: 3) })
    }
    return LoadSlots(counts, grid, calendar: calendar, days: days)
}

private func night(_ from: Int, _ until: Int) throws -> NightHours {
    try #require(NightHours(from: from, until: until))
}

@Suite("A load profile")
struct LoadProfileTests {
    @Test("sorts days into working and free ones, holidays and days worked instead among them")
    func dayClasses() throws {
        let days = ProfileDays(
            freeWeekdays: [6, 7], holidays: [try BaselineExample.day("2026-10-01")],
            workedDays: [try BaselineExample.day("2026-10-10")])
        let expected: [(String, DayClass)] = [
            ("2026-09-30", .working), ("2026-10-01", .free), ("2026-10-03", .free),
            ("2026-10-10", .working), ("2026-10-11", .free),
        ]
        for (date, dayClass) in expected {
            #expect(days.dayClass(of: try BaselineExample.day(date)) == dayClass)
        }
    }

    @Test("knows nights that pass midnight, and refuses nights that are none")
    func nights() throws {
        let late = try night(22, 6)
        #expect((0..<24).filter(late.contains) == [0, 1, 2, 3, 4, 5, 22, 23])
        #expect((0..<24).filter(try night(1, 4).contains) == [1, 2, 3])
        #expect((0..<24).filter(try night(20, 24).contains) == [20, 21, 22, 23])
        #expect((0..<24).filter(try night(20, 0).contains) == [20, 21, 22, 23])
        for (from, until) in [(5, 5), (0, 24), (-1, 5), (24, 5), (3, 25)] {
            #expect(NightHours(from: from, until: until) == nil)
        }
    }

    @Test("has base load and ratios worked by hand, in the site's civil hours")
    func byHand() throws {
        // Monday to Sunday. Working days: 2 kW from 22 to 6, else 10 kW. Free days: 1 kW always.
        let profile = LoadProfile(
            try slots("2026-03-02..2026-03-08") { time in
                guard time.day < 7 else { return .one }
                return time.hour >= 22 || time.hour < 6 ? Exact(2) : Exact(10)
            }, night: try night(22, 6))
        let working = try #require(profile.byClass[.working])
        let free = try #require(profile.byClass[.free])
        #expect(working.baseLoad == Exact(2) && free.baseLoad == .one)
        #expect(profile.baseLoad == Exact(2))
        #expect(working.nightDayRatio == Exact(1, over: 5) && free.nightDayRatio == .one)
        // Working: (8·2 + 16·10)/24 = 22/3 kW.
        #expect(working.load.meanPower == Exact(22, over: 3))
        #expect(profile.weekendRatio == Exact(3, over: 22))
        // Nights (5·2 + 2·1)/7, days (5·10 + 2·1)/7.
        #expect(profile.nightDayRatio == Exact(12, over: 52))
        #expect(profile.load.knownSlots == 168 && profile.load.unknownSlots == 0)
        #expect(working.hours.map(\.meanPower)[5...6] == [Exact(2), Exact(10)])
        #expect(
            free.hours.allSatisfy { $0 == .init(meanPower: .one, knownDays: 2, unknownDays: 0) })
        #expect(working.hours.allSatisfy { $0.knownDays == 5 })
    }

    @Test("leaves unknown hours out and counts them, and never takes them for zero")
    func unknown() throws {
        let profile = LoadProfile(
            try slots("2026-03-02..2026-03-03") { time in
                if time.day == 2, time.hour < 4 { return nil }
                return time.hour == 7 ? nil : Exact(6)
            }, night: try night(0, 5))
        #expect(profile.load.meanPower == Exact(6))
        #expect(profile.load.knownSlots == 42 && profile.load.unknownSlots == 6)
        #expect(profile.load.completenessPercent == Exact(175, over: 2))
        #expect(profile.baseLoad == Exact(6))
        let working = try #require(profile.byClass[.working])
        #expect(working.night.knownSlots == 6 && working.night.unknownSlots == 4)
        #expect(working.hours[0] == .init(meanPower: Exact(6), knownDays: 1, unknownDays: 1))
        #expect(working.hours[7] == .init(meanPower: nil, knownDays: 0, unknownDays: 2))
        let free = try #require(profile.byClass[.free])
        #expect(free.baseLoad == nil && free.load.completenessPercent == nil)
        #expect(profile.weekendRatio == nil)
        let nothing = LoadProfile(try slots("2026-03-02") { _ in nil }, night: try night(0, 5))
        #expect(nothing.load.meanPower == nil && nothing.nightDayRatio == nil)
        #expect(nothing.baseLoad == nil && nothing.load.unknownSlots == 24)
    }

    @Test("has no ratio to a day without consumption")
    func noRatio() throws {
        let profile = LoadProfile(
            try slots("2026-03-02") { $0.hour < 6 ? Exact(1) : .zero }, night: try night(0, 6))
        #expect(profile.nightDayRatio == nil)
        #expect(profile.byClass[.working]?.night.meanPower == .one)
    }

    @Test("counts a repeated hour of the clock change once as a day, twice as energy and time")
    func clockChange() throws {
        // 2026-10-25 at 01:00 UTC the clocks of Berlin go back from 3:00 to 2:00.
        let change = CivilTime(year: 2026, month: 10, day: 25, hour: 1).timestamp(offset: 0)
        let berlin = SiteCalendar(
            zone: "Europe/Berlin", initialOffset: 7200,
            transitions: [.init(at: change, offset: 3600)])
        var isSecond = false
        let slots = try slots("2026-10-25", calendar: berlin) { time in
            guard time.hour == 2 else { return .one }
            defer { isSecond = true }
            return isSecond ? Exact(5) : Exact(3)
        }
        #expect(slots.slots.count == 25)
        let profile = LoadProfile(slots, night: try night(0, 6))
        let hours = try #require(profile.byClass[.free]).hours
        #expect(hours[2] == .init(meanPower: Exact(4), knownDays: 1, unknownDays: 0))
        #expect(profile.load.hours == Exact(25))
    }

    @Test("takes slots beyond the column for unknown, and tells estimated ones")
    func shortColumn() throws {
        let period = try #require(AccountingPeriod("2026-03-02"))
        let grid = CountGrid(.hour, of: period, calendar: east)
        var counts = Counts(count: 2)
        counts[0] = Counts.Slot(
            increase: ScaledInteger(mantissa: 15, exponent: 1), isEstimated: true)
        let load = LoadSlots(counts, grid, calendar: east, days: week).load()
        #expect(load.knownSlots == 1 && load.unknownSlots == 23 && load.estimatedSlots == 1)
        #expect(load.meanPower == Exact(3, over: 2))
    }
}

@Suite("Peak demand and load duration")
struct DemandPeakTests {
    @Test("are the slot's energy times four, with the first instant and the unknown slots")
    func quarter() throws {
        let slots = try slots("2026-03-02", .quarterHour) { time in
            if time.hour == 3 { return nil }
            if time.minute == 15, time.hour == 9 || time.hour == 17 { return Exact(text: "12.5") }
            return Exact(5, over: 2)
        }
        let peak = try #require(DemandPeak(slots))
        #expect(peak.power == Exact(50))
        #expect(east.rfc3339(peak.start) == "2026-03-02T09:15:00+08:00")
        #expect(east.rfc3339(peak.end) == "2026-03-02T09:30:00+08:00")
        #expect(peak.load.unknownSlots == 4 && peak.load.knownSlots == 92)
        // (90·2.5 + 2·12.5) kWh in 23 h, beside 50 kW.
        #expect(peak.loadFactor == Exact(250, over: 23 * 50))
        #expect(!peak.isEstimated)
    }

    @Test("are unknown without a known slot, and there is no load factor of nothing")
    func none() throws {
        let unknown = try slots("2026-03-02") { _ in nil }
        #expect(DemandPeak(unknown) == nil)
        #expect(LoadDurationCurve(unknown, at: [Exact(50)]) == nil)
        let idle = try #require(DemandPeak(try slots("2026-03-02") { _ in .zero }))
        #expect(idle.power == .zero && idle.loadFactor == nil)
    }

    @Test("tell which power is reached for which part of the known time")
    func duration() throws {
        // Known are the hours 4 to 23 with 4 … 23 kW: 20 hours, one is 5 %.
        let curve = try #require(
            LoadDurationCurve(
                try slots("2026-03-02") { $0.hour < 4 ? nil : Exact($0.hour) },
                at: [0, 5, 6, 50, 100, 250, -3].map { Exact($0) }))
        #expect(curve.points.map(\.power) == [23, 23, 22, 14, 4, 4, 23].map { Exact($0) })
        #expect(curve.load.unknownSlots == 4)
    }

    @Test("never rise along the percentages, and lie between the extremes")
    func property() throws {
        var random = SeededGenerator(96)
        for _ in 0..<30 {
            let slots = try slots("2026-03-02", .quarterHour) { _ in
                random.oneIn(6) ? nil : Exact(decimal: random.decimal(0...90))
            }
            let percentages = (0...20).map { Exact($0 * 5) }
            guard let curve = LoadDurationCurve(slots, at: percentages),
                let peak = DemandPeak(slots)
            else { continue }
            let powers = curve.points.map(\.power)
            #expect(powers == powers.sorted(by: >))
            #expect(powers.first == peak.power)
            #expect(powers.last == slots.slots.compactMap(\.power).min())
            #expect(peak.loadFactor.map { $0 <= .one } ?? true)
        }
    }
}

@Suite("Comparisons of load")
struct LoadComparisonTests {
    @Test("of two periods tell the change of each indicator, and nothing of what is unknown")
    func periods() throws {
        let night = try night(22, 6)
        let before = LoadProfile(
            try slots("2026-03-02..2026-03-08") { $0.hour < 6 ? Exact(4) : Exact(10) },
            night: night)
        let after = LoadProfile(
            try slots("2026-03-09..2026-03-13") { $0.hour < 6 ? Exact(3) : Exact(10) },
            night: night)
        let comparison = LoadComparison(before: before, after: after)
        let base = try #require(comparison.changes[.baseLoad])
        #expect(base.difference == -Exact.one && base.percent == Exact(-25))
        let free = try #require(comparison.changes[.baseLoadFree])
        #expect(free.before == Exact(4) && free.after == nil)
        #expect(free.difference == nil && free.percent == nil)
        #expect(comparison.hours[.working]?[2].difference == -Exact.one)
        #expect(comparison.hours[.working]?[12].difference == .zero)
        #expect(comparison.before.knownSlots == 168 && comparison.after.knownSlots == 120)
        #expect(LoadComparison.Change(before: .zero, after: .one).percent == nil)
    }

    @Test("of peers rank them by intensity, with median and quartiles, and leave out the unknown")
    func peers() {
        let ranking = PeerRanking([
            .init(node: "d", energy: Exact(400), size: Exact(10)),
            .init(node: "a", energy: Exact(100), size: Exact(10)),
            .init(node: "x", energy: nil, size: Exact(10)),
            .init(node: "c", energy: Exact(40), size: Exact(2)),
            .init(node: "b", energy: Exact(200), size: Exact(10)),
            .init(node: "y", energy: Exact(5), size: .zero),
            .init(node: "z", energy: Exact(5), size: nil),
        ])
        #expect(ranking.places.map(\.node) == ["a", "b", "c", "d"])
        #expect(ranking.places.map(\.rank) == [1, 2, 2, 4])
        #expect(ranking.median == Exact(20))
        // Of 10, 20, 20, 40: places 0.75 and 2.25.
        #expect(ranking.lowerQuartile == Exact(35, over: 2))
        #expect(ranking.upperQuartile == Exact(25))
        #expect(ranking.places.last?.percentFromMedian == Exact(100))
        #expect(ranking.unranked == ["x", "y", "z"])
        let nobody = PeerRanking([])
        #expect(nobody.places.isEmpty && nobody.median == nil && nobody.lowerQuartile == nil)
    }

    @Test("rest on a median with as many values below as above")
    func median() throws {
        #expect([Exact(3)].median == Exact(3))
        #expect([Exact(9), .one, Exact(4)].median == Exact(4))
        #expect([Exact(9), .one, Exact(4), Exact(5)].median == Exact(9, over: 2))
        #expect([Exact]().median == nil)
        var random = SeededGenerator(4)
        for _ in 0..<100 {
            let values = (0..<Int.random(in: 1...30, using: &random)).map { _ in
                Exact(Int.random(in: -50...50, using: &random))
            }
            let median = try #require(values.median)
            #expect(values.count { $0 < median } <= values.count / 2)
            #expect(values.count { $0 > median } <= values.count / 2)
            #expect(values.quantile(Exact(7)) == values.max())
            #expect(values.quantile(Exact(-1)) == values.min())
        }
    }
}
