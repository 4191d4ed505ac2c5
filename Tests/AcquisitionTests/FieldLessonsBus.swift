import Acquisition
import DeviceProfiles
import FieldLinks
import Foundation
import Telemetry
import TestPeers

/// A bus of `fault_bus.py` and the loop that polls it; the stage of the field's lessons.
///
/// Unit u is the device `u<u>` with the group number u. Its registers hold u × 1000 + address.
struct LessonBus: Sendable {
    enum Framer: String, CaseIterable, Sendable { case tcp, rtu }

    /// One request as the peer saw it.
    struct Request: Sendable {
        var time: Double
        var connection: Int
        var unit: Int
        var function: Int
        var address: Int
        /// Registers, or what was written.
        var count: Int
    }

    let sink = RecordingSink()
    let log = EventLog()
    let status = AcquisitionStatus()
    let framer: Framer
    var longestDoubt = Duration.seconds(10)
    var clock = LinkClock(ContinuousClock())

    init(_ framer: Framer = .tcp) { self.framer = framer }

    func device(
        _ unit: Int, _ addresses: [Int] = [40, 41, 42], period: String = "200ms",
        timeout: String = "200ms", quiet: String = "0ms"
    ) throws -> BusAcquisition.Device {
        let binding = try TestSite.meter(
            "u\(unit)", addresses: addresses, period: period, timeout: timeout, quiet: quiet)
        return BusAcquisition.Device(
            unit: UInt8(unit), binding: binding,
            groups: [TestSite.numbered(binding.groups[0], unit)], checksIdentity: false)
    }

    func acquisition(
        at place: BusPlace, _ devices: [BusAcquisition.Device], commands: [DeviceCommand] = [],
        lastValues: [Int: Double] = [:]
    ) -> BusAcquisition {
        BusAcquisition(
            name: "bus",
            link: BusLink(
                place, responseTimeout: .milliseconds(200), connectTimeout: .milliseconds(500),
                grants: Set(commands.flatMap(\.grants))),
            devices: devices, commands: commands, lastValues: lastValues, sink: sink, clock: clock,
            wallClock: SystemClock(), status: status, longestDoubt: longestDoubt,
            onEvent: log.note)
    }

    func place(_ port: Int) -> BusPlace {
        framer == .tcp
            ? .modbusTCP(host: "127.0.0.1", port: port)
            : .serialServer(host: "127.0.0.1", port: port)
    }

    /// Polls `devices` on a bus with `faults` while `body` runs.
    ///
    /// - Returns: what the bus was asked.
    @discardableResult
    func polling(
        _ devices: [BusAcquisition.Device], faults: [String] = [], pace: Double = 0,
        commands: [DeviceCommand] = [],
        _ body:
            @escaping @Sendable (BusAcquisition, _ seen: @Sendable () -> [Request]) async throws
            -> Void
    ) async throws -> [Request] {
        try await withTemporaryFolder { folder in
            let path = folder + "/requests"
            let arguments = peerArguments(faults, pace: pace, log: path)
            try await withPythonPeer("fault_bus.py", arguments) { port in
                let acquisition = acquisition(at: place(port), devices, commands: commands)
                try await whilePolling(acquisition) {
                    try await body(acquisition) { Self.requests(path) }
                }
            }
            return Self.requests(path)
        }
    }

    func peerArguments(_ faults: [String], pace: Double = 0, log: String) -> [String] {
        ["--framer", framer.rawValue, "--pace", "\(pace)", "--log", log]
            + faults.flatMap { ["--fault", $0] }
    }

    /// Runs the loop while `body` runs, and waits until it has ended.
    func whilePolling(
        _ acquisition: BusAcquisition, _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await acquisition.run() }
            defer { acquisition.stop() }
            try await body()
        }
    }

    static func requests(_ path: String) -> [Request] {
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count == 6, let time = Double(words[0]) else { return nil }
            let numbers = words.dropFirst().compactMap { Int($0) }
            guard numbers.count == 5 else { return nil }
            return Request(
                time: time, connection: numbers[0], unit: numbers[1], function: numbers[2],
                address: numbers[3], count: numbers[4])
        }
    }

    /// The readings of unit `unit` that have a value, with the address at which they were asked.
    func strangers(_ unit: Int, _ addresses: [Int] = [40, 41, 42]) -> [Reading] {
        sink.scans(of: unit).flatMap { scan in
            zip(scan.readings, addresses).filter { reading, address in
                reading.isGood && reading != .number(Double(unit * 1000 + address))
            }.map(\.0)
        }
    }

    func goodScans(_ unit: Int) -> Int {
        sink.scans(of: unit).count { $0.readings.allSatisfy(\.isGood) }
    }

    func count(_ isWanted: (AcquisitionEvent) -> Bool) -> Int { log.events.count(where: isWanted) }
}

/// A clock on which time passes faster, for waits of a minute.
struct FastClock: Clock {
    let factor: Int
    private let clock = ContinuousClock()
    private let start = ContinuousClock.now
    init(factor: Int) { self.factor = factor }
    var now: ContinuousClock.Instant { start + (clock.now - start) * factor }
    var minimumResolution: Duration { .milliseconds(1) }
    func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {
        try await clock.sleep(for: (deadline - now) / factor)
    }
}
