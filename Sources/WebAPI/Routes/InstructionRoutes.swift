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

    /// Bytes of a body.
    static let longestBody = 16 * 1024

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
        let bytes = try await body(of: request)
        do {
            var form = try InstructionForm.read(bytes)
            complete(&form)
            let holder = try authorise(request, for: form.role)
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
        let bytes = try await body(of: request)
        let holder = try authorise(request, for: .administrator)
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
        let bytes = try await body(of: request)
        let holder = try authorise(request, for: .operator)
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

    private func body(of request: Request) async throws -> [UInt8] {
        let type = request.headers[.contentType]?.lowercased() ?? ""
        guard type.hasPrefix("application/json") else {
            throw Problem(
                status: .unsupportedMediaType, code: "not_json", title: "JSON is expected",
                detail: "the body is '\(type)'", field: "Content-Type",
                remedy: "send 'Content-Type: application/json'")
        }
        do {
            let buffer = try await request.body.collect(upTo: Self.longestBody)
            return Array(buffer.readableBytesView)
        } catch {
            throw Problem(
                status: .contentTooLarge, code: "body_too_large", title: "The body is too large",
                detail: "it has more than \(Self.longestBody) bytes", remedy: "say it shorter",
                headers: [.connection: "close"])
        }
    }

    /// Who asks.
    ///
    /// - Throws: `Problem` 401 without a token that is known, 403 when its role may not.
    private func authorise(
        _ request: Request, for role: AccessTokens.Role
    ) throws -> AccessTokens.Holder {
        let field = request.headers[.authorization] ?? ""
        let token = field.hasPrefix("Bearer ") ? String(field.dropFirst("Bearer ".count)) : ""
        guard !token.isEmpty, let holder = context.tokens.holder(of: token) else {
            throw Problem(
                status: .unauthorized, code: token.isEmpty ? "no_token" : "unknown_token",
                title: "Nobody is known by that token",
                detail: token.isEmpty
                    ? "the request carries no bearer token"
                    : "the token is not among those of this site",
                field: "Authorization",
                remedy: context.tokens.isEmpty
                    ? "make one with 'plumbline token' and name its file under 'api: { tokens: … }'"
                    : "send 'Authorization: Bearer plb_…'",
                headers: [.wwwAuthenticate: "Bearer"])
        }
        guard holder.role >= role else {
            throw Problem(
                status: .forbidden, code: "role_too_low", title: "The token's role may not do this",
                detail: "'\(holder.name)' is \(holder.role.rawValue), \(role.rawValue) is needed",
                field: "Authorization", remedy: "ask who administers the gateway")
        }
        return holder
    }
}

extension HTTPField.Name {
    fileprivate static let idempotencyKey = HTTPField.Name("Idempotency-Key") ?? .contentType
}

extension Problem {
    static func badField(_ mistake: InstructionForm.Mistake) -> Problem {
        Problem(
            status: .badRequest, code: "bad_field", title: "A field of the body cannot be read",
            detail: mistake.what, field: mistake.field, remedy: mistake.remedy)
    }
}
