import Hummingbird
import Store
import Telemetry

/// `/api/v1/uplinks` and `/api/v1/feeds`: what each platform and each receiver of alarms is owed, and
/// what became of the rest.
struct UplinkRoutes {
    let context: WebAPIContext

    func add(to router: Router<BasicRequestContext>) {
        router.get("api/v1/uplinks") { request, _ in
            try await list(context.uplinks.map { ($0, $0) }, as: "uplinks", request)
        }
        router.get("api/v1/feeds") { request, _ in
            try await list(context.feeds.map { ($0.id, $0.receiver) }, as: "feeds", request)
        }
    }

    /// - Parameter receivers: what they are called, and under which name things are owed to them.
    private func list(
        _ receivers: [(id: String, receiver: String)], as name: String, _ request: Request
    ) async throws -> Response {
        let query = try QueryParameters(request, allowed: ["limit", "cursor"])
        let page = try Page(
            of: receivers, after: query.text("cursor"), limit: query.limit(50, most: 200),
            name: \.id)
        var found: [(id: String, status: UplinkStatus)] = []
        for one in page.items {
            found.append((one.id, try await context.store.uplinkStatus(uplink: one.receiver)))
        }
        let statuses = found
        return Answer.json { json in
            json.field("time", context.now, context.calendar)
            json.key(name)
            json.array { list in
                for (id, status) in statuses {
                    list.object {
                        $0.field("id", id)
                        write(status, &$0)
                    }
                }
            }
            json.field("next", page.next)
        }
    }

    private func write(_ status: UplinkStatus, _ json: inout JSONWriter) {
        json.field("owed", status.owed)
        json.field("oldest_owed", status.oldestOwed, context.calendar)
        json.field("accepted", status.accepted)
        json.field("retried", status.retried)
        json.field("rejected", status.rejected)
        json.field("expired", status.expired)
        json.field("last_outcome", status.lastOutcome)
        json.field("last_reason", status.lastReason)
        json.field("last_time", status.lastTime, context.calendar)
        json.field("last_accepted", status.lastAccepted, context.calendar)
    }
}
