import Hummingbird
import Store
import Telemetry

/// `/api/v1/site`: what the site is, and how it stands at a glance.
struct SiteRoutes {
    let context: WebAPIContext

    func add(to router: Router<BasicRequestContext>) {
        router.get("api/v1/site") { request, _ in
            _ = try QueryParameters(request, allowed: [])
            return try await site()
        }
    }

    private func site() async throws -> Response {
        let now = context.now
        let latest = context.store.latest()
        var counts: [DeviceState: Int] = [:]
        for device in context.devices {
            let condition = DeviceCondition(
                device.groups, latest: latest, now: now, allowance: context.visibilityAllowance)
            counts[condition.state, default: 0] += 1
        }
        let open = try await context.store.alarms(openOnly: true, limit: 100)
        let site = context.site
        let clock = context.clockStatus()
        return Answer.json { json in
            json.field("id", site.id.text)
            json.field("name", site.name)
            json.field("timezone", site.timezone)
            json.field("phase", site.phase)
            json.key("floor_area")
            json.object {
                $0.field("value", site.floorAreaSquareMetres)
                $0.field("unit", "m2")
            }
            json.field("time", now, context.calendar)
            json.field("utc_offset_seconds", context.calendar.offset(at: now))
            if let clock {
                json.key("clock")
                json.object { field in
                    field.field("state", clock.state.rawValue)
                    if let since = clock.since { field.field("since", since, context.calendar) }
                    field.field("offset_seconds", clock.offsetSeconds)
                    field.field("step_disbelieved", clock.isStepDisbelieved)
                }
            }
            json.field("ready", context.readiness.isReady)
            json.field("fault", context.readiness.fault)
            json.field("newest_sequence", context.store.newestSequence())
            json.key("devices")
            json.object { counted in
                for state in DeviceState.allCases {
                    counted.field(state.rawValue, counts[state] ?? 0)
                }
            }
            json.field("open_alarms", open.count)
        }
    }
}
