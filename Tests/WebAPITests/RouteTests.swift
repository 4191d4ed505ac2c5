import Foundation
import HTTPTypes
import Hummingbird
import Store
import Telemetry
import Testing

@testable import WebAPI

@Suite("The routes of the API")
struct RouteTests {
    @Test("the site tells its devices by state, its open alarms and its time with offset")
    func site() async throws {
        try await TestSite.with { site in
            try await site.commit([site.dust("2026-11-21T14:23:00+08:00", .number(42.5))])
            try expectGolden(try await site.get("/api/v1/site"), "site.json")
        }
    }

    @Test("each device tells its state, the age of its newest good reading and its values")
    func devices() async throws {
        try await TestSite.with { site in
            try await site.commit([
                site.dust("2026-11-21T14:23:00+08:00", .number(42.5)),
                site.meter("2026-11-21T14:10:00+08:00", .number(1000.25)),
                site.meter("2026-11-21T14:23:00+08:00", .bad(.timeout)),
            ])
            try expectGolden(try await site.get("/api/v1/devices"), "devices.json")
        }
    }

    @Test("the list of series names unit, period and limit lines, and can be narrowed")
    func series() async throws {
        try await TestSite.with { site in
            try expectGolden(try await site.get("/api/v1/series?point=pm10"), "series.json")
            let all = try await site.get("/api/v1/series")
            #expect(all.list("series").count == 3)
            let one = try await site.get("/api/v1/series/dust-north.pm10")
            #expect((one.object["latest"] as? [String: Any])?["quality"] as? String == "never")
        }
    }

    @Test("rollups are rows below named columns; a gap is a row that is not there")
    func rollups() async throws {
        try await TestSite.with { site in
            try await site.store.writer.apply(
                EvaluationEffects(rollups: [
                    site.rollup(
                        TestSite.pm10, .quarterHour, "2026-11-21T13:00:00+08:00", mean: 60.5),
                    site.rollup(
                        TestSite.pm10, .quarterHour, "2026-11-21T13:30:00+08:00", mean: 162,
                        count: 45, revision: 1),
                ]))
            let uri = "/api/v1/series/dust-north.pm10/rollups"
            try expectGolden(try await site.get(uri), "rollups.json")
            let csv = try await site.get(uri, accept: "text/csv")
            #expect(csv.headers[.contentType]?.hasPrefix("text/csv") == true)
            try expectGolden(csv, "rollups.csv")
            #expect(try await site.get(uri + "?format=csv").text == csv.text)
            let later = try await site.get(uri + "?from=2026-11-21T13:15:00%2B08:00")
            #expect((later.object["rows"] as? [[Any]])?.count == 1)
        }
    }

    @Test("samples keep good and bad readings apart, and pages join without loss or repetition")
    func samples() async throws {
        try await TestSite.with { site in
            var scans: [Scan] = []
            for second in 0..<50 {
                let time = TestSite.now - .seconds(500) + .seconds(second * 10)
                let reading: Reading = second % 7 == 3 ? .bad(.outOfRange) : .number(Double(second))
                scans.append(
                    Scan(group: site.groups[0].id, time: time, readings: [reading, .text("ok")]))
            }
            // Two samples at one instant, where a page could be cut in between.
            var twin = scans[9]
            twin.sequence = 1
            twin.readings[0] = .number(99.5)
            scans.insert(twin, at: 10)
            try await site.commit(scans)
            let uri = "/api/v1/series/dust-north.pm10/samples"
            let whole = try await site.get(uri)
            let rows = try #require(whole.object["rows"] as? [[Any]])
            #expect(rows.count == 51)
            #expect(rows[3][1] is NSNull && rows[3][2] as? String == "out_of_range")
            var paged: [[Any]] = []
            var cursor: String?
            var pages = 0
            repeat {
                let page = try await site.get(
                    uri + "?limit=10" + (cursor.map { "&cursor=\($0)" } ?? ""))
                paged += try #require(page.object["rows"] as? [[Any]])
                cursor = page.object["next"] as? String
                pages += 1
            } while cursor != nil && pages < 20
            #expect(pages == 6)
            #expect("\(paged)" == "\(rows)")
            let text = try await site.get("/api/v1/series/dust-north.device_status/samples?limit=1")
            #expect((text.object["rows"] as? [[Any]])?.first?[1] as? String == "ok")
            let csv = try await site.get(uri + "?limit=10&format=csv")
            #expect(csv.text.hasPrefix("time,value,quality,unit\r\n"))
            #expect(csv.headers[HTTPField.Name("Link")!]?.contains("rel=\"next\"") == true)
        }
    }

