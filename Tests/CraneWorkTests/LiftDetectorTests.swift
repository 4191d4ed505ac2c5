import CraneWork
import Telemetry
import Testing

@Suite("The lift detector")
struct LiftDetectorTests {
    @Test("a load that is picked up, moved and set down is a lift")
    func oneLift() throws {
        let records = fold(loads("0x4 2 3 2.5x8 0x6"), period: .seconds(5))
        let lift = try #require(records.lifts.first)
        #expect(records.count == 1)
        #expect(lift.key == "crane-1|\(at(20).milliseconds)")
        #expect(lift.start == at(20))
        #expect(lift.end == at(70))
        #expect(lift.peakLoad == 3)
        #expect(lift.heldLoad == 2.5)
        #expect(lift.zeroLoad == 0)
        #expect(lift.liftedLoad == 2.5)
        #expect(lift.samples == 10)
        #expect(lift.coverage == 1)
        #expect(lift.quality == [])
        #expect(!lift.isTruncated)
        #expect(lift.height == LiftTravel(start: 12, end: 17, least: 12.5, greatest: 16.5))
        #expect(lift.radius == LiftTravel(start: 20, end: 20, least: 20, greatest: 20))
        #expect((lift.slewStart, lift.slewEnd, lift.slewed) == (90, 90, 0))
        #expect(lift.session == .unknown && lift.operatorID == nil)
    }

    @Test("the thresholds are exact: from 0.3 t a lift begins, below 0.15 t it ends")
    func thresholds() {
        #expect(fold(loads("0x3 0.29x12 0x6")).lifts.isEmpty)
        let lifts = fold(loads("0x3 0.3x8 0.15x4 0.14x4")).lifts
        #expect(lifts.map(\.start) == [at(15)])
        #expect(lifts.map(\.end) == [at(75)])
    }

    @Test("a start in percent of the rated load counts where it is more")
    func startPercent() {
        var options = shipped
        options.startPercent = 10
        func day(_ load: Double, rated: Double) -> [Lift] {
            let instants = loads("0x3 \(load)x8 0x4").map { instant in
                var instant = instant
                instant.ratedLoad = rated
                return instant
            }
            return fold(instants, options: options).lifts
        }
        #expect(day(0.49, rated: 5).isEmpty)
        #expect(day(0.51, rated: 5).count == 1)
        #expect(day(0.31, rated: 2).count == 1)
    }

    @Test("a spike is no lift, and neither lengthens nor cuts one")
    func spikes() {
        #expect(fold(loads("0x4 6 0x8 5 0x8")).lifts.isEmpty)
        // Two readings within a second do not make it longer than a spike.
        #expect(fold(loads("0x9 6x3 0x40", every: 1)).lifts.isEmpty)
        // Nor does one that leaves a sling on the hook, however far the hook goes with it.
        #expect(fold(loads("0x4 0.5 0.2x10 0x4")).lifts.isEmpty)
        #expect(fold(loads("0x9 0.5x3 0.2x40 0x20", every: 1)).lifts.isEmpty)
        #expect(fold(loads("0x9 0.5x4 0.2x40 0x20", every: 1)).lifts.count == 1)
        let lifts = fold(loads("0x4 2x8 0 3 0x6")).lifts
        #expect(lifts.map(\.end) == [at(60)])
    }

    @Test("a load that is gone for 8 s is the same lift, for longer it is two")
    func dropouts() {
        #expect(fold(loads("0x4 2x30 0x7 2x30 0x20", every: 1)).lifts.count == 1)
        #expect(fold(loads("0x4 2x30 0x9 2x30 0x20", every: 1)).lifts.count == 1)
        let two = fold(loads("0x4 2x30 0x10 2x30 0x20", every: 1)).lifts
        #expect(two.map(\.start) == [at(4), at(44)])
        #expect(two.map(\.end) == [at(34), at(74)])
    }

    @Test("setting down a part of the load is one lift")
    func twoParts() {
        let lifts = fold(loads("0x3 4x8 1.5x8 0.5x4 0x4")).lifts
        #expect(lifts.count == 1)
        #expect(lifts.first?.end == at(115))
    }

