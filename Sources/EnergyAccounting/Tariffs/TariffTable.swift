import Telemetry

/// One price of a table and the name of the time in which it holds.
package struct TariffBand: Hashable, Sendable {
    /// In small letters and hyphens, `peak`; `all` where one price holds at all times.
    package let name: String
    package let title: LocalizedText
    /// In the book's currency per unit of its quantity; may be negative.
    package let price: Exact

    /// The name of the only band of a flat price.
    package static let allDay = "all"
}

/// A part of the year with times of its own.
package struct TariffSeason: Hashable, Sendable {
    package let name: String
    package let title: LocalizedText
}

/// One civil day cut into the spans of its bands, in quarters of an hour.
///
///     0                28   32              48            96
///     ├─ valley ───────┴────┼─ peak ────────┼─ flat ──────┤
package struct TariffDayPlan: Hashable, Sendable {
    /// A span within one band.
    package struct Run: Hashable, Sendable {
        /// Quarters of an hour since midnight, 0 to 95.
        package let start: Int
        /// The first quarter behind the span, 1 to 96.
        package let end: Int
        /// The place of the band in its table.
        package let band: Int
    }

    /// From midnight to midnight without hole or overlap; neighbours differ in their band.
    package let runs: [Run]

    static let quarters = 96

    /// The whole day in the first band.
    static let flat = TariffDayPlan(bands: Array(repeating: 0, count: quarters))

    /// - Parameter bands: the band of each of the 96 quarters.
    init(bands: [Int]) {
        var runs: [Run] = []
        for (quarter, band) in bands.enumerated() {
            if let last = runs.last, last.band == band {
                runs[runs.count - 1] = Run(start: last.start, end: quarter + 1, band: band)
            } else {
                runs.append(Run(start: quarter, end: quarter + 1, band: band))
            }
        }
        self.runs = runs
    }

    /// Whether a band begins within an hour.
    var needsQuarters: Bool { runs.contains { $0.start % 4 != 0 } }
}

/// The prices that hold from one day to another.
package struct TariffTable: Hashable, Sendable {
    /// The first day.
    package let from: CivilDate
    /// The last day, which belongs to it; nil when none is known.
    package let until: CivilDate?
    package let origin: TariffOrigin
    /// One at least; exactly one, named `all`, for a flat price.
    package let bands: [TariffBand]
    package let calendar: TariffYear
    package let charges: TariffCharges

    /// Whether one price holds at all times.
    package var isFlat: Bool { bands.count == 1 && bands[0].name == TariffBand.allDay }

    /// `2026-01-01..2026-06-30`, or `2026-01-01..` where no end is known.
    package var label: String { "\(from)..\(until.map(\.description) ?? "")" }
}

/// The seasons of a table and the plan of each kind of day in them.
package struct TariffYear: Hashable, Sendable {
    /// One at least.
    package let seasons: [TariffSeason]
    /// The season of each day of a leap year, 366 of them.
    let seasonOfDay: [Int]
    /// Season by season the plans of the kinds of days, in the order of `TariffDayClass`.
    let plans: [TariffDayPlan]

    /// One plan for every day.
    static let flat = TariffYear(
        seasons: [
            TariffSeason(name: "year", title: LocalizedText(en: "All year", zh: "全年"))
        ], seasonOfDay: Array(repeating: 0, count: daysOfYear),
        plans: Array(repeating: .flat, count: TariffDayClass.allCases.count))

    static let daysOfYear = 366

    /// The place of a day in a leap year, 0 to 365.
    static func index(month: Int, day: Int) -> Int {
        let before = [0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335]
        return before[month - 1] + day - 1
    }

    /// The season of a day.
    package func season(ofDay dayNumber: Int) -> Int {
        let date = CivilTime.date(daysSinceEpoch: dayNumber)
        return seasonOfDay[Self.index(month: date.month, day: date.day)]
    }

    /// The place of the plan for a day of a season; nil when the kind of the day is not known and
    /// matters.
    func planIndex(season: Int, dayClass: TariffDayClass?) -> Int? {
        let first = season * TariffDayClass.allCases.count
        if let dayClass { return first + dayClass.rawValue }
        return plans[first..<(first + TariffDayClass.allCases.count)]
            .allSatisfy { $0 == plans[first] } ? first : nil
    }

    /// The hours of a season and kind of day, for a page that shows the tariff.
    package func plan(season: Int, dayClass: TariffDayClass) -> TariffDayPlan {
        plans[season * TariffDayClass.allCases.count + dayClass.rawValue]
    }
}
