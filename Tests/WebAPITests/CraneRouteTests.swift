import CraneWork
import Foundation
import Store
import Telemetry
import Testing

@testable import WebAPI

@Suite("What cranes did, over the API")
struct CraneRouteTests {
    private static let file = URL(filePath: #filePath)
        .appending(path: "../../../Config/cranes/work.yaml").standardizedFileURL

    /// Two lifts before noon and one after it; the second goes to 97 % and then 104 % of its moment.
    private static func records() throws -> [CraneRecord] {
        let options = try CraneWorkFile.parse(
            String(contentsOf: file, encoding: .utf8), file: "work.yaml")
        var detector = LiftDetector(
            crane: DeviceID("dust-north"), options: options, period: .seconds(5))
        var out: [CraneRecord] = []
        for (start, moments) in [
            ("2026-11-21T09:00:00+08:00", [50.0]),
            ("2026-11-21T10:00:00+08:00", [97, 97, 60, 60, 60, 60, 60, 60, 60, 60, 104]),
            ("2026-11-21T13:00:00+08:00", [50]),
        ] {
            let begin = TestSite.at(start)
            for step in 0..<40 {
                let isLoaded = (4..<30).contains(step)
                out += detector.handle(
                    CraneInstant(
                        time: begin + .seconds(step * 5), load: isLoaded ? 2.5 : 0,
                        momentRatio: isLoaded ? moments[(step - 4) % moments.count] : 5,
                        hookHeight: 10 + Double(step), radius: 20, slewAngle: 90, windSpeed: 4))
            }
        }
        return out + detector.advance(to: TestSite.at("2026-11-21T14:00:00+08:00"))
    }

    private func withLifts(_ test: (TestSite) async throws -> Void) async throws {
        try await TestSite.with { site in
            let records = try Self.records().compactMap { StoredCraneRecord($0) }
            try await site.store.writer.apply(EvaluationEffects(craneRecords: records))
            var site = site
            site.context.shifts = try ShiftPlan(
                [LiftShift(name: "day", hour: 6), LiftShift(name: "late", hour: 12)],
                calendar: TestSite.calendar)
            try await test(site)
        }
    }

    @Test("lists lifts with their figures and what is uncertain")
    func lifts() async throws {
        try await withLifts { site in
            let lifts = try await site.get("/api/v1/lifts").list("lifts")
            #expect(lifts.count == 3)
            let second = try #require(lifts.dropFirst().first)
            #expect(second["crane"] as? String == "dust-north")
            #expect(second["start"] as? String == "2026-11-21T10:00:20+08:00")
            #expect(second["lifted_load_t"] as? Double == 2.5)
            #expect(second["peak_moment_percent"] as? Double == 104)
            #expect(second["session"] as? String == "unknown")
            #expect((second["height_m"] as? [String: Any])?["greatest"] as? Double == 39)
            #expect((second["uncertain"] as? [String])?.isEmpty == true)
            let overloads = try await site.get("/api/v1/overloads").list("overloads")
            #expect(overloads.contains { $0["level"] as? String == "overload" })
            #expect(
                overloads.allSatisfy {
                    ($0["evidence"] as? [String: Any])?["load_t"] as? Double == 2.5
                })
            #expect(try await site.get("/api/v1/lifts?crane=meter-main").list("lifts").isEmpty)
        }
    }

    @Test("counts lifts by shift, crane by crane")
    func summary() async throws {
        try await withLifts { site in
            let shifts = try await site.get("/api/v1/lifts/summary").list("shifts")
            #expect(shifts.map { $0["shift"] as? String } == ["day", "late"])
            #expect(shifts.map { $0["lifts"] as? Int } == [2, 1])
            #expect(shifts.first?["start"] as? String == "2026-11-21T06:00:00+08:00")
            #expect(shifts.first?["lifts_overloaded"] as? Int == 1)
            #expect(shifts.first?["lifted_load_t"] as? Double == 5)
            let cranes = shifts.first?["cranes"] as? [[String: Any]]
            #expect(cranes?.first?["crane"] as? String == "dust-north")
            #expect(cranes?.first?["lifts"] as? Int == 2)
        }
    }

    @Test("says so where no lifts are counted")
    func none() async throws {
        try await TestSite.with { site in
            let answer = try await site.get("/api/v1/lifts/summary")
            #expect(answer.status == 404)
            #expect(answer.code == "no_crane_work")
        }
    }
}

@Suite("What will be exceeded, and who is told, over the API")
struct OutlookRouteTests {
    @Test("is told with the time that is left")
    func outlook() async throws {
        try await TestSite.with { site in
            var site = site
            site.context.outlook = { _ in
                [
                    OutlookLine(
                        rule: "pm10_15min", title: LocalizedText(en: "PM10 high", zh: "PM10偏高"),
                        severity: "warning", series: TestSite.pm10, over: .seconds(900), mean: 71,
                        limit: 80, unit: "ug/m3", left: .seconds(360))
                ]
            }
            let line = try #require(
                try await site.get("/api/v1/outlook").list("outlook").first)
            #expect(line["left_seconds"] as? Double == 360)
            #expect(line["mean"] as? Double == 71)
            #expect((line["device_title"] as? [String: Any])?["zh"] as? String == "北门")
        }
    }

    @Test("names feeds as the site does, and what they are owed")
    func feeds() async throws {
        try await TestSite.with { site in
            var site = site
            site.context.feeds = [(id: "phone", receiver: "feed/phone")]
            let feed = try #require(try await site.get("/api/v1/feeds").list("feeds").first)
            #expect(feed["id"] as? String == "phone")
            #expect(feed["owed"] as? Int == 0)
        }
    }
}
