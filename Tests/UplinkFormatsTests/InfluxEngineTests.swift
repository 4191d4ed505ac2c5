import Foundation
import Telemetry
import TestPeers
import Testing
import UplinkFormats

/// What a real InfluxDB makes of the lines; the papers say the same.
@Suite("Lines to a real InfluxDB")
struct InfluxEngineTests {
    private let fleet = Fleet()
    private let format = InfluxLineFormat()

    private func write(
        _ items: [UplinkItem], to database: String = "fleet", of engine: Engine
    ) async throws -> Outcome {
        let message = format.encode(items, calendar: shanghai)
        let answer = try await engine.request(
            "POST", "/write", query: [("db", database)],
            headers: ["Content-Type": message.contentType], body: message.payload)
        return format.outcome(
            of: HTTPAnswer(
                status: answer.status, headers: answer.headers, body: Array(answer.body)))
    }

    @discardableResult
    private func query(
        _ query: String, _ database: String = "fleet", of engine: Engine
    ) async throws -> [[String: Any]] {
        let answer = try await engine.request(
            "POST", "/query", query: [("db", database), ("epoch", "ms"), ("q", query)])
        let result = (try answer.object()["results"] as? [[String: Any]])?.first
        let faults = "\(answer.text)"
        #expect(try #require(result, "\(faults)")["error"] == nil, "\(faults)")
        return result?["series"] as? [[String: Any]] ?? []
    }

    /// What a field holds; true is 1. Foundation's JSON reads some numbers one step beside.
    private enum Held: Equatable, ExpressibleByFloatLiteral, ExpressibleByStringLiteral {
        case number(Double)
        case text(String)
        init(floatLiteral value: Double) { self = .number(value) }
        init(stringLiteral value: String) { self = .text(value) }

        static func == (a: Self, b: Self) -> Bool {
            switch (a, b) {
            case (.number(let a), .number(let b)): a == b || a.nextUp == b || a.nextDown == b
            case (.text(let a), .text(let b)): a == b
            default: false
            }
        }
    }

    /// What is held: by measurement and tags, by millisecond, by field.
    private typealias Holding = [String: [Int64: [String: Held]]]

