import EnergyAccounting
import Foundation
import HTTPTypes
import Hummingbird
import Store
import Telemetry

/// What people do with alarms: `POST` with a bearer token, a JSON body and an optional
/// `Idempotency-Key`. The answer comes when it is committed and acted upon.
///
///     POST /api/v1/alarms/{id}/acknowledge | comment | hazard
///     POST /api/v1/alarms/shelve | unshelve | take-out | put-back
///     POST /api/v1/energy/close            { "period": "2026-03" }
///     POST /api/v1/circumstances/{id}       { "state": "orange" }
struct InstructionRoutes {
    let context: WebAPIContext
    let index: SeriesIndex

    private var gate: InstructionGate { InstructionGate(context: context) }

    func add(to router: Router<BasicRequestContext>) {
        for action in ["acknowledge", "comment", "hazard"] {
            router.post("api/v1/alarms/:id/\(action)") { request, route in
                let id = try route.parameters.require("id")
                return try await give(request) { form in
                    form.action = action
                    form.alarm = id.removingPercentEncoding ?? id
                }
            }
        }
        for (path, action) in [
            ("shelve", "shelve"), ("unshelve", "unshelve"), ("take-out", "take_out"),
            ("put-back", "put_back"),
        ] {
            router.post("api/v1/alarms/\(path)") { request, _ in
                try await give(request) { $0.action = action }
            }
        }
        router.post("api/v1/energy/close") { request, _ in try await close(request) }
        router.post("api/v1/circumstances/:id") { request, route in
            try await say(request, of: try route.parameters.require("id"))
        }
    }

    private func give(
        _ request: Request, _ complete: (inout InstructionForm) -> Void
    ) async throws -> Response {
        let bytes = try await gate.body(of: request)
        do {
            var form = try InstructionForm.read(bytes)
            complete(&form)
            let holder = try gate.authorise(request, for: form.role)
            if form.request == nil { form.request = request.headers[.idempotencyKey] }
            let instruction = try form.instruction(
                id: UUID().uuidString, actor: holder.name, now: context.now)
            let record = try await context.instruct(instruction)
            return try await answer(record)
        } catch let mistake as InstructionForm.Mistake {
            throw Problem.badField(mistake)
        }
    }

    private func answer(_ record: InstructionRecord) async throws -> Response {
        let alarm = try await context.store.alarm(key: record.subject)
        let writer = AlarmWriter(context: context, index: index)
        return Answer.json(capacity: 1024) { json in
            json.field("request", record.id)
            json.field("time", record.time, context.calendar)
            json.field("actor", record.actor)
            json.field("action", record.verb)
            json.field("subject", record.subject)
            json.field("changes", record.changes)
            if let alarm {
                json.key("alarm")
                json.object { writer.write(alarm, &$0) }
            }
        }
    }

    private func close(_ request: Request) async throws -> Response {
        let bytes = try await gate.body(of: request)
        let holder = try gate.authorise(request, for: .administrator)
        struct Form: Decodable { var period: String }
        guard let form = try? JSONDecoder().decode(Form.self, from: Data(bytes)),
            let period = AccountingPeriod(form.period), EnergyStatement.closing(period) != nil
        else {
            throw Problem.badField(
                InstructionForm.Mistake(
                    field: "period", what: "'period' is no month and no year",
                    remedy: "{ \"period\": \"2026-03\" }"))
        }
        guard period.end(calendar: context.calendar) <= context.now else {
            throw Problem(
                status: .conflict, code: "period_open", title: "The period has not ended",
                detail: "\(period.label) goes on until "
                    + context.calendar.rfc3339(period.end(calendar: context.calendar)),
                field: "period", remedy: "close it when it is over")
        }
        let closed = try await context.close(period, holder.name)
        return Answer.json(capacity: 256) { json in
            json.field("period", closed.document.period)
            json.field("kind", closed.document.kind)
            json.field("closed_at", closed.closedAt, context.calendar)
            json.field("actor", closed.actor)
            json.field("sha256", closed.hashText)
        }
    }

    private func say(_ request: Request, of id: String) async throws -> Response {
        let bytes = try await gate.body(of: request)
        let holder = try gate.authorise(request, for: .operator)
        struct Form: Decodable { var state: String }
        guard let form = try? JSONDecoder().decode(Form.self, from: Data(bytes)) else {
            throw Problem.badField(
                InstructionForm.Mistake(
                    field: "state", what: "'state' is missing", remedy: "{ \"state\": \"orange\" }")
            )
        }
        let time = try await context.say(id, form.state, holder.name)
        return Answer.json(capacity: 256) { json in
            json.field("circumstance", id)
            json.field("state", form.state)
            json.field("time", time, context.calendar)
        }
    }
}
