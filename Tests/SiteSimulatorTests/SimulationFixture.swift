import DeviceProfiles
import FieldLinks
import Foundation
import Telemetry
import TestPeers

@testable import SiteSimulator

/// A wall clock that tests set by hand.
final class HandClock: WallClock, @unchecked Sendable {
    private let lock = NSLock()
    private var now: Timestamp
    init(_ now: Timestamp) { self.now = now }
    func set(_ time: Timestamp) { lock.withLock { now = time } }
    func read() -> ClockReading {
        ClockReading(bootID: "test", monotonic: 0, wall: lock.withLock { now }, isTrusted: true)
    }
}

/// The machine's clock.
struct MachineClock: WallClock {
    func read() -> ClockReading {
        ClockReading(
            bootID: "test", monotonic: 0,
            wall: Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)),
            isTrusted: true)
    }
}

/// The repository's own profiles, loaded once.
enum Profiles {
    private static let loaded = Result {
        let root = URL(filePath: packageRoot).appending(path: "Devices")
        func text(_ path: String) throws -> String {
            try String(contentsOf: root.appending(path: path), encoding: .utf8)
        }
        let files = try FileManager.default.subpathsOfDirectory(atPath: root.path())
            .filter { $0.hasSuffix(".yaml") && $0.contains("/") }.sorted()
        return try ProfileLibrary(
            vocabularyText: text("vocabulary.yaml"),
            profiles: files.map { (path: $0, text: try text($0)) })
    }

    static func library() throws -> ProfileLibrary { try loaded.get() }
}

/// A simulation that runs while `body` does; returns how long it took to end.
func withSimulation(
    _ simulation: SiteSimulation, _ body: (SimulatedEndpoints) async throws -> Void
) async throws -> Duration {
    let endpoints = try await simulation.start()
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await simulation.run() }
        let result: Result<Void, any Error>
        do { result = .success(try await body(endpoints)) } catch { result = .failure(error) }
        let begin = ContinuousClock.now
        simulation.stop()
        try await group.waitForAll()
        try result.get()
        return ContinuousClock.now - begin
    }
}

/// Reads one scan group over the wire with the gateway's own link.
func poll(
    _ binding: ModbusBinding, group: Int, unit: Int, on link: BusLink
) async throws -> [Reading] {
    let answers = try await link.perform { link in
        try link.connect()
        var answers: [RegisterAnswer] = []
        for request in binding.requests(group: group) {
            switch request.area {
            case .holding, .input:
                answers.append(
                    .registers(
                        try link.readRegisters(
                            unit: UInt8(unit), function: request.area == .input ? .input : .holding,
                            address: request.address, count: request.count)))
            case .coil, .discrete:
                answers.append(
                    .bits(
                        try link.readBits(
                            unit: UInt8(unit), function: request.area == .coil ? .coil : .discrete,
                            address: request.address, count: request.count)))
            }
        }
        return answers
    }
    return binding.decode(group: group, answers: answers)
}
