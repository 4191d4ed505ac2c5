import EnergyAccounting
import Foundation
import HTTPTypes
import Hummingbird
import Store
import Telemetry

/// `/api/v1/uplinks` and `/api/v1/feeds`: how each platform stands, and how each receiver of alarms.
///
///     GET  /api/v1/uplinks                        how each stands
///     GET  /api/v1/uplinks/{id}/days | hours | reasons | statement
///     POST /api/v1/uplinks/{id}/resend            { "from": …, "to": …, "kinds": [ … ] }
struct UplinkRoutes {
    let context: WebAPIContext

    /// The hours of one answer: what the outbox keeps.
    private static let mostHours = Duration.seconds(92 * 86_400)

    func add(to router: Router<BasicRequestContext>) {
        router.get("api/v1/uplinks") { request, _ in
            try await list(
                context.uplinks.map { ($0.id, $0.id) }, as: "uplinks", request)
        }
        router.get("api/v1/feeds") { request, _ in
            try await list(context.feeds.map { ($0.id, $0.receiver) }, as: "feeds", request)
        }
        router.get("api/v1/uplinks/:id/days") { try await days($0, try known($1)) }
        router.get("api/v1/uplinks/:id/hours") { try await hours($0, try known($1)) }
        router.get("api/v1/uplinks/:id/reasons") { try await reasons($0, try known($1)) }
        router.get("api/v1/uplinks/:id/statement") { try await statement($0, try known($1)) }
        router.post("api/v1/uplinks/:id/resend") { try await resend($0, try known($1)) }
    }

    private func known(_ route: BasicRequestContext) throws -> UplinkDescription {
        let id = try route.parameters.require("id")
        if let uplink = context.uplinks.first(where: { $0.id == id }) { return uplink }
        throw Problem(
            status: .notFound, code: "unknown_uplink", title: "The uplink is not known",
            detail: "'\(id)' is no uplink of this site", field: "id",
            remedy: "the uplinks are: " + context.uplinks.map(\.id).joined(separator: ", "))
    }

    // MARK: How they stand

    /// - Parameter receivers: what they are called, and under which name things are owed to them.
    private func list(
        _ receivers: [(id: String, receiver: String)], as name: String, _ request: Request
    ) async throws -> Response {
        let query = try QueryParameters(request, allowed: ["limit", "cursor"])
        let page = try Page(
            of: receivers, after: query.text("cursor"), limit: query.limit(50, most: 200),
            name: \.id)
        var found: [(id: String, status: UplinkStatus, facts: Facts?)] = []
        for one in page.items {
            let uplink = context.uplinks.first { $0.id == one.id && one.id == one.receiver }
            found.append(
                (
                    one.id, try await context.store.uplinkStatus(uplink: one.receiver),
                    try await uplink.asyncMap(facts)
                ))
        }
        let statuses = found
        return Answer.json { json in
            json.field("time", context.now, context.calendar)
            json.key(name)
            json.array { list in
                for (id, status, facts) in statuses {
                    list.object {
                        $0.field("id", id)
                        write(status, &$0)
                        if let facts { write(facts, &$0) }
                    }
                }
            }
            json.field("next", page.next)
        }
    }

    /// What is told of platforms and not of receivers of alarms.
    private struct Facts {
        var uplink: UplinkDescription
        var catchUp: Duration?
        var today: Exact?
        var month: Exact?
    }

    private func facts(of uplink: UplinkDescription) async throws -> Facts {
        let now = context.now
        let today = CivilDate(now, calendar: context.calendar)
        let days = try await context.store.deliveryDays(
            uplink: uplink.id, from: today.advanced(days: -29), through: today)
        return Facts(
            uplink: uplink,
            catchUp: try await context.store.standing(of: uplink.id, now: now).catchUp,
            today: DeliveryTotal(days.filter { $0.day == today }).completeness,
            month: DeliveryTotal(days).completeness)
    }

