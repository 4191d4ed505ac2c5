/// How long the periods are that one kind of item tells of: the part of the kind behind its `/`.
///
///     rollup/15min   a bucket of that resolution
///     2051/10min     ten minutes, cut in UTC
///     2011/30s       the instant at which they begin, every 30 seconds
package enum ItemPeriod: Hashable, Sendable {
    case bucket(Resolution)
    /// Whole seconds, cut in UTC.
    case span(Duration)

    /// Reads what stands behind the `/` of a kind; nil for a kind without a period.
    package init?(kind: String) {
        guard let slash = kind.firstIndex(of: "/") else { return nil }
        self.init(kind[kind.index(after: slash)...])
    }

    /// Reads `15min`, `1h`, `1d`, `1month`, or a number of `s` or `min`.
    package init?(_ text: Substring) {
        if let resolution = Resolution(rawValue: String(text)) {
            self = .bucket(resolution)
            return
        }
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let count = Int(digits), (1...86_400).contains(count) else { return nil }
        switch text.dropFirst(digits.count) {
        case "s": self = .span(.seconds(count))
        case "min": self = .span(.seconds(count * 60))
        default: return nil
        }
    }

    /// As it stands in a kind.
    package static func text(_ span: Duration) -> String {
        let seconds = span.milliseconds / 1000
        return seconds % 60 == 0 && seconds > 0 ? "\(seconds / 60)min" : "\(seconds)s"
    }

    /// As long as such periods are, as a rule.
    package var nominal: Duration {
        switch self {
        case .bucket(let resolution): resolution.nominal
        case .span(let span): span
        }
    }

    /// The buckets from which a period is put together: itself, quarters or minutes.
    package var base: Resolution {
        switch self {
        case .bucket(let resolution): resolution
        case .span(let span):
            span.milliseconds % Resolution.quarterHour.nominal.milliseconds == 0
                ? .quarterHour : .minute
        }
    }

    /// The period that begins at `start`.
    package func end(from start: Timestamp, calendar: SiteCalendar) -> Timestamp {
        switch self {
        case .bucket(let resolution):
            Bucket(resolution, containing: start, calendar: calendar).end
        case .span(let span): start + span
        }
    }
}
