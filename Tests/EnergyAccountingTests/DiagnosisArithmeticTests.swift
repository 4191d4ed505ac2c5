import Telemetry
import TestSeeds
import Testing

@testable import EnergyAccounting

@Suite("The arithmetic of the self-diagnosis")
struct DiagnosisArithmeticTests {
    private let calendar = SiteCalendar(zone: "Asia/Shanghai", initialOffset: 8 * 3600)
    private var march: CountGrid {
        CountGrid(.hour, of: AccountingPeriod(year: 2026, month: 3)!, calendar: calendar)
    }

    private func level(_ hundredths: Int, slots: Int) -> Counts {
        var counts = Counts(count: slots)
        for slot in 0..<slots {
            counts[slot] = Counts.Slot(
                increase: ScaledInteger(mantissa: Int128(hundredths), exponent: 2))
        }
        return counts
    }

    private func findings(
        _ inputs: [MeterDiagnosisInput], _ relations: [DiagnosisRelation]
    ) throws -> [Diagnosis.Finding] {
        Diagnosis.findings(
            of: inputs, relations: relations, grid: march, calendar: calendar,
            thresholds: try shippedThresholds()
        ).findings
    }

    @Test("60 kW with 0.8 need 25.3 kvar to reach 0.95")
    func compensation() throws {
        // tan φ = 45/60 = 0.75; tan φ' = √(1 − 0.9025)/0.95 = 0.328684; 60 · 0.421316 = 25.3.
        let one = MeterDiagnosisInput(
            id: "main", counts: level(6000, slots: 744), reactive: level(4500, slots: 744))
        let found = try findings([one], [DiagnosisRelation(id: "main")])
        #expect(found.map(\.kind) == [.lowPowerFactor])
        #expect(found.first?.number("active_energy")?.text == "44640.0")
        #expect(found.first?.number("reactive_energy")?.text == "33480.0")
        #expect(found.first?.number("power_factor")?.text == "0.800")
        #expect(found.first?.number("compensation")?.text == "25.3")
    }

    @Test("children may exceed their parent by all their errors, and by no more")
    func balanceLimit() throws {
        // A parent of 100 kWh/h, class 0.5; children of class 1; 1 % each for transformers:
        // 1.5 of the parent, 2 % of the children, three steps of 0.01 a day.
        // Children of 104.0: excess 4.0 · 24 = 96.0; allowed 24 · (1.5 + 2.08) + 0.03 = 85.95.
        func found(_ second: Int) throws -> [Diagnosis.Finding] {
            try findings(
                [
                    MeterDiagnosisInput(id: "main", counts: level(10_000, slots: 744)),
                    MeterDiagnosisInput(id: "a", counts: level(6000, slots: 744)),
                    MeterDiagnosisInput(id: "b", counts: level(second, slots: 744)),
                ],
                [
                    DiagnosisRelation(
                        id: "main", children: ["a", "b"], accuracyClass: Exact(1, over: 2)),
                    DiagnosisRelation(id: "a", parent: "main", accuracyClass: Exact(1)),
                    DiagnosisRelation(id: "b", parent: "main", accuracyClass: Exact(1)),
                ])
        }
        #expect(try found(4350).isEmpty)
        let finding = try #require(try found(4400).first)
        #expect(finding.kind == .childrenExceedParent)
        #expect(finding.severity == .likely)
        #expect(finding.number("excess") == .exact(Exact(2976), places: 1))
        // 31 days of 85.95.
        #expect(finding.number("allowed") == .exact(Exact(text: "2664.45")!, places: 1))
        #expect(finding.number("days_beyond")?.text == "31")
        #expect(try found(5000).first?.severity == .certain)
    }

