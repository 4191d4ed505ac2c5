import Hummingbird
import Telemetry

/// A mean that a rule limits and that will be exceeded if things go on as they do.
package struct OutlookLine: Hashable, Sendable {
    package var rule: String
    package var title: LocalizedText
    package var severity: String
    package var series: SeriesID
    /// The length of the mean.
    package var over: Duration
    /// As far as it has come, in `unit`.
    package var mean: Double
    package var limit: Double
    package var unit: String
    /// How long until it is exceeded; above zero.
    package var left: Duration

    package init(
        rule: String, title: LocalizedText, severity: String, series: SeriesID, over: Duration,
        mean: Double, limit: Double, unit: String, left: Duration
    ) {
        self.rule = rule
        self.title = title
        self.severity = severity
        self.series = series
        self.over = over
        self.mean = mean
        self.limit = limit
        self.unit = unit
        self.left = left
    }
}

/// `/api/v1/outlook`: what will be exceeded if things go on as they do, the soonest first.
///
/// A forecast for people who can still act; it opens no alarm.
struct OutlookRoutes {
    let context: WebAPIContext
    let index: SeriesIndex

    func add(to router: Router<BasicRequestContext>) {
        router.get("api/v1/outlook") { request, _ in
            _ = try QueryParameters(request, allowed: [])
            let now = context.now
            let lines = await context.outlook(now)
            return Answer.json(capacity: 256 + lines.count * 400) { json in
                json.field("time", now, context.calendar)
                json.key("outlook")
                json.array { list in for line in lines { list.object { write(line, &$0) } } }
            }
        }
    }

    private func write(_ line: OutlookLine, _ json: inout JSONWriter) {
        json.field("rule", line.rule)
        json.field("title", line.title)
        json.field("severity", line.severity)
        json.field("series", line.series.description)
        json.field("device", line.series.device.text)
        if let device = index[line.series]?.device { json.field("device_title", device.title) }
        json.field("over_seconds", line.over.seconds)
        json.field("mean", line.mean)
        json.field("limit", line.limit)
        json.field("unit", line.unit)
        json.field("left_seconds", line.left.seconds)
    }
}