    @Test("shorter than 20 s is no lift")
    func minimumDuration() {
        var detector = LiftDetector(crane: crane, options: shipped)
        for instant in loads("0x4 2x3 0x4") { #expect(detector.handle(instant).isEmpty) }
        #expect(detector.restingLoads == 1)
        #expect(fold(loads("0x4 2x4 0x4")).lifts.map(\.duration) == [.seconds(20)])
    }

    @Test("a load that does not move is no lift, whatever it weighs")
    func restingLoad() {
        var detector = LiftDetector(crane: crane, options: shipped)
        for instant in loads("0x4 5x60 0x4", rising: 0) {
            #expect(detector.handle(instant).isEmpty)
        }
        #expect(detector.restingLoads == 1)
        // A height that jumps for one reading is a spike, no movement.
        var spiked = loads("0x4 5x20 0x4", rising: 0)
        spiked[9].hookHeight = 300
        #expect(fold(spiked).lifts.isEmpty)
    }

    @Test("hook, trolley or jib: one of them has to move", arguments: ["height", "radius", "slew"])
    func oneMovement(what: String) {
        func moved(by distance: Double) -> Int {
            var instants = loads("0x4 5x20 0x4", rising: 0)
            for index in 10..<instants.count {
                switch what {
                case "height": instants[index].hookHeight? -= distance
                case "radius": instants[index].radius? += distance
                default: instants[index].slewAngle? -= distance * 5
                }
            }
            return fold(instants).lifts.count
        }
        #expect(moved(by: 1) == 1)
        #expect(moved(by: 0.98) == 0)
    }

    @Test("where no movement is read, a load is a lift that says so")
    func unknownMovement() {
        let instants = loads("0x4 5x20 0x4").map { CraneInstant(time: $0.time, load: $0.load) }
        #expect(fold(instants).lifts.map(\.quality) == [.movementUnknown])
    }

    @Test("bad readings leave everything as it stands, and invent nothing")
    func badReadings() throws {
        let lift = try #require(
            fold(loads("0x4 2x3 ?x4 2x3 ? 0 ? 0x4"), period: .seconds(5)).lifts.first)
        #expect(lift.start == at(20))
        #expect(lift.end == at(75))
        #expect(lift.samples == 6)
        #expect(lift.coverage == 0.6)
        // Not even a gap of bad readings alone makes or ends a lift before it is long.
        #expect(fold(loads("? 0 ?x4 2 ?x4 2 ?x4 2 ?x4 0 ? 0 ? 0")).lifts.count == 1)
    }

    @Test("a gap longer than a minute ends the lift at the last reading, truncated")
    func gaps() {
        let lifts = fold(loads("0x4 2x8 _x11 2x8 0x5")).lifts
        #expect(lifts.map(\.end) == [at(155)])
        let cut = fold(loads("0x4 2x8 _x12 2x8 0x5")).lifts
        #expect(cut.map(\.start) == [at(20), at(120)])
        #expect(cut.map(\.end) == [at(55), at(160)])
        #expect(cut.map(\.quality) == [.endUnseen, .startUnseen])
        #expect(cut.map(\.isTruncated) == [true, true])
        // Bad readings of the load are a gap as well.
        #expect(fold(loads("0x4 2x8 ?x12 2x8 0x5")).lifts.map(\.end) == [at(55), at(160)])
    }

    @Test("readings that begin under load mark the lift")
    func startUnseen() {
        #expect(fold(loads("2x8 0x5")).lifts.map(\.quality) == [.startUnseen])
    }

    @Test("silence ends a lift in its own time, and no call of advance changes a record")
    func advance() {
        let instants = loads("0x4 2x8 _x40 0x4 3x8 0x5")
        var detector = LiftDetector(crane: crane, options: shipped)
        var records: [CraneRecord] = []
        for instant in instants {
            records += detector.advance(to: instant.time - .seconds(1))
            records += detector.handle(instant)
        }
        #expect(records == fold(instants))
        #expect(records.lifts.count == 2)
        var open = LiftDetector(crane: crane, options: shipped)
        for instant in loads("0x4 2x8") { _ = open.handle(instant) }
        #expect(open.openLift == at(20))
        #expect(open.advance(to: at(115)).isEmpty)
        #expect(open.advance(to: at(115.001)).lifts.map(\.end) == [at(55)])
        #expect(open.openLift == nil)
        #expect(open.advance(to: at(9000)).isEmpty)
    }

