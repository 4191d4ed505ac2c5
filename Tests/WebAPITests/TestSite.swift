import EnergyAccounting
import Foundation
import Hummingbird
import HummingbirdTesting
import LocatedText
import Logging
import Store
import Telemetry
import Testing

@testable import WebAPI

/// A wall clock that shows what the test says.
struct FixedClock: WallClock {
    var time: Timestamp
    func read() -> ClockReading {
        ClockReading(bootID: "test", monotonic: 1000, wall: time, isTrusted: true)
    }
}

/// A small site over a real store in its own folder, and the API above it.
struct TestSite {
    static let calendar = SiteCalendar(zone: "Asia/Shanghai", initialOffset: 8 * 3600)
    static let now = at("2026-11-21T14:23:07+08:00")

    let folder: URL
    let store: Store
    let groups: [ScanGroup]
    var context: WebAPIContext

    static func at(_ text: String) -> Timestamp {
        Timestamp(rfc3339: text) ?? Timestamp(milliseconds: 0)
    }

    /// Makes the site, hands it to the test and removes it again.
    @discardableResult
    static func with<R>(
        now: Timestamp = TestSite.now, _ test: (TestSite) async throws -> R
    ) async throws -> R {
        let site = try await TestSite(now: now)
        do {
            let result = try await test(site)
            try site.close()
            return result
        } catch {
            try? site.close()
            throw error
        }
    }

    private init(now: Timestamp) async throws {
        folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("plumbline-web-\(UUID().uuidString)")
        let pages = folder.appendingPathComponent("pages")
        try FileManager.default.createDirectory(at: pages, withIntermediateDirectories: true)
        try Data("<!doctype html><title>page</title>".utf8)
            .write(to: pages.appendingPathComponent("index.html"))
        try Data("secret".utf8).write(to: folder.appendingPathComponent("secret.txt"))
        try Data("chart()".utf8).write(to: folder.appendingPathComponent("library.js"))
        store = try Store.open(
            StoreOptions(
                directory: folder.appendingPathComponent("data").path, durability: .process),
            calendar: Self.calendar)
        groups = try await store.writer.register(Self.described)
        let readiness = Readiness()
        for stage in Readiness.Stage.allCases { readiness.reach(stage) }
        context = WebAPIContext(
            site: SiteDescription(
                id: SiteID("hz-qt-0172"), name: "钱塘文体中心", timezone: "Asia/Shanghai",
                phase: "construction", floorAreaSquareMetres: 1000),
            calendar: Self.calendar, wallClock: FixedClock(time: now), clock: ContinuousClock(),
            store: store.reader,
            devices: [
                DeviceDescription(
                    id: DeviceID("dust-north"), titleEn: "North gate", titleZh: "北门",
                    kind: "station.dust-noise", link: "meter-bus", groups: [groups[0]]),
                DeviceDescription(
                    id: DeviceID("meter-main"), titleEn: "Main meter", titleZh: "总表",
                    kind: "meter.electric", link: "meter-bus", groups: [groups[1]]),
            ],
            pointTitles: [PointKey("pm10"): LocalizedText(en: "PM10", zh: "可吸入颗粒物")],
            energy: EnergyPlan(
                tree: MeterTree([
                    Meter(
                        id: "main", parent: nil, item: nil, carrier: .electricity,
                        source: .counter(Self.energy),
                        location: Location(file: "test", line: 1, column: 1))
                ]), floorArea: Exact(1000)),
            limitLines: [
                Self.pm10: [
                    LimitLine(
                        rule: "pm10_15min", title: LocalizedText(en: "PM10 high", zh: "PM10偏高"),
                        above: 150, unit: "ug/m3")
                ]
            ],
            alarmTitles: ["pm10_15min": LocalizedText(en: "PM10 high", zh: "PM10偏高")],
            uplinks: [
                UplinkDescription(
                    id: "city", address: "mqtt://127.0.0.1", format: "plumbline-json/1")
            ], readiness: readiness,
            metrics: {
                [
                    MetricSample(
                        "plumbline_readings_committed_total", .counter,
                        help: "Durable \\ readings.",
                        labels: [("link", "a\"b")], value: 12)
                ]
            },
            dashboards: DashboardFiles(
                directory: pages.path,
                vendor: [
                    "chart.js": folder.appendingPathComponent("library.js").path,
                    "gone.js": folder.appendingPathComponent("gone.js").path,
                ]))
    }

    func close() throws {
        try store.close()
        try FileManager.default.removeItem(at: folder)
    }

    static let pm10 = SeriesID(device: DeviceID("dust-north"), point: PointKey("pm10"))
    static let status = SeriesID(device: DeviceID("dust-north"), point: PointKey("device_status"))
    static let energy = SeriesID(
        device: DeviceID("meter-main"), point: PointKey("active_energy.import.total"))