    private func write(_ facts: Facts, _ json: inout JSONWriter) {
        json.field("address", facts.uplink.address)
        json.field("format", facts.uplink.format)
        json.field("catch_up_seconds", facts.catchUp.map { Int64($0.milliseconds / 1000) })
        func percent(_ share: Exact?) -> Double? { share.map { ($0 * Exact(100)).double } }
        json.field("completeness_today", percent(facts.today))
        json.field("completeness_30_days", percent(facts.month))
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

    // MARK: The ledger

    private func days(_ request: Request, _ uplink: UplinkDescription) async throws -> Response {
        let query = try QueryParameters(request, allowed: ["from", "to"])
        let today = CivilDate(context.now, calendar: context.calendar)
        func day(_ name: String, _ standard: CivilDate) throws -> CivilDate {
            guard let text = query.text(name) else { return standard }
            if let day = CivilDate(text) { return day }
            throw Problem.badParameter(
                name, "'\(text)' is not a day", remedy: "for example 2026-11-21")
        }
        let last = try day("to", today)
        let first = try day("from", last.advanced(days: -29))
        guard first <= last, last < first.advanced(days: 400) else {
            throw Problem.badRange(
                "'from' lies behind 'to', or more than 400 days before it",
                remedy: "ask for a year at most")
        }
        let days = try await context.store.deliveryDays(
            uplink: uplink.id, from: first, through: last)
        return Answer.json { json in
            json.field("uplink", uplink.id)
            json.key("days")
            json.array { list in
                for day in days {
                    list.object {
                        $0.field("day", "\(day.day)")
                        $0.field("kind", day.kind)
                        $0.field("scope", day.scope)
                        $0.field("owed", day.owed)
                        $0.field("accepted", day.accepted)
                        $0.field("rejected", day.rejected)
                        $0.field("expired", day.expired)
                        $0.field("open", day.open)
                        $0.field("attempts", day.attempts)
                    }
                }
            }
        }
    }

    private func range(_ query: QueryParameters) throws -> Range<Timestamp> {
        let range = try query.range(now: context.now, standard: .seconds(30 * 86_400))
        if range.upperBound - range.lowerBound <= Self.mostHours { return range }
        throw Problem.badRange(
            "the range is longer than 92 days", remedy: "ask for a shorter one")
    }

    private func hours(_ request: Request, _ uplink: UplinkDescription) async throws -> Response {
        let range = try range(try QueryParameters(request, allowed: ["from", "to"]))
        let hours = try await context.store.deliveryHours(
            uplink: uplink.id, from: range.lowerBound, to: range.upperBound)
        return Answer.json { json in
            json.field("uplink", uplink.id)
            json.key("hours")
            json.array { list in
                for hour in hours {
                    list.object {
                        $0.field("start", hour.start, context.calendar)
                        $0.field("kind", hour.kind)
                        $0.field("owed", hour.owed)
                        $0.field("accepted", hour.accepted)
                        $0.field("rejected", hour.rejected)
                        $0.field("expired", hour.expired)
                        $0.field("open", hour.open)
                    }
                }
            }
        }
    }

    private func reasons(
        _ request: Request, _ uplink: UplinkDescription
    ) async throws -> Response {
        let range = try range(try QueryParameters(request, allowed: ["from", "to"]))
        let reasons = try await context.store.deliveryReasons(
            uplink: uplink.id, from: range.lowerBound, to: range.upperBound)
        return Answer.json { json in
            json.field("uplink", uplink.id)
            json.key("reasons")
            json.array { list in
                for reason in reasons {
                    list.object {
                        $0.field("kind", reason.kind)
                        $0.field("outcome", reason.outcome)
                        $0.field("reason", reason.reason)
                        $0.field("count", reason.count)
                        $0.field("first", reason.first, context.calendar)
                        $0.field("last", reason.last, context.calendar)
                    }
                }
            }
        }
    }

    private func statement(
        _ request: Request, _ uplink: UplinkDescription
    ) async throws -> Response {
        let query = try QueryParameters(request, allowed: ["period", "format", "language"])
        let now = context.now
        let period = try query.period(
            today: CivilDate(now, calendar: context.calendar),
            mostDays: ComplianceRoutes.mostDays)
        let form = try query.word("format", among: ["json", "csv", "html"], or: "json")
        let language: StatementLanguage =
            try query.word("language", among: ["en", "zh"], or: "zh") == "en" ? .en : .zh
        let standing = try await context.store.standing(
            of: uplink.id, address: uplink.address, format: uplink.format, now: now)
        let document = try await context.store.deliveryStatement(
            of: standing, in: period, now: now
        ).document(site: context.site.name)
        switch form {
        case "html":
            return Answer.bytes(
                Array(StatementHTML(language).page(document).utf8),
                type: "text/html; charset=utf-8")
        case "csv":
            return Answer.bytes(
                Array(StatementCSV(.machine).document(document).utf8),
                type: "text/csv; charset=utf-8")
        default:
            return Answer.bytes(
                StatementJSON.bytes(document), type: "application/json; charset=utf-8")
        }
    }

    // MARK: Sending again

    private func resend(_ request: Request, _ uplink: UplinkDescription) async throws -> Response {
        let gate = InstructionGate(context: context)
        let bytes = try await gate.body(of: request)
        let holder = try gate.authorise(request, for: .operator)
        struct Form: Decodable {
            var from: String
            var to: String
            var kinds: [String]?
        }
        func mistake(_ field: String, _ what: String) -> Problem {
            .badField(
                InstructionForm.Mistake(
                    field: field, what: what,
                    remedy: #"{ "from": "2026-11-21T00:00:00+08:00", "to": … }"#))
        }
        guard let form = try? JSONDecoder().decode(Form.self, from: Data(bytes)) else {
            throw mistake("from", "'from' and 'to' are missing")
        }
        guard let from = Timestamp(rfc3339: form.from) else {
            throw mistake("from", "'\(form.from)' is not a time with its offset")
        }
        guard let to = Timestamp(rfc3339: form.to), from < to else {
            throw mistake("to", "'\(form.to)' is not a time behind 'from'")
        }
        let count = try await context.resend(
            uplink.id, from, to, form.kinds.map { Set($0) }, holder.name)
        return Answer.json(capacity: 256) { json in
            json.field("uplink", uplink.id)
            json.field("from", from, context.calendar)
            json.field("to", to, context.calendar)
            json.field("items", count)
            json.field("actor", holder.name)
        }
    }
}

extension Optional {
    fileprivate func asyncMap<T>(_ transform: (Wrapped) async throws -> T) async rethrows -> T? {
        if let self { try await transform(self) } else { nil }
    }
}
