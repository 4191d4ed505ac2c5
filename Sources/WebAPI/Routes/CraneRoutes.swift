import CraneWork
import Hummingbird
import Store
import Telemetry

/// What cranes did: `/api/v1/lifts`, `/api/v1/overloads`, `/api/v1/near-misses`, and how much by
/// shift: `/api/v1/lifts/summary`.
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
        router.get("api/v1/lifts/summary") { request, _ in try await summary(request) }
    }

    private func list(
        _ request: Request, _ kind: StoredCraneRecord.Kind, _ name: String
    ) async throws -> Response {
        let query = try QueryParameters(request, allowed: ["crane", "from", "to", "limit"])
        let limit = try query.limit(1000, most: 5000)
        let range = try range(query)
        let crane = try crane(query)
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

    /// Lifts, overloads and near misses by shift: a whole lift belongs to the one in which it began.
    private func summary(_ request: Request) async throws -> Response {
        let query = try QueryParameters(request, allowed: ["crane", "from", "to"])
        let range = try range(query)
        let crane = try crane(query)
        guard let shifts = context.shifts else {
            throw Problem(
                status: .notFound, code: "no_crane_work", title: "No lifts are counted",
                detail: "the configuration does not say what counts as a lift",
                remedy: "add 'cranes: { include: cranes/work.yaml }'")
        }
        // Whole shifts: one that has begun before is counted from its own start.
        let start = shifts.span(containing: range.lowerBound).start
        func records(_ kind: StoredCraneRecord.Kind) async throws -> [StoredCraneRecord] {
            try await context.store.craneRecords(
                kind, crane: crane, from: start, to: range.upperBound,
                limit: Self.mostCounted)
        }
        let lifts = try await records(.lift)
        let misses = try await records(.nearMiss)
        let summaries = LiftSummary.summaries(
            of: lifts.compactMap(\.lift), nearMisses: misses.compactMap(\.nearMiss), plan: shifts)
        return Answer.json(capacity: 256 + summaries.count * 900) { json in
            json.field("from", start, context.calendar)
            json.field("to", range.upperBound, context.calendar)
            json.field("complete", max(lifts.count, misses.count) < Self.mostCounted)
            json.key("shifts")
            json.array { list in
                for summary in summaries {
                    list.object { CraneJSON.write(summary, &$0, context.calendar) }
                }
            }
        }
    }

    private static let mostCounted = 100_000

    private func range(_ query: QueryParameters) throws -> Range<Timestamp> {
        let range = try query.range(now: context.now, standard: .seconds(86_400))
        guard range.upperBound - range.lowerBound <= Self.longest else {
            throw Problem.rangeTooLarge(
                "the range is longer than 31 days", remedy: "ask for a month at a time")
        }
        return range
    }

    private func crane(_ query: QueryParameters) throws -> DeviceID? {
        let crane = query.text("crane").map { DeviceID($0) }
        if let crane, !context.devices.contains(where: { $0.id == crane }) {
            throw Problem(
                status: .notFound, code: "unknown_device", title: "Unknown device",
                detail: "there is no device '\(crane)'", field: "crane",
                remedy: "the devices are listed at /api/v1/devices")
        }
        return crane
    }

    private func write(_ record: StoredCraneRecord, _ json: inout JSONWriter) {
        json.field("id", record.key)
        json.field("crane", record.crane.text)
        json.field("start", record.start, context.calendar)
        json.field("end", record.end, context.calendar)
        json.field("seconds", (record.end - record.start).seconds)
        json.field("backfill", record.isBackfill)
        if let lift = record.lift { CraneJSON.write(lift, &json) }
        if let overload = record.overload { CraneJSON.write(overload, &json, context.calendar) }
        if let miss = record.nearMiss { CraneJSON.write(miss, &json, context.calendar) }
    }
}
