import Telemetry

/// Times as HJ 212 writes them: digits of the site's civil time, without a zone.
package enum HJ212Time {
    /// `yyyyMMddHHmmss` in site time.
    package static func stamp(_ time: Timestamp, _ calendar: SiteCalendar) -> String {
        String(digits(calendar.civil(time)).prefix(14))
    }

    /// Reads 8 (a day), 10, 12, 14 or 17 digits (milliseconds); platforms leave the end away.
    package static func parse(_ text: String, _ calendar: SiteCalendar) -> Timestamp? {
        let bytes = Array(text.utf8)
        guard [8, 10, 12, 14, 17].contains(bytes.count),
            bytes.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        func number(_ range: Range<Int>) -> Int {
            guard range.upperBound <= bytes.count else { return 0 }
            return bytes[range].reduce(0) { $0 * 10 + Int($1 - 0x30) }
        }
        let civil = CivilTime(
            year: number(0..<4), month: number(4..<6), day: number(6..<8), hour: number(8..<10),
            minute: number(10..<12), second: number(12..<14), millisecond: number(14..<17))
        return civil.isValid ? calendar.timestamp(civil) : nil
    }

    /// All 17 digits.
    static func digits(_ civil: CivilTime) -> String {
        func pad(_ number: Int, _ width: Int) -> String {
            let text = "\(max(0, number))"
            return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
        }
        return pad(civil.year, 4) + pad(civil.month, 2) + pad(civil.day, 2) + pad(civil.hour, 2)
            + pad(civil.minute, 2) + pad(civil.second, 2) + pad(civil.millisecond, 3)
    }
}

/// The numbers (QN) of what the stations of one uplink begin: site time with milliseconds, always
/// greater than the one before.
///
/// Two packets in one millisecond would break the matching of acknowledgements, and so would a clock
/// that steps back: then the numbers go on by one millisecond each until the clock has caught up.
package struct HJ212Numbers: Hashable, Sendable {
    /// Milliseconds of civil time since 1970; years beyond 1 to 9999 cannot be written.
    private static let writable =
        CivilTime(year: 1, month: 1, day: 1).timestamp(offset: 0)
        .milliseconds...CivilTime(
            year: 9999, month: 12, day: 31, hour: 23, minute: 59, second: 59, millisecond: 999
        ).timestamp(offset: 0).milliseconds

    private var last = Int64.min

    package init() {}

    /// The next number, made of the time of day.
    package mutating func next(at wall: Timestamp, _ calendar: SiteCalendar) -> String {
        let local = wall.milliseconds &+ Int64(calendar.offset(at: wall)) &* 1000
        let wanted = min(max(local, Self.writable.lowerBound), Self.writable.upperBound)
        last = wanted > last ? wanted : min(last + 1, Self.writable.upperBound)
        return HJ212Time.digits(CivilTime(Timestamp(milliseconds: last), offset: 0))
    }
}
