import EnergyAccounting
import Foundation
import LocatedText
import Telemetry
import Testing

@Suite("The thresholds of the self-diagnosis")
struct DiagnosisFileTests {
    private func parse(_ figures: String) throws -> DiagnosisThresholds {
        try DiagnosisFile.parse("format: diagnosis/1\nfigures:\n\(figures)", file: "d.yaml")
    }

    /// One fault, as it is shown.
    private func fault(_ figures: String) -> String {
        do {
            _ = try parse(figures)
            return "no fault"
        } catch {
            return "\(error)"
        }
    }

    private func figure(_ name: String, _ value: String) -> String {
        "  - { figure: \(name), value: \(value), status: project, source: why }"
    }

    @Test("are shipped complete, each with a source, and none is said to be verified")
    func shipped() throws {
        let thresholds = try shippedThresholds()
        #expect(Set(thresholds.entries.keys) == Set(DiagnosisFigure.allCases))
        #expect(thresholds.entries.values.allSatisfy { !$0.source.isEmpty })
        #expect(thresholds.entries.values.allSatisfy { $0.status != .verified })
        #expect(thresholds.entries[.stuckPower]?.values == [Exact(1, over: 2)])
        #expect(thresholds.entries[.usualPrimaries]?.values.first == Exact(30))
        for kind in Diagnosis.Kind.allCases { #expect(thresholds.missing(for: kind).isEmpty) }
    }

    @Test(
        "a figure that is left out turns off exactly the diagnoses that need it",
        arguments: DiagnosisFigure.allCases)
    func missing(figure: DiagnosisFigure) throws {
        var entries = try shippedThresholds().entries
        entries[figure] = nil
        let grid = CountGrid(
            .hour, from: Timestamp(milliseconds: 0), to: Timestamp(milliseconds: 3_600_000),
            calendar: .utc)
        let report = Diagnosis.findings(
            of: [], relations: [], grid: grid, calendar: .utc,
            thresholds: DiagnosisThresholds(entries))
        // What is only marked belongs to no diagnosis.
        #expect(report.off.isEmpty == [.lookUnaccounted, .lookComplete].contains(figure))
        #expect(report.off.values.allSatisfy { $0 == [figure] })
        #expect(
            Set(report.off.keys)
                == Set(Diagnosis.Kind.allCases.filter { $0.figures.contains(figure) }))
    }

    @Test(
        "a mistake is told with its place and a remedy",
        arguments: [
            (
                "stuck_powr", "1 kW",
                "d.yaml:3:5: there is no figure 'stuck_powr'; did you mean 'stuck_power'?"
            ),
            (
                "stuck_power", "1 MW",
                "d.yaml:3:35: '1 MW' is not a number of kW; for example '12 kW'"
            ),
            (
                "completeness", "30 %",
                "d.yaml:3:36: completeness cannot be 30 %; 50 to 100 %"
            ),
            (
                "reversed_power_factor", "0.95",
                "d.yaml:3:45: reversed_power_factor cannot be 0.95; 0.1 to 0.9"
            ),
            (
                "power_factor_limit", "high",
                "d.yaml:3:42: a decimal number is expected, not 'high'; digits and a point, '0.5283'"
            ),
            (
                "usual_primaries", "100 A",
                "d.yaml:3:39: a list is expected, not '100 A'; for example [100 A, 200 A]"
            ),
            (
                "night_from", "1.5 h",
                "d.yaml:3:5: night_from is no whole hour; nights are cut at full hours"
            ),
        ])
    func faults(name: String, value: String, expected: String) {
        let shown = fault(figure(name, value))
        // The figure's own name stands in the flow mapping behind `figure: `.
        #expect(shown.dropFirst(8).drop { $0 != " " } == expected.dropFirst(8).drop { $0 != " " })
        #expect(shown.hasPrefix("d.yaml:3:"))
    }

    @Test("every mistake of a file is told at once")
    func together() {
        let text = fault(
            [
                figure("stuck_hours", "6 h"), figure("stuck_hours", "7 h"),
                "  - { figure: silent_hours, value: 24 h, status: guessed, source: why }",
                "  - { figure: frozen_hours, value: 24 h, status: project }",
                "  - { figure: leak_flow, value: 10 L/h, status: project, source: why, note: x }",
                figure("night_from", "5 h"), figure("night_to", "5 h"),
            ].joined(separator: "\n"))
        let lines = text.split(separator: "\n").map { $0.drop { $0 != " " }.dropFirst() }
        #expect(
            lines == [
                "the figure 'stuck_hours' stands twice; the first is at d.yaml:3:5; remove one",
                "'guessed' is not accepted here; one of: verified, secondary, from-memory, project",
                "'source' is missing; add 'source: …'",
                "unknown key 'note'; known here: figure, source, status, value",
                "night_to is not above night_from; raise night_to or lower night_from",
            ])
    }

    @Test("another format is refused")
    func format() {
        #expect(throws: Faults.self) {
            try DiagnosisFile.parse("format: diagnosis/2\nfigures: []", file: "d.yaml")
        }
    }

    @Test("findings come the surest first, then the earliest")
    func order() throws {
        var site = SyntheticSite(seed: 3)
        site.wirings["office"]?.signs[0] = -1
        for slot in site.slot(day: 70)..<site.grid.count { site.water[slot] += 60 }
        let report = site.report(try shippedThresholds())
        #expect(report.findings.map(\.kind) == [.reversedTransformer, .waterLeak])
        #expect(report.findings.map(\.severity) == [.certain, .likely])
    }
}
