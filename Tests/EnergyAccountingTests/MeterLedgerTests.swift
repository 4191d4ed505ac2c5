import EnergyAccounting
import LocatedText
import Telemetry
import TestSeeds
import Testing

private let shanghai = SiteCalendar(zone: "Asia/Shanghai", initialOffset: 8 * 3600)

/// A tree out of text, without faults.
func meterTree(_ text: String) throws -> MeterTree {
    let faults = FaultCollector()
    let tree = MeterTree.parse(try LocatedNode.parse(text, file: "site.yaml"), faults: faults)
    #expect(faults.faults.map(\.description) == [])
    return tree
}

func energyEntries(_ lines: String) throws -> EnergyEntries {
    try EnergyEntries.parse("format: energy-entries/1\nentries:\n" + lines, file: "entries.yaml")
}

/// One meter with a register that falls and jumps, read every ten minutes, and what it truly
/// counted in hundredths.
private struct Readings {
    let series: Series
    let grid: CountGrid
    var samples: [(time: Timestamp, reading: Reading)] = []

    init(grid: CountGrid, modulus: Double? = nil) {
        self.grid = grid
        series = Series(
            id: SeriesID(device: DeviceID("m"), point: PointKey("e")), kind: .counter, unit: "kWh",
            counter: CounterPolicy(modulus: modulus, resets: .manual))
    }

    mutating func read(_ hundredths: Int, at time: Timestamp) {
        samples.append((time, .good(.number(Double(hundredths) / 100))))
    }

    /// As the gateway folds them, an hour at a time.
    func data(around instants: [Timestamp]) -> AccountData {
        var counts = Counts(count: grid.count)
        var slots: [CounterRegisters.Slot] = []
        for slot in 0..<grid.count {
            let bucket = Bucket(.hour, containing: grid.start(slot), calendar: shanghai)
            let inside = samples.filter { bucket.contains($0.time) }
            func timed(_ sample: (time: Timestamp, reading: Reading)?) -> Rollup.Timed? {
                sample.flatMap { $0.reading.timed(at: $0.time) }
            }
            let rollup = Rollup.fold(
                series, over: bucket, previous: timed(samples.last { $0.time < bucket.start }),
                samples: inside, next: timed(samples.first { $0.time >= bucket.end }),
                period: .seconds(600), expected: 6)
            counts[slot] = Counts.Slot(
                increase: rollup.increase, isEstimated: rollup.isEstimated, good: rollup.count,
                expected: 6)
            if let first = rollup.first, let last = rollup.last, let least = rollup.minimum,
                let greatest = rollup.maximum
            {
                slots.append(
                    .init(
                        start: bucket.start, end: bucket.end, first: first.value, last: last.value,
                        minimum: least, maximum: greatest))
            }
        }
        var data = AccountData(counts: [series.id: counts])
        for instant in instants {
            let need = AccountNeeds.Register(series: series.id, at: instant)
            data.registers[need] = CounterRegisters(policy: series.counter!, slots: slots)
        }
        return data
    }
}

@Suite("The ledger of the meters")
struct MeterLedgerTests {
    private let days = AccountingPeriod("2026-03-01..2026-03-03")!
    private var grid: CountGrid { CountGrid(.hour, of: days, calendar: shanghai) }
    private let tree = MeterTree([
        Meter(
            id: "main", parent: nil, item: nil, carrier: .electricity,
            source: .counter(SeriesID(device: DeviceID("m"), point: PointKey("e"))),
            location: Location(file: "site.yaml", line: 1, column: 1))
    ])

    private func text(_ time: Timestamp) -> String { shanghai.rfc3339(time) }

