import HTTPTypes
import Hummingbird
import Store
import Telemetry

/// `/api/v1/series/{id}/samples`, `…/bars` and `…/rollups`: one series over a range of time.
///
/// Rows are arrays in the order of `columns`, so that a day of bars costs a few kilobytes.
struct HistoryRoutes {
    let context: WebAPIContext
    let index: SeriesIndex

    /// Raw samples are told one by one.
    static let longestSampleRange = Duration.seconds(31 * 86_400)
    /// The buckets that one answer holds at most.
    static let mostRollups: Int64 = 20_000
    /// The bars that one answer holds at most.
    static let mostBars = 2_000
    static let barColumns = [
        "start", "end", "count", "bad", "expected", "coverage", "mean", "min", "max", "first",
        "last", "increase",
    ]
    static let resolutions: [Resolution] = [.minute, .quarterHour, .hour, .day]
    static let sampleColumns = ["time", "value", "quality"]
    static let rollupColumns = [
        "start", "count", "bad", "expected", "coverage", "mean", "min", "max", "first", "last",
        "increase", "estimated", "revision",
    ]

    func add(to router: Router<BasicRequestContext>) {
        router.get("api/v1/series/:id/samples") { request, http in
            try await samples(request, http.parameters.get("id") ?? "")
        }
        router.get("api/v1/series/:id/bars") { request, http in
            try await bars(request, http.parameters.get("id") ?? "")
        }
        router.get("api/v1/series/:id/rollups") { request, http in
            try await rollups(request, http.parameters.get("id") ?? "")
        }
    }

    private func samples(_ request: Request, _ id: String) async throws -> Response {
        let entry = try index.entry(id)
        let query = try QueryParameters(
            request, allowed: ["from", "to", "limit", "cursor", "format"])
        let form = try AnswerForm(request, query)
        let limit = try query.limit(1000, most: 10_000)
        var range = try query.range(now: context.now, standard: .seconds(3600))
        guard range.upperBound - range.lowerBound <= Self.longestSampleRange else {
            throw Problem.rangeTooLarge(
                "raw samples are told for 31 days at most", remedy: "shorten it, or ask for rollups"
            )
        }
        if let cursor = query.text("cursor") {
            guard let start = Int64(cursor).map(Timestamp.init(milliseconds:)),
                range.contains(start)
            else { throw Problem.badCursor(cursor) }
            range = start..<range.upperBound
        }
        let found = try await context.store.samples(
            series: entry.series.id, from: range.lowerBound, to: range.upperBound,
            limit: limit + 1)
        let page = Self.page(found, limit: limit)
        var rows = RowWriter(form, calendar: context.calendar, rows: page.samples.count)
        rows.header(Self.sampleColumns + ["unit"])
        for sample in page.samples {
            rows.beginRow()
            rows.cell(sample.time)
            switch sample.reading.value {
            case .number(let number): rows.cell(number)
            case .text(let text): rows.cell(text)
            case nil: rows.cell(Double?.none)
            }
            rows.cell(sample.reading.qualityWord)
            if form == .csv { rows.cell(entry.series.unit) }
            rows.endRow()
        }
        if form == .csv {
            var answer = Answer.csv(rows.bytes, name: "\(id)-samples")
            if let next = page.next, let link = HTTPField.Name("Link") {
                let address = Self.nextLink(request, cursor: next)
                answer.headers[link] = "<\(address)>; rel=\"next\""
            }
            return answer
        }
        return Answer.json(capacity: rows.bytes.count + 512) { json in
            head(entry, range, &json)
            json.columns(Self.sampleColumns, rows.bytes)
            json.field("next", page.next)
        }
    }

    /// Cuts the samples between two instants, so that the next page begins with a whole one.
    static func page(_ found: [Sample], limit: Int) -> (samples: [Sample], next: String?) {
        guard found.count > limit, let following = found.last else { return (found, nil) }
        var kept = Array(found.prefix(limit))
        while kept.last?.time == following.time { kept.removeLast() }
        // More samples at one instant than a page holds: they stay together on this page.
        if kept.isEmpty { return (found, String(following.time.milliseconds + 1)) }
        return (kept, String(following.time.milliseconds))
    }

    private static func nextLink(_ request: Request, cursor: String) -> String {
        let kept = (request.uri.query ?? "").split(separator: "&")
            .filter { !$0.hasPrefix("cursor=") }.joined(separator: "&")
        return "\(request.uri.path)?\(kept.isEmpty ? "" : kept + "&")cursor=\(cursor)"
    }

