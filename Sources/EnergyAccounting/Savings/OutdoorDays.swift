import LocatedText
import Telemetry

/// From which series the outdoor temperature of the site is taken, and how much of a day must be
/// known.
///
///     outdoor: { temperature: station-1.air_temperature, known_hours: 80 % }
package struct OutdoorSource: Hashable, Sendable {
    package var series: SeriesID
    /// Of the hours of a day, how many must have a reading before the day has a mean, in per cent.
    package var knownHoursPercent: Exact
    package var location: Location

    /// What holds where the site says nothing: 20 of 24 hours.
    package static let usualKnownHoursPercent = Exact(80)

    package init(
        series: SeriesID, knownHoursPercent: Exact = usualKnownHoursPercent, location: Location
    ) {
        self.series = series
        self.knownHoursPercent = knownHoursPercent
        self.location = location
    }

    /// Reads `outdoor:`; nil and its faults when it cannot be understood.
    package static func parse(_ node: LocatedNode, _ faults: FaultCollector) -> OutdoorSource? {
        var reader = MappingReader(node, faults)
        let series = reader.required("temperature")
        var source: OutdoorSource?
        if let series, let text = series.string(faults) {
            if let id = SeriesID(text), !text.contains(where: { $0 == " " || $0 == "/" }) {
                source = OutdoorSource(series: id, location: series.location)
            } else {
                faults.add(
                    series.location, "'\(text)' is no series",
                    remedy: "device.point, for example 'station-1.air_temperature'")
            }
        }
        if let node = reader.optional("known_hours"), let percent = node.exact(unit: "%", faults) {
            if percent > .zero, percent <= Exact(100) {
                source?.knownHoursPercent = percent
            } else {
                faults.add(
                    node.location, "'known_hours' cannot be \(node.kindWord)",
                    remedy: "above 0 %, at most 100 %")
            }
        }
        reader.finish()
        return source
    }

    /// Says when the series is not there, is no gauge, or is no temperature in °C.
    package func bindingFaults(series: some Sequence<Series>) -> [Fault] {
        let all = Array(series)
        guard let found = all.first(where: { $0.id == self.series }) else {
            let near = Spelling.nearest(
                to: self.series.description, among: all.map(\.id.description).sorted())
            return [
                Fault(
                    location, "no device reports '\(self.series)'",
                    remedy: near.map { "did you mean '\($0)'?" }
                        ?? "the device's profile lists its points")
            ]
        }
        guard found.kind == .gauge, found.unit == "Cel" else {
            return [
                Fault(
                    location,
                    "'\(self.series)' is no temperature: a \(found.kind.rawValue) in "
                        + "'\(found.unit)'",
                    remedy: "name a point in Cel, for example '.air_temperature'")
            ]
        }
        return []
    }
}

/// The daily mean outdoor temperatures that are known.
///
/// The mean of a day is that of its hourly means, each hour with the same weight; an hour is known
/// when one good reading lies in it. A day with too few known hours, or one that has not ended, has
/// none.
package struct OutdoorDays: Hashable, Sendable {
    /// In °C.
    package let means: [CivilDate: Double]

    package init(_ means: [CivilDate: Double] = [:]) { self.means = means }

    /// - Parameters:
    ///   - hours: beginnings and means in °C of the known hours, each once, in any order.
    ///   - knownHoursPercent: see `OutdoorSource`.
    ///   - now: days that end later are left out.
    package init(
        hours: [(start: Timestamp, celsius: Double)], knownHoursPercent: Exact,
        calendar: SiteCalendar, now: Timestamp
    ) {
        var sums: [CivilDate: (hours: Int, sum: Double)] = [:]
        for hour in hours.sorted(by: { $0.start < $1.start }) where hour.celsius.isFinite {
            let day = CivilDate(hour.start, calendar: calendar)
            let before = sums[day] ?? (0, 0)
            sums[day] = (before.hours + 1, before.sum + hour.celsius)
        }
        means = sums.reduce(into: [:]) { means, entry in
            let (day, found) = entry
            let period = AccountingPeriod(day)
            let end = period.end(calendar: calendar)
            let length = (end - period.start(calendar: calendar)).milliseconds
            guard end <= now,
                Exact(found.hours) * Exact(100) * Exact(3_600_000)
                    >= knownHoursPercent * Exact(Int(length))
            else { return }
            means[day] = found.sum / Double(found.hours)
        }
    }
}
