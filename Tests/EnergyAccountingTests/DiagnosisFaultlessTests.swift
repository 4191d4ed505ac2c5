import EnergyAccounting
import TestSeeds
import Testing

@Suite("A site without a fault")
struct DiagnosisFaultlessTests {
    @Test("gives no finding under 200 seeds, and is judged by every diagnosis in some of them")
    func silence() throws {
        let thresholds = try shippedThresholds()
        var judged: [Diagnosis.Kind: Int] = [:]
        for seed in UInt64(0)..<200 {
            var site = SyntheticSite(seed: seed)
            // In every third site a load without a meter follows the office closely.
            if seed % 3 == 0 {
                for slot in 0..<site.grid.count {
                    let office = site.loads["office"]?[slot].kilowatts ?? 0
                    site.unmetered[slot] =
                        site.unmetered[slot]
                        + .balanced(office * 0.2, tangent: 0.3, shares: [0.34, 0.33, 0.33])
                }
            }
            let report = site.report(thresholds)
            for finding in report.findings {
                Issue.record("seed \(seed): \(finding.kind) \(finding.meter) \(finding.evidence)")
            }
            #expect(report.off.isEmpty)
            for kind in Diagnosis.Kind.allCases {
                let meter = kind == .waterLeak ? "water" : "main"
                let isOpen = report.notJudged.contains { $0.kind == kind && $0.meter == meter }
                if !isOpen { judged[kind, default: 0] += 1 }
            }
        }
        // Reactive energy is not judged below a plant, which half of the seeds have.
        for kind in Diagnosis.Kind.allCases {
            #expect(judged[kind, default: 0] >= 100, "\(kind)")
        }
    }
}