    private func rollups(_ request: Request, _ id: String) async throws -> Response {
        let entry = try index.entry(id)
        let query = try QueryParameters(request, allowed: ["resolution", "from", "to", "format"])
        let form = try AnswerForm(request, query)
        let resolution = try query.resolution(among: Self.resolutions, or: .quarterHour)
        let range = try query.range(
            now: context.now, standard: Self.standardRange(of: resolution))
        let nominal = max(1, resolution.nominal.milliseconds)
        let buckets = (range.upperBound - range.lowerBound).milliseconds / nominal
        guard buckets <= Self.mostRollups else {
            throw Problem.rangeTooLarge(
                "\(buckets) buckets of \(resolution.rawValue) are more than \(Self.mostRollups)",
                remedy: "shorten it, or take a coarser resolution")
        }
        let records = try await context.store.rollups(
            series: entry.series.number, resolution: resolution, from: range.lowerBound,
            to: range.upperBound)
        var rows = RowWriter(form, calendar: context.calendar, rows: records.count)
        rows.header(Self.rollupColumns + ["unit"])
        for record in records {
            rows.write(record)
            if form == .csv { rows.cell(entry.series.unit) }
            rows.endRow()
        }
        if form == .csv {
            return Answer.csv(rows.bytes, name: "\(id)-\(resolution.rawValue)")
        }
        return Answer.json(capacity: rows.bytes.count + 640) { json in
            head(entry, range, &json)
            json.field("resolution", resolution.rawValue)
            json.columns(Self.rollupColumns, rows.bytes)
        }
    }

    /// A chart of at most so many bars, whatever the range: the bars' width is chosen for it.
    private func bars(_ request: Request, _ id: String) async throws -> Response {
        let entry = try index.entry(id)
        let query = try QueryParameters(request, allowed: ["from", "to", "points", "format"])
        let form = try AnswerForm(request, query)
        let range = try query.range(now: context.now, standard: .seconds(86_400))
        let points = try query.count("points", 288, most: Self.mostBars)
        let bars = try await context.store.bars(
            series: entry.series.id, from: range.lowerBound, to: range.upperBound, count: points)
        var rows = RowWriter(form, calendar: context.calendar, rows: bars.count)
        rows.header(Self.barColumns + ["unit"])
        for bar in bars {
            rows.write(bar)
            if form == .csv { rows.cell(entry.series.unit) }
            rows.endRow()
        }
        if form == .csv { return Answer.csv(rows.bytes, name: "\(id)-bars") }
        return Answer.json(capacity: rows.bytes.count + 640) { json in
            head(entry, range, &json)
            json.columns(Self.barColumns, rows.bytes)
        }
    }

    private static func standardRange(of resolution: Resolution) -> Duration {
        switch resolution {
        case .minute, .quarterHour: .seconds(86_400)
        case .hour: .seconds(7 * 86_400)
        case .day, .month: .seconds(31 * 86_400)
        }
    }

    private func head(
        _ entry: SeriesIndex.Entry, _ range: Range<Timestamp>, _ json: inout JSONWriter
    ) {
        json.field("series", entry.series.id.description)
        json.field("kind", entry.series.kind.rawValue)
        json.field("unit", entry.series.unit)
        json.field("from", range.lowerBound, context.calendar)
        json.field("to", range.upperBound, context.calendar)
    }
}

extension QueryParameters {
    func resolution(among known: [Resolution], or standard: Resolution) throws(Problem)
        -> Resolution
    {
        let text = try word(
            "resolution", among: known.map(\.rawValue), or: standard.rawValue)
        return Resolution(rawValue: text) ?? standard
    }
}

extension RowWriter {
    /// One bar in the order of `HistoryRoutes.barColumns`; the caller ends the row.
    mutating func write(_ bar: Bar) {
        beginRow()
        cell(bar.start)
        cell(bar.end)
        cell(bar.count)
        cell(bar.bad)
        cell(bar.expected)
        cell(bar.coverage)
        cell(bar.mean)
        cell(bar.minimum)
        cell(bar.maximum)
        cell(bar.first)
        cell(bar.last)
        cell(bar.increase)
    }

    /// One rollup in the order of `HistoryRoutes.rollupColumns`; the caller ends the row.
    mutating func write(_ record: RollupRecord) {
        let rollup = record.rollup
        beginRow()
        cell(record.bucket.start)
        cell(rollup.count)
        cell(rollup.bad)
        cell(rollup.expected)
        cell(rollup.coverage)
        cell(rollup.mean)
        cell(rollup.minimum)
        cell(rollup.maximum)
        cell(rollup.first?.value)
        cell(rollup.last?.value)
        cell(rollup.increase?.double)
        cell(rollup.isEstimated)
        cell(record.revision)
    }
}

extension JSONWriter {
    /// The names of the columns, and the finished rows below them.
    mutating func columns(_ names: [String], _ rows: [UInt8]) {
        key("columns")
        array { for name in names { $0.value(name) } }
        key("rows")
        array { $0.items(rows) }
    }
}
