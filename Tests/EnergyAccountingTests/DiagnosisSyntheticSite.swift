import Foundation
import LocatedText
import Telemetry
import TestSeeds

@testable import EnergyAccounting

/// The thresholds as they are shipped.
let shippedDiagnosisFile = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Config/diagnosis/meters.yaml")

func shippedThresholds() throws -> DiagnosisThresholds {
    try DiagnosisFile.parse(
        String(contentsOf: shippedDiagnosisFile, encoding: .utf8), file: "meters.yaml")
}

/// The three phases of one load in one slot, as they are: kW and kvar.
struct PhaseLoad {
    var p = [0.0, 0.0, 0.0]
    var q = [0.0, 0.0, 0.0]

    /// A three-phase load with so much lag.
    static func balanced(_ kilowatts: Double, tangent: Double, shares: [Double]) -> PhaseLoad {
        PhaseLoad(p: shares.map { $0 * kilowatts }, q: shares.map { $0 * kilowatts * tangent })
    }

    /// A load between phases A and B: its second phase may take negative power.
    static func between(apparent: Double, cosine: Double) -> PhaseLoad {
        let angle = acos(cosine)
        let half = apparent / 3.0.squareRoot()
        return PhaseLoad(
            p: [half * cos(angle - .pi / 6), half * cos(angle + .pi / 6), 0],
            q: [half * sin(angle - .pi / 6), half * sin(angle + .pi / 6), 0])
    }

    static func + (a: Self, b: Self) -> Self {
        PhaseLoad(p: zip(a.p, b.p).map(+), q: zip(a.q, b.q).map(+))
    }

    var kilowatts: Double { p.reduce(0, +) }
}

/// How one meter is connected and set.
struct Wiring {
    /// The phase whose current stands with the voltage of each phase.
    var currents = [0, 1, 2]
    /// −1 where the transformer is reversed.
    var signs = [1.0, 1.0, 1.0]
    /// What the meter shows of each ampere.
    var ratio = 1.0
    /// What its counter shows of each kWh beside that.
    var counterRatio = 1.0
    /// Its error, a part of the value.
    var error = 0.0
}

/// A site of an office, a construction site with welders and a pump, a tenant on one phase, loads
/// that nobody meters, a photovoltaic plant in every second seed, and water: 98 days of hours with
/// a closed week, odd holidays, a draught of heating, gaps and, in every second seed, a change of
/// the clocks.
struct SyntheticSite {
    static let days = 98
    static let electricMeters = ["main", "office", "site", "tenant"]

    let calendar: SiteCalendar
    let grid: CountGrid
    let hasPlant: Bool
    var loads: [String: [PhaseLoad]] = [:]
    /// kW of the loads that nobody meters.
    var unmetered: [PhaseLoad] = []
    /// kW that the plant makes.
    var plant: [Double] = []
    /// Litres.
    var water: [Int] = []
    var wirings: [String: Wiring] = [:]
    var relations: [DiagnosisRelation] = []
    /// Changes to a meter's readings after they are measured.
    var tampering: [(inout MeterDiagnosisInput) -> Void] = []
    private var random: SeededGenerator

    init(seed: UInt64, plant withPlant: Bool? = nil) {
        random = SeededGenerator(seed: seed)
        hasPlant = withPlant ?? (seed % 2 == 0)
        // Clocks go forward in the night to the 29th of March.
        calendar =
            seed % 4 < 2
            ? SiteCalendar(zone: "Asia/Shanghai", initialOffset: 8 * 3600)
            : SiteCalendar(
                zone: "Europe/Berlin", initialOffset: 3600,
                transitions: [
                    .init(at: Timestamp(milliseconds: 1_774_746_000_000), offset: 7200)
                ])
        let first = CivilDate(year: 2026, month: 2, day: 1)!
        grid = CountGrid(
            .hour, of: AccountingPeriod(from: first, through: first.advanced(days: Self.days - 1))!,
            calendar: calendar)
        for meter in Self.electricMeters {
            wirings[meter] = Wiring(error: normal() * 0.002)
        }
        makeLoads()
        let consumers = ["office", "site", "tenant"] + (hasPlant ? ["pv"] : [])
        relations =
            [
                DiagnosisRelation(
                    id: "main", children: consumers, accuracyClass: Exact(1, over: 2),
                    limit: Exact(400)), DiagnosisRelation(id: "water", carrier: "water"),
            ]
            + consumers.map {
                DiagnosisRelation(
                    id: $0, parent: "main", accuracyClass: Exact(1), isGeneration: $0 == "pv")
            }
    }

    // MARK: Chance

    /// About normal, mean 0, deviation 1.
    private mutating func normal() -> Double {
        (0..<6).reduce(0) { sum, _ in sum + Double.random(in: -1...1, using: &random) }
            / 2.0.squareRoot()
    }