    private static let described = [
        ScanGroup(
            device: DeviceID("dust-north"), interface: "rs485", name: "fast",
            series: [
                Series(id: pm10, kind: .gauge, unit: "ug/m3"),
                Series(id: status, kind: .state, unit: ""),
            ], period: .seconds(10), isPolled: true),
        ScanGroup(
            device: DeviceID("meter-main"), interface: "rs485", name: "slow",
            series: [
                Series(
                    id: energy, kind: .counter, unit: "kWh",
                    counter: CounterPolicy(modulus: nil, resets: .never))
            ], period: .seconds(60), isPolled: true),
    ]

    // MARK: filling the store

    @discardableResult
    func commit(_ scans: [Scan]) async throws -> Int64 {
        try await store.writer.commit(
            JournalBatch(clock: context.wallClock.read(), scans: scans))
    }

    func dust(_ time: String, _ pm10: Reading, _ status: Reading = .text("ok")) -> Scan {
        Scan(group: groups[0].id, time: Self.at(time), readings: [pm10, status])
    }

    func meter(_ time: String, _ reading: Reading) -> Scan {
        Scan(group: groups[1].id, time: Self.at(time), readings: [reading])
    }

    func rollup(
        _ series: SeriesID, _ resolution: Resolution, _ start: String, mean: Double? = nil,
        increase: Double? = nil, estimated: Bool = false, count: Int = 90, expected: Int? = 90,
        revision: Int = 0
    ) -> RollupRecord {
        let bucket = Bucket(resolution, containing: Self.at(start), calendar: Self.calendar)
        var rollup = Rollup(expected: expected)
        if let mean {
            for _ in 0..<count { rollup.add(.number(mean), at: bucket.start) }
        } else {
            rollup.count = count
        }
        rollup.increase = increase.flatMap { ScaledInteger(exactly: $0) }
        rollup.isEstimated = estimated
        let number = groups.flatMap(\.series).first { $0.id == series }?.number ?? -1
        return RollupRecord(series: number, bucket: bucket, rollup: rollup, revision: revision)
    }

    func transition(
        onset: String, from: AlarmState, to: AlarmState, at time: String, value: Double
    ) -> AlarmTransition {
        AlarmTransition(
            rule: "pm10_15min", ruleVersion: "v1", severity: "warning", series: Self.pm10,
            onset: Self.at(onset), from: from, to: to, time: Self.at(time),
            evidence: AlarmEvidence(
                value: value, unit: "ug/m3", limit: 150, windowStart: Self.at(onset),
                windowEnd: Self.at(time), samples: 90, coverage: 1),
            isBackfill: false)
    }

    // MARK: asking the API

    var application: Application<RouterResponder<BasicRequestContext>> {
        Application(responder: makeRouter(context).buildResponder(), logger: Logger(label: "test"))
    }

    /// One GET, straight to the router.
    func get(_ uri: String, accept: String? = nil) async throws -> Answered {
        try await send(.get, uri, headers: accept.map { [.accept: $0] } ?? [:])
    }

    func send(
        _ method: HTTPRequest.Method, _ uri: String, headers: HTTPFields = [:],
        body: ByteBuffer? = nil
    ) async throws -> Answered {
        try await application.test(.router) { client in
            try await client.execute(uri: uri, method: method, headers: headers, body: body) {
                Answered(status: $0.status.code, headers: $0.headers, text: String(buffer: $0.body))
            }
        }
    }
}

/// What came back.
struct Answered: Sendable {
    var status: Int
    var headers: HTTPFields
    var text: String

    /// The members of a JSON object.
    var object: [String: Any] {
        (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any] ?? [:]
    }

    func list(_ name: String) -> [[String: Any]] { object[name] as? [[String: Any]] ?? [] }
    var code: String? { object["code"] as? String }
    var remedy: String? { object["remedy"] as? String }
}

/// Compares an answer with the file of this name; `UPDATE_GOLDEN=1` writes the file anew.
func expectGolden(
    _ answered: Answered, _ name: String, sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Golden").appendingPathComponent(name)
    var text = answered.text
    if name.hasSuffix(".json") {
        let object = try JSONSerialization.jsonObject(with: Data(text.utf8))
        let pretty = try JSONSerialization.data(
            withJSONObject: object, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
        text = String(decoding: pretty, as: UTF8.self) + "\n"
    }
    if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
        try Data(text.utf8).write(to: file)
    }
    let expected = try String(contentsOf: file, encoding: .utf8)
    #expect(text == expected, "differs from Golden/\(name)", sourceLocation: sourceLocation)
}
