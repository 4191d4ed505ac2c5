import Telemetry

// A lift that is not over, and an excursion, in the crane work's checkpoint.
//
//     lift       start, newest, judged, zero, peak load, slew path, turned, anchor, samples,
//                warnings, overloads, operator changes, two durations, flags (1 start unseen,
//                2 jib, 4 status), [status], first and last operator, raised and warned (two bytes
//                each), seven optional numbers (moment, load ratio, their peaks, wind, slew first
//                and last), height, radius, ranges of load and slewing
//     travel     two optional numbers (first, last), range
//     range      three optional numbers (least, greatest, newest), instant if there is a newest
//     excursion  start, newest, value, peak, evidence, samples, near samples, two durations,
//                flags (1 lull, 2 near start, 4 near end, 8 lift, 16 operator), those that are there
//     evidence   time, eight optional numbers, raised, warned

extension ByteWriter {
    mutating func lift(_ lift: OpenLift) {
        for time in [lift.start, lift.newest, lift.judged] { instant(time) }
        let slewing = lift.slewing
        for value in [lift.zero, lift.peakLoad, slewing.path, slewing.turned, slewing.anchor] {
            number(value)
        }
        for count in [lift.samples, lift.warnings, lift.overloads, lift.operatorChanges] {
            varint(UInt64(clamping: count))
        }
        duration(lift.timeAtWarning)
        duration(lift.timeAtOverload)
        flags([lift.isStartUnseen, lift.heightReference == .jib, lift.workStatus != nil])
        if let status = lift.workStatus { text(status) }
        logged(lift.firstLogged)
        logged(lift.lastLogged)
        fixed(lift.raisedAlarms.rawValue)
        fixed(lift.warnedAlarms.rawValue)
        optionals([
            lift.momentRatio, lift.loadRatio, lift.peakMomentRatio, lift.peakLoadRatio,
            lift.greatestWind, slewing.first, slewing.last,
        ])
        for travel in [lift.height, lift.radius] {
            optionals([travel.first, travel.last])
            range(travel.range)
        }
        range(lift.load)
        range(slewing.range)
    }

    private mutating func range(_ range: HeldRange) {
        optionals([range.least, range.greatest, range.newest])
        if let time = range.newestTime { instant(time) }
    }

    mutating func excursion(_ excursion: Excursion) {
        instant(excursion.start)
        instant(excursion.newest)
        number(excursion.value)
        number(excursion.peak)
        evidence(excursion.evidence)
        varint(UInt64(clamping: excursion.samples))
        varint(UInt64(clamping: excursion.nearSamples))
        duration(excursion.timeAtLimit)
        duration(excursion.timeAtOverload)
        let times = [excursion.lull, excursion.nearStart, excursion.nearEnd, excursion.lift]
        flags(times.map { $0 != nil } + [excursion.operatorID != nil])
        for case let time? in times { instant(time) }
        if let id = excursion.operatorID { text(id) }
    }

    private mutating func evidence(_ evidence: CraneEvidence) {
        instant(evidence.time)
        optionals([
            evidence.load, evidence.ratedLoad, evidence.loadRatio, evidence.momentRatio,
            evidence.hookHeight, evidence.radius, evidence.slewAngle, evidence.windSpeed,
        ])
        fixed(evidence.raisedAlarms.rawValue)
        fixed(evidence.warnedAlarms.rawValue)
    }
}

extension ByteReader {
    mutating func lift() throws(Damage) -> OpenLift {
        let times = [try instant(), try instant(), try instant()]
        var values: [Double] = []
        for _ in 0..<5 { values.append(try finite()) }
        var counts: [Int] = []
        for _ in 0..<4 { counts.append(try count(upTo: 1 << 52, of: "readings of a lift")) }
        let durations = [try duration(), try duration()]
        let flags = try flags(3)
        var lift = OpenLift(
            start: times[0], zero: values[0], isStartUnseen: flags[0],
            heightReference: flags[1] ? .jib : .base)
        (lift.newest, lift.judged) = (times[1], times[2])
        lift.peakLoad = values[1]
        (lift.samples, lift.warnings) = (counts[0], counts[1])
        (lift.overloads, lift.operatorChanges) = (counts[2], counts[3])
        (lift.timeAtWarning, lift.timeAtOverload) = (durations[0], durations[1])
        if flags[2] { lift.workStatus = try shortText() }
        lift.firstLogged = try logged()
        lift.lastLogged = try logged()
        lift.raisedAlarms = try alarms()
        lift.warnedAlarms = try alarms()
        let numbers = try optionals(7)
        (lift.momentRatio, lift.loadRatio) = (numbers[0], numbers[1])
        (lift.peakMomentRatio, lift.peakLoadRatio) = (numbers[2], numbers[3])
        lift.greatestWind = numbers[4]
        lift.height = try travel()
        lift.radius = try travel()
        lift.load = try range()
        lift.slewing = Slewing(
            first: numbers[5], last: numbers[6], turned: values[3], path: values[2],
            anchor: values[4], range: try range())
        return lift
    }

    private mutating func travel() throws(Damage) -> OpenLift.Travel {
        let ends = try optionals(2)
        return OpenLift.Travel(first: ends[0], last: ends[1], range: try range())
    }

    private mutating func range() throws(Damage) -> HeldRange {
        let numbers = try optionals(3)
        return HeldRange(
            least: numbers[0], greatest: numbers[1], newest: numbers[2],
            newestTime: numbers[2] == nil ? nil : try instant())
    }

    mutating func excursion() throws(Damage) -> Excursion {
        let start = try instant()
        let newest = try instant()
        let value = try finite()
        let peak = try finite()
        var excursion = Excursion(
            start: start, newest: newest, value: value, peak: peak, evidence: try evidence())
        excursion.samples = try count(upTo: 1 << 52, of: "readings of an excursion")
        excursion.nearSamples = try count(upTo: 1 << 52, of: "readings of a near miss")
        excursion.timeAtLimit = try duration()
        excursion.timeAtOverload = try duration()
        let flags = try flags(5)
        if flags[0] { excursion.lull = try instant() }
        if flags[1] { excursion.nearStart = try instant() }
        if flags[2] { excursion.nearEnd = try instant() }
        if flags[3] { excursion.lift = try instant() }
        if flags[4] { excursion.operatorID = try shortText() }
        return excursion
    }

    private mutating func evidence() throws(Damage) -> CraneEvidence {
        var instant = CraneInstant(time: try self.instant())
        let numbers = try optionals(8)
        (instant.load, instant.ratedLoad) = (numbers[0], numbers[1])
        (instant.loadRatio, instant.momentRatio) = (numbers[2], numbers[3])
        (instant.hookHeight, instant.radius) = (numbers[4], numbers[5])
        (instant.slewAngle, instant.windSpeed) = (numbers[6], numbers[7])
        instant.alarms.raised = try alarms()
        instant.alarms.warned = try alarms()
        var evidence = CraneEvidence(instant)
        // Not worked out anew from load and rated load: what was stored is what was judged.
        evidence.loadRatio = numbers[2]
        return evidence
    }
}