    private func holding(
        _ measurement: String = "/.*/", _ database: String = "fleet", of engine: Engine
    ) async throws -> Holding {
        var holding: Holding = [:]
        let found = try await query(
            "SELECT * FROM \(measurement) GROUP BY *", database, of: engine)
        for one in found {
            let tags = try #require(one["tags"] as? [String: String])
            let series = name(one["name"] as? String ?? "", tags)
            let columns = try #require(one["columns"] as? [String])
            for row in try #require(one["values"] as? [[Any]]) {
                let time = try #require((row.first as? NSNumber)?.int64Value)
                var fields: [String: Held] = [:]
                for (column, value) in zip(columns, row).dropFirst() {
                    if let text = value as? String { fields[column] = .text(text) }
                    if let number = value as? NSNumber {
                        fields[column] = .number(number.doubleValue)
                    }
                }
                holding[series, default: [:]][time] = fields
            }
        }
        return holding
    }

    private func name(_ measurement: String, _ tags: [String: String]) -> String {
        let tags = tags.filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }
        return measurement + tags.map { ",\($0.key)=\($0.value)" }.joined()
    }

    private func expected(_ quarters: Range<Int>) -> Holding {
        var holding: Holding = [:]
        for (n, site) in fleet.sites.enumerated() {
            let dust = name(
                "pm10",
                [
                    "device": "dust-north", "point": "pm10", "resolution": "15min", "site": site,
                    "unit": "ug/m3",
                ])
            let meter = name(
                "active_energy",
                [
                    "device": "meter-main", "point": "active_energy.import.total",
                    "resolution": "15min", "site": site, "unit": "kWh",
                ])
            for quarter in quarters {
                let time = fleet.start(quarter).milliseconds
                let mean = fleet.dust(n, quarter)
                holding[dust, default: [:]][time] = numbers([
                    "mean": mean, "min": mean - 5, "max": mean + 20, "bad": 10, "count": 80,
                    "coverage": 80.0 / 90, "revision": 0,
                ])
                holding[meter, default: [:]][time] = numbers([
                    "increase": fleet.energy(n, quarter), "last": fleet.register(n, quarter),
                    "bad": 0, "count": 15, "coverage": 1, "revision": 0,
                    "estimated": fleet.isEstimated(quarter) ? 1 : 0,
                ])
            }
        }
        return holding
    }

    private func numbers(_ numbers: [String: Double]) -> [String: Held] {
        numbers.mapValues { .number($0) }
    }

    @Test("every field and tag is there, the backlog after the latest, and once if sent twice")
    func roundTrip() async throws {
        try await withInfluxDB { engine in
            try await query("CREATE DATABASE fleet", of: engine)
            let (live, backlog) = (fleet.items(0..<4), fleet.items(4..<54))
            #expect(backlog.count == format.batchLimit)
            for items in [live, backlog, live, backlog] {
                #expect(try await write(items, of: engine) == .accepted)
            }
            let (held, expected) = (try await holding(of: engine), expected(0..<54))
            #expect(Set(held.keys) == Set(expected.keys))
            for (series, rows) in expected {
                #expect(held[series]?.count == rows.count)
                for (time, fields) in rows { #expect(held[series]?[time] == fields) }
            }
        }
    }

    @Test("a correction takes the place of what it corrects")
    func correction() async throws {
        try await withInfluxDB { engine in
            try await query("CREATE DATABASE fleet", of: engine)
            _ = try await write(fleet.items(0..<4), of: engine)
            var corrected = fleet.meterItem(1, 3)
            corrected.revision = 1
            corrected.entries[0].rollup.increase = ScaledInteger(mantissa: 987, exponent: 2)
            corrected.entries[0].rollup.isEstimated = false
            #expect(try await write([corrected], of: engine) == .accepted)
            var held = expected(0..<4)
            let meter = try #require(
                held.keys.first { $0.contains("energy") && $0.contains("hz-2") })
            let time = fleet.start(3).milliseconds
            held[meter]?[time]?["increase"] = 9.87
            held[meter]?[time]?["revision"] = 1.0
            held[meter]?[time]?["estimated"] = 0.0
            #expect(try await holding(of: engine) == held)
        }
    }

    @Test("the queries of the paper answer for the whole fleet")
    func paper() async throws {
        let paper = try String(
            contentsOf: Folder.uplinks.appending(path: "influx.md"), encoding: .utf8)
        let queries = paper.components(separatedBy: "```sql\n").dropFirst()
            .compactMap { $0.components(separatedBy: "\n```").first }
        #expect(queries.count == 2)
        guard queries.count == 2 else { return }
        try await withInfluxDB { engine in
            try await query("CREATE DATABASE fleet", of: engine)
            _ = try await write(fleet.items(0..<50), of: engine)
            let energy = try await query(queries[0], of: engine)
            let dust = try await query(queries[1], of: engine)
            for (n, site) in fleet.sites.enumerated() {
                func values(_ found: [[String: Any]]) throws -> [Double] {
                    let mine = found.first { ($0["tags"] as? [String: String])?["site"] == site }
                    let rows = try #require(mine?["values"] as? [[Any]])
                    return rows.compactMap { ($0.last as? NSNumber)?.doubleValue }
                }
                let sum = (0..<50).reduce(0) { $0 + fleet.energy(n, $1) }
                #expect(try values(energy) == [sum])
                let hour = (0..<4).reduce(0) { $0 + fleet.dust(n, $1) } / 4
                #expect(try values(dust).last == hour)
            }
        }
    }

    @Test("readings arrive as numbers, words and reasons, under names that had to be escaped")
    func raw() async throws {
        try await withInfluxDB { engine in
            try await query("CREATE DATABASE fleet", of: engine)
            var item = readings
            item.start = fleet.start(0)
            for n in item.entries.indices {
                for k in item.entries[n].samples.indices {
                    item.entries[n].samples[k].time = fleet.start(0) + .seconds(k)
                }
            }
            let odd = "a,b=c d\\e \"f\"\\g,"
            item.entries[1].series.id = SeriesID(device: DeviceID(odd), point: PointKey(odd))
            item.entries[1].point.name = odd
            item.entries[1].samples[0].reading = .number(1e-300)
            item.entries[1].samples[1].reading = .number(-1.797_693_134_862_315_7e308)
            item.entries[2].samples[0].reading = .text("say \"idle\"\\\n, or = \\")
            #expect(try await write([item], of: engine) == .accepted)
            let held = try await holding(of: engine)
            let start = fleet.start(0).milliseconds
            func row(_ prefix: String) -> [Int64: [String: Held]]? {
                held.first { $0.key.hasPrefix(prefix) }?.value
            }
            #expect(
                row("pm10") == [
                    start: ["value": 0.14], start + 1000: ["quality": "timeout"],
                    start + 2000: ["value": 0.16],
                ])
            #expect(
                row(odd + ",device=" + odd + ",point=" + odd) == [
                    start: ["value": 1e-300], start + 1000: ["value": -1.797_693_134_862_315_7e308],
                ])
            #expect(row("work_status")?[start]?["text"] == "say \"idle\"\\\n, or = \\")
            #expect(row("work_status")?[start + 1000]?["quality"] == "unknown_code")
        }
    }

    @Test("a part that is refused is told in the server's words, and the rest is kept")
    func partialWrite() async throws {
        try await withInfluxDB { engine in
            try await query("CREATE DATABASE fleet WITH DURATION 1d", of: engine)
            let outcome = try await write(fleet.items(0..<2) + fleet.items(300..<301), of: engine)
            guard case .rejected(let reason) = outcome else {
                return #expect(Bool(false), "not rejected")
            }
            #expect(reason.contains("partial write: points beyond retention policy dropped=4"))
            #expect(try await holding(of: engine) == expected(0..<2))
        }
    }

    @Test("a database that does not exist is named")
    func missing() async throws {
        try await withInfluxDB { engine in
            let outcome = try await write(fleet.items(0..<1), to: "elsewhere", of: engine)
            #expect(
                outcome
                    == .rejected(
                        reason: #"HTTP 404: {"error":"database not found: \"elsewhere\""}"#))
        }
    }
}
