import CraneWork
import Telemetry
import Testing

@Suite("Shifts and summaries")
struct LiftSummaryTests {
    /// East of UTC by eight hours, without summer time.
    private let china = SiteCalendar(zone: "Asia/Shanghai", initialOffset: 28_800)
    private let shifts = [
        LiftShift(name: "night", hour: 19), LiftShift(name: "day", hour: 6, minute: 30),
        LiftShift(name: "late", hour: 13),
    ]

    private func at(_ hour: Int, _ minute: Int, day: Int = 10, _ calendar: SiteCalendar)
        -> Timestamp
    {
        calendar.timestamp(CivilTime(year: 2026, month: 3, day: day, hour: hour, minute: minute))
    }

    @Test("a shift lasts until the next begins, the last one over midnight")
    func spans() throws {
        let plan = try ShiftPlan(shifts, calendar: china)
        func name(_ hour: Int, _ minute: Int) -> String {
            plan.span(containing: at(hour, minute, china)).name
        }
        #expect(name(6, 30) == "day" && name(12, 59) == "day")
        #expect(name(13, 0) == "late" && name(18, 59) == "late")
        #expect(name(19, 0) == "night" && name(0, 0) == "night" && name(6, 29) == "night")
        let night = plan.span(containing: at(3, 0, china))
        #expect(night.start == at(19, 0, day: 9, china))
        #expect(night.end == at(6, 30, china))
        let whole = try ShiftPlan([LiftShift(name: "all", hour: 7)], calendar: china)
        let span = whole.span(containing: at(6, 59, china))
        #expect(span.end - span.start == .seconds(86_400))
    }

    @Test("no instant lies in two shifts or in none, also where the clocks change")
    func clockChange() throws {
        let change = CivilTime(year: 2026, month: 3, day: 10, hour: 2).timestamp(offset: 3600)
        let back = CivilTime(year: 2026, month: 3, day: 20, hour: 3).timestamp(offset: 7200)
        let calendar = SiteCalendar(
            zone: "Test", initialOffset: 3600,
            transitions: [.init(at: change, offset: 7200), .init(at: back, offset: 3600)])
        let plan = try ShiftPlan(
            [
                LiftShift(name: "a", hour: 2, minute: 30), LiftShift(name: "b", hour: 10),
                LiftShift(name: "c", hour: 18),
            ], calendar: calendar)
        var time = at(0, 0, day: 8, calendar)
        var span = plan.span(containing: time)
        while time < at(0, 0, day: 23, calendar) {
            let found = plan.span(containing: time)
            #expect(found.start <= time && time < found.end)
            if found != span {
                #expect(found.start == span.end)
                span = found
            }
            time = time + .seconds(600)
        }
        let short = plan.span(containing: at(5, 0, calendar))
        #expect(short.end - short.start == .seconds(7 * 3600))
    }

    @Test("shifts that cannot be told apart are refused")
    func faults() {
        func fault(_ shifts: [LiftShift]) -> ShiftFault? {
            do throws(ShiftFault) {
                _ = try ShiftPlan(shifts, calendar: .utc)
                return nil
            } catch { return error }
        }
        #expect(fault([]) == .noShifts)
        #expect(fault(shifts + [LiftShift(name: "day", hour: 3)]) == .repeatedName("day"))
        #expect(fault(shifts + [LiftShift(name: "x", hour: 13)]) == .repeatedStart("x"))
        #expect(fault([LiftShift(name: "x", hour: 24)]) == .impossibleStart("x"))
        #expect(fault(shifts) == nil)
    }

    /// One lift of two tonnes: its start, its readings of the moment, and who was logged on.
    private func lift(
        from start: Timestamp, by name: String = "crane-1", lasting length: Int = 60,
        moment: Double = 40, _ logged: LoggedOperator? = nil
    ) throws -> Lift {
        var instants = (0...length / 5 + 8).map { number in
            CraneInstant(
                time: start + .seconds(5 * (number - 4)),
                load: number >= 4 && number < 4 + length / 5 ? 2 : 0, momentRatio: moment,
                hookHeight: Double(number))
        }
        instants[0].logged = logged
        var detector = LiftDetector(crane: DeviceID(name), options: shipped)
        return try #require(instants.flatMap { detector.handle($0) }.lifts.first)
    }

    @Test("lifts, tonnes, overloads and times are added by shift, crane and operator")
    func summary() throws {
        let plan = try ShiftPlan(shifts, calendar: china)
        let lifts = [
            try lift(from: at(7, 0, china), moment: 89.9, .id("a")),
            try lift(from: at(7, 10, china), moment: 90, .id("a")),
            try lift(from: at(12, 59, china), lasting: 120, moment: 100, .id("b")),
            try lift(from: at(7, 0, china), by: "crane-2", .nobody),
            try lift(from: at(13, 0, china), .id("a")),
        ]
        let miss = NearMiss.example(at: at(8, 0, china), operatorID: "a")
        let summaries = LiftSummary.summaries(
            of: lifts.reversed() + lifts, nearMisses: [miss, miss], plan: plan)
        #expect(summaries.map(\.shift.name) == ["day", "late"])
        let day = try #require(summaries.first)
        #expect(day.total.lifts == 4)
        #expect(day.total.liftedLoad == 8)
        #expect(day.total.timeLifting == .seconds(300))
        // Ten minutes of pause are work, six hours are not; two cranes work beside each other.
        #expect(day.total.timeWorking == .seconds(660 + 120 + 60))
        #expect((day.total.liftsAtWarning, day.total.liftsOverloaded) == (2, 1))
        #expect((day.total.liftsWithoutSession, day.total.truncatedLifts) == (1, 0))
        #expect(day.total.nearMisses == 1)
        #expect(day.byCrane.mapValues(\.lifts) == [crane: 3, DeviceID("crane-2"): 1])
        #expect(day.byCrane[crane]?.nearMisses == 1)
        #expect(day.byOperator.mapValues(\.lifts) == ["a": 2, "b": 1])
        #expect(day.byOperator["a"]?.timeWorking == .seconds(660))
        #expect(day.byOperator["b"]?.liftsOverloaded == 1)
        #expect(summaries.last?.total.lifts == 1)
    }

    @Test("a pause counts as work up to the one that was named")
    func pauses() throws {
        let plan = try ShiftPlan(shifts, calendar: china)
        let lifts = [
            try lift(from: at(7, 0, china)), try lift(from: at(7, 11, china)),
        ]
        func working(_ pause: Duration) -> Duration? {
            LiftSummary.summaries(of: lifts, nearMisses: [], plan: plan, longestPause: pause)
                .first?.total.timeWorking
        }
        #expect(working(.seconds(600)) == .seconds(720))
        #expect(working(.seconds(599)) == .seconds(120))
    }
}

extension NearMiss {
    /// A near miss as a detector would make it.
    fileprivate static func example(at time: Timestamp, operatorID: String) -> NearMiss {
        var detector = LiftDetector(crane: DeviceID("crane-1"), options: shipped)
        var out = detector.handle(
            CraneInstant(time: time, momentRatio: 96, logged: .id(operatorID)))
        out += detector.advance(to: time + .seconds(61))
        return out.nearMisses[0]
    }
}
