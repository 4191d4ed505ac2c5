import DeviceProfiles
import FieldLinks
import Foundation
import Synchronization
import Telemetry
import TestPeers
import Testing

@testable import Acquisition

/// The gateway's part played against a station that was written from the standard, in Python.
@Suite("Stations of HJ 212 over TCP", .serialized)
struct HJ212AcquisitionTests {
    /// Runs an acquisition with one station while `body` plays.
    private func withPlatform<R: Sendable>(
        sink: any ScanSink, log: EventLog = EventLog(), status: AcquisitionStatus = .init(),
        password: String? = nil,
        _ body: @Sendable (_ port: Int) async throws -> R
    ) async throws -> R {
        let target = try StationSite.target()
        let port = try freePort()
        var options = HJ212Acquisition.Options()
        options.password = password
        let acquisition = HJ212Acquisition(
            name: "stations",
            listener: try HJ212Listener(
                host: "127.0.0.1", port: port, clock: LinkClock(ContinuousClock())),
            devices: [.init(binding: target.binding, group: target.group)], options: options,
            sink: sink, wallClock: SystemClock(), status: status, onEvent: { log.note($0) })
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await acquisition.run() }
            defer { acquisition.stop() }
            return try await body(port)
        }
    }

    private func play(
        _ scenario: String, _ port: Int, _ options: [String] = []
    ) async throws -> StationReport {
        try await playStation(scenario, port: port, mn: StationSite.mn, options)
    }

    @Test(
        "a station gets what the standard promises it",
        arguments: [
            ("realtime", 3), ("minutes", 4), ("clock", 0), ("heartbeat", 0), ("sticky", 4),
            ("split", 2), ("wrong", 1), ("old", 1), ("half_open", 3),
        ])
    func scenario(name: String, scans: Int) async throws {
        let sink = RecordingSink()
        let report = try await withPlatform(sink: sink) { try await play(name, $0) }
        #expect(report.isContent, "\(report)")
        #expect(sink.scans.count == scans, "\(report)")
        for scan in sink.scans where name != "split" {
            #expect(!scan.readings.contains { !$0.isGood })
        }
        // What is acknowledged comes again until it is; what is not, comes once.
        let hasMarks = sink.admissions.allSatisfy { !$0.deliveries.isEmpty }
        #expect(hasMarks == (name != "old"))
    }

    @Test("nothing is acknowledged before the commit, and a resend is the same scan")
    func commitFirst() async throws {
        let kept = Mutex<[CommitPromise]>([])
        let sink = RecordingSink { _, promise in kept.withLock { $0.append(promise) } }
        let report = try await withPlatform(sink: sink) { port in
            async let played = play("once", port, ["--timeout", "1", "--resends", "3"])
            // Two time-outs pass; then the disk has it.
            try await eventually("the packet") { !sink.scans.isEmpty }
            try await Task.sleep(for: .milliseconds(2500))
            for promise in kept.withLock({ $0 }) { promise.succeed(sequence: 1) }
            return try await played
        }
        #expect(report.isContent, "\(report)")
        #expect(report.count("sent") >= 3)
        #expect(sink.scans.count == 1)
    }

    @Test("when the commit fails the station is not answered, and its resends are taken")
    func failingStore() async throws {
        struct Full: Error {}
        let sink = RecordingSink { number, promise in
            if number < 2 { promise.fail(Full()) } else { promise.succeed(sequence: 1) }
        }
        let status = AcquisitionStatus()
        let report = try await withPlatform(sink: sink, status: status) {
            try await play("once", $0, ["--timeout", "1", "--resends", "3"])
        }
        #expect(report.isContent, "\(report)")
        #expect(report.count("sent") == 3)
        #expect(sink.scans.count == 3)
        #expect(status.links["stations"]?.failures == 2)
    }

    @Test(
        "a station nobody knows, or with a wrong password, gets no answer to any of four attempts")
    func unanswered() async throws {
        let sink = RecordingSink()
        let log = EventLog()
        let status = AcquisitionStatus()
        let quick = ["--timeout", "0.3", "--resends", "3"]
        let reports = try await withPlatform(
            sink: sink, log: log, status: status, password: "654321"
        ) { port in
            [
                try await play("silent", port, quick),
                try await playStation("silent", port: port, mn: "STRANGER", quick),
                try await play("once", port, ["--password", "654321"]),
            ]
        }
        #expect(!reports.contains { !$0.isContent }, "\(reports)")
        #expect(reports[0].count("sent") == 4)
        #expect(sink.scans.count == 1)
        #expect(status.links["stations"]?.refused[.wrongPassword] == 4)
        #expect(status.links["stations"]?.refused[.unknownStation] == 4)
        let strangers = log.events.filter {
            if case .stationUnknown(_, _, "STRANGER") = $0 { true } else { false }
        }
        #expect(strangers.count == 1)
    }

    @Test("a port that is taken is said once and taken when it is free")
    func portTaken() async throws {
        let log = EventLog()
        let sink = RecordingSink()
        try await withPlatform(sink: sink) { port in
            let target = try StationSite.target()
            let second = HJ212Acquisition(
                name: "second",
                listener: try HJ212Listener(
                    host: "127.0.0.1", port: port, clock: LinkClock(ContinuousClock())),
                devices: [.init(binding: target.binding, group: target.group)], sink: sink,
                wallClock: SystemClock(), status: .init(), onEvent: { log.note($0) })
            try await withThrowingTaskGroup(of: Void.self) { group in
                try await eventually("the first listens") { isListening(port) }
                group.addTask { await second.run() }
                try await eventually("the refusal") {
                    log.events.contains {
                        if case .linkDown("second", let cause) = $0 {
                            cause.contains("cannot be listened on")
                        } else {
                            false
                        }
                    }
                }
                second.stop()
            }
        }
    }
}
