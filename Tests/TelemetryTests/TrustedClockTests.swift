import TestSeeds
import Testing

@testable import Telemetry

/// A machine whose two clocks a test sets as it likes, and the clock that judges them.
struct JudgedMachine {
    var bootID = "boot-a"
    var monotonic: Int64 = 5_000
    var wall: Timestamp
    var isSynchronised: Bool
    var clock: TrustedClock
    var events: [TrustedClock.Event] = []
    private(set) var given: ClockReading

    init(_ rules: TrustedClock.Rules, wall: Timestamp, isSynchronised: Bool) {
        self.wall = wall
        self.isSynchronised = isSynchronised
        clock = TrustedClock(rules)
        given = ClockReading(bootID: "", monotonic: 0, wall: wall, isTrusted: false)
        look()
    }

    /// Time passes on both clocks, one look a second.
    mutating func pass(_ duration: Duration, every step: Duration = .seconds(1)) {
        var left = duration
        while left > .zero {
            let piece = min(left, step)
            monotonic += piece.milliseconds
            wall = wall + piece
            left -= piece
            look()
        }
    }

    mutating func step(_ duration: Duration, isSynchronised: Bool? = nil) {
        wall = wall + duration
        if let isSynchronised { self.isSynchronised = isSynchronised }
        look()
    }

    mutating func look() {
        let result = clock.read(
            ClockReading(
                bootID: bootID, monotonic: monotonic, wall: wall, isTrusted: isSynchronised))
        given = result.reading
        events += result.events
    }
}

@Suite("Trusted time")
struct TrustedClockTests {
    static let built = Timestamp(rfc3339: "2026-11-01T00:00:00Z")!
    static let now = Timestamp(rfc3339: "2026-11-21T07:00:00Z")!
    static let epoch = Timestamp(milliseconds: 12_000)
    static let hour = Duration.seconds(3600)
    static let day = Duration.seconds(86_400)
    static let year = Duration.seconds(365 * 86_400)

    static func rules(
        _ trust: TrustedClock.Trust = .kernel, stored: Timestamp? = nil
    ) -> TrustedClock.Rules {
        var rules = TrustedClock.Rules(trust: trust)
        rules.notBefore = built
        rules.newestStored = stored
        return rules
    }

    static func running(_ trust: TrustedClock.Trust = .kernel) -> JudgedMachine {
        var machine = JudgedMachine(rules(trust), wall: now, isSynchronised: trust == .kernel)
        machine.pass(.seconds(60))
        machine.events = []
        return machine
    }

    @Test("a boot in 1970 gives monotonic time until the kernel is synchronised")
    func epochThenSync() {
        var machine = JudgedMachine(
            Self.rules(stored: Self.now - Self.hour), wall: Self.epoch, isSynchronised: false)
        machine.pass(.seconds(300))
        #expect(!machine.given.isTrusted && !machine.given.isEstimated)
        #expect(machine.given.wall.milliseconds == machine.monotonic)
        #expect(machine.given.scanFlags == .monotonicTime)
        #expect(machine.clock.status == ClockStatus(state: .untrusted))
        machine.wall = Self.now
        machine.isSynchronised = true
        machine.look()
        #expect(machine.given.isTrusted && !machine.given.isEstimated)
        #expect(machine.given.wall == Self.now)
        #expect(machine.given.stampOffset == Self.now.milliseconds - machine.monotonic)
        #expect(machine.events == [.anchored])
        #expect(machine.clock.status.state == .trusted)
    }

    @Test("a clock in 1970 that calls itself synchronised is not believed, in either mode")
    func neverBeforeBuild() {
        for trust in [TrustedClock.Trust.kernel, .system] {
            var machine = JudgedMachine(
                Self.rules(trust), wall: Self.epoch, isSynchronised: true)
            machine.pass(.seconds(599))
            #expect(!machine.given.isTrusted)
            machine.pass(.seconds(60))
            #expect(machine.given.isEstimated)
            #expect(machine.given.wall >= Self.built)
        }
    }

    @Test("without anybody's word for ten minutes it goes on from the newest stored time")
    func patience() {
        let stored = Self.now - Self.day
        var machine = JudgedMachine(
            Self.rules(stored: stored), wall: Self.epoch, isSynchronised: false)
        machine.pass(.seconds(599))
        #expect(!machine.given.isTrusted)
        machine.pass(.seconds(1))
        #expect(machine.given.isTrusted && machine.given.isEstimated)
        #expect(machine.given.wall == stored + .milliseconds(machine.monotonic))
        #expect(machine.given.scanFlags == .timeEstimated)
        #expect(machine.clock.status.state == .estimated)
        let stamped = machine.given.stampOffset
        // The first word of the kernel is followed at once, forward.
        machine.wall = Self.now
        machine.isSynchronised = true
        machine.look()
        #expect(machine.given.wall == Self.now && !machine.given.isEstimated)
        #expect(machine.given.stampOffset == stamped, "what is stamped stays as it was stamped")
        #expect(machine.events.count == 2 && machine.events[0] == .estimated)
    }

