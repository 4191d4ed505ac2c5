import Foundation
import Subprocess
import Telemetry
import Testing

@testable import Store

@Suite("Views for people with sqlite3")
struct ViewTests {
    private static let calendar = SiteCalendar(
        zone: "Europe/Berlin", initialOffset: 3_600,
        transitions: [
            .init(at: Timestamp(milliseconds: 1_774_746_000_000), offset: 7_200),
            .init(at: Timestamp(milliseconds: 1_792_890_000_000), offset: 3_600),
        ])
    /// 2026-10-24T22:00Z, the beginning of the day of 25 hours.
    private static let midnight = Timestamp(milliseconds: 1_792_879_200_000)

    private struct Missing: Error, CustomStringConvertible { var description: String }

    /// Runs the real program, read-only, beside the open store.
    private func sqlite(_ site: Site, _ sql: String) async throws -> [String] {
        let result = try await Subprocess.run(
            .name("sqlite3"), arguments: ["-readonly", "-bail", site.path, sql],
            output: .string(limit: 1 << 20), error: .string(limit: 1 << 16))
        guard result.terminationStatus == .exited(0) else {
            throw Missing(description: "sqlite3: \(result.standardError) for \(sql)")
        }
        return result.standardOutput.split(separator: "\n").map(String.init)
    }

    private func filled() async throws -> (Site, Store) {
        let site = Site()
        let store = try site.open(.process, calendar: Self.calendar)
        let group = try await store.writer.register([Site.group()])[0]
        let energy = group.series[2].number
        let power = group.series[0].number
        var records: [RollupRecord] = []
        var hour = Bucket(.hour, containing: Self.midnight, calendar: Self.calendar)
        for index in 0..<25 {
            var rollup = Rollup(count: 180, expected: 360)
            rollup.increase = ScaledInteger(mantissa: Int128(index), exponent: 1)
            rollup.isEstimated = index == 3
            records.append(
                RollupRecord(series: energy, bucket: hour, rollup: rollup, revision: 0))
            hour = hour.next(calendar: Self.calendar)
        }
        var day = Rollup(count: 9_000, expected: 9_000)
        day.increase = ScaledInteger(mantissa: 300, exponent: 1)
        records.append(
            RollupRecord(
                series: energy,
                bucket: Bucket(.day, containing: Self.midnight, calendar: Self.calendar),
                rollup: day, revision: 0))
        var quarter = Rollup()
        for value in [2.0, 4.0] { quarter.add(.number(value), at: Self.midnight) }
        records.append(
            RollupRecord(
                series: power,
                bucket: Bucket(.quarterHour, containing: Self.midnight, calendar: Self.calendar),
                rollup: quarter, revision: 0))
        let alarm = [
            Self.transition(group.series[0].id, .normal, .activeUnacknowledged, after: 0, 90.5),
            Self.transition(
                group.series[0].id, .activeUnacknowledged, .returnedUnacknowledged, after: 600, 20),
        ]
        try await store.writer.apply(EvaluationEffects(rollups: records, transitions: alarm))
        try await store.writer.commit(
            JournalBatch(
                clock: Site.clock(Self.midnight),
                scans: [
                    Scan(
                        group: group.id, time: Self.midnight,
                        readings: [.number(12.5), .bad(.timeout), .number(1_000)])
                ])
        ).discard()
        _ = try await store.writer.housekeeping(
            clock: Site.clock(Self.midnight),
            policy: HousekeepingPolicy(rawRetention: .seconds(99_999 * 86_400)))
        return (site, store)
    }

    private static func transition(
        _ series: SeriesID, _ from: AlarmState, _ to: AlarmState, after seconds: Int64,
        _ value: Double
    ) -> AlarmTransition {
        AlarmTransition(
            rule: "power-high", ruleVersion: "1", severity: "high", series: series,
            onset: midnight, from: from, to: to, time: midnight + .seconds(seconds),
            evidence: AlarmEvidence(
                value: value, unit: "kW", limit: 80, windowStart: midnight,
                windowEnd: midnight + .seconds(60), samples: 6, coverage: 1), isBackfill: false)
    }

    @Test("energy by hour and day in local time, with units, over the end of summer time")
    func energy() async throws {
        let (site, store) = try await filled()
        let hours = try await sqlite(
            site,
            "SELECT local_hour, increase_kwh, coverage_percent, is_estimated FROM energy_hourly")
        #expect(hours.count == 25)
        #expect(hours[0] == "2026-10-25 00:00|0.0|50.0|0")
        #expect(hours[2] == "2026-10-25 02:00|0.2|50.0|0")
        #expect(hours[3] == "2026-10-25 02:00|0.3|50.0|1")
        #expect(hours[24] == "2026-10-25 23:00|2.4|50.0|0")
        let days = try await sqlite(site, "SELECT * FROM energy_daily")
        #expect(days == ["meter|energy|2026-10-25|2026-10-24T22:00:00Z|30.0|100.0|0"])
        try store.close()
    }

    @Test("the newest reading, its quality and its age; an alarm from onset to clearing")
    func newest() async throws {
        let (site, store) = try await filled()
        let latest = try await sqlite(
            site,
            """
            SELECT point, value, text, unit, quality, local_time, utc_time,
                age_seconds - (SELECT CAST(strftime('%s','now') AS INTEGER)) FROM readings_latest
            ORDER BY point DESC
            """)
        #expect(
            latest == [
                "voltage|||V|timeout|2026-10-25 00:00:00|2026-10-24T22:00:00Z|-1792879200",
                "power|12.5||kW|good|2026-10-25 00:00:00|2026-10-24T22:00:00Z|-1792879200",
                "energy|1000.0||kWh|good|2026-10-25 00:00:00|2026-10-24T22:00:00Z|-1792879200",
            ])
        let alarms = try await sqlite(site, "SELECT * FROM alarm_history")
        #expect(
            alarms == [
                "power-high|meter.power|returned_unacknowledged|high|2026-10-25 00:00:00|"
                    + "2026-10-25 00:00:00|2026-10-25 00:10:00|600|90.5|20.0|80.0|kW|"
                    + "2026-10-24T22:00:00Z"
            ])
        let quarter = try await sqlite(
            site, "SELECT unit, mean, min, max, good_readings FROM rollup_15min")
        #expect(quarter == ["kW|3.0|2.0|4.0|2"])
        try store.close()
    }

    @Test("the queries of docs/formats/store.md run as they are printed, beside the open store")
    func documented() async throws {
        let (site, store) = try await filled()
        let queries = try Self.queries()
        #expect(queries.count == 5)
        for query in queries {
            let rows = try await sqlite(site, query)
            #expect(!rows.isEmpty, "\(query)")
        }
        // The gateway goes on writing while somebody reads.
        try await store.writer.commit(
            JournalBatch(clock: Site.clock(Self.midnight), scans: [], deliveries: [])
        ).discard()
        try store.close()
    }

    /// The indented blocks of the section that end with a semicolon.
    private static func queries() throws -> [String] {
        var folder = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { folder.deleteLastPathComponent() }
        let text = try String(
            contentsOf: folder.appendingPathComponent("docs/formats/store.md"), encoding: .utf8)
        guard
            let section = text.components(separatedBy: "## Five queries\n").last?
                .components(separatedBy: "\n## ").first
        else { return [] }
        return section.split(separator: "\n").filter { $0.hasPrefix("    ") }
            .joined(separator: "\n").split(separator: ";").map(String.init)
            .filter { $0.contains("SELECT") }
    }
}
