import Foundation
import Telemetry
import TestPeers
import Testing
import UplinkFormats

/// What real engines make of remote writes; the papers say the same.
@Suite("A remote write to a real engine")
struct RemoteWriteEngineTests {
    private let fleet = Fleet()
    private let format = RemoteWriteFormat(figures: ["floor_area_m2": Fleet.floorArea])

    /// Sends items as a carrier does, and reads the answer as the format does.
    private func write(_ items: [UplinkItem], to engine: Engine) async throws -> Outcome {
        let message = format.encode(items, calendar: shanghai)
        var headers = ["Content-Type": message.contentType]
        for field in message.fields { headers[field.name] = field.value }
        let answer = try await engine.request(
            "POST", "/api/v1/write", headers: headers, body: message.payload)
        return format.outcome(
            of: HTTPAnswer(
                status: answer.status, headers: answer.headers, body: Array(answer.body)))
    }

    /// The answer to a query at the fleet's last instant, or another one.
    private func query(
        _ query: String, at time: Timestamp? = nil, of engine: Engine
    ) async throws -> [[String: Any]] {
        _ = try await engine.request("GET", "/internal/force_flush")
        let seconds = Double((time ?? fleet.end).milliseconds) / 1000
        let answer = try await engine.request(
            "GET", "/api/v1/query",
            query: [("query", query), ("time", "\(seconds)"), ("nocache", "1")])
        let data = try answer.object()["data"] as? [String: Any]
        return try #require(data?["result"] as? [[String: Any]], "\(answer.text)")
    }

