import Acquisition
import FieldLinks
import Telemetry
import TestPeers
import Testing

/// What goes wrong elsewhere when one device is slow or dead (docs/field-lessons.md).
@Suite("Field lessons: one slow or dead device", .serialized)
struct FieldLessonsSilenceTests {
    @Test("one dead unit of twenty costs the others at most 5 % of their cycle")
    func oneDead() async throws {
        let bus = LessonBus()
        let units = Array(1...20)
        // Twenty units of 10 ms at 100 ms: the bus is never idle, so lost time is lost to others.
        let requests = try await bus.polling(
            units.map { try bus.device($0, period: "100ms", timeout: "100ms") },
            faults: ["7=silent"], pace: 0.01
        ) { _, seen in
            try await eventually("nine seconds") {
                let seen = seen()
                return (seen.last?.time ?? 0) - (seen.first?.time ?? 0) > 9
            }
        }
        var lost = 0.0
        for (request, next) in zip(requests, requests.dropFirst()) where request.unit == 7 {
            lost += next.time - request.time
        }
        let whole = try #require(requests.last).time - requests[0].time
        #expect(lost / whole <= 0.05, "\(lost) s of \(whole)")
        #expect(requests.contains { $0.unit == 7 && $0.time > requests[0].time + 1 })
        #expect(Set(requests.map(\.connection)) == [1])
        for unit in units where unit != 7 {
            #expect(bus.strangers(unit).isEmpty)
            let reasons = bus.sink.scans(of: unit).flatMap(\.readings).filter { !$0.isGood }
            #expect(reasons.allSatisfy { $0 == .bad(.missed) }, "unit \(unit)")
        }
        let good = units.filter { $0 != 7 }.map(bus.goodScans)
        // Nobody pays for the dead unit alone.
        #expect(Double(good.min() ?? 0) >= 0.9 * Double(good.max() ?? 0), "\(good)")
    }

    @Test("with ten of twenty units dead the living meet every slot once that is known")
    func tenDead() async throws {
        let bus = LessonBus()
        let units = Array(1...20)
        try await bus.polling(
            units.map { try bus.device($0, period: "500ms", timeout: "100ms") },
            faults: units.prefix(10).map { "\($0)=silent" }
        ) { _, _ in
            try await eventually("scans") { bus.sink.scans(of: 20).count >= 20 }
        }
        for unit in 11...20 {
            let settled = bus.sink.scans(of: unit).dropFirst(8)
            #expect(settled.count >= 11)
            #expect(settled.allSatisfy { $0.readings.allSatisfy(\.isGood) }, "unit \(unit)")
        }
        #expect(bus.count { if case .deviceSilent = $0 { true } else { false } } == 10)
    }

    @Test("a time-out throws no other device's question away", arguments: LessonBus.Framer.allCases)
    func queueSurvives(framer: LessonBus.Framer) async throws {
        let bus = LessonBus(framer)
        try await bus.polling(
            [bus.device(1, period: "500ms"), bus.device(2, period: "500ms")],
            faults: ["1=late-once:0.3"]
        ) { _, _ in
            try await eventually("scans") { bus.sink.scans(of: 2).count >= 8 }
        }
        let scans = bus.sink.scans(of: 2)
        for (earlier, later) in zip(scans, scans.dropFirst()) {
            #expect(later.time - earlier.time == .milliseconds(500))
        }
        // Behind the late unit the line itself is busy now and then.
        #expect(bus.goodScans(2) >= 6)
        #expect(bus.strangers(1).isEmpty && bus.strangers(2).isEmpty)
    }

    @Test(
        "a broadcast frame on the line does not reset the bus", arguments: ["broadcast", "babble"])
    func broadcast(kind: String) async throws {
        let bus = LessonBus(.rtu)
        let requests = try await bus.polling(
            [bus.device(1), bus.device(2)], faults: ["1=\(kind)"]
        ) { _, _ in
            try await eventually("scans") { bus.sink.scans(of: 2).count >= 6 }
        }
        #expect(bus.goodScans(1) >= 5)
        #expect(bus.goodScans(2) >= 5)
        #expect(bus.strangers(1).isEmpty && bus.strangers(2).isEmpty)
        #expect(Set(requests.map(\.connection)) == [1])
    }

    @Test("a half-open connection is made anew", arguments: LessonBus.Framer.allCases)
    func halfOpen(framer: LessonBus.Framer) async throws {
        var bus = LessonBus(framer)
        bus.longestDoubt = .seconds(1)
        let requests = try await bus.polling([bus.device(1)], faults: ["0=mute-after:4"]) {
            [bus] _, seen in
            try await eventually("an answer on a new connection") {
                guard let second = seen().first(where: { $0.connection == 2 }) else { return false }
                return second.unit == 1 && bus.goodScans(1) >= 6
            }
        }
        #expect((requests.map(\.connection).max() ?? 0) >= 2)
        #expect(bus.strangers(1).isEmpty)
        #expect(bus.sink.scans(of: 1).contains { $0.readings[0] == .bad(.timeout) })
    }

    @Test("a device that closes its connection after each few answers costs no value")
    func hangsUp() async throws {
        let bus = LessonBus()
        let requests = try await bus.polling([bus.device(1)], faults: ["0=hang-up:2"]) { _, _ in
            try await eventually("scans") { bus.sink.scans(of: 1).count >= 8 }
        }
        #expect((requests.map(\.connection).max() ?? 0) >= 3)
        #expect(bus.sink.scans(of: 1).dropFirst().allSatisfy { $0.readings.allSatisfy(\.isGood) })
        #expect(bus.count { if case .linkDown = $0 { true } else { false } } == 0)
    }

    /// Polls with a clock of its own; `cost` says how many seconds a question to a unit takes.
    private func asked(
        units: Int, seconds: Double, cost: (Int) -> Double, isDead: (Int, Double) -> Bool
    ) -> [(unit: Int, time: Double)] {
        func at(_ seconds: Double) -> Timestamp { Timestamp(milliseconds: Int64(seconds * 1000)) }
        var schedule = PollSchedule(
            (0..<units).map { .init(unit: $0, period: .seconds(1)) }, start: at(0))
        var now = 0.0
        var asked: [(unit: Int, time: Double)] = []
        while now < seconds {
            switch schedule.next(now: at(now)) {
            case .poll(let entry, _):
                asked.append((entry, now))
                let isDead = isDead(entry, now)
                now += cost(entry)
                schedule.polled(
                    entry: entry, isDead ? .silent(.timeout) : .answered, now: at(now))
            case .skip: break
            case .wait(let until):
                now = until.map { Double($0.milliseconds) / 1000 } ?? seconds
            }
        }
        return asked
    }

    @Test("on a line that is never idle a unit that comes back is noticed")
    func noticed() {
        // Twenty units of 60 ms at one second are more than the line can do.
        let asked = asked(units: 20, seconds: 120, cost: { $0 == 7 ? 0.2 : 0.06 }) { unit, now in
            unit == 7 && now < 30
        }
        let later = asked.filter { $0.unit == 7 && $0.time > 30 }
        #expect(later.count > 50, "asked \(later.count) times after it came back")
        #expect((later.first?.time ?? 999) < 60)
    }

    @Test("a device that is alone on its line is asked again after a second, not after a minute")
    func alone() {
        let asked = asked(units: 1, seconds: 20, cost: { _ in 0.9 }) { _, now in now < 1 }
        #expect(asked.count >= 15, "\(asked.count) questions in 20 s")
    }
}
