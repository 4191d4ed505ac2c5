/// A date and a time of day as people write them, without a zone.
///
/// Conversion uses the proleptic Gregorian calendar and integer arithmetic only, so that it costs
/// nanoseconds and needs no locale.
package struct CivilTime: Hashable, Sendable {
    package var year: Int
    package var month: Int
    package var day: Int
    package var hour: Int
    package var minute: Int
    package var second: Int
    package var millisecond: Int

    /// The fields are taken as they are; `isValid` says whether they name a real instant.
    package init(
        year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0,
        millisecond: Int = 0
    ) {
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
        self.millisecond = millisecond
    }

    /// The civil time of `timestamp` at `offset` seconds east of UTC.
    package init(_ timestamp: Timestamp, offset: Int) {
        // Wrapping, because a broken device may claim any instant: beyond the years of which
        // rendering is defined the fields mean nothing, but nothing traps.
        let local = timestamp.milliseconds &+ Int64(offset) &* 1000
        let ofDay = local.modulo(86_400_000)
        let days = (local &- ofDay) / 86_400_000
        (year, month, day) = Self.date(daysSinceEpoch: Int(days))
        millisecond = Int(ofDay % 1000)
        let seconds = Int(ofDay / 1000)
        (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60)
    }

    /// Whether every field is in its range; second 60 is refused, because POSIX time has none.
    package var isValid: Bool {
        (1...9999).contains(year) && (1...12).contains(month) && day >= 1
            && day <= Self.daysInMonth(year: year, month: month) && (0...23).contains(hour)
            && (0...59).contains(minute) && (0...59).contains(second)
            && (0...999).contains(millisecond)
    }

    /// The instant that this civil time names at `offset` seconds east of UTC.
    package func timestamp(offset: Int) -> Timestamp {
        let days = Int64(Self.daysSinceEpoch(year: year, month: month, day: day))
        let seconds = days &* 86_400 &+ Int64(hour * 3600 + minute * 60 + second - offset)
        return Timestamp(milliseconds: seconds &* 1000 &+ Int64(millisecond))
    }

    /// Days from 1970-01-01 to the given date; negative before it.
    package static func daysSinceEpoch(year: Int, month: Int, day: Int) -> Int {
        // Counting years from March puts the leap day last, so that no month needs a special case.
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// The date that lies `daysSinceEpoch` days after 1970-01-01.
    package static func date(daysSinceEpoch: Int) -> (year: Int, month: Int, day: Int) {
        let z = daysSinceEpoch + 719_468
        let era = (z >= 0 ? z : z - 146_096) / 146_097
        let dayOfEra = z - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }

    /// The number of days of a month, 28 to 31.
    package static func daysInMonth(year: Int, month: Int) -> Int {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)) ? 29 : 28
        default: 31
        }
    }
}