    @Test(
        "an exchange that is written down costs and gives no energy, whatever the registers",
        arguments: 0..<300)
    func exchange(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let grid = grid
        let start = grid.bounds[0]
        // A new register that begins at nought, anywhere below, or far above the old one.
        let old = Int.random(in: 500_000...900_000, using: &random)
        let new = [0, Int.random(in: 0...100_000, using: &random), old + 2_000_000][
            Int.random(in: 0..<3, using: &random)]
        let at = start + .seconds(Int.random(in: 3600 * 4...3600 * 68, using: &random))
        let silence = [0, 0, 3600, 6 * 3600][Int.random(in: 0..<4, using: &random)]
        var readings = Readings(grid: grid, modulus: Bool.random(using: &random) ? 10_000 : nil)
        var (truth, register) = (0, old)
        var (oldEnd, first, last): (Int?, Int?, Int) = (nil, nil, 0)
        var time = start
        while time < grid.bounds[grid.count] {
            let step = Int.random(in: 0...50, using: &random)
            if oldEnd == nil, time >= at {
                // A part of the step was still counted by the old register.
                let part = Int.random(in: 0...step, using: &random)
                oldEnd = register + part
                register = new + step - part
            } else {
                register += step
            }
            truth += step
            let isSilent = (time - at).milliseconds.magnitude < Int64(silence) * 500
            if !isSilent {
                readings.read(register, at: time)
                if first == nil { first = truth }
                last = truth
            }
            time = time + .seconds(600)
        }
        let entry = try energyEntries(
            "- { exchange: main, at: '\(text(at))', old_end: \(Double(try #require(oldEnd)) / 100), "
                + "new_start: \(Double(new) / 100), reason: broken, by: Li }")
        let data = readings.data(around: [at])
        let ledger = MeterLedger(
            tree: tree, entries: entry, grid: grid, data: data, calendar: shanghai)
        guard case .exchanged? = ledger.remarks.first else {
            // In an hour in which the new register passes the old one nothing can be told apart.
            #expect(new > 0 && new < old, "\(ledger.remarks)")
            return
        }
        let total = ledger.total(of: "main", over: 0..<grid.count)
        #expect(total.sum == Exact(Int128(last - (try #require(first))), over: 100))
        // The last hour still waits for its end.
        let closed = ledger.total(of: "main", over: 0..<grid.count - 1)
        if silence == 0 { #expect(closed.estimated.isZero) }
        if silence > 7200 { #expect(!closed.estimated.isZero) }
    }

    @Test("an exchange that the readings contradict changes nothing and is told")
    func unfit() throws {
        let grid = grid
        var readings = Readings(grid: grid)
        for index in 0..<432 {
            readings.read(
                index < 200 ? 80_000 + index : index, at: grid.bounds[0] + .seconds(index * 600))
        }
        let at = grid.bounds[0] + .seconds(200 * 600 - 300)
        // The register stood at 801.99 already.
        let entries = try energyEntries(
            "- { exchange: main, at: '\(text(at))', old_end: 801.5, new_start: 0, reason: r, by: b }"
        )
        let ledger = MeterLedger(
            tree: tree, entries: entries, grid: grid, data: readings.data(around: [at]),
            calendar: shanghai)
        #expect(ledger.remarks == [.unfit(exchange: entries.exchanges[0])])
        #expect(ledger.total(of: "main", over: 0..<grid.count).sum == Exact(430, over: 100))
        #expect(!ledger.total(of: "main", over: 0..<grid.count).estimated.isZero)
    }

    @Test("a transformer changed at a known register is an exchange of its scale")
    func ratio() throws {
        let grid = grid
        // 0.5 kWh an hour behind a transformer of 40, then of 60, register in whole counts.
        var readings = Readings(grid: grid)
        for hour in 0..<72 {
            let time = grid.bounds[hour]
            readings.read(hour < 24 ? (1000 + hour) * 4000 : (1000 + hour) * 6000, at: time)
        }
        let at = grid.bounds[24] - .seconds(60)
        let entries = try energyEntries(
            "- { ratio: main, at: '\(text(at))', from: 40, to: 60, register: 1024, reason: r, by: b }"
        )
        let ledger = MeterLedger(
            tree: tree, entries: entries, grid: grid, data: readings.data(around: [at]),
            calendar: shanghai)
        #expect(
            ledger.total(of: "main", over: 0..<grid.count).sum == Exact(24 * 40 + 47 * 60))
    }

    @Test("what no connection can carry is withheld, told, and never booked")
    func withheld() throws {
        var counts = Counts(count: grid.count)
        for slot in 0..<grid.count {
            counts[slot] = .init(increase: ScaledInteger(mantissa: 125, exponent: 1))
        }
        counts[7] = .init(increase: ScaledInteger(mantissa: 155_000, exponent: 1))
        let tree = try meterTree("- { id: main, counter: m.e, limit: 630 kW }")
        let ledger = MeterLedger(
            tree: tree, entries: .none, grid: grid,
            data: AccountData(counts: [SeriesID("m.e")!: counts]), calendar: shanghai)
        let total = ledger.total(of: "main", over: 0..<grid.count)
        #expect(total.sum == Exact(71 * 125, over: 10))
        #expect(total.knownSlots == 71)
        #expect(
            ledger.remarks == [
                .withheld(
                    meter: "main", start: grid.start(7), end: grid.end(7), amount: Exact(15_500))
            ])
    }

