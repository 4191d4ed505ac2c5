import LocatedText
import Telemetry

/// A day as people write it, `2026-03-01`; in the site's civil time where an instant is wanted.
package struct CivilDate: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let year: Int
    package let month: Int
    package let day: Int

    /// nil when there is no such day.
    package init?(year: Int, month: Int, day: Int) {
        guard CivilTime(year: year, month: month, day: day).isValid else { return nil }
        self.year = year
        self.month = month
        self.day = day
    }

    /// The day so many days after 1970-01-01.
    package init(daysSinceEpoch: Int) {
        (year, month, day) = CivilTime.date(daysSinceEpoch: daysSinceEpoch)
    }

    /// The day in whose civil hours `time` lies.
    package init(_ time: Timestamp, calendar: SiteCalendar) {
        let civil = calendar.civil(time)
        (year, month, day) = (civil.year, civil.month, civil.day)
    }

    /// `2026-03-01`, exactly so; nil for anything else.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].utf8.count == 4, parts[1].utf8.count == 2,
            parts[2].utf8.count == 2,
            parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2])
        else { return nil }
        self.init(year: year, month: month, day: day)
    }

    /// Days since 1970-01-01; differences are numbers of days.
    package var dayNumber: Int {
        CivilTime.daysSinceEpoch(year: year, month: month, day: day)
    }

    /// 1 is Monday, 7 is Sunday.
    package var weekday: Int { (dayNumber + 3).quotientAndRemainder(dividingBy: 7).remainder + 1 }

    /// The first instant of the day on a site with this calendar.
    package func start(calendar: SiteCalendar) -> Timestamp {
        calendar.timestamp(CivilTime(year: year, month: month, day: day))
    }

    /// The day so many days later, or earlier.
    package func advanced(days: Int) -> CivilDate {
        CivilDate(daysSinceEpoch: dayNumber + days)
    }

    package static func < (a: Self, b: Self) -> Bool { a.dayNumber < b.dayNumber }

    package var description: String {
        func padded(_ number: Int, _ width: Int) -> String {
            let text = "\(number)"
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    }
}

extension LocatedNode {
    /// A day, `2026-03-01`.
    package func civilDate(_ faults: FaultCollector) -> CivilDate? {
        guard let text = string(faults) else { return nil }
        if let date = CivilDate(text) { return date }
        faults.add(location, "'\(text)' is not a day", remedy: "for example '2026-03-01'")
        return nil
    }
}
