import Foundation
import Synchronization
import Telemetry
import TestPeers
import Testing

/// What a station that plays beside the gateways reports in the end.
private final class ReportBox: Sendable {
    private let state = Mutex<StationReport?>(nil)

    var report: StationReport? {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}

/// The program as the platform of a station that was written from the standard.
@Suite("A dust station that calls the gateway", .serialized)
struct StationTests {
    private static let mn = "EXAMPLE000000000000000001"

    private static func link(port: Int) -> String {
        """
          - id: stations
            hj212: listen://127.0.0.1:\(port)
            devices:
              - { id: dust-1, profile: generic/hj212-dust-2017, interface: hj212-ug, key: \(mn) }
        """
    }

    @Test("values are in the store in canonical units, and the metrics tell what was refused")
    func endToEnd() async throws {
        try await withTemporaryFolder { folder in
            var site = try TestSite(folder: folder)
            let port = try freePort()
            site.links = [Self.link(port: port)]
            let report = try await withDaemon(try site.write(), port: site.apiPort) { daemon in
                let report = try await playStation("realtime", port: port, mn: Self.mn)
                let stranger = try await playStation(
                    "silent", port: port, mn: "STRANGER", ["--timeout", "0.2", "--resends", "1"])
                #expect(stranger.isContent)
                #expect(
                    try await daemon.metric(
                        "plumbline_messages_refused_total", "stations", "unknown_station") == 2)
                return report
            }
            #expect(report.result.isContent, "\(report.result)")
            #expect(report.status.isSuccess)
            #expect(report.log.contains("generic/hj212-dust-2017"))
            for (key, value) in [
                ("pm10", 180.0), ("pm2_5", 45), ("tsp", 217), ("sound_level", 63.2),
                ("air_temperature", -3.5), ("relative_humidity", 61), ("air_pressure", 101_300),
                ("wind_speed", 2.3), ("wind_direction", 275),
            ] {
                let samples = try await site.samples("dust-1.\(key)")
                #expect(
                    samples.map(\.reading) == Array(repeating: .number(value), count: 3), "\(key)")
            }
        }
    }

    @Test("a gateway that is killed between reading and commit gets the packet again, once")
    func killedBeforeCommit() async throws {
        try await withTemporaryFolder { folder in
            var site = try TestSite(folder: folder)
            site.commitInterval = "20 s"
            let port = try freePort()
            site.links = [Self.link(port: port)]
            let arguments = try site.write()
            let (mn, apiPort) = (Self.mn, site.apiPort)
            let box = ReportBox()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    box.report = try await playStation(
                        "once", port: port, mn: mn, ["--timeout", "4", "--resends", "8"])
                }
                _ = try await withDaemon(arguments, port: apiPort, end: .kill) { daemon in
                    // Read, and not committed for a long while yet.
                    try await eventually("the packet") {
                        try await daemon.metric("plumbline_link_requests_total", "stations") >= 1
                    }
                }
                #expect(try await site.samples("dust-1.pm10").isEmpty)
                site.commitInterval = "100 ms"
                _ = try site.write()
                _ = try await withDaemon(arguments, port: apiPort) { _ in
                    try await eventually("the station's end") { box.report != nil }
                }
            }
            let report = try #require(box.report)
            #expect(report.isContent, "\(report)")
            #expect(report.count("sent") >= 2)
            #expect(try await site.samples("dust-1.pm10").map(\.reading) == [.number(180)])
        }
    }

    @Test(
        "a packet that was committed by a gateway that died is acknowledged again and stored once")
    func resendAfterCommit() async throws {
        try await withTemporaryFolder { folder in
            var site = try TestSite(folder: folder)
            let port = try freePort()
            site.links = [Self.link(port: port)]
            let arguments = try site.write()
            let formatter = DateFormatter()
            formatter.timeZone = TimeZone(secondsFromGMT: 8 * 3600)
            formatter.dateFormat = "yyyyMMddHHmmss"
            let moment = formatter.string(from: Date(timeIntervalSinceNow: -5))
            for end in [DaemonEnd.kill, .interrupt] {
                let run = try await withDaemon(arguments, port: site.apiPort, end: end) { _ in
                    try await playStation("fixed", port: port, mn: Self.mn, ["--at", moment])
                }
                #expect(run.result.isContent, "\(run.result)")
            }
            #expect(try await site.samples("dust-1.pm10").count == 1)
        }
    }
}