    private mutating func chance(_ part: Double) -> Bool {
        Double.random(in: 0..<1, using: &random) < part
    }

    /// The value with so much scatter, a part of it.
    private mutating func scattered(_ value: Double, _ part: Double) -> Double {
        value * max(0, 1 + normal() * part)
    }

    // MARK: What happens

    private mutating func makeLoads() {
        let closed = Int.random(in: 20...70, using: &random)
        let holidays = Set((0..<3).map { _ in Int.random(in: 0..<Self.days, using: &random) })
        let drift = Double.random(in: -0.4...0.4, using: &random)
        var (office, site, tenant): ([PhaseLoad], [PhaseLoad], [PhaseLoad]) = ([], [], [])
        var (welds, pumps, weather) = (false, false, 0.0)
        for slot in 0..<grid.count {
            let civil = calendar.civil(grid.start(slot))
            let day = Int((grid.start(slot) - grid.start(0)).milliseconds / 86_400_000)
            let date = CivilDate(year: civil.year, month: civil.month, day: civil.day)!
            let isClosed = (closed..<closed + 7).contains(day)
            let works = date.weekday < 6 && !holidays.contains(day) && !isClosed
            if civil.hour == 0 {
                welds = works && chance(0.5)
                pumps = !isClosed && chance(0.35)
                weather = Double.random(in: 0.2...1, using: &random)
            }
            let isDay = works && (8..<19).contains(civil.hour)
            let season = 1 + drift * Double(day) / Double(Self.days)
            let base = scattered(isClosed ? 3 : 6 * season, 0.08)
            office.append(
                .balanced(
                    base + (isDay ? scattered(60 * season, 0.12) : 0),
                    tangent: scattered(0.33, 0.05), shares: [0.36, 0.33, 0.31]))
            var machines = PhaseLoad()
            if !isClosed {
                machines = .balanced(
                    scattered(works && (6..<20).contains(civil.hour) ? 45 : 2, 0.2),
                    tangent: scattered(0.4, 0.05), shares: [0.34, 0.32, 0.34])
                if pumps, civil.hour < 5 || civil.hour > 21 {
                    machines =
                        machines
                        + .balanced(
                            scattered(7, 0.05), tangent: 0.5, shares: [1 / 3.0, 1 / 3.0, 1 / 3.0])
                }
                if welds, isDay, chance(0.6) {
                    machines = machines + .between(apparent: scattered(18, 0.3), cosine: 0.35)
                }
            }
            site.append(machines)
            let kettle = scattered(chance(isDay ? 0.7 : 0.2) ? 1.6 : 0.06, 0.3)
            tenant.append(PhaseLoad(p: [0, kettle, 0], q: [0, kettle * 0.2, 0]))
            unmetered.append(
                .balanced(
                    scattered(isDay ? 7 : 3, 0.25), tangent: 0.3,
                    shares: [1 / 3.0, 1 / 3.0, 1 / 3.0]))
            let height = max(0, sin(Double(civil.hour - 6) / 12 * .pi))
            let sun = (6..<18).contains(civil.hour) ? height : 0
            plant.append(hasPlant ? scattered(120 * weather * sun, 0.1) : 0)
            let use = isDay ? Int(scattered(400, 0.4)) : chance(0.25) ? Int(scattered(60, 0.5)) : 0
            water.append(isClosed ? 0 : use)
        }
        loads = ["office": office, "site": site, "tenant": tenant]
    }

    // MARK: What is measured

    /// The readings of every meter.
    mutating func inputs() -> [MeterDiagnosisInput] {
        var inputs: [MeterDiagnosisInput] = []
        for meter in Self.electricMeters {
            inputs.append(measured(meter, meter == "main" ? mainLoads() : loads[meter]!))
        }
        if hasPlant {
            inputs.append(MeterDiagnosisInput(id: "pv", counts: counted(plant, tick: 1, places: 2)))
        }
        inputs.append(
            MeterDiagnosisInput(
                id: "water", counts: counted(water.map { Double($0) / 1000 }, tick: 10, places: 3),
                counterStep: Exact(1, over: 100)))
        for index in inputs.indices {
            addGaps(&inputs[index])
            for change in tampering { change(&inputs[index]) }
        }
        return inputs
    }

    private func mainLoads() -> [PhaseLoad] {
        (0..<grid.count).map { slot in
            let fed = PhaseLoad.balanced(
                -plant[slot], tangent: 0, shares: [1 / 3.0, 1 / 3.0, 1 / 3.0])
            return loads.values.reduce(unmetered[slot] + fed) { $0 + $1[slot] }
        }
    }