    @Test("a factor names the pair behind it")
    func transformers() {
        let sizes = UsualTransformers(
            primaries: [100, 150, 200, 300, 400], secondaries: [1, 5], nearness: 0.02)
        let own = CurrentTransformer(primary: Exact(200), secondary: Exact(5))
        func causes(_ factor: Double, _ own: CurrentTransformer?) -> [UsualTransformers.Cause] {
            sizes.causes(of: factor, configured: own, within: 0.02)
        }
        #expect(causes(1.51, own) == [.exchanged(wired: 300, configured: 200)])
        #expect(causes(0.75, own) == [.exchanged(wired: 150, configured: 200)])
        #expect(causes(40, own) == [.omitted(primary: 200, secondary: 5)])
        #expect(causes(0.025, own) == [.omitted(primary: 200, secondary: 5)])
        #expect(causes(1.2, own).isEmpty)
        #expect(
            Set(causes(2, nil)) == [
                .exchanged(wired: 200, configured: 100), .exchanged(wired: 300, configured: 150),
                .exchanged(wired: 400, configured: 200),
            ])
        #expect(
            UsualTransformers.Cause.exchanged(wired: 300, configured: 200).text(secondary: 5).en
                == "300/5 on the line, 200/5 in the meter")
    }

    @Test("medians and cuts are what they are on paper")
    func statistics() {
        #expect(RobustStatistics.median([]) == nil)
        #expect(RobustStatistics.median([3, 1, 2]) == 2)
        #expect(RobustStatistics.median([4, 1, 2, 3]) == 2.5)
        #expect(RobustStatistics.medianDeviation([1, 1, 2, 2, 4, 6, 9]) == 1)
        #expect(RobustStatistics.quantile([5, 1, 3], 1) == 5)
        #expect(RobustStatistics.quantile([5, 1, 3], 0) == 1)
        let cut = RobustStatistics.bestSplit([1, 2, 1, 9, 8, 9], shortest: 2)
        #expect(cut?.index == 3)
        #expect(cut?.before == 1)
        #expect(cut?.after == 9)
        // |x − 5|: 4 + 3 + 4 + 4 + 3 + 4 = 22 before the cut, 1 + 1 after it.
        #expect(cut.map { abs($0.gain - (1 - 2 / 22.0)) < 1e-12 } == true)
        #expect(RobustStatistics.bestSplit([1, 2, 3], shortest: 2) == nil)
    }

    @Test("a cut finds the step under noise wherever it lies")
    func cuts() {
        var random = SeededGenerator(2026)
        for _ in 0..<100 {
            let step = Int.random(in: 14...46, using: &random)
            let values = (0..<60).map {
                ($0 < step ? 10.0 : 20) + Double.random(in: -2...2, using: &random)
            }
            #expect(RobustStatistics.bestSplit(values, shortest: 14)?.index == step)
        }
    }

    @Test("exchanged phases of 0.9 show -0.83 and -0.07; a reversed one is none")
    func swapPattern() throws {
        // cos φ = 0.9, sin φ = 0.4359: −0.45 ∓ 0.866 · 0.4359 = −0.8275 and −0.0725.
        let slots = 744
        func kinds(_ factors: [Double]) throws -> [Diagnosis.Kind] {
            func wobble(_ slot: Int) -> Double { 1 + Double(slot * 5 % 7) / 1000 }
            func columns(_ value: @escaping (Int, Int) -> Double) -> ElectricalHours.Columns {
                func column(_ phase: Int) -> [Double?] { (0..<slots).map { value(phase, $0) } }
                return .init(a: column(0), b: column(1), c: column(2))
            }
            let gauges = ElectricalHours(
                voltage: columns { _, slot in 230 * wobble(slot) },
                current: columns { _, _ in 50 },
                activePower: columns { phase, slot in 230 * wobble(slot) * 0.05 * factors[phase] })
            return try findings(
                [
                    MeterDiagnosisInput(
                        id: "main", counts: Counts(count: slots), electrical: gauges)
                ], [DiagnosisRelation(id: "main")]
            ).map(\.kind)
        }
        #expect(try kinds([-0.83, 0.9, -0.07]) == [.swappedPhases])
        #expect(try kinds([-0.9, 0.9, 0.9]) == [.reversedTransformer])
        #expect(try kinds([-0.9, 0.9, -0.9]) == [.reversedTransformer])
        #expect(try kinds([0.9, 0.6, 0.95]).isEmpty)
        // Nearly nought is neither.
        #expect(try kinds([-0.1, 0.9, 0.9]).isEmpty)
    }
}
