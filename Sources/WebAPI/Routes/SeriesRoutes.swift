import Hummingbird
import Telemetry

/// `/api/v1/series`: what is measured, in which unit, how often, and which limits apply to it.
struct SeriesRoutes {
    let context: WebAPIContext
    let index: SeriesIndex

    func add(to router: Router<BasicRequestContext>) {
        router.get("api/v1/series") { request, _ in
            let query = try QueryParameters(
                request, allowed: ["device", "point", "limit", "cursor"])
            let chosen = index.entries.filter { entry in
                (query.text("device").map { entry.device.id.text == $0 } ?? true)
                    && (query.text("point").map { entry.series.id.point.text == $0 } ?? true)
            }
            let page = try Page(
                of: chosen, after: query.text("cursor"), limit: query.limit(200, most: 1000),
                name: \.series.id.description)
            return list(page)
        }
        router.get("api/v1/series/:id") { request, http in
            _ = try QueryParameters(request, allowed: [])
            let entry = try index.entry(http.parameters.get("id") ?? "")
            let latest = context.store.latest()[entry.series.number]
            return Answer.json { json in
                write(entry, &json)
                json.key("latest")
                json.object { $0.writeLatest(latest, context.calendar) }
            }
        }
    }

    private func list(_ page: Page<SeriesIndex.Entry>) -> Response {
        Answer.json(capacity: 256 + page.items.count * 400) { json in
            json.key("series")
            json.array { list in
                for entry in page.items { list.object { write(entry, &$0) } }
            }
            json.field("next", page.next)
        }
    }

    private func write(_ entry: SeriesIndex.Entry, _ json: inout JSONWriter) {
        let series = entry.series
        json.field("id", series.id.description)
        json.field("device", series.id.device.text)
        json.field("device_title", entry.device.title)
        json.field("device_kind", entry.device.kind)
        json.field("point", series.id.point.text)
        if let title = context.pointTitles[series.id.point] { json.field("title", title) }
        json.field("kind", series.kind.rawValue)
        json.field("unit", series.unit)
        json.field("group", entry.group.scope)
        json.field("polled", entry.group.isPolled)
        json.field("period_seconds", entry.group.period?.seconds)
        json.key("limits")
        json.array { list in
            for line in context.limitLines[series.id] ?? [] {
                list.object {
                    $0.field("rule", line.rule)
                    $0.field("title", line.title)
                    $0.field("above", line.above)
                    $0.field("unit", line.unit)
                }
            }
        }
    }
}
