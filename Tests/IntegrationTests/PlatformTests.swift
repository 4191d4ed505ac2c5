import Foundation
import Subprocess
import Telemetry
import TestPeers
import Testing

/// One item of one platform, as either side knows it.
struct Delivered: Hashable, CustomStringConvertible {
    var kind: String
    var start: String
    /// Whose; empty where a platform has one station.
    var scope = ""
    var description: String { "\(kind) \(scope) \(start)" }
}

/// The demo's site, reported over HJ 212, the building energy upload, MQTT and remote write at once
/// to receivers written from the standards alone, and to real servers.
@Suite("The platforms", .serialized)
struct PlatformTests {
    @Test(
        "take what they are owed although each of them was away, and both ledgers agree",
        .timeLimit(.minutes(90)))
    func ledgersAgree() async throws {
        try await withTemporaryFolder { folder in
            let receivers = try Platforms(folder: folder)
            let port = try freePort()
            let (_, status, log) = try await withDaemon(
                [
                    "demo", "--port", "\(port)", "--history", "0", "--share", packageRoot,
                    "--uplinks", try receivers.write(),
                ], port: port
            ) { try await Self.outages(receivers, $0) }
            #expect(status.isSuccess, "\(log)")
        }
    }

    /// All are there, then each is away in turn, then all are there again.
    private static func outages(
        _ receivers: Platforms, _ daemon: Daemon
    ) async throws {
        try await receivers.running { present in
            for receiver in Platform.allCases {
                try await present.has(receiver, 1)
            }
            // Its acknowledgement is lost on the way: the packet comes again, the record once.
            _ = try await present.judge(.dust).say("misbehave", ["mode": "lost_ack", "count": 1])
            try await present.has(.dust, 2)
        }
        for absent in Platform.allCases {
            try await receivers.running(without: absent) { _ in
                try await Task.sleep(for: .seconds(UplinkOutageTests.outage))
            }
        }
        let data = FileManager.default.temporaryDirectory
            .appending(path: "plumbline-demo-\(daemon.processIdentifier)/data")
            .path(percentEncoded: false)
        try await receivers.running { present in
            for receiver in Platform.allCases { try await present.has(receiver, 3) }
            try await eventually("nothing owed", within: .seconds(150)) {
                try await daemon.metric("plumbline_uplink_owed_items") == 0
            }
            try await present.judge(data)
            try await agree(present, data)
        }
    }

    /// Compares the ledgers until they say the same; what is on its way just then is in one of them.
    private static func agree(_ present: Present, _ dataFolder: String) async throws {
        let begin = ContinuousClock.now
        while true {
            let ours = try await accepted(dataFolder)
            let theirs = try await present.ledgers()
            let isEqual = theirs.allSatisfy { ours[$0.key] == $0.value }
            if !isEqual, ContinuousClock.now - begin < .seconds(60) {
                try await Task.sleep(for: .milliseconds(100))
                continue
            }
            for (uplink, items) in theirs {
                #expect(items.count >= 3, "\(uplink)")
                #expect(
                    ours[uplink] == items,
                    "\(uplink): \(items.symmetricDifference(ours[uplink] ?? []))")
            }
            return
        }
    }

    /// What our own ledger says each platform took.
    private static func accepted(_ dataFolder: String) async throws -> [String: Set<Delivered>] {
        let result = try await run(
            .path("/usr/bin/sqlite3"),
            arguments: [
                "-readonly", "-json", dataFolder + "/plumbline.sqlite",
                """
                SELECT uplink, kind, scope, start FROM outbox
                WHERE revision_sent >= 0 AND revision_settled >= revision_owed
                """,
            ], input: .none, output: .string(limit: 8 << 20), error: .discarded)
        let rows =
            try JSONSerialization.jsonObject(with: Data(result.standardOutput.utf8))
            as? [[String: Any]] ?? []
        var found: [String: Set<Delivered>] = [:]
        for row in rows {
            guard let uplink = row["uplink"] as? String, let kind = row["kind"] as? String,
                let scope = row["scope"] as? String, let start = row["start"] as? Int
            else { continue }
            let word = String(kind.prefix { $0 != "/" })
            // The upload tells when a period ended; a restart is told to the second; of the engine
            // one series is asked, which says the last instant of each period.
            let shift = word == "report" ? 60_000 : word == "2081" ? -(start % 1000) : 0
            let time = Timestamp(milliseconds: Int64(start + shift)).rfc3339()
            switch uplink {
            case "everything":
                found[uplink, default: []].insert(
                    Delivered(kind: kind, start: time, scope: scope))
            case "fleet":
                if scope.hasPrefix("\(Platforms.pm10.device)/") {
                    found[uplink, default: []].insert(Delivered(kind: kind, start: time))
                }
            default: found[uplink, default: []].insert(Delivered(kind: word, start: time))
            }
        }
        return found
    }
}
