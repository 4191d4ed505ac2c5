import Telemetry

/// Figures, spans and instants as people read them.
package enum FigureText {
    /// A value with as few decimals as show it to one part in a thousand, and with as many as it
    /// needs to differ from `limit`: "150.04, limit 150" is an alarm, "150, limit 150" is a riddle.
    static func value(_ value: Double, besides limit: Double? = nil) -> String {
        guard value.isFinite else { return "–" }
        for decimals in 0...6 {
            guard let (text, shown) = fixed(value, decimals: decimals) else { break }
            let isNear = (shown - value).magnitude <= value.magnitude / 1000
            let isDistinct =
                limit.map { $0 == value || fixed($0, decimals: decimals)?.text != text } ?? true
            if isNear, isDistinct { return text }
        }
        return exact(value) ?? "–"
    }

    /// The fewest digits that read back as the same value; nil when it is no number.
    static func exact(_ value: Double) -> String? {
        guard value.isFinite else { return nil }
        let text = value.description
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    /// `value` rounded to `decimals` places, without the zeros at the end; nil beyond 15 digits.
    private static func fixed(_ value: Double, decimals: Int) -> (text: String, shown: Double)? {
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        let scaled = (value * scale).rounded(.toNearestOrEven)
        guard scaled.magnitude < 1e15 else { return nil }
        let magnitude = Int64(scaled.magnitude)
        var fraction = decimals == 0 ? "" : Int(magnitude % Int64(scale)).padded(decimals)
        while fraction.hasSuffix("0") { fraction.removeLast() }
        let sign = scaled < 0 ? "-" : ""
        let whole = String(magnitude / Int64(scale))
        return (sign + whole + (fraction.isEmpty ? "" : "." + fraction), scaled / scale)
    }

    /// A value and its unit, with as few decimals as show it, and enough to differ from `limit`.
    package static func quantity(
        _ value: Double, unit: String, besides limit: Double? = nil
    ) -> String {
        let text = Self.value(value, besides: limit)
        return unit.isEmpty ? text : text + " " + unit
    }

    /// A share as a whole number of per cent; below 100 % it never says 100 %.
    static func share(_ share: Double) -> String {
        guard share.isFinite else { return "–" }
        let percent = min(max(share * 100, 0), 1000)
        return "\(percent < 100 ? Int(percent) : Int(percent.rounded())) %"
    }

    /// A span in its two largest units: `2 h 5 min`, `3 d 4 h`, `45 s`.
    static func span(_ span: Duration, _ language: FeedLanguage) -> String {
        let seconds = max(0, span.milliseconds / 1000)
        let parts: [(count: Int64, unit: LocalizedText)] = [
            (seconds / 86_400, LocalizedText(en: "d", zh: "天")),
            (seconds / 3600 % 24, LocalizedText(en: "h", zh: "小时")),
            (seconds / 60 % 60, LocalizedText(en: "min", zh: "分钟")),
            (seconds % 60, LocalizedText(en: "s", zh: "秒")),
        ]
        let first = parts.firstIndex { $0.count > 0 } ?? parts.count - 1
        let shown = parts[first..<min(first + 2, parts.count)].filter { $0.count > 0 }
        let list = shown.isEmpty ? [parts[parts.count - 1]] : Array(shown)
        return language == .zh
            ? list.map { "\($0.count)\($0.unit.zh)" }.joined()
            : list.map { "\($0.count) \($0.unit.en)" }.joined(separator: " ")
    }

    /// `2026-11-21 08:05` in the site's civil time.
    static func instant(_ time: Timestamp, _ calendar: SiteCalendar) -> String {
        let t = calendar.civil(time)
        return "\(t.year.padded(4))-\(t.month.padded(2))-\(t.day.padded(2)) "
            + "\(t.hour.padded(2)):\(t.minute.padded(2))"
    }

    /// The window that was judged, nil for a single reading; the date of its end only when it is
    /// another than that of its start.
    static func window(_ evidence: AlarmEvidence, _ calendar: SiteCalendar) -> String? {
        guard evidence.windowEnd > evidence.windowStart else { return nil }
        let (start, end) = (
            instant(evidence.windowStart, calendar), instant(evidence.windowEnd, calendar)
        )
        let isSameDay = start.prefix(10) == end.prefix(10)
        return start + "–" + (isSameDay ? String(end.suffix(5)) : end)
    }
}