    private mutating func measured(_ id: String, _ loads: [PhaseLoad]) -> MeterDiagnosisInput {
        let wiring = wirings[id]!
        var gauges = ElectricalHours()
        var columns = Array(repeating: [[Double?]](repeating: [], count: 3), count: 5)
        var (imports, exports, reactive): ([Double], [Double], [Double]) = ([], [], [])
        for slot in 0..<grid.count {
            let volts = (0..<3).map { _ in 230 + normal() * 1.5 }
            let load = loads[slot]
            var (p, q) = (0.0, 0.0)
            for phase in 0..<3 {
                let from = wiring.currents[phase]
                let s = (load.p[from] * load.p[from] + load.q[from] * load.q[from]).squareRoot()
                // Phase B lags A by a third, and C lags B; S = U · I*.
                let angle = atan2(load.q[from], load.p[from]) + Double(from - phase) * 2 * .pi / 3
                let shown = s * wiring.ratio * wiring.signs[phase]
                let (ownP, ownQ) = (shown * cos(angle), shown * sin(angle))
                p += ownP
                q += ownQ
                let current = scattered(s * wiring.ratio * 1000 / volts[phase], 0.003)
                columns[0][phase].append((volts[phase] * 10).rounded() / 10)
                columns[1][phase].append((current * 100).rounded() / 100)
                columns[2][phase].append((scattered(ownP, 0.003) * 1000).rounded() / 1000)
                columns[3][phase].append((scattered(ownQ, 0.003) * 1000).rounded() / 1000)
                let factor = s == 0 ? 1 : wiring.signs[phase] * cos(angle)
                columns[4][phase].append((factor * 1000).rounded() / 1000)
            }
            let energy = p * (1 + wiring.error) * wiring.counterRatio
            imports.append(max(0, energy))
            exports.append(max(0, -energy))
            reactive.append(max(0, q))
        }
        func quantity(_ index: Int) -> ElectricalHours.Columns {
            .init(a: columns[index][0], b: columns[index][1], c: columns[index][2])
        }
        gauges.voltage = quantity(0)
        gauges.current = quantity(1)
        gauges.activePower = quantity(2)
        gauges.reactivePower = quantity(3)
        gauges.powerFactor = quantity(4)
        return MeterDiagnosisInput(
            id: id, counts: counted(imports, tick: 1, places: 2),
            exported: counted(exports, tick: 1, places: 2),
            reactive: counted(reactive, tick: 1, places: 2), electrical: gauges,
            currentTransformer: id == "tenant"
                ? nil : CurrentTransformer(primary: Exact(200), secondary: Exact(5)))
    }

    /// What a counter shows that moves by whole ticks, `tick` of 10⁻ᵖˡᵃᶜᵉˢ each.
    func counted(_ energies: [Double], tick: Int, places: Int) -> Counts {
        var counts = Counts(count: energies.count)
        var (sum, shown) = (0.0, 0)
        let step = Double(tick) / ScaledInteger.powers[places]
        for (slot, energy) in energies.enumerated() {
            sum += energy * 1.0
            let ticks = Int(sum / step)
            counts[slot] = Counts.Slot(
                increase: ScaledInteger(
                    mantissa: Int128((ticks - shown) * tick), exponent: places), good: 60,
                expected: 60)
            shown = ticks
        }
        return counts
    }

    /// A silence of some hours after which the lost energy is spread, and some bad readings.
    private mutating func addGaps(_ input: inout MeterDiagnosisInput) {
        let start = Int.random(in: 100..<grid.count - 100, using: &random)
        for slot in start..<start + Int.random(in: 2...10, using: &random) {
            input.counts[slot].isEstimated = true
            input.counts[slot].good = 0
            clearGauges(&input, slot)
        }
        let lost = Int.random(in: 100..<grid.count - 100, using: &random)
        input.counts[lost] = Counts.Slot(increase: nil, good: 0, expected: 60)
    }

    private func clearGauges(_ input: inout MeterDiagnosisInput, _ slot: Int) {
        for phase in [\ElectricalHours.Columns.a, \.b, \.c] {
            for quantity in [
                \ElectricalHours.voltage, \.current, \.activePower, \.reactivePower, \.powerFactor,
            ] where input.electrical != nil {
                input.electrical![keyPath: quantity][keyPath: phase][slot] = nil
            }
        }
    }

    /// The first slot of the day so many days after the first.
    func slot(day: Int) -> Int {
        let first = CivilDate(grid.start(0), calendar: calendar)
        return grid.slot(of: first.advanced(days: day).start(calendar: calendar))!
    }

    mutating func report(_ thresholds: DiagnosisThresholds) -> DiagnosisReport {
        Diagnosis.findings(
            of: inputs(), relations: relations, grid: grid, calendar: calendar,
            thresholds: thresholds)
    }
}
