import Hummingbird
import Store
import Telemetry

/// What cranes did: `/api/v1/lifts`, `/api/v1/overloads`, `/api/v1/near-misses`.
///
///     ?crane=crane-1    one crane; without it all
///     ?from= &to=       RFC 3339; the last 24 h without them, at most 31 days
///     ?limit=1…5000     1000
struct CraneRoutes {
    let context: WebAPIContext

    private static let longest = Duration.seconds(31 * 86_400)

    func add(to router: Router<BasicRequestContext>) {
        for (path, kind, name) in [
            ("lifts", StoredCraneRecord.Kind.lift, "lifts"),
            ("overloads", .overload, "overloads"), ("near-misses", .nearMiss, "near_misses"),
        ] {
            router.get("api/v1/\(path)") { request, _ in
                try await list(request, kind, name)
            }
        }
    }

    private func list(
        _ request: Request, _ kind: StoredCraneRecord.Kind, _ name: String
    ) async throws -> Response {
        let query = try QueryParameters(request, allowed: ["crane", "from", "to", "limit"])
        let limit = try query.limit(1000, most: 5000)
        let range = try query.range(now: context.now, standard: .seconds(86_400))
        guard range.upperBound - range.lowerBound <= Self.longest else {
            throw Problem.rangeTooLarge(
                "the range is longer than 31 days", remedy: "ask for a month at a time")
        }
        let crane = query.text("crane").map { DeviceID($0) }
        if let crane, !context.devices.contains(where: { $0.id == crane }) {
            throw Problem(
                status: .notFound, code: "unknown_device", title: "Unknown device",
                detail: "there is no device '\(crane)'", field: "crane",
                remedy: "the devices are listed at /api/v1/devices")
        }
        let found = try await context.store.craneRecords(
            kind, crane: crane, from: range.lowerBound, to: range.upperBound, limit: limit + 1)
        return Answer.json(capacity: 256 + found.count * 700) { json in
            json.field("from", range.lowerBound, context.calendar)
            json.field("to", range.upperBound, context.calendar)
            json.field("complete", found.count <= limit)
            json.key(name)
            json.array { list in
                for record in found.prefix(limit) { list.object { write(record, &$0) } }
            }
        }
    }

    private func write(_ record: StoredCraneRecord, _ json: inout JSONWriter) {
        json.field("id", record.key)
        json.field("crane", record.crane.text)
        json.field("start", record.start, context.calendar)
        json.field("end", record.end, context.calendar)
        json.field("seconds", Double((record.end - record.start).milliseconds) / 1000)
        if record.kind == .lift { json.field("peak_load_t", record.peakLoad) }
        json.field("peak_moment_percent", record.peakMoment)
        json.field("greatest_wind_m_s", record.greatestWind)
        json.field("overloads", record.overloads)
        json.field("backfill", record.isBackfill)
        // Written by us as JSON, so it can stand in JSON.
        json.key("record")
        json.json(record.body)
    }
}
