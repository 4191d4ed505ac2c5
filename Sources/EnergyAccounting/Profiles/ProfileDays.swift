import Telemetry

/// Whether people work on a day, as far as a load profile cares.
package enum DayClass: String, Hashable, Sendable, CaseIterable {
    case working
    case free

    package var title: LocalizedText {
        switch self {
        case .working: LocalizedText(en: "working days", zh: "工作日")
        case .free: LocalizedText(en: "weekends and holidays", zh: "周末及节假日")
        }
    }
}

/// Which days of a site are free: weekdays, holidays, and the days worked in their stead.
package struct ProfileDays: Hashable, Sendable {
    /// 1 is Monday, 7 is Sunday.
    package var freeWeekdays: Set<Int>
    /// Free although their weekday is none.
    package var holidays: Set<CivilDate>
    /// Worked although their weekday is free; they outweigh `holidays`.
    package var workedDays: Set<CivilDate>

    package init(
        freeWeekdays: Set<Int>, holidays: Set<CivilDate> = [], workedDays: Set<CivilDate> = []
    ) {
        self.freeWeekdays = freeWeekdays
        self.holidays = holidays
        self.workedDays = workedDays
    }

    /// The class of a day: worked days first, then holidays, then the weekday.
    package func dayClass(of date: CivilDate) -> DayClass {
        if workedDays.contains(date) { return .working }
        return holidays.contains(date) || freeWeekdays.contains(date.weekday) ? .free : .working
    }
}

/// The civil hours that count as night, `from` on and before `until`; they may pass midnight.
///
/// An hour belongs to the day class of the date on which it lies: the hours after midnight to that
/// of the new day.
package struct NightHours: Hashable, Sendable {
    /// 0 to 23.
    package let from: Int
    /// 0 to 24.
    package let until: Int

    /// nil out of range, and when no hour or every hour would be night.
    package init?(from: Int, until: Int) {
        guard (0...23).contains(from), (0...24).contains(until), from != until,
            !(from == 0 && until == 24)
        else { return nil }
        self.from = from
        self.until = until
    }

    /// Whether a civil hour, 0 to 23, is one of the night.
    package func contains(_ hour: Int) -> Bool {
        from < until ? (from..<until).contains(hour) : hour >= from || hour < until
    }
}
