import Foundation
import Store
import Subprocess
import Telemetry
import TestPeers
import Testing

/// The real program on a disk that is full, or whose calls fail (design 5, `unstored`).
@Suite("When nothing can be written", .serialized)
struct UnstoredDiskTests {
    /// Seconds for which the disk is full; `UNSTORED_SECONDS=600` for a longer look.
    static let outage =
        ProcessInfo.processInfo.environment["UNSTORED_SECONDS"].flatMap { Int($0) } ?? 15
    static let topic = "BIM/Sets/zhgd/DEYE/TC0001/RealtimeDataCrane"

    @Test("a full disk: polling and live reports go on, nothing is acknowledged, nothing lost")
    func fullDisk() async throws {
        try await withTemporaryFolder { folder in
            try await withSmallDisk(at: folder + "/data") {
                try await withSite(folder) { site, broker in
                    try await self.fillAndFree(site, broker)
                }
            }
        }
    }

    @Test("calls that fail with EIO, one after the other: the file is opened anew, nothing lost")
    func failingCalls() async throws {
        try await withTemporaryFolder { folder in
            let library = folder + "/fail-io.so"
            let compiled = try await run(
                .name("cc"),
                arguments: [
                    "-shared", "-fPIC", "-O1", "-o", library,
                    packageRoot + "/Tests/StoreFaults/fail-io.c", "-ldl",
                ], output: .discarded, error: .string(limit: 64 * 1024))
            guard compiled.terminationStatus.isSuccess else {
                return print("skipped because no C compiler is here: \(compiled.standardError)")
            }
            try await withSite(folder) { site, broker in
                try await self.failOneByOne(site, broker, library: library)
            }
        }
    }

    // MARK: a full disk

