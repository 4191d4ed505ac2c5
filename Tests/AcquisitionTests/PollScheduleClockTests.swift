import Acquisition
import Telemetry
import TestSeeds
import Testing

@Suite("Slots over a clock that is set")
struct PollScheduleClockTests {
    static let period = Duration.seconds(10)

    /// A machine whose wall clock is set now and then, and one entry polled on it.
    struct World {
        var monotonic: Int64
        var wall = Timestamp(milliseconds: 0)
        var isSynchronised = false
        var clock: TrustedClock
        var schedule: PollSchedule
        /// The slots in the time in which their scans end, polled or skipped.
        var met: [(slot: Timestamp, at: ClockReading, isMissed: Bool)] = []
        var polls = 0

        init(
            _ rules: TrustedClock.Rules, wall: Timestamp, isSynchronised: Bool,
            uptime: Int64 = 3_217
        ) {
            clock = TrustedClock(rules)
            monotonic = uptime
            self.wall = wall
            self.isSynchronised = isSynchronised
            let start = clock.read(
                ClockReading(
                    bootID: "a", monotonic: monotonic, wall: wall, isTrusted: isSynchronised)
            ).reading
            schedule = PollSchedule([.init(unit: 1, period: period)], start: start)
        }

        mutating func read() -> ClockReading {
            clock.read(
                ClockReading(
                    bootID: "a", monotonic: monotonic, wall: wall, isTrusted: isSynchronised)
            ).reading
        }

        /// Does what the loop of a link does, for so long.
        mutating func run(_ duration: Duration) {
            let end = monotonic + duration.milliseconds
            while monotonic < end {
                let now = read()
                schedule.follow(now)
                var pause: Int64 = 0
                switch schedule.next(now: now.wall) {
                case .poll(_, let slot):
                    polls += 1
                    met.append((slot, now, false))
                    pause = 30
                case .skip(_, let slot, let reason):
                    met.append((slot, now, reason == .missed))
                case .wait(let until):
                    let left = until.map { ($0 - read().wall).milliseconds } ?? 10_000
                    #expect(left >= 0, "a negative wait")
                    pause = min(max(left, 1), 10_000, end - monotonic)
                }
                monotonic += pause
                wall = wall + .milliseconds(pause)
            }
        }

        /// The slots as the store stamps them.
        var stamped: [Timestamp] {
            let offset = met.last?.at.stampOffset ?? 0
            return met.map { entry in
                entry.at.isTrusted
                    ? entry.slot
                    : Timestamp(milliseconds: entry.slot.milliseconds + offset).slot(every: period)
            }
        }
    }

    static func rules(stored: Timestamp?) -> TrustedClock.Rules {
        var rules = TrustedClock.Rules(trust: .kernel)
        rules.notBefore = Timestamp(milliseconds: 1_760_000_000_000)
        rules.newestStored = stored
        return rules
    }

    static let now = Timestamp(milliseconds: 1_795_000_000_000)

    @Test("from 1970 to the time of day every slot is met once and none is left out")
    func anchoring() {
        var random = SeededGenerator(seed: 33)
        for _ in 0..<500 {
            var world = World(
                Self.rules(stored: Self.now), wall: Timestamp(milliseconds: 9_000),
                isSynchronised: false, uptime: .random(in: 0...20_000, using: &random))
            world.run(.milliseconds(.random(in: 0...300_000, using: &random)))
            world.wall = Self.now + .milliseconds(.random(in: 0...3_600_000, using: &random))
            world.isSynchronised = true
            world.run(.seconds(120))
            let slots = world.stamped
            for (before, after) in zip(slots, slots.dropFirst()) {
                #expect(after - before == Self.period)
            }
            #expect(world.met.allSatisfy { !$0.isMissed })
            #expect(world.polls == world.met.count)
        }
    }

    @Test("no step brings a slot twice, a wrong one, or slots missed that never were")
    func steps() {
        var random = SeededGenerator(seed: 34)
        let sizes: [Duration] = [
            .milliseconds(700), .seconds(1), .seconds(45), .seconds(3600), .seconds(86_400),
            .seconds(365 * 86_400), .seconds(73 * 365 * 86_400),
        ]
        for _ in 0..<300 {
            let isCold = random.next() % 2 == 0
            var world = World(
                Self.rules(stored: isCold ? Self.now : nil),
                wall: isCold ? Timestamp(milliseconds: 9_000) : Self.now,
                isSynchronised: !isCold)
            let start = world.monotonic
            for _ in 0..<12 {
                let size = sizes[Int.random(in: 0..<sizes.count, using: &random)]
                world.wall = world.wall + (random.next() % 2 == 0 ? size : .zero - size)
                if random.next() % 3 == 0 { world.isSynchronised.toggle() }
                world.run(.milliseconds(.random(in: 10_000...900_000, using: &random)))
            }
            let slots = world.stamped
            #expect(Set(slots).count == slots.count, "a slot twice")
            #expect(zip(slots, slots.dropFirst()).allSatisfy { $0 < $1 })
            for (slot, entry) in zip(slots, world.met) {
                #expect(slot.slot(every: Self.period) == slot)
                #expect(!entry.isMissed)
                guard entry.at.isTrusted else { continue }
                let age = entry.at.wall - entry.slot
                #expect(age >= .zero && age < Self.period * 2)
            }
            // A clock that catches up runs a twentieth slower; otherwise nothing is left out.
            let expected = (world.monotonic - start) / Self.period.milliseconds
            #expect(Int64(slots.count) >= expected - expected / 20 - 3)
            #expect(Int64(slots.count) <= expected + expected / 20 + 3)
        }
    }

    @Test("a machine that stood still has missed its slots; one whose clock was set has not")
    func missedOrNot() {
        var stopped = World(Self.rules(stored: nil), wall: Self.now, isSynchronised: true)
        stopped.run(.seconds(60))
        stopped.monotonic += 60_000
        stopped.wall = stopped.wall + .seconds(60)
        stopped.run(.seconds(60))
        #expect(stopped.met.filter(\.isMissed).count == 6)
    }

    @Test("the back-off of a silent unit passes over to the time of day")
    func silence() {
        var schedule = PollSchedule(
            [.init(unit: 1, period: .seconds(1))],
            start: ClockReading(
                bootID: "a", monotonic: 0, wall: Timestamp(milliseconds: 0), isTrusted: false))
        #expect(
            schedule.next(now: Timestamp(milliseconds: 0))
                == .poll(entry: 0, slot: Timestamp(milliseconds: 0)))
        let later = ClockReading(
            bootID: "a", monotonic: 100, wall: Self.now + .milliseconds(100), isTrusted: true,
            stampOffset: Self.now.milliseconds)
        schedule.polled(entry: 0, .silent(.timeout), now: Timestamp(milliseconds: 20))
        schedule.follow(later)
        #expect(
            schedule.next(now: Self.now + .seconds(1))
                == .skip(entry: 0, slot: Self.now + .seconds(1), reason: .timeout))
        #expect(
            schedule.next(now: Self.now + .seconds(2))
                == .poll(entry: 0, slot: Self.now + .seconds(2)))
    }
}