    @Test("alarms come newest first with evidence and transitions, page by page")
    func alarms() async throws {
        try await TestSite.with { site in
            let first = "2026-11-21T08:05:00+08:00"
            let second = "2026-11-21T14:00:00+08:00"
            try await site.store.writer.apply(
                EvaluationEffects(transitions: [
                    site.transition(
                        onset: first, from: .normal, to: .pending, at: first, value: 155),
                    site.transition(
                        onset: first, from: .pending, to: .activeUnacknowledged,
                        at: "2026-11-21T08:06:00+08:00", value: 162),
                    site.transition(
                        onset: first, from: .activeUnacknowledged, to: .normal,
                        at: "2026-11-21T09:00:00+08:00", value: 110),
                    site.transition(
                        onset: second, from: .normal, to: .pending, at: second, value: 170),
                    site.transition(
                        onset: second, from: .pending, to: .activeUnacknowledged,
                        at: "2026-11-21T14:01:00+08:00", value: 171),
                ]))
            try expectGolden(try await site.get("/api/v1/alarms?open=true"), "alarms-open.json")
            let page = try await site.get("/api/v1/alarms?limit=1")
            let cursor = try #require(page.object["next"] as? String)
            let rest = try await site.get("/api/v1/alarms?limit=1&cursor=\(cursor)")
            #expect(page.list("alarms").first?["onset"] as? String == second)
            #expect(rest.list("alarms").first?["onset"] as? String == first)
            #expect(rest.object["next"] is NSNull)
            #expect((rest.list("alarms").first?["transitions"] as? [Any])?.count == 3)
        }
    }

    @Test("energy of today is put together from quarters and the minutes after them")
    func energy() async throws {
        try await TestSite.with { site in
            let counter = TestSite.energy
            try await site.store.writer.apply(
                EvaluationEffects(rollups: [
                    site.rollup(
                        counter, .quarterHour, "2026-11-21T13:45:00+08:00", increase: 2.5,
                        count: 15,
                        expected: 15),
                    site.rollup(
                        counter, .quarterHour, "2026-11-21T14:00:00+08:00", increase: 1.25,
                        estimated: true, count: 15, expected: 15),
                    // A minute that the quarter above already holds, and two that follow it.
                    site.rollup(
                        counter, .minute, "2026-11-21T14:14:00+08:00", increase: 0.5, count: 1,
                        expected: 1),
                    site.rollup(
                        counter, .minute, "2026-11-21T14:15:00+08:00", increase: 0.125, count: 1,
                        expected: 1),
                    site.rollup(
                        counter, .minute, "2026-11-21T14:16:00+08:00", increase: 0.125, count: 1,
                        expected: 1),
                    site.rollup(
                        counter, .hour, "2026-11-20T12:00:00+08:00", increase: 80, count: 60,
                        expected: 60),
                ]))
            let today = try await site.get("/api/v1/energy")
            let meter = try #require(today.list("meters").first)
            let figure = try #require((meter["figures"] as? [[String: Any]])?.first)
            #expect(figure["amount"] as? Double == 4)
            #expect(figure["intensity"] as? Double == 0.004)
            #expect(figure["quality"] as? String == "estimated")
            #expect(figure["partial"] as? Bool == true)
            #expect(figure["start"] as? String == "2026-11-21T00:00:00+08:00")
            let hours = try #require(meter["hours"] as? [[String: Any]])
            #expect(hours.count == 15)
            #expect(hours[13]["amount"] as? Double == 2.5)
            #expect(hours[14]["amount"] as? Double == 1.5)
            #expect(hours[3]["quality"] as? String == "missing")
            let days = try await site.get(
                "/api/v1/energy?meter=main&from=2026-11-20T00:00:00%2B08:00"
                    + "&to=2026-11-21T00:00:00%2B08:00")
            try expectGolden(days, "energy-yesterday.json")
        }
    }