    private func fillAndFree(_ site: TestSite, _ broker: Broker) async throws {
        let collected = try await withDaemon(try site.write(), port: site.apiPort) { daemon in
            let publisher = Publisher(broker: broker)
            try await Self.subscribed(daemon, publisher)
            _ = try await UplinkOutageTests.collect(port: broker.port, seconds: 1)
            // A minute shall end while the disk is full.
            let second = Int(Date().timeIntervalSince1970) % 60
            let wait = (120 + 50 - Self.outage - second) % 60
            try await publisher.run(for: .seconds(Self.outage < 60 ? wait : 2))
            let filler = site.dataFolder + "/filler"
            try fill(filler)
            // The write-ahead log takes commits without growing until it has come to its end again,
            // and the gateway makes what room it can: an outage that stays comes with time.
            var looks = 0
            let deadline = ContinuousClock.now + .seconds(90)
            while looks < 100 {
                try #require(ContinuousClock.now < deadline, "an outage that stays")
                try fill(filler)
                if try await daemon.metric("plumbline_store_unstored") == 1 {
                    looks += 1
                    try await Task.sleep(for: .milliseconds(50))
                } else {
                    looks = 0
                    // So few that no second holds more than a device may say of one instant.
                    try await publisher.publish(20)
                }
            }
            #expect(await !daemon.isReady)
            _ = try await daemon.get("/health/live")
            let before = try await Figures(daemon, broker)
            try await publisher.run(for: .seconds(Self.outage)) { try fill(filler) }
            let after = try await Figures(daemon, broker)
            #expect(after.committed == before.committed)
            #expect(after.polls > before.polls, "polling goes on")
            #expect(after.acknowledged == before.acknowledged, "no PUBACK leaves")
            // The minute ends at most four seconds after the outage was meant to.
            try await eventually("a report that is not stored", within: .seconds(70)) {
                try fill(filler)
                return try await UplinkOutageTests.collect(port: broker.port, seconds: 1)
                    .contains(#""stored":false"#)
            }
            let start = ContinuousClock.now
            try FileManager.default.removeItem(atPath: filler)
            try await eventually("readiness", within: .seconds(10)) { await daemon.isReady }
            let recovery = ContinuousClock.now - start
            try await eventually("the backlog", within: .seconds(120)) {
                try await site.crane(publisher.count).missing == 0
            }
            let outages = try await daemon.metric("plumbline_store_outages_total")
            print(
                """
                full disk: \(Self.outage) s, \(Int(after.polls - before.polls)) polls meanwhile, \
                \(after.acknowledged - before.acknowledged) PUBACKs meanwhile, ready again after \
                \(recovery), \(Int(outages)) outage(s)
                """)
            return await publisher.count
        }
        try await check(site, count: collected.result, "full disk")
        #expect(try await site.audit().contains { $0.action == "store.unstored" })
    }

    /// What the gateway and the broker counted at one instant.
    private struct Figures {
        var committed: Double
        var polls: Double
        var acknowledged: Int

        init(_ daemon: Daemon, _ broker: Broker) async throws {
            committed = try await daemon.metric("plumbline_scans_committed_total")
            polls = try await daemon.metric("plumbline_link_requests_total", #"link="meters""#)
            let log = try String(contentsOfFile: broker.folder + "/mosquitto.log", encoding: .utf8)
            acknowledged = log.split(separator: "\n").count {
                $0.contains("Received PUBACK from plumbline-")
            }
        }
    }

    // MARK: failing calls

    private func failOneByOne(
        _ site: TestSite, _ broker: Broker, library: String
    ) async throws {
        let control = site.folder + "/control"
        // Kind, errno (5 is EIO, 30 EROFS, 28 ENOSPC), calls let through, calls that fail.
        var plans = (0..<4).flatMap { ["w 5 \($0) 1", "s 5 \($0) 1"] }
        plans += ["a 5 0 5", "a 30 0 4", "w 28 1 3"]
        let collected = try await withDaemon(
            try site.write(), port: site.apiPort,
            environment: ["LD_PRELOAD": library, "FAIL_IO_CONTROL": control]
        ) { [plans] daemon in
            let publisher = Publisher(broker: broker)
            try await Self.subscribed(daemon, publisher)
            var hits = 0
            for plan in plans {
                try plan.write(toFile: control, atomically: true, encoding: .utf8)
                try await eventually("the fault '\(plan)'") { [hits] in
                    try await publisher.publish()
                    return Self.size(control + ".hits") > hits
                }
                hits = Self.size(control + ".hits")
                // Attempts come every 5 s in the end, and one may use up no more than one fault.
                try await eventually("storing after '\(plan)'", within: .seconds(90)) {
                    try await daemon.metric("plumbline_store_unstored") == 0
                }
                try FileManager.default.removeItem(atPath: control)
                let committed = try await daemon.metric("plumbline_commits_total")
                try await eventually("a commit after '\(plan)'") {
                    try await daemon.metric("plumbline_commits_total") > committed
                }
            }
            try await eventually("the backlog", within: .seconds(150)) {
                try await site.crane(publisher.count).missing == 0
            }
            let outages = try await daemon.metric("plumbline_store_outages_total")
            let failed = try await daemon.metric("plumbline_commits_failed_total")
            print(
                """
                failing calls: \(plans.count) plans, \(Self.size(control + ".hits")) calls failed, \
                \(Int(failed)) commits failed, \(Int(outages)) outages, one process
                """)
            #expect(outages > 0)
            return await publisher.count
        }
        #expect(collected.log.contains("opened anew"))
        try await check(site, count: collected.result, "failing calls")
    }

    private static func size(_ path: String) -> Int {
        (try? Data(contentsOf: URL(filePath: path)).count) ?? 0
    }

    // MARK: both

    /// Every message that the broker took is in the store, once.
    private func check(_ site: TestSite, count: Int, _ name: String) async throws {
        let (missing, twice) = try await site.crane(count)
        print("\(name): \(count) messages acknowledged, \(missing) missing, \(twice) twice")
        #expect(missing == 0)
        #expect(twice == 0)
        #expect(count > 10)
    }

    /// Publishes until something came through, because a broker keeps nothing without a session.
    private static func subscribed(_ daemon: Daemon, _ publisher: Publisher) async throws {
        try await eventually("the links") {
            try await daemon.metric("plumbline_link_connected") == 2
        }
        try await publisher.publish()
        try await eventually("a first message") {
            try await daemon.metric("plumbline_link_requests_total", #"link="broker""#) > 0
        }
    }

    private func withSite(
        _ folder: String, _ body: @Sendable (TestSite, Broker) async throws -> Void
    ) async throws {
        try await withPythonPeer("modbus_server.py", MeterRegisters.arguments) { modbus in
            try await withBroker { broker in
                var site = try TestSite(folder: folder)
                site.links = [
                    TestSite.meterLink(port: modbus), TestSite.craneLink(port: broker.port),
                ]
                site.uplinks = [
                    """
                      - { id: city, mqtt: "mqtt://127.0.0.1:\(broker.port)", topic: site/test,
                          resolution: 1min, correction_spacing: 1 s }
                    """
                ]
                try await body(site, broker)
            }
        }
    }
}

/// Publishes crane messages, each heavier than the one before by a kilogram.
private actor Publisher {
    private let broker: Broker
    private(set) var count = 0

    init(broker: Broker) { self.broker = broker }

    /// Publishes some messages of this second.
    func publish(_ messages: Int = 1) async throws {
        let now = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        let lines = (1...messages).map { craneMessage(kilograms: count + $0, at: now) }
        try await broker.publish(UnstoredDiskTests.topic, lines: lines)
        count += messages
    }

    /// Four messages a second, and `each` before each of them.
    func run(for duration: Duration, each: @Sendable () throws -> Void = {}) async throws {
        let end = ContinuousClock.now + duration
        while ContinuousClock.now < end {
            try each()
            try await publish()
            try await Task.sleep(for: .milliseconds(240))
        }
    }
}

/// Writes until there is no room; what is there already stays.
@Sendable private func fill(_ path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND, 0o644)
    guard descriptor >= 0 else { throw PeerError("\(path): \(errno)") }
    defer { close(descriptor) }
    for size in [65_536, 4096, 512, 1] {
        let bytes = [UInt8](repeating: 7, count: size)
        while write(descriptor, bytes, size) == size {}
    }
}

/// Runs `body` with a file system of its own, 8 MiB in memory; says so when that is not allowed.
private func withSmallDisk(at path: String, _ body: () async throws -> Void) async throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let mounted = try await run(
        .name("mount"), arguments: ["-t", "tmpfs", "-o", "size=8m", "plumbline-test", path],
        output: .discarded, error: .string(limit: 4096))
    guard mounted.terminationStatus.isSuccess else {
        return print("skipped because no file system can be mounted: \(mounted.standardError)")
    }
    let result: Result<Void, any Error>
    do { result = .success(try await body()) } catch { result = .failure(error) }
    _ = try await run(
        .name("umount"), arguments: ["-l", path], output: .discarded, error: .discarded)
    try result.get()
}

extension TestSite {
    /// Of the messages 1 … count: how many are not stored, and how many more than once.
    fileprivate func crane(_ count: Int) async throws -> (missing: Int, twice: Int) {
        let kilograms = try await samples("crane-1.load_mass").compactMap(\.reading.number)
        let counted = Dictionary(kilograms.map { ($0, 1) }, uniquingKeysWith: +)
        return (
            (1...max(1, count)).count { counted[Double($0)] == nil },
            counted.count { $0.value > 1 }
        )
    }

    fileprivate func audit() async throws -> [AuditEntry] {
        let store = try Store.openReadOnly(directory: dataFolder, calendar: .utc)
        defer { try? store.close() }
        return try await store.reader.audit()
    }
}
