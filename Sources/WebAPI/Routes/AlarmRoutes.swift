import Hummingbird
import Store
import Telemetry

/// `/api/v1/alarms`: the newest onset first, each with its evidence and every change of state.
///
///     /api/v1/alarms/{id}     one alarm, with what people did about it and the hazard made of it
///     /api/v1/silences        what is shelved or out of service, by whom, until when and why
///     /api/v1/hazards         hazards by their deadline
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
        router.get("api/v1/alarms/:id") { request, route in
            _ = try QueryParameters(request, allowed: [])
            let id = try route.parameters.require("id")
            return try await alarm(id.removingPercentEncoding ?? id)
        }
        router.get("api/v1/silences") { request, _ in
            _ = try QueryParameters(request, allowed: [])
            return try await silences()
        }
        router.get("api/v1/hazards") { request, _ in
            let query = try QueryParameters(request, allowed: ["open"])
            return try await hazards(openOnly: try query.flag("open"))
        }
    }

    private func alarm(_ key: String) async throws -> Response {
        guard let alarm = try await context.store.alarm(key: key) else {
            throw Problem(
                status: .notFound, code: "unknown_alarm", title: "Unknown alarm",
                detail: "there is no alarm '\(key)'", field: "id",
                remedy: "the 'id' of an alarm in /api/v1/alarms, percent-encoded")
        }
        let transitions = try await context.store.transitions(alarmKey: key)
        let instructions = try await context.store.instructions(subject: key)
        let hazards = try await context.store.hazards(alarm: key)
        let brief = await context.brief(alarm)
        let writer = AlarmWriter(context: context, index: index)
        return Answer.json(capacity: 4096) { json in
            writer.write(alarm, &json)
            if let brief { writer.write(brief, &json) }
            writer.write(transitions, &json)
            json.key("instructions")
            json.array { list in
                for one in instructions { list.object { writer.write(one, &$0) } }
            }
            json.key("hazard")
            if let hazard = hazards.first {
                json.object { writer.write(hazard, &$0) }
            } else {
                json.null()
            }
        }
    }

    private func silences() async throws -> Response {
        let found = try await context.store.silences(at: context.now)
        return Answer.json(capacity: 256 + found.count * 200) { json in
            json.field("time", context.now, context.calendar)
            json.key("silences")
            json.array { list in
                for silence in found {
                    list.object { one in
                        let parts = silence.target.split(separator: "|")
                        one.field("rule", parts.first.map(String.init))
                        one.field(
                            "series",
                            silence.target.hasSuffix("|*") ? nil : parts.last.map(String.init))
                        one.field("state", silence.state.rawValue)
                        one.field("since", silence.since, context.calendar)
                        one.key("until")
                        if let until = silence.until {
                            one.value(context.calendar.rfc3339(until))
                        } else {
                            one.null()
                        }
                        one.field("actor", silence.actor)
                        one.field("reason", silence.reason)
                    }
                }
            }
        }
    }

    private func hazards(openOnly: Bool) async throws -> Response {
        let found = try await context.store.hazards(openOnly: openOnly)
        let writer = AlarmWriter(context: context, index: index)
        return Answer.json(capacity: 256 + found.count * 600) { json in
            json.field("time", context.now, context.calendar)
            json.key("hazards")
            json.array { list in
                for hazard in found { list.object { writer.write(hazard, &$0) } }
            }
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
        // Not by the series: an alarm about a device's silence has none.
        if let device = context.devices.first(where: { $0.id == alarm.series.device }) {
            json.field("device_title", device.title)
        }
        if let title = context.pointTitles[alarm.series.point] { json.field("point_title", title) }
        json.field("state", alarm.state.rawValue)
        json.field("open", alarm.state.isOpen)
        json.field("onset", alarm.onset, context.calendar)
        json.field("raised", alarm.raised, context.calendar)
        json.field("changed", alarm.changed, context.calendar)
        json.field("backfill", alarm.isBackfill)
        json.field("actor", alarm.actor)
        json.field("note", alarm.note)
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
                    one.field("rule_version", transition.ruleVersion)
                    one.field("actor", transition.actor)
                    one.field("note", transition.note)
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
        json.field("word", evidence.word)
        json.key("others")
        json.array { list in
            for other in evidence.others {
                list.object {
                    $0.field("series", other.series.description)
                    $0.field("value", other.value)
                    $0.field("word", other.word)
                    $0.field("unit", other.unit)
                }
            }
        }
    }

    /// What the rule and the site say of an alarm.
    func write(_ brief: AlarmBrief, _ json: inout JSONWriter) {
        json.field("module", brief.module)
        json.field("area", brief.area)
        json.field("colour", brief.colour)
        json.field("risk", brief.risk)
        json.field("source", brief.source)
        json.field("status", brief.status)
        json.key("facts")
        json.array { list in
            for fact in brief.facts {
                list.object {
                    $0.field("label", fact.label)
                    $0.field("text", fact.text)
                }
            }
        }
    }

    func write(_ record: InstructionRecord, _ json: inout JSONWriter) {
        json.field("request", record.id)
        json.field("time", record.time, context.calendar)
        json.field("actor", record.actor)
        json.field("action", record.verb)
        json.field("detail", record.detail)
        json.field("note", record.note)
        json.field("changes", record.changes)
    }

    func write(_ hazard: HazardRecord, _ json: inout JSONWriter) {
        json.field("alarm", hazard.alarm)
        json.field("state", hazard.state)
        json.field("owner", hazard.owner)
        json.field("deadline", hazard.deadline, context.calendar)
        json.field("overdue", hazard.state != "closed" && hazard.deadline < context.now)
        json.field("opened", hazard.opened, context.calendar)
        json.field("changed", hazard.changed, context.calendar)
        json.key("steps")
        json.array { list in
            for step in hazard.steps {
                list.object {
                    $0.field("step", step.kind.rawValue)
                    $0.field("time", step.time, context.calendar)
                    $0.field("actor", step.actor)
                    $0.field("note", step.note)
                }
            }
        }
    }
}
