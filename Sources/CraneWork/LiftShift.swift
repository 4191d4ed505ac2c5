import Telemetry

/// One shift of a site's day: a name and the local time at which it begins.
package struct LiftShift: Hashable, Sendable {
    package var name: String
    /// Local time of day, 0 to 23 and 0 to 59.
    package var hour: Int
    package var minute: Int

    package init(name: String, hour: Int, minute: Int = 0) {
        self.name = name
        self.hour = hour
        self.minute = minute
    }
}

/// Why shifts cannot be told apart.
package enum ShiftFault: Error, Hashable, Sendable {
    case noShifts
    case repeatedName(String)
    case repeatedStart(String)
    case impossibleStart(String)
}

/// One shift on one day, half-open.
package struct ShiftSpan: Hashable, Sendable, Comparable {
    package var name: String
    package var start: Timestamp
    /// The start of the next shift.
    package var end: Timestamp

    package init(name: String, start: Timestamp, end: Timestamp) {
        self.name = name
        self.start = start
        self.end = end
    }

    package static func < (a: Self, b: Self) -> Bool { a.start < b.start }
}

/// The shifts of a site: each lasts until the next one begins, the last over midnight.
///
/// Where the clocks change, a shift is an hour longer or shorter; no instant lies in two.
package struct ShiftPlan: Hashable, Sendable {
    /// In order of their start.
    package let shifts: [LiftShift]
    package let calendar: SiteCalendar

    /// - Parameter shifts: in any order.
    package init(_ shifts: [LiftShift], calendar: SiteCalendar) throws(ShiftFault) {
        guard !shifts.isEmpty else { throw .noShifts }
        var names: Set<String> = []
        var starts: Set<Int> = []
        for shift in shifts {
            guard (0...23).contains(shift.hour), (0...59).contains(shift.minute) else {
                throw .impossibleStart(shift.name)
            }
            guard names.insert(shift.name).inserted else { throw .repeatedName(shift.name) }
            guard starts.insert(shift.hour * 60 + shift.minute).inserted else {
                throw .repeatedStart(shift.name)
            }
        }
        self.shifts = shifts.sorted { ($0.hour, $0.minute) < ($1.hour, $1.minute) }
        self.calendar = calendar
    }

    /// The shift that an instant lies in.
    package func span(containing time: Timestamp) -> ShiftSpan {
        let today = calendar.civil(time)
        let day = CivilTime.daysSinceEpoch(year: today.year, month: today.month, day: today.day)
        // The day before and two days after hold a start on either side, also where one is skipped.
        let starts = (day - 1...day + 2).flatMap { self.starts(ofDay: $0) }
        let place = starts.lastIndex { $0.start <= time } ?? 0
        let next = starts[place...].first { $0.start > time }
        let start = starts[place]
        return ShiftSpan(name: start.name, start: start.start, end: next?.start ?? start.start)
    }

    private func starts(ofDay day: Int) -> [(name: String, start: Timestamp)] {
        let date = CivilTime.date(daysSinceEpoch: day)
        return shifts.map { shift in
            let civil = CivilTime(
                year: date.year, month: date.month, day: date.day, hour: shift.hour,
                minute: shift.minute)
            return (shift.name, calendar.timestamp(civil))
        }
    }
}