    /// All that the engine holds of us.
    private func holding(of engine: Engine) async throws -> Fleet.Holding {
        var holding: Fleet.Holding = [:]
        for one in try await query(#"{__name__=~"plumbline_.+"}[40d]"#, of: engine) {
            let metric = try #require(one["metric"] as? [String: String])
            let labels = metric.filter { $0.key != "__name__" }.sorted { $0.key < $1.key }
                .map { "\($0.key)=\($0.value)" }.joined(separator: ",")
            let series = "\(metric["__name__"] ?? ""){\(labels)}"
            for pair in try #require(one["values"] as? [[Any]]) {
                let (time, value) = try number(pair)
                let instant = Int64((time * 1000).rounded())
                #expect(holding[series]?[instant] == nil, "twice: \(series) at \(instant)")
                holding[series, default: [:]][instant] = value
            }
        }
        return holding
    }

    /// The pair of a time in seconds and a number as text.
    private func number(_ pair: [Any]) throws -> (time: Double, value: Double) {
        let time = try #require((pair.first as? NSNumber)?.doubleValue)
        return (time, try #require((pair.last as? String).flatMap(Double.init)))
    }

    /// VictoriaMetrics keeps about twelve digits of what is no short decimal.
    private func expect(
        _ found: Fleet.Holding, equals expected: Fleet.Holding,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(Set(found.keys) == Set(expected.keys), sourceLocation: sourceLocation)
        for (series, values) in expected {
            let held = found[series] ?? [:]
            #expect(Set(held.keys) == Set(values.keys), "\(series)", sourceLocation: sourceLocation)
            for (time, value) in values {
                let difference = abs((held[time] ?? .nan) - value)
                #expect(
                    difference <= abs(value) * 1e-12, "\(series) at \(time): \(held[time] ?? .nan)",
                    sourceLocation: sourceLocation)
            }
        }
    }

    private func with(
        _ engine: String, _ body: @Sendable (Engine) async throws -> Void
    ) async throws {
        switch engine {
        case "prometheus": try await withPrometheus(outOfOrder: "30d", body)
        default: try await withVictoriaMetrics(body)
        }
    }

    @Test(
        "every value and label is there, the latest first and the backlog after it, and once if sent twice",
        arguments: ["prometheus", "victoria-metrics"])
    func roundTrip(name: String) async throws {
        try await with(name) { engine in
            let (live, backlog) = (fleet.items(0..<4), fleet.items(4..<54))
            #expect(backlog.count == format.batchLimit)
            #expect(try await write(live, to: engine) == .accepted)
            #expect(try await write(backlog, to: engine) == .accepted)
            #expect(try await write(fleet.items(960..<962), to: engine) == .accepted)
            for items in [live, backlog] {
                #expect(try await write(items, to: engine) == .accepted)
            }
            let expected = [0..<54, 960..<962].map(fleet.remoteWriteHolding)
                .reduce(into: Fleet.Holding()) { all, some in
                    all.merge(some) { $0.merging($1) { first, _ in first } }
                }
            expect(try await holding(of: engine), equals: expected)
        }
    }

    @Test(
        "a range that begins and ends with periods holds each of them once",
        arguments: ["prometheus", "victoria-metrics"])
    func edges(name: String) async throws {
        try await with(name) { engine in
            _ = try await write(fleet.items(0..<12), to: engine)
            for hour in 0..<3 {
                let found = try await query(
                    #"sum_over_time(plumbline_active_energy_kWh{site="hz-2"}[1h])"#,
                    at: fleet.end - .seconds(3600 * hour), of: engine)
                let value = try number(try #require(found.first?["value"] as? [Any])).value
                let expected = (hour * 4..<hour * 4 + 4).reduce(0) { $0 + fleet.energy(1, $1) }
                #expect(value == expected)
            }
        }
    }

    @Test(
        "the queries of the paper answer for the whole fleet",
        arguments: ["prometheus", "victoria-metrics"])
    func paper(name: String) async throws {
        let paper = try String(
            contentsOf: Folder.uplinks.appending(path: "remote-write.md"), encoding: .utf8)
        let queries = paper.components(separatedBy: "```promql\n").dropFirst()
            .compactMap { $0.components(separatedBy: "\n```").first }
        #expect(queries.count == 4)
        guard queries.count == 4 else { return }
        try await with(name) { engine in
            _ = try await write(fleet.items(0..<50), to: engine)
            func answer(_ n: Int) async throws -> [String: Double] {
                var bySite: [String: Double] = [:]
                for one in try await query(queries[n], of: engine) {
                    let site = (one["metric"] as? [String: String])?["site"] ?? ""
                    #expect(bySite[site] == nil)
                    bySite[site] = try number(try #require(one["value"] as? [Any])).value
                }
                return bySite
            }
            let perArea = try await answer(0)
            let dust = try await answer(1)
            let estimated = try await answer(2)
            let coverage = try await answer(3)
            for (n, site) in fleet.sites.enumerated() {
                let energy = (0..<50).reduce(0) { $0 + fleet.energy(n, $1) }
                #expect(abs((perArea[site] ?? 0) - energy / Fleet.floorArea) < 1e-12)
                #expect(dust[site] == fleet.dust(n, 0))
                let share = Double((0..<50).count(where: fleet.isEstimated)) / 50
                #expect(abs((estimated[site] ?? 0) - share) < 1e-12)
                #expect(abs((coverage[site] ?? 0) - 80.0 / 90) < 1e-12)
            }
            #expect([perArea, dust, estimated, coverage].allSatisfy { $0.count == 2 })
        }
    }

    // MARK: What each engine refuses

    @Test(
        "Prometheus takes no second value of the newest instant, and of an older one keeps either")
    func correctionInPrometheus() async throws {
        try await withPrometheus(outOfOrder: "30d") { engine in
            #expect(try await write(fleet.items(0..<4), to: engine) == .accepted)
            for (quarter, outcome) in [
                (0, Outcome.rejected(reason: "HTTP 400: duplicate sample for timestamp")),
                (2, .accepted),
            ] {
                var corrected = fleet.dustItem(0, quarter)
                corrected.entries[0].rollup.maximum = 999
                #expect(try await write([corrected], to: engine) == outcome)
            }
            var held = try await holding(of: engine)
            var expected = fleet.remoteWriteHolding(0..<4)
            let series = try #require(expected.keys.first { $0.contains("site=hz-1,stat=max") })
            let older = fleet.start(2).milliseconds + 899_999
            let either = held[series]?.removeValue(forKey: older)
            #expect(either == 999 || either == expected[series]?[older])
            expected[series]?.removeValue(forKey: older)
            expect(held, equals: expected)
        }
    }

    @Test("Prometheus refuses a whole request for one sample that is too old, and for good")
    func tooOldForPrometheus() async throws {
        try await withPrometheus(outOfOrder: "1d") { engine in
            _ = try await write(fleet.items(0..<1), to: engine)
            let mixed = fleet.items(300..<301) + fleet.items(1..<2)
            guard case .rejected(let reason) = try await write(mixed, to: engine) else {
                return #expect(Bool(false), "not rejected")
            }
            #expect(reason.hasSuffix("too old sample"))
            expect(try await holding(of: engine), equals: fleet.remoteWriteHolding(0..<1))
        }
    }

    @Test(
        "Prometheus without a window takes no backlog, without the receiver nothing, and says why")
    func prometheusAsItComes() async throws {
        try await withPrometheus(outOfOrder: nil) { engine in
            #expect(try await write(fleet.items(0..<2), to: engine) == .accepted)
            let again = try await write(fleet.items(0..<2), to: engine)
            #expect(again == .rejected(reason: "HTTP 400: out of order sample"))
            let backlog = try await write(fleet.items(20..<21), to: engine)
            #expect(backlog == .rejected(reason: "HTTP 400: out of bounds"))
        }
        try await withPrometheus(outOfOrder: nil, receivesWrites: false) { engine in
            guard case .rejected(let reason) = try await write(fleet.items(0..<1), to: engine)
            else { return #expect(Bool(false), "not rejected") }
            #expect(reason.hasPrefix("HTTP 404: remote write receiver needs to be enabled"))
        }
    }

    @Test("VictoriaMetrics keeps both values of an instant, or one of them if it deduplicates")
    func correctionInVictoriaMetrics() async throws {
        for isDeduplicating in [true, false] {
            try await withVictoriaMetrics(isDeduplicating: isDeduplicating) { engine in
                for maximum in [150.0, 140] {
                    var item = fleet.dustItem(0, 0)
                    item.entries[0].rollup.maximum = maximum
                    #expect(try await write([item], to: engine) == .accepted)
                }
                let found = try await query(#"{stat="max"}[1h]"#, of: engine)
                let values = try #require(found.first?["values"] as? [[Any]])
                    .map { try number($0).value }
                #expect(values.count == (isDeduplicating ? 1 : 2))
                #expect(Set(values).isSubset(of: [140, 150]))
            }
        }
    }

    @Test("odd names arrive", arguments: ["prometheus", "victoria-metrics"])
    func oddNames(name: String) async throws {
        try await with(name) { engine in
            var item = fleet.dustItem(0, 0)
            let point = PointKey("π.\"a\\b\" {c=d}\n#")
            item.entries[0].series.id = SeriesID(device: DeviceID("钻机 1"), point: point)
            #expect(try await write([item], to: engine) == .accepted)
            let found = try await query(#"plumbline___ug_per_m3{stat="mean"}"#, of: engine)
            let metric = try #require(found.first?["metric"] as? [String: String])
            #expect(metric["point"] == point.text)
            #expect(metric["device"] == "钻机 1")
        }
    }
}
