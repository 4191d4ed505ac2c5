import HTTPTypes
import Hummingbird
import Store
import Synchronization
import Telemetry
import Testing

@testable import WebAPI

/// What a request to send again was turned into.
private final class ResendAsked: Sendable {
    struct Call: Hashable {
        var uplink: String
        var from: Timestamp
        var to: Timestamp
        var kinds: Set<String>?
        var actor: String
    }

    private let list = Mutex([Call]())
    var calls: [Call] { list.withLock { $0 } }

    func take(_ call: Call) -> Int {
        list.withLock { $0.append(call) }
        return 7
    }
}

@Suite("A platform's ledger over the API")
struct UplinkRouteTests {
    /// Four quarters of a morning: two taken, one refused, one open.
    private func fill(_ site: TestSite) async throws {
        let items = (0..<4).map { quarter in
            let start = TestSite.at("2026-11-21T10:00:00+08:00") + .seconds(900 * quarter)
            return OwedItem(
                uplink: "city", kind: "rollup/15min", scope: site.groups[0].scope, start: start,
                revision: 0, due: start + .seconds(900))
        }
        var effects = EvaluationEffects()
        effects.owed = items
        try await site.store.writer.apply(effects)
        for (item, outcome) in zip(
            items,
            [Outcome.accepted, .accepted, .rejected(reason: "HTTP 422: unknown station")])
        {
            try await site.store.writer.settle(
                item, outcome: outcome, at: item.start + .seconds(905))
        }
    }

    @Test("tells each day and hour what was owed, taken, refused and is open, and why")
    func ledger() async throws {
        try await TestSite.with { site in
            try await fill(site)
            let days = try await site.get("/api/v1/uplinks/city/days?from=2026-11-21&to=2026-11-21")
            let day = try #require(days.list("days").first)
            #expect(days.list("days").count == 1)
            for (key, count) in ["owed": 4, "accepted": 2, "rejected": 1, "expired": 0, "open": 1] {
                #expect(day[key] as? Int == count, "\(key)")
            }
            let hours = try await site.get(
                "/api/v1/uplinks/city/hours?from=2026-11-21T00:00:00%2B08:00"
                    + "&to=2026-11-21T14:00:00%2B08:00")
            #expect(hours.list("hours").count == 1)
            #expect(hours.list("hours").first?["start"] as? String == "2026-11-21T10:00:00+08:00")
            let reasons = try await site.get("/api/v1/uplinks/city/reasons")
            #expect(
                reasons.list("reasons").first?["reason"] as? String == "HTTP 422: unknown station")
            let list = try await site.get("/api/v1/uplinks")
            let city = try #require(list.list("uplinks").first)
            #expect(city["completeness_today"] as? Double == 50 && city["owed"] as? Int == 1)
        }
    }

    @Test("is a statement that can be shown, in three forms")
    func statement() async throws {
        try await TestSite.with { site in
            try await fill(site)
            let json = try await site.get("/api/v1/uplinks/city/statement?period=2026-11")
            #expect(json.object["kind"] as? String == "uplink" && json.status == 200)
            let html = try await site.get(
                "/api/v1/uplinks/city/statement?period=2026-11&format=html&language=en")
            #expect(html.headers[.contentType] == "text/html; charset=utf-8")
            #expect(html.text.contains("unknown station") && html.text.contains("50.00"))
            let csv = try await site.get("/api/v1/uplinks/city/statement?period=2026-11&format=csv")
            #expect(csv.headers[.contentType] == "text/csv; charset=utf-8")
            #expect(csv.text.contains("rollup/15min"))
        }
    }

    @Test("is sent again only for an operator, with a range that is one, and under his name")
    func resend() async throws {
        try await TestSite.with { plain in
            let asked = ResendAsked()
            var site = plain
            let random = (1...2).map { [UInt8](repeating: UInt8($0), count: 32) }
            let li = AccessTokens.make(name: "li.wei", role: .operator, random: random[0])
            let wang = AccessTokens.make(name: "wang", role: .viewer, random: random[1])
            site.context.tokens = try AccessTokens(
                "format: api-tokens/1\ntokens:\n  \(li.line)\n  \(wang.line)\n",
                file: "tokens.yaml")
            site.context.resend = {
                asked.take(.init(uplink: $0, from: $1, to: $2, kinds: $3, actor: $4))
            }
            let body =
                #"{"from":"2026-11-21T00:00:00+08:00","to":"2026-11-21T12:00:00+08:00","kinds":["rollup/15min"]}"#
            func post(_ token: String?, _ body: String, _ id: String = "city") async throws
                -> Answered
            {
                var headers: HTTPFields = [.contentType: "application/json"]
                if let token { headers[.authorization] = "Bearer \(token)" }
                return try await site.send(
                    .post, "/api/v1/uplinks/\(id)/resend", headers: headers,
                    body: ByteBuffer(string: body))
            }
            #expect(try await post(nil, body).status == 401)
            #expect(try await post(wang.token, body).status == 403)
            #expect(try await post(li.token, body, "nobody").status == 404)
            let backwards =
                #"{"from":"2026-11-21T12:00:00+08:00","to":"2026-11-21T00:00:00+08:00"}"#
            for wrong in [backwards, "{}", "[", #"{"from":"yesterday","to":"now"}"#] {
                #expect(try await post(li.token, wrong).status == 400, "\(wrong)")
            }
            #expect(asked.calls.isEmpty)
            let answer = try await post(li.token, body)
            #expect(answer.status == 200 && answer.object["items"] as? Int == 7)
            #expect(
                asked.calls == [
                    .init(
                        uplink: "city", from: TestSite.at("2026-11-21T00:00:00+08:00"),
                        to: TestSite.at("2026-11-21T12:00:00+08:00"), kinds: ["rollup/15min"],
                        actor: "li.wei")
                ])
        }
    }
}
