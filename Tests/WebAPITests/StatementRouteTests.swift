import Foundation
import Hummingbird
import Testing

@testable import WebAPI

@Suite("Statements over HTTP")
struct StatementRouteTests {
    /// Two hours of yesterday.
    private func fill(_ site: TestSite) async throws {
        try await site.store.writer.apply(
            .init(rollups: [
                site.rollup(
                    TestSite.energy, .hour, "2026-11-20T12:00:00+08:00", increase: 80.25,
                    count: 60, expected: 60),
                site.rollup(
                    TestSite.energy, .hour, "2026-11-20T13:00:00+08:00", increase: 19.75,
                    estimated: true, count: 30, expected: 60),
            ]))
    }

    private func cell(
        _ answer: Answered, _ table: String, _ column: String, row: Int = 0
    ) throws -> [String: Any] {
        let found = try #require(answer.list("tables").first { $0["key"] as? String == table })
        let rows = try #require(found["rows"] as? [[String: Any]])
        try #require(row < rows.count)
        return try #require(rows[row][column] as? [String: Any])
    }

    @Test("tell the month's amounts with their estimates and traces, and explain them")
    func monthly() async throws {
        try await TestSite.with { site in
            try await fill(site)
            let answer = try await site.get("/api/v1/energy/statement?period=2026-11")
            let amount = try cell(answer, "meters", "amount")
            #expect(amount["value"] as? Double == 100)
            #expect(amount["estimated"] as? Bool == true)
            #expect(amount["trace"] as? String == "main@2026-11")
            let explained = try await site.get("/api/v1/energy/explain?trace=main@2026-11")
            #expect(try cell(explained, "sources", "counted")["value"] as? Double == 100)
            #expect(try cell(explained, "doubtful", "amount", row: 1)["value"] as? Double == 19.75)
        }
    }

    @Test("come as a page, a table and a workbook too")
    func forms() async throws {
        try await TestSite.with { site in
            try await fill(site)
            let base = "/api/v1/energy/statement?kind=yearly&period=2026&format="
            let page = try await site.get(base + "html&lang=zh")
            #expect(
                page.text.contains("年度用能报表") && page.text.lowercased().hasPrefix("<!doctype html>"))
            let table = try await site.get(base + "csv")
            #expect(table.text.contains("main"))
            let workbook = try await site.get(base + "xlsx")
            #expect(workbook.status == 200 && workbook.text.hasPrefix("PK"))
            #expect(workbook.headers[.contentDisposition]?.contains("yearly-2026.xlsx") == true)
        }
    }

    @Test("of savings are among them, and say so where there is nothing to compare with")
    func savings() async throws {
        try await TestSite.with { site in
            try await fill(site)
            let answer = try await site.get("/api/v1/energy/statement?kind=savings&period=2026-11")
            #expect(answer.status == 200 && answer.object["kind"] as? String == "savings")
            #expect(answer.text.contains("The site names no baselines"))
        }
    }

    @Test(
        "that cannot be made are refused with what to do",
        arguments: [
            ("statement?kind=weekly", "bad_parameter"),
            ("statement?period=2026-13", "bad_parameter"),
            ("statement?kind=yearly&period=2026-03", "bad_parameter"),
            ("statement?period=2020-01-01..2026-01-01", "bad_parameter"),
            ("statement?form=html", "unknown_parameter"),
            ("explain?trace=main", "bad_parameter"),
            ("explain?trace=nobody@2026-03", "unknown_meter"),
            ("diagnosis", "no_diagnosis"),
        ])
    func refused(path: String, code: String) async throws {
        try await TestSite.with { site in
            let answer = try await site.get("/api/v1/energy/" + path)
            #expect(answer.code == code)
            #expect(answer.remedy?.isEmpty == false)
        }
    }

    @Test("nobody closes a month without a token")
    func closing() async throws {
        try await TestSite.with { site in
            let answer = try await site.send(
                .post, "/api/v1/energy/close", headers: [.contentType: "application/json"],
                body: .init(string: "{\"period\":\"2026-10\"}"))
            #expect(answer.code == "no_token")
        }
    }
}