    @Test("the hardware clock counts after half a minute, unless it lags or leads by a year")
    func hardwareClock() {
        let stored = Self.now - Self.hour
        var good = JudgedMachine(
            Self.rules(stored: stored), wall: Self.now, isSynchronised: false)
        good.pass(.seconds(29))
        #expect(!good.given.isTrusted)
        good.pass(.seconds(1))
        #expect(good.given.isTrusted && !good.given.isEstimated)
        for wall in [stored - Self.hour, stored + Self.year + Self.day * 2] {
            var bad = JudgedMachine(
                Self.rules(stored: stored), wall: wall, isSynchronised: false)
            bad.pass(.seconds(590))
            #expect(!bad.given.isTrusted, "\(wall.rfc3339())")
        }
        var empty = JudgedMachine(Self.rules(), wall: Self.now, isSynchronised: false)
        empty.pass(.seconds(590))
        #expect(!empty.given.isTrusted, "nothing stored says that it is right")
        empty.pass(.seconds(30))
        #expect(empty.given.isEstimated && empty.given.wall == empty.wall)
    }

    @Test("the wall clock of the system counts at once, but not before the stored time")
    func system() {
        let good = JudgedMachine(
            Self.rules(.system, stored: Self.now - Self.hour), wall: Self.now,
            isSynchronised: false)
        #expect(good.given.wall == Self.now && good.given.isTrusted)
        var bad = JudgedMachine(
            Self.rules(.system, stored: Self.now + Self.hour), wall: Self.now,
            isSynchronised: false)
        #expect(!bad.given.isTrusted)
        bad.pass(.seconds(600))
        #expect(bad.given.isEstimated && bad.given.wall >= Self.now + Self.hour)
    }

    @Test("a first time of 2099 must last, though the kernel calls it synchronised")
    func firstTimeFarAhead() {
        var machine = JudgedMachine(
            Self.rules(stored: Self.now), wall: Self.now + Self.year * 73, isSynchronised: true)
        machine.pass(.seconds(300))
        #expect(!machine.given.isTrusted)
        machine.wall = machine.wall - Self.year * 73
        machine.look()
        #expect(machine.given.isTrusted && machine.given.wall == machine.wall)
    }

    @Test("corrections of a second are followed slowly, a thousand of them, never backwards")
    func corrections() {
        var random = SeededGenerator(31)
        var machine = Self.running()
        for _ in 0..<1000 {
            // Only once the last correction has been taken, as a daemon does it.
            let sign: Int64 = Bool.random(using: &random) ? 1 : -1
            machine.step(.milliseconds(sign * .random(in: 1...999, using: &random)))
            let before = machine.given.wall
            machine.pass(.seconds(25), every: .milliseconds(.random(in: 40...3000, using: &random)))
            let passed = machine.given.wall - before
            #expect(passed >= .seconds(23) && passed <= .seconds(27))
            #expect((machine.wall - machine.given.wall).milliseconds.magnitude <= 2)
        }
        #expect(machine.events.isEmpty)
    }

    @Test(
        "a step that nobody confirms is not followed, however large",
        arguments: [hour, day, year, year * 73])
    func unconfirmed(size: Duration) {
        for step in [size, .zero - size] {
            var machine = Self.running()
            let before = machine.given.wall
            // Setting the clock by hand makes the kernel call it unsynchronised.
            machine.step(step, isSynchronised: false)
            machine.pass(.seconds(3600), every: .seconds(10))
            #expect(machine.given.wall - before == .seconds(3600))
            #expect(machine.given.isTrusted && !machine.given.isEstimated)
            #expect(machine.events == [.stepDisbelieved(step)])
            #expect(machine.clock.status.isStepDisbelieved)
            #expect(machine.clock.status.offsetSeconds == Double(step.milliseconds) / 1000)
            // Back and confirmed: it is as if nothing had been.
            machine.step(.zero - step, isSynchronised: true)
            #expect(machine.events.last == .agrees)
            #expect(machine.given.wall - before == .seconds(3600))
        }
    }

    @Test(
        "a step forward that is synchronised for ten minutes is followed", arguments: [hour, day])
    func forward(size: Duration) {
        var machine = Self.running()
        machine.step(size)
        machine.pass(.seconds(599))
        #expect(machine.given.wall == machine.wall - size)
        machine.pass(.seconds(2))
        #expect(machine.given.wall == machine.wall)
        #expect(machine.events == [.stepDisbelieved(size), .stepBelieved(size)])
        #expect(!machine.given.isEstimated)
    }

