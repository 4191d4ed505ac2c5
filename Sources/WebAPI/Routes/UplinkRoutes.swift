import Hummingbird
import Store
import Telemetry

/// `/api/v1/uplinks`: what each platform is owed, and what became of the rest.
struct UplinkRoutes {
    let context: WebAPIContext

    func add(to router: Router<BasicRequestContext>) {
        router.get("api/v1/uplinks") { request, _ in
            let query = try QueryParameters(request, allowed: ["limit", "cursor"])
            let page = try Page(
                of: context.uplinks, after: query.text("cursor"),
                limit: query.limit(50, most: 200), name: \.self)
            var found: [UplinkStatus] = []
            for uplink in page.items {
                found.append(try await context.store.uplinkStatus(uplink: uplink))
            }
            let statuses = found
            return Answer.json { json in
                json.field("time", context.now, context.calendar)
                json.key("uplinks")
                json.array { list in for status in statuses { list.object { write(status, &$0) } } }
                json.field("next", page.next)
            }
        }
    }

    private func write(_ status: UplinkStatus, _ json: inout JSONWriter) {
        json.field("id", status.uplink)
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
