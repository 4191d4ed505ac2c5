import LocatedText
import Telemetry

/// When a rule is in force, by the site's clock and calendar.
///
///     only: { time: "22:00-06:00", days: [sat, sun], dates: ["2026-06-07/2026-06-10"],
///             except: ["2026-10-01"], phase: construction }
///
/// All that is named has to hold. A time that runs over midnight belongs, with its days and dates,
/// to the evening on which it began.
package struct AlarmSchedule: Hashable, Sendable {
    /// Minutes of the day, from `start` up to but not including `end`; over midnight when `end` is
    /// not after `start`.
    package struct Span: Hashable, Sendable {
        package var start: Int
        package var end: Int
    }

    /// First and last day, as days since 1970-01-01.
    package struct Days: Hashable, Sendable {
        package var first: Int
        package var last: Int
    }

    /// Empty: at every time.
    package var times: [Span]
    /// 0 Monday to 6 Sunday; empty: every day.
    package var weekdays: [Int]
    /// Empty: all dates.
    package var dates: [Days]
    package var except: [Days]
    /// `construction` or `operation`; nil: both.
    package var phase: String?

    /// Whether an instant lies inside.
    package func holds(at time: Timestamp, calendar: SiteCalendar, phase current: String?) -> Bool {
        if let phase, phase != current { return false }
        let civil = calendar.civil(time)
        let today = CivilTime.daysSinceEpoch(year: civil.year, month: civil.month, day: civil.day)
        if times.isEmpty { return isOn(today) }
        let minute = civil.hour * 60 + civil.minute
        return times.contains { span in
            if span.start < span.end {
                return span.start <= minute && minute < span.end && isOn(today)
            }
            return (span.start <= minute && isOn(today)) || (minute < span.end && isOn(today - 1))
        }
    }

    /// The next instant after `time` at which it may begin or end to hold.
    func nextEdge(after time: Timestamp, calendar: SiteCalendar) -> Timestamp {
        let civil = calendar.civil(time)
        let today = CivilTime.daysSinceEpoch(year: civil.year, month: civil.month, day: civil.day)
        let minutes = Set([0] + times.flatMap { [$0.start, $0.end % 1440] })
        let edges = (0...2).flatMap { offset -> [Timestamp] in
            let date = CivilTime.date(daysSinceEpoch: today + offset)
            return minutes.map { minute in
                calendar.timestamp(
                    CivilTime(
                        year: date.year, month: date.month, day: date.day, hour: minute / 60,
                        minute: minute % 60))
            }
        }
        return edges.filter { $0 > time }.min() ?? time + .seconds(86_400)
    }

    private func isOn(_ day: Int) -> Bool {
        // 1970-01-01 was a Thursday.
        let weekday = ((day + 3) % 7 + 7) % 7
        return (weekdays.isEmpty || weekdays.contains(weekday))
            && (dates.isEmpty || dates.contains { $0.first <= day && day <= $0.last })
            && !except.contains { $0.first <= day && day <= $0.last }
    }

    /// The schedule in one fixed spelling.
    var canonicalText: String {
        var parts: [String] = []
        if !times.isEmpty {
            parts.append("time=" + times.map { "\($0.start)-\($0.end)" }.joined(separator: ","))
        }
        if !weekdays.isEmpty {
            parts.append("days=" + weekdays.map { "\($0)" }.joined(separator: ","))
        }
        for (key, days) in [("dates", dates), ("except", except)] where !days.isEmpty {
            parts.append(
                "\(key)=" + days.map { "\($0.first)-\($0.last)" }.joined(separator: ","))
        }
        if let phase { parts.append("phase=\(phase)") }
        return parts.joined(separator: ";")
    }
}

extension AlarmSchedule {
    /// nil after a fault.
    init?(_ node: LocatedNode, _ faults: FaultCollector) {
        var reader = MappingReader(node, faults)
        let times = reader.optional("time").map { Self.each($0, faults) { Self.span($0, $1) } }
        let weekdays = reader.optional("days").map {
            Self.each($0, faults) { Self.weekday($0, $1) }
        }
        let dates = reader.optional("dates").map { Self.each($0, faults) { Self.days($0, $1) } }
        let except = reader.optional("except").map { Self.each($0, faults) { Self.days($0, $1) } }
        let phases = ["construction", "operation"].map { ($0, $0) }
        let phaseNode = reader.optional("phase")
        let phase = phaseNode.flatMap { $0.word(phases, faults) }
        reader.finish()
        if times == nil, weekdays == nil, dates == nil, except == nil, phaseNode == nil {
            faults.add(
                node.location, "'only' names no time",
                remedy: "for example '{ time: \"22:00-06:00\" }'")
            return nil
        }
        self.init(
            times: times ?? [], weekdays: weekdays ?? [], dates: dates ?? [],
            except: except ?? [], phase: phase)
    }

    /// One element, or a list of them.
    private static func each<T>(
        _ node: LocatedNode, _ faults: FaultCollector, _ read: (LocatedNode, FaultCollector) -> T?
    ) -> [T] {
        let nodes = if case .sequence(let list) = node.content { list } else { [node] }
        if nodes.isEmpty { faults.add(node.location, "the list is empty", remedy: "leave it out") }
        return nodes.compactMap { read($0, faults) }
    }

    private static func span(_ node: LocatedNode, _ faults: FaultCollector) -> Span? {
        guard let text = node.string(faults) else { return nil }
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        if parts.count == 2, let start = minute(parts[0]), let end = minute(parts[1]),
            start < 1440, start != end
        {
            return Span(start: start, end: end)
        }
        faults.add(
            node.location, "'\(text)' is not a time of day", remedy: "for example '\"22:00-06:00\"'"
        )
        return nil
    }

    private static func minute(_ text: Substring) -> Int? {
        var cursor = DigitCursor(String(text).utf8)
        guard let hour = cursor.digits(2), cursor.take(":"), let minute = cursor.digits(2),
            cursor.isAtEnd, minute < 60, hour * 60 + minute <= 1440
        else { return nil }
        return hour * 60 + minute
    }

    private static func weekday(_ node: LocatedNode, _ faults: FaultCollector) -> Int? {
        let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
        return node.word(names.enumerated().map { ($0.element, $0.offset) }, faults)
    }

    private static func days(_ node: LocatedNode, _ faults: FaultCollector) -> Days? {
        guard let text = node.string(faults) else { return nil }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let days = parts.compactMap { CivilTime(date: $0) }
            .map { CivilTime.daysSinceEpoch(year: $0.year, month: $0.month, day: $0.day) }
        if (1...2).contains(parts.count), days.count == parts.count, days[0] <= days[days.count - 1]
        {
            return Days(first: days[0], last: days[days.count - 1])
        }
        faults.add(
            node.location, "'\(text)' is not a date or a span of dates",
            remedy: "'2026-10-01' or '2026-10-01/2026-10-07'")
        return nil
    }
}

extension CivilTime {
    /// Reads `2026-03-01`; nil for anything else.
    init?(date text: Substring) {
        var cursor = DigitCursor(String(text).utf8)
        guard let year = cursor.digits(4), cursor.take("-"), let month = cursor.digits(2),
            cursor.take("-"), let day = cursor.digits(2), cursor.isAtEnd
        else { return nil }
        let civil = CivilTime(year: year, month: month, day: day)
        guard civil.isValid else { return nil }
        self = civil
    }

    /// `2026-03-01`.
    var dateText: String { "\(year.padded(4))-\(month.padded(2))-\(day.padded(2))" }
}
