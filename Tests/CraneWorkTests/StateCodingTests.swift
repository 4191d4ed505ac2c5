import CraneWork
import Telemetry
import TestSeeds
import Testing

/// A day with everything in it: operators, alarms, ratios near their limits, wind.
func fullDay(_ seed: UInt64) -> [CraneInstant] {
    var random = SeededGenerator(seed: seed)
    var wind = 8.0
    return CraneDay(seed: seed).instants.map { instant in
        var instant = instant
        wind = max(0, min(16, wind + Double.random(in: -0.3...0.3, using: &random)))
        instant.windSpeed = random.oneIn(50) ? nil : wind
        instant.ratedLoad = random.oneIn(50) ? nil : 8
        if let load = instant.load, !random.oneIn(50) { instant.momentRatio = load * 12.4 }
        if random.oneIn(300) { instant.logged = .id("op\(Int.random(in: 1...3, using: &random))") }
        if random.oneIn(300) { instant.logged = .nobody }
        if random.oneIn(40) { instant.workStatus = random.oneIn(2) ? "working" : "jacking" }
        if random.oneIn(60) { instant.alarms.raised = CraneAlarmSet(.collision) }
        if random.oneIn(30) {
            instant.alarms.warned = [CraneAlarmSet(.tilt), CraneAlarmSet(.wind)]
        }
        if random.oneIn(5) { instant.alarms.normal = CraneAlarmSet(.collision) }
        instant.isBackfill = random.oneIn(9)
        return instant
    }
}

@Suite("The stored state of a lift detector")
struct StateCodingTests {
    @Test("goes on from any stored state as if it had never stopped", arguments: 0..<12)
    func restoreInTheMiddle(number: Int) throws {
        let seed = UInt64(31_000 + number)
        var random = SeededGenerator(seed: seed)
        let instants = fullDay(seed)
        var whole = LiftDetector(crane: crane, options: shipped, period: .seconds(5))
        var parted = whole
        var expected: [CraneRecord] = []
        var got: [CraneRecord] = []
        var restarts = 0
        for instant in instants {
            expected += whole.handle(instant)
            got += parted.handle(instant)
            guard random.oneIn(instants.count / 150) else { continue }
            let state = try LiftDetectorState(decoding: parted.state.encoded())
            #expect(state == parted.state, "seed \(seed)")
            parted = LiftDetector(crane: crane, options: shipped, period: .seconds(5))
            parted.restore(state)
            restarts += 1
        }
        #expect(got == expected, "seed \(seed)")
        #expect(parted.state.encoded() == whole.state.encoded(), "seed \(seed)")
        #expect(restarts > 50)
        // A day without all kinds of records would prove nothing.
        #expect(expected.lifts.count > 10 && expected.overloads.count > 5)
        #expect(Set(expected.nearMisses.map(\.kind)).count > 1)
    }

    @Test("damaged bytes are refused or read, and never trap")
    func damage() {
        var random = SeededGenerator(20_261_122)
        var blobs: [[UInt8]] = []
        var detector = LiftDetector(crane: crane, options: shipped)
        for instant in fullDay(41) {
            _ = detector.handle(instant)
            if random.oneIn(200) { blobs.append(detector.state.encoded()) }
        }
        // Phases with one lift and with two, and excursions, are among them.
        #expect(blobs.contains { $0.count > 300 })
        let tail = Array(fullDay(42).suffix(60))
        var (refused, read) = (0, 0)
        for _ in 0..<20_000 {
            guard var bytes = blobs.randomElement(using: &random) else { return }
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes.removeLast(Int.random(in: 1...bytes.count, using: &random))
            case 1:
                let place = Int.random(in: 0..<bytes.count, using: &random)
                bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
            default:
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    let place = Int.random(in: 0..<bytes.count, using: &random)
                    bytes[place] = UInt8.random(in: 0...255, using: &random)
                }
            }
            do throws(Damage) {
                var damaged = LiftDetector(crane: crane, options: shipped)
                damaged.restore(try LiftDetectorState(decoding: bytes))
                read += 1
                // What was read has to be fit for use, too.
                if read % 50 == 0 {
                    for instant in tail { _ = damaged.handle(instant) }
                    _ = damaged.advance(to: at(1e9))
                    _ = damaged.state.encoded()
                }
            } catch {
                refused += 1
            }
        }
        #expect(refused > 1000 && read > 100, "\(refused) refused, \(read) read")
    }

    @Test("a state cut off anywhere is refused, and so are bytes behind it and another version")
    func cutOff() throws {
        var detector = LiftDetector(crane: crane, options: shipped)
        for instant in loads("0x4 2x8 0") { _ = detector.handle(instant) }
        let bytes = detector.state.encoded()
        for length in bytes.indices {
            #expect(throws: Damage.self) {
                try LiftDetectorState(decoding: Array(bytes[..<length]))
            }
        }
        #expect(throws: Damage.self) { try LiftDetectorState(decoding: bytes + [0]) }
        #expect(throws: Damage(what: "crane work of version 9", position: 1)) {
            try LiftDetectorState(decoding: [9] + bytes.dropFirst())
        }
    }

    @Test("the state stays small however long the crane works")
    func size() {
        var detector = LiftDetector(crane: crane, options: shipped)
        var largest = 0
        for day in 0..<3 {
            for var instant in fullDay(UInt64(50 + day)) {
                instant.time = instant.time + .seconds(86_400 * day)
                _ = detector.handle(instant)
                largest = max(largest, detector.state.encoded().count)
            }
        }
        #expect(largest > 300 && largest < 1500, "\(largest) bytes")
    }
}
