import Telemetry

/// The meters of a site with the slots of the period, as the rules look at them.
struct DiagnosisSite {
    static let electricity = "electricity"
    static let water = "water"

    let grid: CountGrid
    let calendar: SiteCalendar
    /// Those with fitting columns, in the order given.
    let order: [MeterDiagnosisInput]
    /// The ids of those without.
    let misfits: Set<String>
    /// The length of each slot in hours.
    let hours: [Double]
    /// The civil hour in which each slot begins, 0 to 23.
    let civilHours: [Int]
    /// The slots of each civil day, in order; the first and the last day may be cut.
    let days: [Range<Int>]
    private let inputs: [String: MeterDiagnosisInput]
    private let relations: [String: DiagnosisRelation]

    init(
        inputs: [MeterDiagnosisInput], relations: [DiagnosisRelation], grid: CountGrid,
        calendar: SiteCalendar
    ) {
        self.grid = grid
        self.calendar = calendar
        var (known, misfits): ([String: MeterDiagnosisInput], Set<String>) = ([:], [])
        var order: [MeterDiagnosisInput] = []
        for input in inputs where known[input.id] == nil && !misfits.contains(input.id) {
            let counts = [input.counts, input.exported, input.reactive].compactMap(\.self)
            guard counts.allSatisfy({ $0.count == grid.count }),
                input.electrical?.fits(grid.count) ?? true
            else {
                misfits.insert(input.id)
                continue
            }
            known[input.id] = input
            order.append(input)
        }
        self.order = order
        self.misfits = misfits
        self.inputs = known
        self.relations = Dictionary(relations.map { ($0.id, $0) }) { first, _ in first }
        let civil = (0..<grid.count).map { calendar.civil(grid.start($0)) }
        civilHours = civil.map(\.hour)
        hours = (0..<grid.count).map {
            Double((grid.end($0) - grid.start($0)).milliseconds) / 3_600_000
        }
        var days: [Range<Int>] = []
        for slot in civil.indices {
            if let last = days.last, civil[last.lowerBound].day == civil[slot].day {
                days[days.count - 1] = last.lowerBound..<slot + 1
            } else {
                days.append(slot..<slot + 1)
            }
        }
        self.days = days
    }

    subscript(_ id: String) -> MeterDiagnosisInput? { inputs[id] }

    func relation(_ id: String) -> DiagnosisRelation? { relations[id] }

    func isElectricity(_ meter: MeterDiagnosisInput) -> Bool {
        relations[meter.id]?.carrier == Self.electricity
    }

    /// The children of the same carrier; of another carrier nothing can be added up.
    func children(of id: String) -> [DiagnosisRelation] {
        guard let relation = relations[id] else { return [] }
        return relation.children.filter { $0 != id }.map {
            relations[$0] ?? DiagnosisRelation(id: $0, parent: id, carrier: relation.carrier)
        }.filter { $0.carrier == relation.carrier }
    }

    /// The generators below a meter, itself included, at any depth.
    func generators(below id: String) -> [String] {
        var (found, seen, open): ([String], Set<String>, [String]) = ([], [], [id])
        while let next = open.popLast() {
            guard seen.insert(next).inserted, let relation = relations[next] else { continue }
            if relation.isGeneration { found.append(next) }
            open += relation.children
        }
        return found
    }

    /// Whether nothing fed into the line below a meter, slot by slot; nil when nobody can know.
    func isWithoutGeneration(below id: String) -> [Bool]? {
        let generators = generators(below: id)
        guard !generators.contains(id) else { return nil }
        var isStill = Array(repeating: true, count: grid.count)
        for generator in generators {
            guard let input = inputs[generator] else { return nil }
            for counts in [input.counts, input.exported].compactMap(\.self) {
                for slot in isStill.indices where counts.increase(slot) != 0 {
                    isStill[slot] = false
                }
            }
        }
        return isStill
    }

    /// The slots of a day that begin in `from` ..< `to` o'clock.
    func slots(of day: Range<Int>, from: Int, to: Int) -> [Int] {
        day.filter { civilHours[$0] >= from && civilHours[$0] < to }
    }

    /// The part of some slots, in time, for which something holds: 0 to 1; 0 without slots.
    func share(of slots: some Sequence<Int>, where holds: (Int) -> Bool) -> Double {
        var (all, part) = (0.0, 0.0)
        for slot in slots {
            all += hours[slot]
            if holds(slot) { part += hours[slot] }
        }
        return all > 0 ? part / all : 0
    }

    /// The hours of some slots.
    func duration(of slots: some Sequence<Int>) -> Double { slots.reduce(0) { $0 + hours[$1] } }

    /// The runs of neighbouring slots for which something holds.
    func runs(where holds: (Int) -> Bool) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        var start: Int?
        for slot in 0..<grid.count {
            if holds(slot) {
                start = start ?? slot
            } else if let from = start {
                runs.append(from..<slot)
                start = nil
            }
        }
        if let from = start { runs.append(from..<grid.count) }
        return runs
    }

    /// A finding over some slots, which are in order and not none.
    func finding(
        _ kind: Diagnosis.Kind, _ meter: String, over slots: Range<Int>,
        severity: Diagnosis.Severity, rule: DiagnosisFigure, text: LocalizedText,
        evidence: [Diagnosis.Evidence]
    ) -> Diagnosis.Finding {
        Diagnosis.Finding(
            kind, meter: meter, since: grid.start(slots.lowerBound),
            until: grid.end(slots.upperBound - 1), severity: severity, rule: rule, text: text,
            evidence: evidence)
    }
}

extension Counts {
    /// What a slot counted, estimated or not; nil when nothing is known.
    func increase(_ slot: Int) -> Double? {
        guard isKnown(slot) else { return nil }
        return Double(mantissa(slot)) / ScaledInteger.powers[max(0, min(exponent, 18))]
    }

    /// What a slot counted by its own readings; nil where a gap or a guess lies in it.
    func measured(_ slot: Int) -> Double? { isEstimated(slot) ? nil : increase(slot) }
}

extension MeterDiagnosisInput {
    /// The step of the counter: as given, else the finest that its figures can show.
    var step: Double {
        if let step = counterStep?.double, step > 0 { return step }
        return 1 / ScaledInteger.powers[max(0, min(counts.exponent, 18))]
    }
}
