import Foundation
import Testing

@testable import Telemetry

/// Builds the calendar of a zone from Foundation's database, independently of the product.
func calendar(_ zone: String, from: Int = 2015, to: Int = 2035) throws -> SiteCalendar {
    let timeZone = try #require(TimeZone(identifier: zone))
    let begin = try #require(instant(from, 1, 1))
    let end = try #require(instant(to, 1, 1))
    var transitions: [SiteCalendar.Transition] = []
    var cursor = begin
    while let next = timeZone.nextDaylightSavingTimeTransition(after: cursor), next < end {
        transitions.append(
            .init(
                at: Timestamp(milliseconds: Int64((next.timeIntervalSince1970 * 1000).rounded())),
                offset: timeZone.secondsFromGMT(for: next.addingTimeInterval(1))))
        cursor = next
    }
    return SiteCalendar(
        zone: zone, initialOffset: timeZone.secondsFromGMT(for: begin), transitions: transitions)
}

private func instant(_ year: Int, _ month: Int, _ day: Int) -> Date? {
    gregorian(TimeZone(secondsFromGMT: 0)).date(
        from: DateComponents(year: year, month: month, day: day))
}

/// Foundation's Gregorian calendar, the reference for civil time.
func gregorian(_ zone: TimeZone?) -> Calendar {
    var calendar = Calendar(identifier: .gregorian)
    calendar.locale = Locale(identifier: "en_US_POSIX")
    if let zone { calendar.timeZone = zone }
    return calendar
}

func time(_ text: String) throws -> Timestamp { try #require(Timestamp(rfc3339: text)) }