    @Test("an instant older than the newest is counted and ignored, one as old is not")
    func lateInstants() {
        let instants = loads("0x4 2x8 0x5")
        var mixed: [CraneInstant] = []
        for (index, instant) in instants.enumerated() {
            mixed.append(instant)
            if index % 3 == 2 {
                var late = instants[index - 1]
                late.load = 50
                late.momentRatio = 120
                mixed.append(late)
            }
        }
        var detector = LiftDetector(crane: crane, options: shipped)
        #expect(mixed.flatMap { detector.handle($0) } == fold(instants))
        #expect(detector.lateInstants == 5)
        var doubled = instants[8]
        doubled.load = 7
        let repeated = fold(instants[...8] + [doubled] + instants[9...])
        #expect(repeated.lifts.map(\.peakLoad) == [7])
        #expect(repeated.lifts.map(\.heldLoad) == [2])
    }

    @Test("numbers and times that no crane can mean are bad readings")
    func implausible() {
        var instants = loads("0x4 2x8 0x5")
        instants[6].load = .nan
        instants[7].load = .infinity
        instants[8].load = -1e300
        instants[9].hookHeight = .infinity
        instants[9].momentRatio = .infinity
        instants[9].logged = .id(String(repeating: "x", count: 65))
        instants.insert(CraneInstant(time: Timestamp(milliseconds: .max), load: 2), at: 5)
        instants.insert(CraneInstant(time: Timestamp(milliseconds: .min), load: 2), at: 0)
        var detector = LiftDetector(crane: crane, options: shipped)
        let lifts = instants.flatMap { detector.handle($0) }.lifts
        #expect(lifts.map(\.samples) == [5])
        #expect(lifts.map(\.peakLoad) == [2])
        #expect(lifts.map(\.operatorID) == [nil])
        #expect(detector.lateInstants == 2)
    }

    @Test("wind, status and device alarms of the lift are kept, those before and after are not")
    func company() throws {
        var instants = loads("0x4 2x8 0x5")
        for index in instants.indices { instants[index].windSpeed = index == 2 ? 12 : 5 }
        instants[7].windSpeed = 9.5
        instants[3].workStatus = "idle"
        instants[4].workStatus = "working"
        instants[8].workStatus = "jacking"
        instants[2].alarms.raised = CraneAlarmSet(.tilt)
        instants[6].alarms.warned = [CraneAlarmSet(.radiusOuter), CraneAlarmSet(.moment)]
        let lift = try #require(fold(instants).lifts.first)
        #expect(lift.greatestWind == 9.5)
        #expect(lift.workStatus == "working")
        #expect(lift.worstAlarms == ["alarm_moment", "alarm_radius_outer"])
        instants[9].alarms.raised = CraneAlarmSet(.noEntry)
        #expect(fold(instants).lifts.first?.worstAlarms == ["alarm_no_entry"])
        #expect(fold(instants).lifts.first?.warnedAlarms == lift.warnedAlarms)
    }

    @Test("history is marked as such")
    func backfill() {
        let history = loads("0x4 2x8 0x5").map { instant in
            var instant = instant
            instant.isBackfill = true
            return instant
        }
        #expect(fold(history).lifts.map(\.isBackfill) == [true])
        #expect(fold(loads("0x4 2x8 0x5")).lifts.map(\.isBackfill) == [false])
    }

    @Test("history that comes in parts is not cut by the clock of today")
    func historyInParts() throws {
        var detector = LiftDetector(crane: crane, options: shipped)
        var out: [CraneRecord] = []
        for (place, instant) in loads("0x4 2x12 0x5").enumerated() {
            var instant = instant
            instant.isBackfill = true
            out += detector.handle(instant)
            // A row of the journal ends in the middle of the lift, a day later by the wall clock.
            if place == 10 { out += detector.advance(to: instant.time + .seconds(86_400)) }
        }
        let lift = try #require(out.lifts.first)
        #expect(out.lifts.count == 1)
        #expect(lift.quality == [])
        // A gap within history ends a lift all the same.
        var next = LiftDetector(crane: crane, options: shipped)
        var parted: [CraneRecord] = []
        for (place, instant) in loads("0x4 2x24 0x5").enumerated() where !(10..<24).contains(place)
        {
            var instant = instant
            instant.isBackfill = true
            parted += next.handle(instant)
        }
        #expect(parted.lifts.first?.quality == .endUnseen)
    }
}
