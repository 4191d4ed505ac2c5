import EnergyAccounting
import Telemetry

extension StoreReader {
    /// The daily mean outdoor temperatures of some periods; none where the site names no series.
    ///
    /// Hours that have not been folded yet are put together from quarters.
    package func outdoorDays(
        of plan: EnergyPlan, in periods: [AccountingPeriod], now: Timestamp
    ) async throws(StoreError) -> OutdoorDays {
        guard let source = plan.outdoor,
            let series = shared.registry.value.series(source.series)
        else { return OutdoorDays() }
        let calendar = shared.calendar
        var means: [Timestamp: Double] = [:]
        for period in periods {
            let from = period.start(calendar: calendar)
            let to = min(period.end(calendar: calendar), now)
            guard from < to else { continue }
            for (hour, mean) in try await hourlyMeans(
                of: series.number, from: from, to: to, now: now)
            {
                means[hour] = mean
            }
        }
        return OutdoorDays(
            hours: means.map { (start: $0.key, celsius: $0.value) },
            knownHoursPercent: source.knownHoursPercent, calendar: calendar, now: now)
    }

    /// Younger than this, an hour may not have been folded yet.
    private static let hoursFoldedAfter = Duration.seconds(2 * 86_400)

    private func hourlyMeans(
        of series: Int, from: Timestamp, to: Timestamp, now: Timestamp
    ) async throws(StoreError) -> [Timestamp: Double] {
        var hours: [Timestamp: Rollup] = [:]
        let young = max(from, now - Self.hoursFoldedAfter)
        if young < to {
            for part in try await rollups(
                series: series, resolution: .quarterHour, from: young, to: to)
            {
                let hour = Bucket(
                    .hour, containing: part.bucket.start, calendar: shared.calendar
                ).start
                hours[hour] = hours[hour]?.merging(part.rollup) ?? part.rollup
            }
        }
        for record in try await rollups(series: series, resolution: .hour, from: from, to: to) {
            hours[record.bucket.start] = record.rollup
        }
        return hours.compactMapValues(\.mean)
    }
}
