import Hummingbird
import Store
import Telemetry

/// `/api/v1/alarms`: the newest onset first, each with its evidence and every change of state.
struct AlarmRoutes {
    let context: WebAPIContext
    let index: SeriesIndex

    func add(to router: Router<BasicRequestContext>) {
        router.get("api/v1/alarms") { request, _ in
            let query = try QueryParameters(request, allowed: ["open", "limit", "cursor"])
            let openOnly = try query.flag("open")
            let limit = try query.limit(50, most: 200)
            var cursor: AlarmCursor?
            if let text = query.text("cursor") {
                guard let place = AlarmCursor(text) else { throw Problem.badCursor(text) }
                cursor = place
            }
            return try await alarms(openOnly: openOnly, limit: limit, cursor: cursor)
        }
    }

    private func alarms(openOnly: Bool, limit: Int, cursor: AlarmCursor?) async throws -> Response {
        let found = try await context.store.alarms(
            openOnly: openOnly, limit: limit + 1, before: cursor)
        let page = Array(found.prefix(limit))
        var transitions: [String: [AlarmTransition]] = [:]
        for alarm in page {
            transitions[alarm.key] = try await context.store.transitions(alarmKey: alarm.key)
        }
        let writer = AlarmWriter(context: context, index: index)
        return Answer.json(capacity: 256 + page.count * 1500) { json in
            json.field("time", context.now, context.calendar)
            json.key("alarms")
            json.array { list in
                for alarm in page {
                    list.object {
                        writer.write(alarm, &$0)
                        writer.write(transitions[alarm.key] ?? [], &$0)
                    }
                }
            }
            json.field("next", found.count > limit ? page.last?.cursor.description : nil)
        }
    }
}

/// Writes an alarm as the list and the event stream tell it.
struct AlarmWriter {
    let context: WebAPIContext
    let index: SeriesIndex

    func write(_ alarm: AlarmRecord, _ json: inout JSONWriter) {
        json.field("id", alarm.key)
        json.field("rule", alarm.rule)
        json.field("rule_version", alarm.ruleVersion)
        json.field(
            "title",
            context.alarmTitles[alarm.rule] ?? LocalizedText(en: alarm.rule, zh: alarm.rule))
        json.field("severity", alarm.severity)
        json.field("series", alarm.series.description)
        json.field("device", alarm.series.device.text)
        if let entry = index[alarm.series] { json.field("device_title", entry.device.title) }
        if let title = context.pointTitles[alarm.series.point] { json.field("point_title", title) }
        json.field("state", alarm.state.rawValue)
        json.field("open", alarm.state.isOpen)
        json.field("onset", alarm.onset, context.calendar)
        json.field("raised", alarm.raised, context.calendar)
        json.field("changed", alarm.changed, context.calendar)
        json.field("backfill", alarm.isBackfill)
        json.key("evidence")
        json.object { write(alarm.evidence, &$0) }
    }

    func write(_ transitions: [AlarmTransition], _ json: inout JSONWriter) {
        json.key("transitions")
        json.array { list in
            for transition in transitions {
                list.object { one in
                    one.field("time", transition.time, context.calendar)
                    one.field("from", transition.from.rawValue)
                    one.field("to", transition.to.rawValue)
                    one.key("evidence")
                    one.object { write(transition.evidence, &$0) }
                }
            }
        }
    }

    private func write(_ evidence: AlarmEvidence, _ json: inout JSONWriter) {
        json.field("value", evidence.value)
        json.field("unit", evidence.unit)
        json.field("limit", evidence.limit)
        json.field("window_start", evidence.windowStart, context.calendar)
        json.field("window_end", evidence.windowEnd, context.calendar)
        json.field("samples", evidence.samples)
        json.field("coverage", evidence.coverage)
    }
}
