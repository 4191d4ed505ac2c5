/// The lengths of the buckets that the gateway keeps.
///
/// Minutes and quarters are cut in UTC; hours, days and months in the site's civil time.
package enum Resolution: String, Hashable, Sendable, Codable, CaseIterable, Comparable {
    case minute = "1min"
    case quarterHour = "15min"
    case hour = "1h"
    case day = "1d"
    case month = "1month"

    /// The nominal length; a site day may be 23 or 25 hours, a month 28 to 31 days.
    package var nominal: Duration {
        switch self {
        case .minute: .seconds(60)
        case .quarterHour: .seconds(900)
        case .hour: .seconds(3600)
        case .day: .seconds(86_400)
        case .month: .seconds(30 * 86_400)
        }
    }

    /// The next finer resolution from which this one is folded; nil for those folded from samples.
    package var finer: Resolution? {
        switch self {
        case .minute, .quarterHour: nil
        case .hour: .quarterHour
        case .day: .quarterHour
        case .month: .day
        }
    }

    package static func < (a: Self, b: Self) -> Bool { a.nominal < b.nominal }
}

/// A half-open interval `[start, end)` of one resolution.
package struct Bucket: Hashable, Sendable, Comparable {
    package let resolution: Resolution
    package let start: Timestamp
    /// The first instant after the bucket.
    package let end: Timestamp

    /// The bucket of `resolution` that holds `time` on a site with this calendar.
    package init(_ resolution: Resolution, containing time: Timestamp, calendar: SiteCalendar) {
        self.resolution = resolution
        switch resolution {
        case .minute, .quarterHour:
            start = time.slot(every: resolution.nominal)
            end = start + resolution.nominal
        case .hour:
            // Hours of civil time are cut by the offset at that instant. Where the offset changes
            // by a fraction of an hour, the hour ends at the change and a shorter one follows, so
            // that no instant lies in two.
            let offset = Int64(calendar.offset(at: time)) * 1000
            let local = time.milliseconds &+ offset
            let begin = Timestamp(milliseconds: local &- local.modulo(3_600_000) &- offset)
            let change = calendar.transitions(around: time)
            start = max(begin, change.last ?? begin)
            let finish = begin + resolution.nominal
            end = min(finish, change.next ?? finish)
        case .day:
            let c = calendar.civil(time)
            start = calendar.timestamp(CivilTime(year: c.year, month: c.month, day: c.day))
            let next = CivilTime.date(
                daysSinceEpoch: CivilTime.daysSinceEpoch(year: c.year, month: c.month, day: c.day)
                    + 1)
            end = calendar.timestamp(
                CivilTime(year: next.year, month: next.month, day: next.day))
        case .month:
            let c = calendar.civil(time)
            start = calendar.timestamp(CivilTime(year: c.year, month: c.month, day: 1))
            let next = c.month == 12 ? (c.year + 1, 1) : (c.year, c.month + 1)
            end = calendar.timestamp(CivilTime(year: next.0, month: next.1, day: 1))
        }
    }

    /// The bucket that begins where this one ends.
    package func next(calendar: SiteCalendar) -> Bucket {
        Bucket(resolution, containing: end, calendar: calendar)
    }

    package var duration: Duration { end - start }

    /// Whether `time` lies in the half-open interval.
    package func contains(_ time: Timestamp) -> Bool { start <= time && time < end }

    package static func < (a: Self, b: Self) -> Bool {
        (a.start, a.resolution) < (b.start, b.resolution)
    }
}
