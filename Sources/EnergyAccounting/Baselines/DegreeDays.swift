import Telemetry

/// From which daily mean outdoor temperature on a building is heated or cooled.
///
///     heating   Σ max(0, base − mean of the day)      HDD18: base 18 °C
///     cooling   Σ max(0, mean of the day − base)      CDD26: base 26 °C
///
/// The base is given by whoever configures the site; building codes name 18 and 26 °C.
package struct DegreeDayBase: Hashable, Sendable {
    /// Which side of the base counts.
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case heating
        case cooling
    }

    package var kind: Kind
    /// In °C.
    package var celsius: Double

    package init(_ kind: Kind, celsius: Double) {
        self.kind = kind
        self.celsius = celsius
    }

    /// What one day of this mean temperature contributes, in K·d; never negative.
    package func degrees(ofDayAt celsius: Double) -> Double {
        switch kind {
        case .heating: max(0, self.celsius - celsius)
        case .cooling: max(0, celsius - self.celsius)
        }
    }
}

/// The degree days of a period, and how many of its days they rest on.
package struct DegreeDays: Hashable, Sendable {
    /// In K·d; nil when more days are unknown than the caller allows.
    package let value: Double?
    /// The days of the period, and those whose temperature is known.
    package let days: Int
    package let knownDays: Int

    /// Whether `value` was scaled up from the known days to all of them.
    package var isScaled: Bool { value != nil && knownDays < days }

    /// Adds up the days of a period.
    ///
    /// - Parameters:
    ///   - base: heating or cooling, and the temperature from which it counts.
    ///   - dailyMeans: the mean outdoor temperature of each day in °C; nil, or not finite, is an
    ///     unknown day.
    ///   - greatestUnknownPercent: with more unknown days than so many per cent there is no value;
    ///     with fewer the sum of the known days is scaled to all days. 0 allows none.
    package init(
        _ base: DegreeDayBase, dailyMeans: [Double?], greatestUnknownPercent: Exact = .zero
    ) {
        let known = dailyMeans.compactMap { $0 }.filter(\.isFinite)
        days = dailyMeans.count
        knownDays = known.count
        let unknown = Exact(days - knownDays)
        guard knownDays > 0, base.celsius.isFinite,
            unknown * Exact(100) <= greatestUnknownPercent * Exact(days)
        else {
            value = nil
            return
        }
        let sum = known.reduce(0) { $0 + base.degrees(ofDayAt: $1) }
        value = knownDays == days ? sum : sum * Double(days) / Double(knownDays)
    }

    /// As above, with the temperatures looked up by day; a day that is not there is unknown.
    package init(
        _ base: DegreeDayBase, of period: AccountingPeriod, dailyMeans: [CivilDate: Double],
        greatestUnknownPercent: Exact = .zero
    ) {
        self.init(
            base,
            dailyMeans: (0..<period.days).map { dailyMeans[period.first.advanced(days: $0)] },
            greatestUnknownPercent: greatestUnknownPercent)
    }
}
