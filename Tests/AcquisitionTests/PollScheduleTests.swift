import Acquisition
import Telemetry
import TestSeeds
import Testing

@Suite("What to ask next")
struct PollScheduleTests {
    private func at(_ seconds: Double) -> Timestamp {
        Timestamp(milliseconds: 1_700_000_000_000 + Int64(seconds * 1000))
    }

    @Test("slots are multiples of the period of UTC, from the first one after the start")
    func slots() {
        var schedule = PollSchedule([.init(unit: 1, period: .seconds(10))], start: at(0.25))
        #expect(schedule.next(now: at(0.25)) == .wait(until: at(10)))
        #expect(schedule.next(now: at(10)) == .poll(entry: 0, slot: at(10)))
        // The slot is met once.
        #expect(schedule.next(now: at(10)) == .wait(until: at(20)))
        // However late it is asked, the scan bears the slot's time.
        #expect(schedule.next(now: at(29.9)) == .poll(entry: 0, slot: at(20)))
    }

    @Test("the earliest deadline comes first")
    func earliestDeadline() {
        var schedule = PollSchedule(
            [
                .init(unit: 1, period: .seconds(60)), .init(unit: 2, period: .seconds(10)),
                .init(unit: 3, period: .seconds(1)),
            ], start: at(40))
        #expect(schedule.next(now: at(40)) == .poll(entry: 2, slot: at(40)))
        #expect(schedule.next(now: at(40)) == .poll(entry: 1, slot: at(40)))
        #expect(schedule.next(now: at(40)) == .poll(entry: 0, slot: at(40)))
        #expect(schedule.next(now: at(40)) == .wait(until: at(41)))
    }

    @Test("a slot whose following period has passed too is missed, and told once")
    func missed() {
        var schedule = PollSchedule([.init(unit: 1, period: .seconds(1))], start: at(0))
        #expect(schedule.next(now: at(3.5)) == .skip(entry: 0, slot: at(0), reason: .missed))
        #expect(schedule.next(now: at(3.5)) == .skip(entry: 0, slot: at(1), reason: .missed))
        #expect(schedule.next(now: at(3.5)) == .skip(entry: 0, slot: at(2), reason: .missed))
        #expect(schedule.next(now: at(3.5)) == .poll(entry: 0, slot: at(3)))
        #expect(schedule.next(now: at(3.5)) == .wait(until: at(4)))
    }

    @Test("an overloaded bus leaves nobody out: each unit gets its share of what is possible")
    func fairShare() {
        // Ten units want a second each of a bus that has time for four of them.
        var schedule = PollSchedule(
            (0..<10).map { .init(unit: $0, period: .seconds(1)) }, start: at(0))
        var polls = [Int](repeating: 0, count: 10)
        var now = 0.0
        while now < 100 {
            switch schedule.next(now: at(now)) {
            case .poll(let entry, _):
                polls[entry] += 1
                now += 0.25
                schedule.polled(entry: entry, .answered, now: at(now))
            case .skip: break
            case .wait(let until): now = until.map { Double($0 - at(0)) } ?? 1000
            }
        }
        #expect(polls.reduce(0, +) >= 390)
        #expect(polls.allSatisfy { (36...44).contains($0) }, "\(polls)")
    }

    @Test("what silent units cost is bounded by the bus, however long their time-outs are")
    func silentBudget() {
        // Twenty units of 50 ms each at one second; three are dead and cost 2 s each time.
        var schedule = PollSchedule(
            (0..<20).map { .init(unit: $0, period: .seconds(1)) }, start: at(0))
        var now = 0.0
        var lost = 0.0
        while now < 3600 {
            switch schedule.next(now: at(now)) {
            case .poll(let entry, _):
                let isDead = entry < 3
                now += isDead ? 2 : 0.05
                if isDead { lost += 2 }
                schedule.polled(
                    entry: entry, isDead ? .silent(.timeout) : .answered, now: at(now))
            case .skip: break
            case .wait(let until): now = until.map { Double($0 - at(0)) } ?? 1e9
            }
        }
        #expect(lost / 3600 < 0.05, "\(lost) s of an hour")
        #expect(lost / 3600 > 0.005, "a unit that comes back is noticed within minutes")
    }

