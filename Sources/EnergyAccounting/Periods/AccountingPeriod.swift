import Telemetry

/// A span of whole civil days for which accounts are made: a day, a month, a year, or from one day
/// to another.
package struct AccountingPeriod: Hashable, Sendable {
    /// What kind of period it is; a day is a span of one.
    package enum Kind: String, Hashable, Sendable {
        case day
        case month
        case year
        case span
    }

    package let kind: Kind
    /// The first day.
    package let first: CivilDate
    /// The last day; it belongs to the period.
    package let last: CivilDate

    /// The year, from the first of January.
    package init?(year: Int) {
        guard let first = CivilDate(year: year, month: 1, day: 1),
            let last = CivilDate(year: year, month: 12, day: 31)
        else { return nil }
        self.init(.year, first, last)
    }

    /// A month of a year; nil when there is none of that number.
    package init?(year: Int, month: Int) {
        guard (1...12).contains(month),
            let first = CivilDate(year: year, month: month, day: 1),
            let last = CivilDate(
                year: year, month: month,
                day: CivilTime.daysInMonth(year: year, month: month))
        else { return nil }
        self.init(.month, first, last)
    }

    /// nil when the last day lies before the first.
    package init?(from first: CivilDate, through last: CivilDate) {
        guard first <= last else { return nil }
        self.init(first == last ? .day : .span, first, last)
    }

    /// One day.
    package init(_ day: CivilDate) { self.init(.day, day, day) }

    private init(_ kind: Kind, _ first: CivilDate, _ last: CivilDate) {
        self.kind = kind
        self.first = first
        self.last = last
    }

    /// `2026`, `2026-03`, `2026-03-01` or `2026-03-01..2026-03-15`, the last day included.
    package init?(_ text: String) {
        let ends = text.split(separator: ".", omittingEmptySubsequences: false)
        if ends.count == 3, ends[1].isEmpty, let first = CivilDate(ends[0]),
            let last = CivilDate(ends[2])
        {
            self.init(from: first, through: last)
            return
        }
        if let day = CivilDate(text) {
            self.init(.day, day, day)
            return
        }
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard
            parts.allSatisfy({ part in
                !part.isEmpty && part.utf8.allSatisfy { (0x30...0x39).contains($0) }
            }), parts.first?.utf8.count == 4, let year = parts.first.flatMap({ Int($0) })
        else { return nil }
        switch parts.count {
        case 1: self.init(year: year)
        case 2 where parts[1].utf8.count == 2:
            guard let month = Int(parts[1]) else { return nil }
            self.init(year: year, month: month)
        default: return nil
        }
    }

    /// As it is written and read.
    package var label: String {
        switch kind {
        case .day: first.description
        case .month: String(first.description.prefix(7))
        case .year: String(first.description.prefix(4))
        case .span: "\(first)..\(last)"
        }
    }

    /// The number of days.
    package var days: Int { last.dayNumber - first.dayNumber + 1 }

    /// Whether a day belongs to the period.
    package func contains(_ date: CivilDate) -> Bool { first <= date && date <= last }

    /// The first instant of the period.
    package func start(calendar: SiteCalendar) -> Timestamp { first.start(calendar: calendar) }

    /// The first instant after it.
    package func end(calendar: SiteCalendar) -> Timestamp {
        last.advanced(days: 1).start(calendar: calendar)
    }

    /// The period of the same kind, or of as many days, that ends where this one begins.
    package var before: AccountingPeriod {
        switch kind {
        case .year: AccountingPeriod(year: first.year - 1) ?? self
        case .month:
            (first.month == 1
                ? AccountingPeriod(year: first.year - 1, month: 12)
                : AccountingPeriod(year: first.year, month: first.month - 1)) ?? self
        case .day, .span:
            AccountingPeriod(kind, first.advanced(days: -days), first.advanced(days: -1))
        }
    }

    /// The same days of the year before; the 29th of February becomes the 28th.
    package var yearBefore: AccountingPeriod {
        func earlier(_ date: CivilDate) -> CivilDate {
            CivilDate(year: date.year - 1, month: date.month, day: date.day)
                ?? CivilDate(year: date.year - 1, month: date.month, day: date.day - 1) ?? date
        }
        switch kind {
        case .year: return AccountingPeriod(year: first.year - 1) ?? self
        case .month: return AccountingPeriod(year: first.year - 1, month: first.month) ?? self
        case .day, .span: return AccountingPeriod(kind, earlier(first), earlier(last))
        }
    }

    /// The months that the period touches, whole.
    package var months: [AccountingPeriod] {
        var months: [AccountingPeriod] = []
        var (year, month) = (first.year, first.month)
        while (year, month) <= (last.year, last.month) {
            if let one = AccountingPeriod(year: year, month: month) { months.append(one) }
            (year, month) = month == 12 ? (year + 1, 1) : (year, month + 1)
        }
        return months
    }
}