    @Test("a jump to 2099 that goes back within ten minutes leaves nothing behind")
    func centuryAndBack() {
        var machine = Self.running()
        machine.step(Self.year * 73)
        machine.pass(.seconds(590))
        machine.step(.zero - Self.year * 73)
        machine.pass(.seconds(3600), every: .seconds(10))
        #expect(machine.given.wall == machine.wall)
        #expect(machine.given.wall < Self.now + Self.day)
        #expect(
            machine.clock.status
                == ClockStatus(
                    state: .trusted, since: Self.now, offsetSeconds: 0))
    }

    @Test("a confirmed step back is caught up with by a slower clock, and said to be estimated")
    func backward() {
        var machine = Self.running()
        machine.step(.zero - Self.hour)
        machine.pass(.seconds(601))
        #expect(machine.given.isEstimated)
        #expect(machine.events.last == .stepBelieved(.zero - Self.hour))
        var last = machine.given.wall
        for _ in 0..<(21 * 360) {
            machine.pass(.seconds(10), every: .seconds(10))
            let passed = machine.given.wall - last
            #expect(passed >= .milliseconds(9499) && passed <= .seconds(10))
            last = machine.given.wall
        }
        #expect(machine.given.wall == machine.wall && !machine.given.isEstimated)
        #expect(machine.events.last == .anchored)
    }

    @Test("a confirmed step back by three days goes on from where it is, no slower")
    func longBackward() {
        var machine = Self.running()
        let before = machine.given.wall
        machine.step(.zero - Self.day * 3)
        machine.pass(Self.day, every: .seconds(10))
        #expect(machine.given.isEstimated)
        #expect(machine.given.wall == before + Self.day)
    }

    @Test("a step back to before the build is never believed, however long it lasts")
    func backBeforeBuild() {
        var machine = Self.running()
        machine.step(.zero - Self.year)
        machine.pass(Self.day, every: .seconds(10))
        #expect(!machine.given.isEstimated && machine.clock.status.isStepDisbelieved)
        #expect(machine.events == [.stepDisbelieved(.zero - Self.year)])
    }

    @Test("suspend passes on both clocks and is no step")
    func suspend() {
        var machine = Self.running()
        machine.pass(.seconds(7 * 86_400), every: .seconds(7 * 86_400))
        #expect(machine.events.isEmpty && machine.given.wall == machine.wall)
    }

    @Test("the next process of the boot goes on where the last one was; another boot does not")
    func restart() {
        var rules = Self.rules(stored: Self.now)
        rules.previous = TrustedClock.Previous(
            bootID: "boot-a", offset: Self.now.milliseconds - 1000, isEstimated: false,
            monotonic: 1000)
        // The wall clock was set back by a day while nobody looked.
        let again = JudgedMachine(rules, wall: Self.now - Self.day, isSynchronised: false)
        #expect(again.given.isTrusted)
        #expect(again.given.wall == Self.now + .seconds(4))
        #expect(again.clock.status.isStepDisbelieved)
        rules.previous?.bootID = "boot-b"
        let other = JudgedMachine(rules, wall: Self.now - Self.day, isSynchronised: false)
        #expect(!other.given.isTrusted)
        rules.previous?.bootID = "boot-a"
        rules.previous?.monotonic = 6000
        let impossible = JudgedMachine(rules, wall: Self.now - Self.day, isSynchronised: false)
        #expect(!impossible.given.isTrusted, "its monotonic clock has gone back")
    }

    /// One world at random: what the clock gives out, and when it may.
    @Test("over random steps time never goes back, jumps only when believed, and is never early")
    func property() {
        var random = SeededGenerator(32)
        let sizes: [Duration] = [
            .milliseconds(400), .seconds(1), .seconds(3), .seconds(90), Self.hour, Self.day,
            Self.year, Self.year * 73,
        ]
        for _ in 0..<2000 {
            let stored = Bool.random(using: &random) ? Self.now : nil
            var machine = JudgedMachine(
                Self.rules(Bool.random(using: &random) ? .kernel : .system, stored: stored),
                wall: random.oneIn(3) ? Self.epoch : Self.now + .seconds(100),
                isSynchronised: Bool.random(using: &random))
            var last: ClockReading?
            for _ in 0..<60 {
                if random.oneIn(3) {
                    let size = sizes[.random(in: 0..<sizes.count, using: &random)]
                    machine.wall = machine.wall + (random.oneIn(2) ? size : .zero - size)
                }
                if random.oneIn(4) { machine.isSynchronised.toggle() }
                let pause = Int64.random(in: 0...400_000, using: &random)
                machine.events = []
                machine.monotonic += pause
                machine.wall = machine.wall + .milliseconds(pause)
                machine.look()
                let given = machine.given
                defer { last = given }
                guard given.isTrusted else {
                    #expect(last?.isTrusted != true, "an anchor is never lost")
                    #expect(given.wall.milliseconds == given.monotonic)
                    continue
                }
                #expect(given.wall >= Self.built)
                if let stored { #expect(given.wall >= stored) }
                guard let last, last.isTrusted else { continue }
                #expect(given.stampOffset == last.stampOffset)
                let passed = (given.wall - last.wall).milliseconds
                #expect(passed >= pause - pause / 20 - 1)
                let hasJumped = machine.events.contains {
                    if case .stepBelieved = $0 { true } else { false }
                }
                if !hasJumped { #expect(passed <= pause + pause / 20 + 1) }
            }
        }
    }
}
