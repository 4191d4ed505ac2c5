import Foundation
import Subprocess
import Telemetry
import TestPeers
import TestSeeds
import Testing

/// Kills the real daemon under load and counts what is left (design 9).
///
/// The messages go through a proxy that holds back what the gateway sends, as a slow network
/// would, so that a good part of the kills falls between the commit and the broker's receipt of
/// the acknowledgement: the only instants at which a message can be counted twice.
@Suite("Kill -9 under MQTT load", .serialized)
struct KillTests {
    /// With each version of the protocol; `DAEMON_KILLS=500` for a longer look at both.
    static let kills =
        (ProcessInfo.processInfo.environment["DAEMON_KILLS"].flatMap { Int($0) } ?? 60) / 2
    static let rate = 200
    static let topic = "BIM/Sets/zhgd/DEYE/TC0001/RealtimeDataCrane"
    static let probe = 99_000

    static var now: Timestamp {
        Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
    }

    @Test(
        "loses no acknowledged message and counts none twice",
        .timeLimit(.minutes(10 + kills / 20)), arguments: ["3.1.1", "5"])
    func nothingIsLost(version: String) async throws {
        let seed = UInt64.random(in: 1...UInt64.max)
        print("kill test: MQTT \(version), seed \(seed)")
        try await withTemporaryFolder { folder in
            try await withBroker { broker in
                try await withPythonPeer("slow_proxy.py", ["\(broker.port)", "60"]) { proxy in
                    var site = try TestSite(folder: folder)
                    site.commitInterval = "20 ms"
                    site.links = [TestSite.craneLink(port: proxy, version: version)]
                    try await torment(site, broker, seed: seed)
                }
            }
        }
    }

    private func torment(_ site: TestSite, _ broker: Broker, seed: UInt64) async throws {
        let arguments = try site.write()
        // The subscription must exist before the first message, else the broker keeps nothing:
        // probes, heavier than any message, are sent until one has come through.
        _ = try await withDaemon(arguments, port: site.apiPort) { daemon in
            try await eventually("a probe") {
                let probe = craneMessage(kilograms: Self.probe, at: Self.now)
                try await broker.publish(Self.topic, probe)
                // One scan is the gateway's own.
                return try await daemon.metric("plumbline_scans_committed_total") > 1
            }
        }
        let stop = FileFlag(path: site.folder + "/stop")
        async let published = publish(to: broker, until: stop)
        var random = SeededGenerator(seed: seed)
        var repeated = 0.0
        var betweenCommitAndAcknowledgement = 0
        for _ in 0..<Self.kills {
            let life = Int.random(in: 5...250, using: &random)
            let (duplicates, _, _) = try await withDaemon(
                arguments, port: site.apiPort, end: .kill
            ) { daemon in
                try await eventually("a first commit") {
                    try await daemon.metric("plumbline_scans_committed_total") > 1
                }
                try await Task.sleep(for: .milliseconds(life))
                // What this life refused as a repetition was committed by the one before, whose
                // acknowledgement the broker never saw.
                return try await daemon.metric(
                    "plumbline_readings_dropped_total", "reason=\"duplicate\"")
                    + daemon.metric("plumbline_messages_refused_total", "reason=\"duplicate\"")
            }
            repeated += duplicates
            if duplicates > 0 { betweenCommitAndAcknowledgement += 1 }
        }
        stop.raise()
        let sent = try await published
        // A last life takes in whatever the broker still holds.
        _ = try await withDaemon(arguments, port: site.apiPort) { daemon in
            // Not `throw`: what is missing is told below.
            try? await eventually("the backlog", within: .seconds(60)) {
                try await stored(site).count >= sent
            }
        }
        let kilograms = try await stored(site)
        let counted = Dictionary(kilograms.map { ($0, 1) }, uniquingKeysWith: +)
        let missing = (1...sent).filter { counted[Double($0)] == nil }
        let doubled = counted.filter { $0.value > 1 }
        print(
            """
            kill test: \(Self.kills) kills, \(sent) messages acknowledged to the publisher, \
            \(kilograms.count) stored, \(missing.count) missing, \(doubled.count) twice; \
            \(betweenCommitAndAcknowledgement) kills fell between commit and PUBACK \
            (\(Int(repeated)) repetitions refused); missing: \(missing.prefix(20))
            """)
        #expect(missing.isEmpty, "seed \(seed)")
        #expect(doubled.isEmpty, "seed \(seed)")
        #expect(kilograms.count == sent)
        #expect(betweenCommitAndAcknowledgement > 0, "no kill proved anything; seed \(seed)")
    }

    /// The weights of all stored messages, probes left out.
    private func stored(_ site: TestSite) async throws -> [Double] {
        try await site.samples("crane-1.load_mass").compactMap(\.reading.number)
            .filter { $0 != Double(Self.probe) }
    }

    /// Publishes messages of rising weight until told to stop; each line has its PUBACK.
    private func publish(to broker: Broker, until stop: FileFlag) async throws -> Int {
        var count = 0
        while !stop.isRaised, count < 90_000 {
            let lines = (1...Self.rate / 10).map {
                craneMessage(kilograms: count + $0, at: Self.now)
            }
            try await broker.publish(Self.topic, lines: lines)
            count += lines.count
            try await Task.sleep(for: .milliseconds(80))
        }
        return count
    }
}

/// A flag that tasks can share without a lock: a file that exists or not.
struct FileFlag: Sendable {
    let path: String
    var isRaised: Bool { FileManager.default.fileExists(atPath: path) }
    func raise() { _ = FileManager.default.createFile(atPath: path, contents: nil) }
}
