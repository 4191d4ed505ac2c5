import EnergyAccounting
import Telemetry
import Testing

/// What looks like a fault and is none, one trap at a time, by hand.
@Suite("What looks like a fault and is none")
struct DiagnosisTrapTests {
    private let calendar = SiteCalendar(zone: "Asia/Shanghai", initialOffset: 8 * 3600)

    private func grid(days: Int) -> CountGrid {
        let first = CivilDate(year: 2026, month: 3, day: 1)!
        return CountGrid(
            .hour, of: AccountingPeriod(from: first, through: first.advanced(days: days - 1))!,
            calendar: calendar)
    }

    /// Hundredths of a unit in each slot.
    private func counts(_ hundredths: [Int?]) -> Counts {
        var counts = Counts(count: hundredths.count)
        for (slot, value) in hundredths.enumerated() {
            counts[slot] = Counts.Slot(
                increase: value.map { ScaledInteger(mantissa: Int128($0), exponent: 2) },
                good: value == nil ? 0 : 60, expected: 60)
        }
        return counts
    }

    private func report(
        _ inputs: [MeterDiagnosisInput], _ relations: [DiagnosisRelation], days: Int
    ) throws -> DiagnosisReport {
        Diagnosis.findings(
            of: inputs, relations: relations, grid: grid(days: days), calendar: calendar,
            thresholds: try shippedThresholds())
    }

    /// Three phases with these currents and signed power factors at 230 V, a little wobbly.
    private func gauges(_ slots: Int, _ amperes: [Double], _ factors: [Double]) -> ElectricalHours {
        func column(_ value: (Int) -> Double) -> [Double?] { (0..<slots).map { value($0) } }
        func wobble(_ slot: Int) -> Double { 1 + Double(slot * 7 % 11) / 1000 }
        func columns(_ value: @escaping (Int, Int) -> Double) -> ElectricalHours.Columns {
            .init(
                a: column { value(0, $0) }, b: column { value(1, $0) }, c: column { value(2, $0) })
        }
        return ElectricalHours(
            voltage: columns { _, slot in 230 * wobble(slot) },
            current: columns { phase, slot in amperes[phase] * wobble(slot + phase) },
            activePower: columns { phase, slot in
                230 * wobble(slot) * amperes[phase] * wobble(slot + phase) * factors[phase] / 1000
            })
    }

    @Test("a closed site whose power reads nothing has no stuck counter")
    func closedSite() throws {
        let days = 14
        let slots = days * 24
        let idle = MeterDiagnosisInput(
            id: "crane", counts: counts(Array(repeating: 0, count: slots)),
            electrical: gauges(slots, [0, 0, 0], [1, 1, 1]))
        let report = try report([idle], [DiagnosisRelation(id: "crane")], days: days)
        #expect(report.findings.isEmpty)
    }

    @Test("a counter that stands still below a parent that stands still is not accused")
    func parentStandsStillToo() throws {
        let days = 3
        let slots = days * 24
        let zeros = counts(Array(repeating: 0, count: slots))
        let child = MeterDiagnosisInput(
            id: "crane", counts: zeros, electrical: gauges(slots, [20, 20, 20], [0.9, 0.9, 0.9]))
        let relations = [
            DiagnosisRelation(id: "main", children: ["crane"]),
            DiagnosisRelation(id: "crane", parent: "main"),
        ]
        let parent = MeterDiagnosisInput(id: "main", counts: zeros)
        func stuck(_ inputs: [MeterDiagnosisInput]) throws -> [String] {
            try report(inputs, relations, days: days).findings
                .filter { $0.kind == .stuckCounter }.map(\.meter)
        }
        #expect(try stuck([parent, child]).isEmpty)
        // The same child without a word from above is stuck.
        #expect(try stuck([child]) == ["crane"])
    }

    @Test("a small load on a counter of coarse steps is not stuck")
    func coarseCounter() throws {
        let days = 3
        let slots = days * 24
        // 0.6 kW moves a counter of 40 kWh a step once in 67 hours.
        let one = MeterDiagnosisInput(
            id: "box", counts: counts(Array(repeating: 0, count: slots)),
            electrical: gauges(slots, [1, 1, 1], [0.9, 0.9, 0.9]), counterStep: Exact(40))
        let report = try report([one], [DiagnosisRelation(id: "box")], days: days)
        #expect(!report.findings.contains { $0.kind == .stuckCounter })
    }