    @Test("an uplink tells what it owes and what it sent last")
    func uplinks() async throws {
        try await TestSite.with { site in
            let answer = try await site.get("/api/v1/uplinks")
            let uplink = try #require(answer.list("uplinks").first)
            #expect(uplink["id"] as? String == "city")
            #expect(uplink["owed"] as? Int == 0)
            #expect(uplink["last_accepted"] is NSNull)
        }
    }

    @Test("metrics are Prometheus text, with the API's own requests by route")
    func metrics() async throws {
        try await TestSite.with { site in
            let text = try await site.application.test(.router) { client in
                for path in [
                    "/api/v1/series/dust-north.pm10", "/api/v1/series/nothing", "/nowhere",
                ] {
                    try await client.execute(uri: path, method: .get)
                }
                return try await client.execute(uri: "/metrics", method: .get) {
                    String(buffer: $0.body)
                }
            }
            #expect(text.contains("# TYPE plumbline_readings_committed_total counter\n"))
            #expect(
                text.contains("# HELP plumbline_readings_committed_total Durable \\\\ readings.\n"))
            #expect(text.contains("plumbline_readings_committed_total{link=\"a\\\"b\"} 12\n"))
            let route = "plumbline_http_requests_total{route=\"/api/v1/series/{id}\","
            #expect(text.contains(route + "status=\"200\"} 1\n"))
            #expect(text.contains(route + "status=\"404\"} 1\n"))
            #expect(!text.contains("nowhere"))
        }
    }

    @Test(
        "a device that stops is told by why: dead, stale, silent, never",
        arguments: [
            (Reading.bad(.timeout), true, 10, "dead"), (.bad(.outOfRange), true, 10, "stale"),
            (.number(1), true, 0, "ok"), (.number(1), false, 900, "silent"),
            (.bad(.disconnected), true, 10, "dead"),
        ] as [(Reading, Bool, Int, String)])
    func states(newest: Reading, isPolled: Bool, ago: Int, expected: String) {
        var group = ScanGroup(
            id: ScanGroup.ID(1), device: DeviceID("a"), interface: "i", name: "n",
            series: [Series(number: 1, id: TestSite.pm10, kind: .gauge, unit: "")],
            period: .seconds(10), isPolled: isPolled)
        group.isPolled = isPolled
        let now = TestSite.now
        let good = LatestReading(time: now - .seconds(600), reading: .number(5))
        let latest = LatestReading(time: now - .seconds(ago), reading: newest, previous: good)
        let condition = DeviceCondition(
            [group], latest: [1: latest], now: now, allowance: .seconds(3))
        #expect(condition.state.rawValue == expected)
        let never = DeviceCondition([group], latest: [:], now: now, allowance: .seconds(3))
        #expect(never.state == .never)
    }

    @Test("three periods and the allowance decide, to the millisecond")
    func border() {
        let group = ScanGroup(
            id: ScanGroup.ID(1), device: DeviceID("a"), interface: "i", name: "n",
            series: [Series(number: 1, id: TestSite.pm10, kind: .gauge, unit: "")],
            period: .seconds(10), isPolled: false)
        func state(_ age: Duration) -> DeviceState {
            let latest = LatestReading(time: TestSite.now - age, reading: .number(1))
            return DeviceCondition(
                [group], latest: [1: latest], now: TestSite.now, allowance: .seconds(3)
            ).state
        }
        #expect(state(.seconds(33)) == .ok)
        #expect(state(.milliseconds(33_001)) == .silent)
        // A device's clock that runs ahead makes no negative age.
        #expect(state(.seconds(-60)) == .ok)
    }
}
