import Telemetry

/// How well a site's alarms serve the people who get them, in the terms of EEMUA 191 and ISA-18.2.
///
/// The marks against which it is held (about 150 alarms a day very likely acceptable, 300 the most
/// that can be managed, more than 10 in 10 minutes a flood) are known to the project from
/// transcriptions of EEMUA 191, not from the text itself.
package struct AlarmQuality: Hashable, Sendable {
    /// One alarm, as far as its quality goes.
    package struct Life: Hashable, Sendable {
        package var rule: String
        package var series: SeriesID
        package var severity: String
        package var raised: Timestamp
        /// nil while it stands.
        package var returned: Timestamp?
        /// nil while nobody has acknowledged it.
        package var acknowledged: Timestamp?

        package init(
            rule: String, series: SeriesID, severity: String, raised: Timestamp,
            returned: Timestamp?, acknowledged: Timestamp?
        ) {
            self.rule = rule
            self.series = series
            self.severity = severity
            self.raised = raised
            self.returned = returned
            self.acknowledged = acknowledged
        }
    }

    /// One rule on one series, and how many of the alarms are its.
    package struct Share: Hashable, Sendable {
        package var rule: String
        package var series: SeriesID
        package var count: Int
        /// 0 to 1.
        package var share: Double
    }

    package private(set) var total = 0
    /// Alarms a day, over the whole span.
    package private(set) var perDay = 0.0
    /// The most in any hour and in any ten minutes of the clock.
    package private(set) var mostInAnHour = 0
    package private(set) var mostInTenMinutes = 0
    /// The share of ten-minute stretches with more than ten alarms, 0 to 1.
    package private(set) var floodShare = 0.0
    package private(set) var topTen: [Share] = []
    /// Rules on series that raised three alarms or more within a minute.
    package private(set) var chattering: [Share] = []
    /// Alarms that returned within ten seconds.
    package private(set) var fleeting = 0
    /// Standing at the end for more than a day.
    package private(set) var stale = 0
    package private(set) var standing = 0
    /// Alarms by severity.
    package private(set) var bySeverity: [String: Int] = [:]
    /// The middle and the longest time until somebody acknowledged; nil without any.
    package private(set) var medianAcknowledgement: Duration?
    package private(set) var neverAcknowledged = 0

    private static let tenMinutes: Int64 = 600_000
    private static let floodLimit = 10

    /// - Parameter lives: what was raised in `[from, to)`.
    package init(_ lives: [Life], from: Timestamp, to: Timestamp) {
        total = lives.count
        let days = max(1.0 / 24, Double((to - from).milliseconds) / 86_400_000)
        perDay = Double(total) / days
        var stretches: [Int64: Int] = [:]
        var hours: [Int64: Int] = [:]
        var sources: [String: [Life]] = [:]
        for life in lives {
            stretches[life.raised.milliseconds / Self.tenMinutes, default: 0] += 1
            hours[life.raised.milliseconds / 3_600_000, default: 0] += 1
            sources["\(life.rule)|\(life.series)", default: []].append(life)
            bySeverity[life.severity, default: 0] += 1
            if let returned = life.returned, returned - life.raised < .seconds(10) { fleeting += 1 }
            if life.returned == nil {
                standing += 1
                if to - life.raised > .seconds(86_400) { stale += 1 }
            }
            if life.acknowledged == nil { neverAcknowledged += 1 }
        }
        mostInAnHour = hours.values.max() ?? 0
        mostInTenMinutes = stretches.values.max() ?? 0
        let spans = max(1, (to - from).milliseconds / Self.tenMinutes)
        let floods = stretches.values.filter { $0 > Self.floodLimit }.count
        floodShare = Double(floods) / Double(spans)
        let shares = sources.map { name, lives in
            (
                name: name,
                share: Share(
                    rule: lives[0].rule, series: lives[0].series, count: lives.count,
                    share: Double(lives.count) / Double(max(1, total)))
            )
        }.sorted { ($1.share.count, $0.name) < ($0.share.count, $1.name) }
        topTen = Array(shares.prefix(10).map(\.share))
        chattering = shares.filter { Self.chatters(sources[$0.name] ?? []) }.map(\.share)
        let delays = lives.compactMap { life in life.acknowledged.map { $0 - life.raised } }
            .sorted()
        medianAcknowledgement = delays.isEmpty ? nil : delays[delays.count / 2]
    }

    private static func chatters(_ lives: [Life]) -> Bool {
        let times = lives.map(\.raised).sorted()
        guard times.count >= 3 else { return false }
        return (2..<times.count).contains { times[$0] - times[$0 - 2] <= .seconds(60) }
    }
}
