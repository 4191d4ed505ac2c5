import Hummingbird
import Store
import Telemetry

/// `/api/v1/devices`: how each device stands, and what it said last.
struct DeviceRoutes {
    let context: WebAPIContext

    func add(to router: Router<BasicRequestContext>) {
        router.get("api/v1/devices") { request, _ in
            let query = try QueryParameters(request, allowed: ["limit", "cursor"])
            let page = try Page(
                of: context.devices, after: query.text("cursor"),
                limit: query.limit(200, most: 1000), name: \.id.text)
            return devices(page)
        }
    }

    private func devices(_ page: Page<DeviceDescription>) -> Response {
        let now = context.now
        let latest = context.store.latest()
        return Answer.json(capacity: 1024 + page.items.count * 4096) { json in
            json.field("time", now, context.calendar)
            json.key("devices")
            json.array { list in
                for device in page.items { list.object { write(device, latest, now, &$0) } }
            }
            json.field("next", page.next)
        }
    }

    private func write(
        _ device: DeviceDescription, _ latest: [Int: LatestReading], _ now: Timestamp,
        _ json: inout JSONWriter
    ) {
        let condition = DeviceCondition(
            device.groups, latest: latest, now: now, allowance: context.visibilityAllowance)
        json.field("id", device.id.text)
        json.field("title", device.title)
        json.field("kind", device.kind)
        json.field("link", device.link)
        json.field("state", condition.state.rawValue)
        json.key("rule")
        json.object {
            $0.field("periods", DeviceCondition.periods)
            $0.field("period_seconds", condition.period?.seconds)
            $0.field("limit_seconds", condition.limit.seconds)
        }
        json.field("age_seconds", condition.age?.seconds)
        json.field("last_good_time", condition.lastGood, context.calendar)
        json.field("last_reading_time", condition.lastReading, context.calendar)
        json.field("last_bad_reason", condition.badReason?.word)
        json.key("readings")
        json.array { list in
            for group in device.groups {
                for series in group.series {
                    list.object { write(series, latest[series.number], &$0) }
                }
            }
        }
    }

    private func write(_ series: Series, _ latest: LatestReading?, _ json: inout JSONWriter) {
        json.field("series", series.id.description)
        json.field("point", series.id.point.text)
        if let title = context.pointTitles[series.id.point] { json.field("title", title) }
        json.field("kind", series.kind.rawValue)
        json.field("unit", series.unit)
        json.writeLatest(latest, context.calendar)
    }
}

extension JSONWriter {
    /// The newest reading as fields: a value with its quality and time, and the last good one
    /// beside it when the newest has none.
    mutating func writeLatest(_ latest: LatestReading?, _ calendar: SiteCalendar) {
        field("value", latest?.reading.value)
        field("quality", latest?.reading.qualityWord ?? "never")
        field("time", latest?.time, calendar)
        if let latest, !latest.reading.isGood {
            field("last_good_value", latest.goodValue)
            field("last_good_time", latest.goodTime, calendar)
        }
    }
}
