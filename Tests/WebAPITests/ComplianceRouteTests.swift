import EnergyAccounting
import Store
import Telemetry
import Testing

@testable import WebAPI

@Suite("Connected and running, over the API")
struct ComplianceRouteTests {
    /// The hours of a day up to one that is past, all read, and one message that the platform took.
    private func fill(_ site: TestSite, through last: Int) async throws {
        var effects = EvaluationEffects()
        for hour in 0...last {
            let text = hour < 10 ? "0\(hour)" : "\(hour)"
            effects.rollups.append(
                site.rollup(
                    TestSite.energy, .hour, "2026-11-21T\(text):00:00+08:00", increase: 2,
                    count: 60, expected: 60))
        }
        if last < 13 {
            for hour in (last + 1)...13 {
                effects.rollups.append(
                    site.rollup(
                        TestSite.energy, .hour, "2026-11-21T\(hour):00:00+08:00", count: 0,
                        expected: 60))
            }
        }
        let start = TestSite.at("2026-11-21T10:00:00+08:00")
        let item = OwedItem(
            uplink: "city", kind: "rollup/15min", scope: site.groups[1].scope, start: start,
            revision: 0, due: start + .seconds(900))
        effects.owed = [item]
        try await site.store.writer.apply(effects)
        try await site.store.writer.settle(item, outcome: .accepted, at: start + .seconds(901))
    }

    private func line(_ answered: Answered) -> String? {
        let fact = answered.list("facts").first { $0["key"] as? String == "connected_and_running" }
        let value = fact?["value"] as? [String: Any]
        return (value?["text"] as? [String: String])?["en"]
    }

    @Test("answers yes with this month's tables when the meter runs and the platform has its data")
    func yes() async throws {
        try await TestSite.with { site in
            try await fill(site, through: 13)
            let answered = try await site.get("/api/v1/energy/compliance")
            #expect(answered.status == 200)
            #expect(answered.object["kind"] as? String == "compliance")
            #expect(answered.object["period"] as? String == "2026-11")
            #expect(
                line(answered)
                    == "Yes. Meters running: 1 of 1. Connected and up to date: city. As of "
                    + "2026-11-21T14:23:07+08:00.")
            let tables = answered.list("tables")
            let days = tables.first { $0["key"] as? String == "platform_days" }
            #expect((days?["rows"] as? [Any])?.count == 21)
        }
    }

    @Test("answers no when the meter's last hours have no good reading")
    func no() async throws {
        try await TestSite.with { site in
            try await fill(site, through: 11)
            let answered = try await site.get("/api/v1/energy/compliance?period=2026-11-21")
            #expect(
                line(answered)?.hasPrefix(
                    "No. meter main without a good reading since 2026-11-21T12:00:00+08:00") == true
            )
        }
    }

    @Test(
        "refuses what is no period",
        arguments: ["2026-13", "soon", "2027-01", "2024-01-01..2026-11-01"])
    func refusals(_ period: String) async throws {
        try await TestSite.with { site in
            let answered = try await site.get("/api/v1/energy/compliance?period=\(period)")
            #expect(answered.status == 400)
            #expect(answered.code == "bad_parameter")
        }
    }

    @Test("a parameter that is not known is refused")
    func unknownParameter() async throws {
        try await TestSite.with { site in
            let answered = try await site.get("/api/v1/energy/compliance?month=3")
            #expect(answered.code == "unknown_parameter")
        }
    }
}
