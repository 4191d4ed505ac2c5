import Alarms
import Foundation
import Store
import Telemetry
import TestSeeds
import Testing

@testable import Gateway

@Suite("The state of a checkpoint")
struct EvaluationStateTests {
    /// A machine in the middle of a day, with several groups, late scans and failures.
    private static func machine(seed: UInt64) async throws -> (FoldedStore, EvaluationMachine) {
        var random = SeededGenerator(seed: seed)
        let groups = (0..<8).map { number in
            var group = RollupsOfTheStoreTests.group()
            group.device = DeviceID("m\(number)")
            group.series = group.series.map {
                var series = $0
                series.id = SeriesID(device: group.device, point: $0.id.point)
                return series
            }
            return group
        }
        let folded = try await EvaluationTests.folded(groups)
        var machine = folded.machine
        var energies = Array(repeating: 1234.5, count: groups.count)
        for row in 0..<100 {
            var scans: [Scan] = []
            for (index, group) in folded.groups.enumerated() {
                energies[index] = ((energies[index] + 0.03) * 100).rounded() / 100
                let fails = Int.random(in: 0..<20, using: &random) == 0
                let isLate = Int.random(in: 0..<50, using: &random) == 0
                let odd = index == 7 ? Double.random(in: -1...1, using: &random) : 0
                let power = Double(Int.random(in: -50...90_000, using: &random)) / 10 + odd
                scans.append(
                    Scan(
                        group: group.id,
                        time: EvaluationTests.start
                            + .seconds(row * 10 - (isLate ? Int(300) : 0)),
                        readings: fails
                            ? [.bad(.timeout), .bad(.timeout)]
                            : [.number(power), .number(energies[index])]))
            }
            machine.handle(
                JournalRow(
                    sequence: Int64(row + 1),
                    clock: ClockReading(
                        bootID: "b", monotonic: Int64(row),
                        wall: EvaluationTests.start + .seconds(row * 10), isTrusted: true),
                    scans: scans, deliveries: []))
        }
        return (folded, machine)
    }

    @Test("comes back as it was, in few bytes", arguments: UInt64(1)..<9)
    func roundTrip(seed: UInt64) async throws {
        let (folded, machine) = try await Self.machine(seed: seed)
        defer { folded.remove() }
        let state = machine.state
        let bytes = state.encoded()
        let decoded = try EvaluationMachine.State(decoding: bytes)
        #expect(decoded == state, "seed \(seed)")
        #expect(decoded.encoded() == bytes)
        // What is due or late comes and goes; the last group's numbers are no short decimals.
        var plain = state
        (plain.due, plain.late) = ([], [])
        plain.folds[folded.groups[7].id.number] = nil
        let open = plain.folds.values.reduce(0) { sum, fold in
            sum + fold.lanes.reduce(0) { $0 + $1.open.reduce(0) { $0 + $1.rollups.count } }
        }
        let size = plain.encoded().count - plain.alarms.alarms.encoded().count
        #expect(Double(size) / Double(open) <= 40, "\(size) bytes, \(open) open rollups")
    }

    @Test("of a version that nobody knows is refused")
    func unknownVersion() {
        #expect(throws: (any Error).self) {
            try Evaluation.state(of: EvaluationCheckpoint(version: 99, cursor: 7, state: []))
        }
    }

    @Test("that is damaged is refused or read, and never brings the gateway down")
    func damage() async throws {
        let (folded, machine) = try await Self.machine(seed: 5)
        defer { folded.remove() }
        let bytes = machine.state.encoded()
        #expect(throws: Damage.self) {
            try EvaluationMachine.State(decoding: Array(bytes.dropLast()))
        }
        let body = Array(bytes.dropLast(4))
        var random = SeededGenerator(seed: 99)
        var read = 0
        for _ in 0..<4000 {
            var broken = body
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                broken[Int.random(in: 0..<broken.count, using: &random)] =
                    UInt8.random(in: 0...255, using: &random)
            }
            if Bool.random(using: &random) {
                broken.removeLast(Int.random(in: 0..<broken.count, using: &random))
            }
            #expect(throws: Damage.self) { try EvaluationMachine.State(decoding: broken + [0]) }
            guard let state = try? EvaluationMachine.State(body: broken) else { continue }
            read += 1
            // A blob that a mischief-maker has signed: it may be wrong, but it does not trap.
            var restored = folded.machine
            restored.restore(state, cursor: 0)
            _ = restored.state.encoded()
        }
        #expect(read > 0)
    }

    @Test("gets its minutes when an uplink asks for them, and lets go of them when none does")
    func minutes() async throws {
        let (folded, machine) = try await Self.machine(seed: 6)
        defer { folded.remove() }
        var without = EvaluationMachine(
            groups: folded.groups, rules: [], calendar: .utc,
            selections: [OwedSelection(uplink: "boss", resolution: .quarterHour)])
        without.restore(machine.state, cursor: machine.cursor)
        #expect(without.folds.values.allSatisfy { $0.lanes.map(\.resolution) == [.quarterHour] })
        #expect(without.due.allSatisfy { $0.resolution != .minute })
        var with = folded.machine
        with.restore(without.state, cursor: machine.cursor)
        for (id, fold) in with.folds {
            #expect(fold.lanes.map(\.resolution) == [.minute, .quarterHour])
            let newest = try #require(machine.folds[id]?.newest)
            let begin = try #require(fold.lanes[0].closedUntil)
            #expect(begin > newest, "the first minute is a whole one")
        }
    }
}