    @Test("a wrong ratio is put right for its time, exactly in the sum")
    func rescaled() throws {
        var counts = Counts(count: grid.count)
        for slot in 0..<grid.count {
            counts[slot] = .init(increase: ScaledInteger(mantissa: 10, exponent: 2))
        }
        // Half of the third hour is inside.
        let entries = try energyEntries(
            """
            - { rescale: main, from: '\(text(grid.bounds[2] + .seconds(1800)))',
                to: '\(text(grid.bounds[5]))', was: 30, is: 40, reason: r, by: b }
            """)
        let tree = try meterTree("- { id: main, counter: m.e }")
        let ledger = MeterLedger(
            tree: tree, entries: entries, grid: grid,
            data: AccountData(counts: [SeriesID("m.e")!: counts]), calendar: shanghai)
        let sum = ledger.total(of: "main", over: 0..<grid.count).sum
        #expect(sum.text(places: 3) == "7.283")
        #expect(
            (sum - Exact(72, over: 10) - Exact(25, over: 300)).magnitude < Exact(1, over: 100_000))
        let inside = ledger.total(of: "main", over: 3..<5).sum
        #expect(inside.text(places: 2) == "0.27")
    }

    @Test("an adjustment makes known what was unknown, and says that it is an estimate")
    func adjusted() throws {
        let entries = try energyEntries(
            """
            - { adjust: main, from: '\(text(grid.bounds[0]))', to: '\(text(grid.bounds[3]))',
                amount: 10, reason: no meter yet, by: Li }
            """)
        let tree = try meterTree("- { id: main, counter: m.e }")
        let ledger = MeterLedger(
            tree: tree, entries: entries, grid: grid, data: AccountData(), calendar: shanghai)
        let total = ledger.total(of: "main", over: 0..<grid.count)
        #expect(total.sum == Exact(10) && total.estimated == Exact(10))
        #expect(total.knownSlots == 3)
        #expect(ledger.remarks == [.adjusted(entries.adjustments[0])])
    }

    @Test("a month with a delivery is known, one without is not nothing")
    func deliveries() throws {
        let tree = try meterTree("- { id: generator, carrier: diesel, entries: true }")
        let entries = try energyEntries(
            """
            - { delivered: generator, first: 2026-02-10, amount: 200, source: bill, by: Li }
            - { delivered: generator, first: 2026-02-20, last: 2026-03-01, amount: 100, by: Li }
            """)
        let year = AccountingPeriod("2026")!
        let grid = CountGrid(.hour, of: year, calendar: shanghai)
        let ledger = MeterLedger(
            tree: tree, entries: entries, grid: grid, data: AccountData(), calendar: shanghai)
        func month(_ text: String) -> Counts.Total {
            let month = AccountingPeriod(text)!
            return ledger.total(
                of: "generator",
                over: grid.slots(
                    from: month.start(calendar: shanghai), to: month.end(calendar: shanghai)))
        }
        #expect(month("2026-01").knownSlots == 0)
        #expect(month("2026-02").sum == Exact(290) && month("2026-02").knownSlots == 28 * 24)
        #expect(month("2026-03").sum == Exact(10) && month("2026-03").knownSlots == 31 * 24)
        #expect(month("2026-04").knownSlots == 0)
        // Nobody called any of it an estimate.
        #expect(month("2026").estimated == .zero)
    }

    @Test("formulas add, subtract and share exactly, and are known where all their meters are")
    func formulas() throws {
        let tree = try meterTree(
            """
            - { id: main, counter: a.e }
            - { id: plant, parent: main, counter: b.e }
            - { id: rest, parent: main, formula: main - plant }
            - { id: third, share: { of: rest, by: area, part: 100 m2, whole: 300 m2 } }
            - { id: seventh, share: { of: rest, by: people, part: 1, whole: 7 } }
            - { id: both, formula: third + seventh }
            - { id: odd, formula: 0.5 * main - 0.25 * plant }
            """)
        var (a, b) = (Counts(count: grid.count), Counts(count: grid.count))
        for slot in 0..<grid.count {
            a[slot] = .init(increase: ScaledInteger(mantissa: 100, exponent: 1))
            b[slot] = .init(
                increase: ScaledInteger(mantissa: 3, exponent: 0), isEstimated: slot < 2)
        }
        b[10] = .init(increase: nil)
        let ledger = MeterLedger(
            tree: tree, entries: .none, grid: grid,
            data: AccountData(counts: [SeriesID("a.e")!: a, SeriesID("b.e")!: b]),
            calendar: shanghai)
        let all = 0..<grid.count
        #expect(ledger.total(of: "rest", over: all).sum == Exact(71 * 7))
        #expect(ledger.total(of: "rest", over: all).knownSlots == 71)
        #expect(ledger.total(of: "rest", over: all).estimated == Exact(14))
        #expect(ledger.total(of: "third", over: all).sum == Exact(71 * 7, over: 3))
        #expect(ledger.total(of: "seventh", over: all).sum == Exact(71))
        #expect(ledger.total(of: "both", over: all).sum == Exact(71 * 10, over: 3))
        #expect(ledger.total(of: "odd", over: all).sum == Exact(71 * 17, over: 4))
        #expect(
            tree["third"]?.source
                == .formula(.init([.init(factor: Exact(1, over: 3), meter: "rest")])))
        #expect(tree.parts(of: "both").map(\.meter) == ["main", "plant"])
        #expect(
            tree.parts(of: "both").map(\.factor) == [Exact(10, over: 21), Exact(-10, over: 21)])
    }
}