    @Test("a welder between two phases with a low power factor reverses nothing")
    func welder() throws {
        let slots = 10 * 24
        // cos 70° = 0.34 between A and B: cos(70° − 30°) and cos(70° + 30°).
        let one = MeterDiagnosisInput(
            id: "welder", counts: counts(Array(repeating: 500, count: slots)),
            electrical: gauges(slots, [40, 40, 5], [0.77, -0.17, 0.9]))
        let relations = [
            DiagnosisRelation(id: "main"), DiagnosisRelation(id: "welder", parent: "main"),
        ]
        let kinds = try report([one], relations, days: 10).findings.map(\.kind)
        #expect(!kinds.contains(.reversedTransformer))
        #expect(!kinds.contains(.swappedPhases))
        #expect(!kinds.contains(.lowPowerFactor))
    }

    @Test("negative power above a plant of which nothing is read is not judged")
    func unreadPlant() throws {
        let slots = 10 * 24
        let one = MeterDiagnosisInput(
            id: "main", counts: counts(Array(repeating: 0, count: slots)),
            electrical: gauges(slots, [40, 40, 40], [-0.9, -0.9, -0.9]))
        func report(isGeneration: Bool) throws -> DiagnosisReport {
            try self.report(
                [one],
                [
                    DiagnosisRelation(id: "main", children: ["pv"]),
                    DiagnosisRelation(id: "pv", parent: "main", isGeneration: isGeneration),
                ], days: 10)
        }
        let declared = try report(isGeneration: true)
        #expect(declared.findings.isEmpty)
        #expect(
            declared.notJudged.contains { $0.kind == .reversedTransformer && $0.meter == "main" })
        // The same readings without a plant.
        #expect(
            try report(isGeneration: false).findings.map(\.kind) == [.reversedTransformer])
    }

    @Test("loads on one phase are no imbalance")
    func singlePhase() throws {
        let slots = 10 * 24
        let one = MeterDiagnosisInput(
            id: "shop", counts: counts(Array(repeating: 500, count: slots)),
            electrical: gauges(slots, [0, 30, 0], [1, 0.95, 1]))
        let report = try report([one], [DiagnosisRelation(id: "shop")], days: 10)
        #expect(!report.findings.contains { $0.kind == .phaseImbalance })
        #expect(report.notJudged.contains { $0.kind == .phaseImbalance })
    }

    @Test("what a gap left behind may come in one hour; the same without a gap may not")
    func gapComesAtOnce() throws {
        // 10 kW may be carried; 100 kWh after eleven unknown hours are 8.3 kW.
        var readings: [Int?] = Array(repeating: 500, count: 48)
        for slot in 20..<31 { readings[slot] = nil }
        readings[31] = 10_000
        let relations = [DiagnosisRelation(id: "main", limit: Exact(10))]
        func found(_ readings: [Int?]) throws -> [Diagnosis.Finding] {
            try report(
                [MeterDiagnosisInput(id: "main", counts: counts(readings))], relations, days: 2
            )
            .findings.filter { $0.kind == .implausibleIncrease }
        }
        #expect(try found(readings).isEmpty)
        for slot in 20..<31 { readings[slot] = 500 }
        let finding = try #require(try found(readings).first)
        #expect(finding.number("counted")?.text == "100.00")
        #expect(finding.number("possible")?.text == "12.00")
    }

    @Test("all meters silent at once are the gateway's silence")
    func gatewaySilence() throws {
        func meter(_ id: String, silentUntil end: Int) -> MeterDiagnosisInput {
            var readings: [Int?] = Array(repeating: 100, count: 96)
            for slot in 10..<end { readings[slot] = nil }
            return MeterDiagnosisInput(id: id, counts: counts(readings))
        }
        let relations = [DiagnosisRelation(id: "a"), DiagnosisRelation(id: "b")]
        func silent(_ a: Int, _ b: Int) throws -> [String] {
            try report(
                [meter("a", silentUntil: a), meter("b", silentUntil: b)], relations, days: 4
            )
            .findings.filter { $0.kind == .silentMeter }.map(\.meter)
        }
        #expect(try silent(60, 60).isEmpty)
        #expect(try silent(60, 50).isEmpty)
        #expect(try silent(60, 11) == ["a"])
    }

    @Test("a night load that grows in a winter's ramp, or with the whole use, is no jump")
    func rampAndOpening() throws {
        let days = 90
        func found(_ load: (_ day: Int, _ hour: Int) -> Int) throws -> DiagnosisReport {
            let readings = (0..<days * 24).map { load($0 / 24, $0 % 24) + $0 * 13 % 30 }
            return try report(
                [MeterDiagnosisInput(id: "main", counts: counts(readings))],
                [DiagnosisRelation(id: "main")], days: days)
        }
        let ramp = try found { day, _ in 300 + day * 20 }
        #expect(ramp.findings.isEmpty)
        let opening = try found { day, hour in
            day < 40 ? 300 : (8..<19).contains(hour) ? 9000 : 900
        }
        #expect(opening.findings.isEmpty)
        #expect(opening.notJudged.contains { $0.kind == .nightLoadJump })
        // The night alone, from the 41st day on: 4 h of 6 kWh more.
        let jump = try found { day, _ in day < 40 ? 300 : 900 }.findings
        #expect(jump.map(\.kind) == [.nightLoadJump])
        #expect(jump.first?.since == CivilDate("2026-04-10")?.start(calendar: calendar))
        #expect(abs((jump.first?.number("yearly")?.double ?? 0) - 24 * 365) < 100)
    }

    @Test("a tank that is filled in two hours of every night is no leak; a night without rest is")
    func tank() throws {
        func found(_ volume: (Int) -> Int) throws -> [Diagnosis.Finding] {
            let readings = (0..<14 * 24).map { volume($0 % 24) }
            return try report(
                [MeterDiagnosisInput(id: "water", counts: counts(readings))],
                [DiagnosisRelation(id: "water", carrier: "water")], days: 14
            ).findings
        }
        #expect(try found { (2..<4).contains($0) ? 500 : 0 }.isEmpty)
        // 0.05 m³ in every hour: 50 L/h, 1.2 m³ a day.
        let leak = try #require(try found { _ in 5 }.first)
        #expect(leak.number("night_flow")?.text == "50")
        #expect(leak.number("daily_volume")?.text == "1.20")
        #expect(leak.text.en.contains("since the readings begin or earlier"))
    }

    @Test("too few readings give no finding and a reason")
    func incomplete() throws {
        let slots = 30 * 24
        var gauges = gauges(slots, [40, 40, 40], [-0.9, 0.9, 0.9])
        for slot in 0..<slots where slot % 2 == 0 {
            gauges.current.a[slot] = nil
            gauges.current.b[slot] = nil
            gauges.current.c[slot] = nil
        }
        let one = MeterDiagnosisInput(
            id: "main", counts: counts((0..<slots).map { $0 % 2 == 0 ? nil : 500 }),
            electrical: gauges)
        let report = try report([one], [DiagnosisRelation(id: "main")], days: 30)
        #expect(report.findings.isEmpty)
        let open = Set(report.notJudged.map(\.kind))
        #expect(
            open.isSuperset(of: [
                .stuckCounter, .reversedTransformer, .swappedPhases, .nightLoadJump,
                .phaseImbalance,
            ]))
        #expect(report.notJudged.allSatisfy { !$0.reason.en.isEmpty && !$0.reason.zh.isEmpty })
    }

    @Test("a column of another length is not judged and does not trap")
    func misfit() throws {
        let report = try report(
            [MeterDiagnosisInput(id: "main", counts: counts([1, 2, 3]))],
            [DiagnosisRelation(id: "main")], days: 2)
        #expect(report.findings.isEmpty)
        #expect(report.notJudged.count == Diagnosis.Kind.allCases.count)
    }

    @Test("circles in the tree, absurd values and an empty period do not trap")
    func absurd() throws {
        let slots = 30 * 24
        var wild = gauges(slots, [40, 40, 40], [0.9, 0.9, 0.9])
        for (slot, value) in [Double.infinity, .nan, 1e300, -1e300, 0].enumerated() {
            wild.voltage.a[slot] = value
            wild.current.b[slot + 5] = value
            wild.activePower.c[slot + 9] = value
        }
        var huge = counts(Array(repeating: 1, count: slots))
        huge[3] = Counts.Slot(increase: ScaledInteger(mantissa: .max, exponent: 18))
        huge[4] = Counts.Slot(increase: ScaledInteger(mantissa: Int128(Int64.max), exponent: 2))
        huge[5] = Counts.Slot(increase: ScaledInteger(mantissa: -5, exponent: 2))
        let relations = [
            DiagnosisRelation(
                id: "a", parent: "b", children: ["b", "a", "nobody"], limit: Exact(-1)),
            DiagnosisRelation(id: "b", parent: "a", children: ["a"], accuracyClass: Exact(-7)),
        ]
        let inputs = ["a", "b", "stranger"].map {
            MeterDiagnosisInput(
                id: $0, counts: huge, exported: huge, reactive: huge, electrical: wild,
                counterStep: Exact(0),
                currentTransformer: CurrentTransformer(primary: Exact(0), secondary: Exact(0)))
        }
        _ = try report(inputs, relations, days: 30)
        let empty = CountGrid(
            .hour, from: Timestamp(milliseconds: 0), to: Timestamp(milliseconds: 0),
            calendar: calendar)
        let nothing = Diagnosis.findings(
            of: [MeterDiagnosisInput(id: "a", counts: Counts(count: 0))], relations: relations,
            grid: empty, calendar: calendar, thresholds: try shippedThresholds())
        #expect(nothing.findings.isEmpty)
    }
}
