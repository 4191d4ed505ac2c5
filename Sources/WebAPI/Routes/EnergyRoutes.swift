import EnergyAccounting
import Hummingbird
import LocatedText
import Telemetry

/// `/api/v1/energy`: kWh by meter; without a question, today and its hours.
struct EnergyRoutes {
    let context: WebAPIContext
    let index: SeriesIndex

    /// The buckets of one answer, over all its meters.
    static let mostFigures = 20_000

    func add(to router: Router<BasicRequestContext>) {
        router.get("api/v1/energy") { request, _ in try await energy(request) }
    }

    private func energy(_ request: Request) async throws -> Response {
        let query = try QueryParameters(request, allowed: ["meter", "from", "to", "resolution"])
        let resolution = try query.resolution(among: [.hour, .day], or: .day)
        let meters = try meters(query.text("meter"))
        let now = context.now
        let today = Bucket(.day, containing: now, calendar: context.calendar)
        let isToday = query.text("from") == nil && query.text("to") == nil
        let range =
            isToday
            ? today.start..<now + .milliseconds(1)
            : try query.range(now: now, standard: .seconds(86_400))
        let buckets = try buckets(resolution, range, meters: meters.count, now: now)
        let hours =
            isToday && resolution == .day
            ? try self.buckets(.hour, range, meters: meters.count, now: now) : []
        let report = EnergyReport(context: context)
        let ledger = try await report.ledger(over: buckets, now: now)
        var answers: [MeterAnswer] = []
        for meter in meters {
            answers.append(
                MeterAnswer(
                    meter: meter,
                    figures: report.figures(of: meter, over: buckets, in: ledger, now: now),
                    hours: report.figures(of: meter, over: hours, in: ledger, now: now)))
        }
        return Answer.json(capacity: 512 + answers.count * (buckets.count + hours.count) * 160) {
            $0.field("time", now, context.calendar)
            $0.field("resolution", resolution.rawValue)
            $0.key("floor_area")
            $0.object {
                $0.field("value", context.site.floorAreaSquareMetres)
                $0.field("unit", "m2")
            }
            $0.key("meters")
            $0.array { list in
                for answer in answers {
                    list.object { write(answer, withHours: !hours.isEmpty, &$0) }
                }
            }
        }
    }

    private struct MeterAnswer {
        var meter: Meter
        var figures: [EnergyReport.Figure]
        var hours: [EnergyReport.Figure]
    }

    private func meters(_ id: String?) throws(Problem) -> [Meter] {
        guard let id else { return context.energy.tree.meters }
        if let meter = context.energy.tree[id] { return [meter] }
        let known = context.energy.tree.meters.map(\.id)
        throw Problem(
            status: .notFound, code: "unknown_meter", title: "The meter is not known",
            detail: "no meter has the id '\(id)'", field: "meter",
            remedy: Spelling.nearest(to: id, among: known).map { "did you mean '\($0)'?" }
                ?? "the meters are: \(known.joined(separator: ", "))")
    }

    /// The buckets that touch the range, up to the one that holds `now`.
    private func buckets(
        _ resolution: Resolution, _ range: Range<Timestamp>, meters: Int, now: Timestamp
    ) throws(Problem) -> [Bucket] {
        let end = min(range.upperBound, now + .milliseconds(1))
        let nominal = max(1, resolution.nominal.milliseconds)
        let count = max(0, (end - range.lowerBound).milliseconds / nominal) + 1
        guard count * Int64(max(1, meters)) <= Int64(Self.mostFigures) else {
            throw .rangeTooLarge(
                "\(count) buckets of \(resolution.rawValue) for \(meters) meters are too many",
                remedy: "shorten it, name one meter, or take resolution=1d")
        }
        var buckets: [Bucket] = []
        var bucket = Bucket(resolution, containing: range.lowerBound, calendar: context.calendar)
        while bucket.start < end {
            buckets.append(bucket)
            bucket = bucket.next(calendar: context.calendar)
        }
        return buckets
    }

    private func write(_ answer: MeterAnswer, withHours: Bool, _ json: inout JSONWriter) {
        let meter = answer.meter
        json.field("id", meter.id)
        if let title = meter.title {
            json.field("title", title)
        } else if let entry = meter.counter.flatMap({ index[$0] }) {
            json.field("title", entry.device.title)
        }
        json.field("parent", meter.parent)
        json.field("item", meter.item)
        json.field("zone", meter.zone)
        json.field("carrier", meter.carrier.rawValue)
        json.field("role", meter.role.rawValue)
        json.field("unit", meter.carrier.unit)
        switch meter.source {
        case .counter(let series): json.field("series", series.description)
        case .formula(let formula): json.field("formula", formula.text)
        case .entries: json.field("entries", true)
        }
        json.key("figures")
        json.array { for figure in answer.figures { write(figure, &$0) } }
        guard withHours else { return }
        json.key("hours")
        json.array { for figure in answer.hours { write(figure, &$0) } }
    }

    private func write(_ one: EnergyReport.Figure, _ json: inout JSONWriter) {
        let figure = one.figure
        json.object {
            $0.field("start", one.bucket.start, context.calendar)
            $0.field("end", one.bucket.end, context.calendar)
            $0.field("amount", figure.amount?.double)
            $0.field("intensity", one.perArea?.double)
            $0.field("coverage", figure.coverage?.double)
            $0.field("completeness", figure.completeness?.double)
            $0.field(
                "quality",
                figure.amount == nil ? "missing" : figure.isEstimated ? "estimated" : "good")
            $0.field("estimated_amount", figure.estimated.double)
            $0.field("partial", one.isPartial)
        }
    }
}