    @Test("a silent unit is asked after 1, 2, 4 … 60 s; its slots in between are bad")
    func backOff() {
        var schedule = PollSchedule([.init(unit: 1, period: .seconds(1))], start: at(0))
        var asked: [Int] = []
        var skipped = 0
        for second in 0..<400 {
            switch schedule.next(now: at(Double(second))) {
            case .poll(_, let slot):
                #expect(slot == at(Double(second)))
                asked.append(second)
                schedule.polled(entry: 0, .silent(.timeout), now: at(Double(second)))
            case .skip(_, let slot, let reason):
                #expect(slot == at(Double(second)) && reason == .timeout)
                skipped += 1
            case .wait: Issue.record("nothing at \(second)")
            }
        }
        #expect(asked == [0, 1, 3, 7, 15, 31, 63, 123, 183, 243, 303, 363])
        #expect(asked.count + skipped == 400)
        #expect(schedule.isSilent(unit: 1))
        schedule.polled(entry: 0, .answered, now: at(400))
        #expect(!schedule.isSilent(unit: 1))
        #expect(schedule.next(now: at(400)) == .poll(entry: 0, slot: at(400)))
    }

    @Test("a dead unit of twenty costs the others no slot once it is known")
    func deadUnit() {
        // A dead unit costs 1 s each time it is asked, a living one 10 ms.
        var schedule = PollSchedule(
            (0..<20).map { .init(unit: $0, period: .seconds(1)) }, start: at(0))
        var now = 0.0
        var answered = [Int](repeating: 0, count: 20)
        var missed = 0
        var bad = 0
        while now < 120 {
            switch schedule.next(now: at(now)) {
            case .poll(let entry, _):
                now += entry == 7 ? 1 : 0.01
                answered[entry] += 1
                schedule.polled(
                    entry: entry, entry == 7 ? .silent(.timeout) : .answered, now: at(now))
            // Only the first question, before anything is known of the unit, may cost them one.
            case .skip(let entry, let slot, .missed): if entry != 7, slot > at(0) { missed += 1 }
            case .skip(let entry, _, _):
                #expect(entry == 7)
                bad += 1
            case .wait(let until): now = until.map { max(now + 0.001, seconds($0)) } ?? 120
            }
        }
        #expect(missed == 0)
        #expect(answered[7] <= 9 && bad > 100)
        for entry in answered.indices where entry != 7 { #expect(answered[entry] >= 119) }
    }

    private func seconds(_ time: Timestamp) -> Double {
        Double(time.milliseconds - 1_700_000_000_000) / 1000
    }

    @Test("each slot comes up exactly once, in order, for any pattern of delays")
    func eachSlotOnce() {
        let seed = UInt64.random(in: 0 ... .max)
        print("seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<50 {
            let periods = [1, 2, 5, 10].map { Duration.seconds($0) }
            var schedule = PollSchedule(
                periods.enumerated().map { .init(unit: $0.offset, period: $0.element) },
                start: at(0))
            var slots = [[Timestamp]](repeating: [], count: periods.count)
            var now = 0.0
            while now < 300 {
                switch schedule.next(now: at(now)) {
                case .poll(let entry, let slot):
                    slots[entry].append(slot)
                    now += Double.random(in: 0...3, using: &random)
                    let isSilent = Int.random(in: 0..<4, using: &random) == 0
                    schedule.polled(
                        entry: entry, isSilent ? .silent(.timeout) : .answered, now: at(now))
                case .skip(let entry, let slot, _): slots[entry].append(slot)
                case .wait(let until): now = until.map { seconds($0) } ?? 300
                }
            }
            for (entry, period) in periods.enumerated() {
                let expected = slots[entry].indices.map { at(0) + period * $0 }
                #expect(slots[entry] == expected)
                #expect(slots[entry].count >= Int(280 / seconds(at(0) + period)))
            }
        }
    }

    @Test("a clock set forward by years gives a bounded number of missed slots")
    func clockForward() {
        var schedule = PollSchedule(
            [.init(unit: 1, period: .milliseconds(100))], start: Timestamp(milliseconds: 0))
        var missed = 0
        while case .skip = schedule.next(now: at(0)) { missed += 1 }
        #expect(missed > 0 && missed <= 64)
    }

    @Test("a clock set back a little meets no slot twice; far back, polling goes on at once")
    func clockBack() {
        var schedule = PollSchedule([.init(unit: 1, period: .seconds(1))], start: at(100))
        #expect(schedule.next(now: at(100)) == .poll(entry: 0, slot: at(100)))
        #expect(schedule.next(now: at(95)) == .wait(until: at(101)))
        #expect(schedule.next(now: at(-10_000)) == .wait(until: at(-9_999)))
        #expect(schedule.next(now: at(-9_999)) == .poll(entry: 0, slot: at(-9_999)))
    }
}

extension Double {
    /// Seconds.
    fileprivate init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self = Double(seconds) + Double(attoseconds) / 1e18
    }
}