@Suite("The balance of a site")
struct CarrierBalanceTests {
    private let grid = CountGrid(.hour, of: AccountingPeriod("2026-03-01")!, calendar: shanghai)

    private func ledger(_ text: String, _ amounts: [String: Int]) throws -> MeterLedger {
        let tree = try meterTree(text)
        var data = AccountData()
        for (series, amount) in amounts {
            var counts = Counts(count: grid.count)
            for slot in 0..<grid.count {
                counts[slot] = .init(increase: ScaledInteger(mantissa: Int128(amount), exponent: 1))
            }
            data.counts[SeriesID(series)!] = counts
        }
        return MeterLedger(
            tree: tree, entries: .none, grid: grid, data: data, calendar: shanghai)
    }

    @Test("what is used is what came in and was made, less what was given away")
    func photovoltaics() throws {
        let ledger = try ledger(
            """
            - { id: main, counter: m.in }
            - { id: out, role: export, counter: m.out }
            - { id: pv, role: generation, counter: p.out }
            - { id: crane, parent: main, counter: c.in }
            """, ["m.in": 100, "m.out": 20, "p.out": 50, "c.in": 40])
        let balance = try #require(ledger.balance(of: .electricity, over: 0..<24))
        #expect(balance.imported.sum == Exact(240))
        #expect(balance.gross.sum == Exact(312))
        #expect(balance.ownUse.sum == Exact(72))
        #expect(balance.net.sum == Exact(192))
        #expect(balance.gross.sum - balance.generated.sum == balance.net.sum)
        #expect(ledger.balance(of: .water, over: 0..<24) == nil)
    }

    @Test("what no child measures is told as a share, and is open where a child is unknown")
    func unaccounted() throws {
        let ledger = try ledger(
            """
            - { id: main, counter: m.in }
            - { id: a, parent: main, counter: a.in }
            - { id: b, parent: main, counter: b.in }
            - { id: c, parent: b, counter: c.in }
            """, ["m.in": 100, "a.in": 60, "b.in": 35])
        let balance = try #require(ledger.balance(below: "main", over: 0..<24))
        #expect(balance.unaccounted.sum == Exact(12))
        #expect(balance.unaccountedShare == Exact(5, over: 100))
        #expect(ledger.balance(below: "a", over: 0..<24) == nil)
        #expect(ledger.balance(below: "b", over: 0..<24)?.unaccountedShare == nil)
    }

    @Test("the parts of a breakdown add up to what came in, each under the nearest name above")
    func breakdown() throws {
        let ledger = try ledger(
            """
            - { id: main, counter: m.in }
            - { id: plant, parent: main, zone: plant, item: special, counter: p.in }
            - { id: crane, parent: plant, machine: crane, counter: c.in }
            - { id: lamp, parent: plant, item: lighting-sockets, counter: l.in }
            - { id: office, parent: main, zone: office, counter: o.in }
            - { id: pv, role: generation, parent: main, counter: v.in }
            """,
            ["m.in": 100, "p.in": 60, "c.in": 40, "l.in": 5, "o.in": 30, "v.in": 80])
        func parts(_ property: (Meter) -> String?) -> [String: String] {
            Dictionary(
                uniqueKeysWithValues: ledger.breakdown(of: .electricity, over: 0..<24, by: property)
                    .map { ($0.key ?? "-", $0.total.sum.text(places: 0)) })
        }
        #expect(parts(\.zone) == ["plant": "144", "office": "72", "-": "24"])
        #expect(parts(\.item) == ["special": "132", "lighting-sockets": "12", "-": "96"])
        #expect(parts(\.machine) == ["crane": "96", "-": "144"])
    }
}
