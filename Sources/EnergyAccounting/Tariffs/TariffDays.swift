import LocatedText
import Telemetry

/// What a figure rests on: where it was found and how far it may be trusted.
package struct TariffOrigin: Hashable, Sendable {
    /// Where the figure comes from, in a person's words.
    package let source: String
    /// `verified`, `secondary`, `from-memory`, `project` or `example`.
    package let status: String

    /// The accepted words of `status`.
    package static let statuses = ["verified", "secondary", "from-memory", "project", "example"]
}

/// The kinds of days between which a tariff may tell.
package enum TariffDayClass: Int, Hashable, Sendable, CaseIterable {
    case workingDay = 0
    case weekend = 1
    case holiday = 2

    /// As files write it.
    package var word: String {
        switch self {
        case .workingDay: "working-day"
        case .weekend: "weekend"
        case .holiday: "holiday"
        }
    }

    package var title: LocalizedText {
        switch self {
        case .workingDay: LocalizedText(en: "Working day", zh: "工作日")
        case .weekend: LocalizedText(en: "Weekend", zh: "周末")
        case .holiday: LocalizedText(en: "Holiday", zh: "节假日")
        }
    }
}

/// Which day is a working day, a day of the weekend or a holiday.
///
/// A day that is named as a holiday is one; a day that is named as a working day is one even on a
/// Saturday (调休); every other day goes by its place in the week.
package struct TariffDays: Hashable, Sendable {
    /// Days of the week, 1 is Monday and 7 is Sunday.
    let weekend: Set<Int>
    /// Days since 1970-01-01.
    let holidays: Set<Int>
    /// Days since 1970-01-01 on which people work whatever the day of the week.
    let workingDays: Set<Int>
    /// The days for which holidays are stated; nil when the tariff knows no holidays at all.
    package let known: AccountingPeriod?
    package let origin: TariffOrigin?

    /// Every day is a working day.
    static let allAlike = TariffDays(
        weekend: [], holidays: [], workingDays: [], known: nil, origin: nil)

    /// The kind of a day, given as days since 1970-01-01.
    ///
    /// nil outside `known`: whether somebody declares that day a holiday is not known.
    package func dayClass(ofDay day: Int) -> TariffDayClass? {
        if let known, day < known.first.dayNumber || day > known.last.dayNumber { return nil }
        if holidays.contains(day) { return .holiday }
        if workingDays.contains(day) { return .workingDay }
        // The first of January 1970 was a Thursday.
        let weekday = Int(Int64(day + 3).modulo(7)) + 1
        return weekend.contains(weekday) ? .weekend : .workingDay
    }

    /// The kinds of days that there can be.
    var occurring: [TariffDayClass] {
        TariffDayClass.allCases.filter {
            switch $0 {
            case .workingDay: true
            case .weekend: !weekend.isEmpty
            case .holiday: known != nil
            }
        }
    }
}
