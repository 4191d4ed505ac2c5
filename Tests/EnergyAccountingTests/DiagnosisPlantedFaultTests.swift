import EnergyAccounting
import Telemetry
import TestSeeds
import Testing

/// Seeds with and without a plant, with and without a change of the clocks.
private let seeds = [UInt64](0..<8)

@Suite("A planted fault is found, and nothing else")
struct DiagnosisPlantedFaultTests {
    /// The findings of a site with one fault.
    private func findings(
        _ seed: UInt64, plant: Bool? = nil, _ fault: (inout SyntheticSite) -> Void
    ) throws -> (SyntheticSite, [Diagnosis.Finding]) {
        var site = SyntheticSite(seed: seed, plant: plant)
        fault(&site)
        return (site, site.report(try shippedThresholds()).findings)
    }

    private func only(
        _ findings: [Diagnosis.Finding], _ kind: Diagnosis.Kind, at meter: String
    ) throws -> Diagnosis.Finding {
        #expect(
            findings.map { "\($0.kind.rawValue) \($0.meter)" } == ["\(kind.rawValue) \(meter)"])
        return try #require(findings.first { $0.kind == kind && $0.meter == meter })
    }

    private func number(_ finding: Diagnosis.Finding, _ key: String) throws -> Double {
        try #require(finding.number(key)).double
    }

    // MARK: Still and silent

    @Test("a counter that stands still for four days while power flows", arguments: seeds)
    func stuckCounter(seed: UInt64) throws {
        let (site, found) = try findings(seed) { site in
            let slots = site.slot(day: 9)..<site.slot(day: 13)
            site.tampering.append { input in
                guard input.id == "office" else { return }
                for slot in slots { input.counts[slot].increase = .zero }
            }
        }
        let finding = try only(found, .stuckCounter, at: "office")
        #expect(finding.severity == .certain)
        #expect(finding.rule == .stuckPower)
        let days = site.slot(day: 9)..<site.slot(day: 13)
        #expect(finding.since >= site.grid.start(days.lowerBound))
        #expect(finding.until <= site.grid.end(days.upperBound - 1))
        let power = days.compactMap { site.loads["office"]?[$0].kilowatts }.reduce(0, +)
        #expect(abs(try number(finding, "energy_of_power") / power - 1) < 0.15)
        #expect(finding.number("counted")?.text == "0.00")
    }

    @Test("gauges that repeat their last values for 30 hours", arguments: seeds)
    func frozenGauges(seed: UInt64) throws {
        let (site, found) = try findings(seed) { site in
            let first = site.slot(day: 8) + 9
            site.tampering.append { input in
                guard input.id == "site", input.electrical != nil else { return }
                for phase in [\ElectricalHours.Columns.a, \.b, \.c] {
                    for quantity in [
                        \ElectricalHours.voltage, \.current, \.activePower, \.reactivePower,
                        \.powerFactor,
                    ] {
                        let old = input.electrical![keyPath: quantity][keyPath: phase][first]
                        for slot in first..<first + 30 {
                            input.electrical![keyPath: quantity][keyPath: phase][slot] = old
                        }
                    }
                }
            }
        }
        // A gap at the very hour would have been repeated too; then nothing is frozen.
        let finding = try only(found, .frozenGauges, at: "site")
        #expect(finding.since == site.grid.start(site.slot(day: 8) + 9))
        #expect(try number(finding, "frozen_hours") == 30)
    }

    @Test("a meter that is silent for its last three days", arguments: seeds)
    func silentMeter(seed: UInt64) throws {
        let (site, found) = try findings(seed) { site in
            let slots = site.slot(day: 95)..<site.grid.count
            site.tampering.append { input in
                guard input.id == "tenant" else { return }
                for slot in slots {
                    input.counts[slot] = Counts.Slot(increase: nil, good: 0, expected: 60)
                }
            }
        }
        let finding = try only(found, .silentMeter, at: "tenant")
        #expect(finding.severity == .certain)
        #expect(finding.until == site.grid.bounds.last)
        #expect(try number(finding, "silent_hours") == 72)
        #expect(finding.text.en.hasPrefix("The meter is silent"))
    }

    // MARK: Connections

    @Test("two exchanged phases, with their names", arguments: [(0, 1), (0, 2), (1, 2)])
    func swappedPhases(pair: (Int, Int)) throws {
        for seed in seeds {
            let (_, found) = try findings(seed) {
                $0.wirings["office"]?.currents.swapAt(pair.0, pair.1)
            }
            let finding = try only(found, .swappedPhases, at: "office")
            let letters = ["A", "B", "C"]
            #expect(
                finding.text.en.hasPrefix(
                    "Phases \(letters[pair.0]) and \(letters[pair.1]) are probably exchanged"))
            #expect(finding.text.zh.hasPrefix("\(letters[pair.0]) 相与 \(letters[pair.1]) 相"))
            // The three powers nearly cancel: Σ U·I is the load, P nearly nothing.
            let apparent = try number(finding, "apparent_power")
            #expect(abs(try number(finding, "active_power")) < apparent * 0.1)
        }
    }

    @Test("one reversed transformer, with its phase", arguments: [0, 1, 2])
    func reversedTransformer(phase: Int) throws {
        for seed in seeds {
            let (_, found) = try findings(seed) { $0.wirings["office"]?.signs[phase] = -1 }
            let letter = ["A", "B", "C"][phase]
            let finding = try #require(
                found.first { $0.kind == .reversedTransformer && $0.meter == "office" })
            #expect(found.count == 1, "\(found.map(\.kind))")
            #expect(finding.severity == .certain)
            #expect(finding.text.en.contains("phase \(letter) is probably reversed"))
            #expect(try number(finding, "power_factor_\(letter.lowercased())") < -0.9)
        }
    }

    @Test("three reversed transformers: import stands still and export counts", arguments: seeds)
    func allReversed(seed: UInt64) throws {
        let (_, found) = try findings(seed) { $0.wirings["office"]?.signs = [-1, -1, -1] }
        let finding = try #require(
            found.first { $0.kind == .reversedTransformer && $0.meter == "office" })
        #expect(finding.severity == .certain)
        #expect(finding.text.en.contains("all current transformers"))
        #expect(finding.number("imported")?.text == "0.0")
        #expect(try number(finding, "exported") > 10_000)
    }

    @Test("a reversed transformer above a plant is seen by night", arguments: [UInt64(0), 2, 4, 6])
    func reversedAbovePlant(seed: UInt64) throws {
        let (_, found) = try findings(seed, plant: true) { $0.wirings["main"]?.signs[2] = -1 }
        let finding = try #require(
            found.first { $0.kind == .reversedTransformer && $0.meter == "main" })
        #expect(finding.text.en.contains("phase C"))
    }

    // MARK: Ratios

    @Test("a 300/5 transformer on a meter that is set to 200/5", arguments: seeds)
    func wrongTransformer(seed: UInt64) throws {
        let (_, found) = try findings(seed) { $0.wirings["office"]?.ratio = 1 / 1.5 }
        let finding = try #require(
            found.first { $0.kind == .transformerRatio && $0.meter == "office" })
        #expect(abs(try number(finding, "factor") - 1.5) < 0.06)
        #expect(finding.severity == .hint)
        #expect(finding.text.en.contains("300/5 on the line, 200/5 in the meter"))
    }

    @Test("a ratio that the counter lacks and power has", arguments: seeds)
    func omittedRatio(seed: UInt64) throws {
        let (_, found) = try findings(seed) { $0.wirings["site"]?.counterRatio = 1.0 / 40 }
        let finding = try #require(
            found.first {
                $0.kind == .transformerRatio && $0.meter == "site"
                    && $0.text.en.hasPrefix("The counter counts")
            })
        #expect(abs(try number(finding, "factor") * 40 - 1) < 0.02)
        #expect(finding.text.en.contains("the ratio 200/5 is left out or applied twice"))
        #expect(finding.text.zh.contains("变比 200/5 漏乘或重复乘"))
    }

    @Test("a main meter whose ratio is too small", arguments: seeds)
    func wrongMain(seed: UInt64) throws {
        let (_, found) = try findings(seed) { $0.wirings["main"]?.ratio = 0.5 }
        let finding = try #require(
            found.first { $0.kind == .childrenExceedParent && $0.meter == "main" })
        #expect(finding.severity == .certain)
        let ratio = try #require(found.first { $0.kind == .transformerRatio })
        #expect(ratio.meter == "main")
        #expect(abs(try number(ratio, "factor") - 2) < 0.1)
        #expect(found.filter { $0.kind == .transformerRatio }.count == 1)
    }

    // MARK: Balance

    @Test("a meter that hangs in the tree twice", arguments: seeds)
    func countedTwice(seed: UInt64) throws {
        var site = SyntheticSite(seed: seed)
        var inputs = site.inputs()
        var copy = try #require(inputs.first { $0.id == "site" })
        copy.id = "site-again"
        inputs.append(copy)
        site.relations[0].children.append("site-again")
        site.relations.append(DiagnosisRelation(id: "site-again", parent: "main"))
        let report = Diagnosis.findings(
            of: inputs, relations: site.relations, grid: site.grid, calendar: site.calendar,
            thresholds: try shippedThresholds())
        let finding = try only(report.findings, .childrenExceedParent, at: "main")
        let excess = try number(finding, "excess")
        #expect(excess > (try number(finding, "allowed")))
        #expect(
            abs(try number(finding, "children") - (try number(finding, "parent")) - excess) < 0.2)
    }

    @Test("loads without a meter that are added in the last month", arguments: seeds)
    func unaccounted(seed: UInt64) throws {
        let (_, found) = try findings(seed) { site in
            for slot in site.slot(day: 60)..<site.grid.count {
                site.unmetered[slot] =
                    site.unmetered[slot]
                    + .balanced(8, tangent: 0.3, shares: [1 / 3.0, 1 / 3.0, 1 / 3.0])
            }
        }
        let finding = try #require(found.first { $0.kind == .unaccountedRising })
        #expect(finding.meter == "main")
        #expect(finding.severity == .hint)
        let (before, after) = (
            try number(finding, "energy_before"), try number(finding, "energy_after")
        )
        #expect(abs(after - before - 192) < 60)
    }

    // MARK: Nights

    @Test("a ventilator of 6 kW that runs at night from the 60th day on", arguments: seeds)
    func nightLoad(seed: UInt64) throws {
        let (site, found) = try findings(seed) { site in
            for slot in site.slot(day: 60)..<site.grid.count
            where site.calendar.civil(site.grid.start(slot)).hour < 6 {
                let load = site.loads["office"]![slot]
                site.loads["office"]![slot] =
                    load + .balanced(6, tangent: 0.4, shares: [0.34, 0.33, 0.33])
            }
            site.tampering.append { input in
                input.price = DiagnosisPrice(perUnit: Exact(text: "0.5")!, currency: "CNY")
            }
        }
        let finding = try #require(
            found.first { $0.kind == .nightLoadJump && $0.meter == "office" })
        #expect(Set(found.map(\.kind)) == [.nightLoadJump])
        let day = Duration.seconds(86_400)
        #expect(finding.since >= site.grid.start(site.slot(day: 60)) - day)
        #expect(finding.since <= site.grid.start(site.slot(day: 60)) + day)
        // Four hours of 6 kW.
        let rise = try number(finding, "after") - number(finding, "before")
        #expect(abs(rise - 24) < 5)
        #expect(abs(try number(finding, "yearly_cost") - rise * 365 * 0.5) < 1)
        #expect(finding.evidence.last?.unit == "CNY")
    }

    @Test("a pipe that lets 60 litres an hour through from the 70th day on", arguments: seeds)
    func leak(seed: UInt64) throws {
        let (site, found) = try findings(seed) { site in
            for slot in site.slot(day: 70)..<site.grid.count { site.water[slot] += 60 }
        }
        let finding = try only(found, .waterLeak, at: "water")
        #expect(finding.severity == .likely)
        #expect(finding.since == site.grid.start(site.slot(day: 70)))
        #expect(abs(try number(finding, "night_flow") - 60) <= 10)
        #expect(abs(try number(finding, "daily_volume") - 1.44) < 0.25)
        #expect(finding.text.en.contains("since this night"))
    }

    // MARK: Supply

    @Test("a compensation that failed", arguments: seeds)
    func powerFactor(seed: UInt64) throws {
        let (_, found) = try findings(seed, plant: false) { site in
            for meter in ["office", "site"] {
                for slot in 0..<site.grid.count {
                    let active = site.loads[meter]![slot].p
                    site.loads[meter]![slot].q = active.map { $0 * 0.8 }
                }
            }
        }
        #expect(Set(found.map { "\($0.kind.rawValue) \($0.meter)" }) == ["low-power-factor main"])
        // Whole months: February, March and April.
        #expect(found.count == 3)
        let finding = try #require(found.first)
        let factor = try number(finding, "power_factor")
        #expect(factor > 0.78 && factor < 0.82)
        #expect(try number(finding, "compensation") > 10)
    }

    @Test("single-phase loads that hang on one phase", arguments: seeds)
    func imbalance(seed: UInt64) throws {
        let (_, found) = try findings(seed) { site in
            for slot in 0..<site.grid.count {
                let load = site.loads["office"]![slot].kilowatts
                site.loads["office"]![slot] = .balanced(
                    load, tangent: 0.3, shares: [0.2, 0.6, 0.2])
            }
        }
        let finding = try #require(
            found.first { $0.kind == .phaseImbalance && $0.meter == "office" })
        #expect(found.allSatisfy { $0.kind == .phaseImbalance })
        #expect(finding.text.en.hasPrefix("Phase B carries"))
        #expect(abs(try number(finding, "imbalance") - 80) < 3)
    }

    @Test("a counter that jumps by its whole reading in one hour", arguments: seeds)
    func implausible(seed: UInt64) throws {
        let (site, found) = try findings(seed) { site in
            let slot = site.slot(day: 40) + 7
            site.tampering.append { input in
                guard input.id == "main" else { return }
                input.counts[slot] = Counts.Slot(
                    increase: ScaledInteger(mantissa: 1_550_000, exponent: 2), good: 60,
                    expected: 60)
            }
        }
        let finding = try #require(found.first { $0.kind == .implausibleIncrease })
        #expect(finding.meter == "main")
        #expect(finding.until == site.grid.end(site.slot(day: 40) + 7))
        #expect(finding.number("counted") == .exact(Exact(15_500), places: 2))
        #expect(finding.number("possible") == .exact(Exact(480), places: 2))
    }
}
