/// What a parent and its children say of each other: by how much the figure of one moves when that
/// of another does.
///
/// Loads that nobody meters stand between them, so their figures never agree; but how an hour
/// differs from the same hour of the day before is found on both sides, kWh for kWh:
///
///     factor of a child    median of  Δ(parent + generators − siblings) / Δ(child)
///     factor of a parent   median of  Δ(all children − generators) / Δ(parent)
///
/// Of all of these, each 1 for meters that agree, the one is taken that explains most: which leaves
/// the least median of |Δ(parent + generators − children)| once it is applied.
struct FamilyFactors {
    /// Which hours of a meter are under load, and from which move on two of them differ.
    struct Load {
        /// The part of the high load by which two hours have to differ, and so many steps of the
        /// counter at least.
        var swing: Double
        var steps: Double
        /// The quantile of the hours that is taken for the high load, and the part of it from
        /// which on an hour is under load.
        var highQuantile: Double
        var share: Double
    }

    /// A meter by whose correction the family agrees best.
    struct Suspect {
        var meter: String
        /// By how much its figure has to be multiplied; about nought for a meter that has no place
        /// in the family, for example because it stands there twice.
        var value: Double
        /// The standard error of the value.
        var uncertainty: Double
        /// The slots that were compared, from the first to the last.
        var span: Range<Int>
        /// The median of |Δ(parent + generators − children)| that its correction leaves, as a part
        /// of the median of |Δ(parent)|, both corrected.
        var remainder: Double
    }

    /// The meters of which a factor can be told.
    let compared: Set<String>
    let suspect: Suspect?

    /// How a column moved from the same hour of the day before, and where it stood.
    private struct Moves {
        var slots: [Int] = []
        var parent: [Double] = []
        var generated: [Double] = []
        var children: [[Double]] = []
        /// Where each column stands in those slots and one day before, whichever is less.
        var parentLevel: [Double] = []
        var childLevels: [[Double]] = []

        /// The pairs in which the children together are under load: by night every explanation is
        /// as good as another.
        func hoursOfLoad(_ load: Load) -> [Int] {
            let sums = slots.indices.map { pair in childLevels.reduce(0) { $0 + $1[pair] } }
            let high = RobustStatistics.quantile(sums, load.highQuantile) ?? 0
            return sums.indices.filter { sums[$0] >= high * load.share }
        }
    }

    /// nil when parent and children are not known together.
    ///
    /// - Parameters:
    ///   - load: which hours are compared.
    ///   - pairs: how many pairs of hours are wanted.
    ///   - uncertainty: the greatest standard error, a part of the factor or of one.
    init?(
        below parent: MeterDiagnosisInput, of site: DiagnosisSite, load: Load, pairs: Double,
        uncertainty: Double
    ) {
        let family = site.children(of: parent.id)
        let consumers = family.filter { !$0.isGeneration }.compactMap { site[$0.id] }
        let generators = family.filter(\.isGeneration).compactMap { site[$0.id] }
        // What is fed back has to be counted where something below can feed.
        let isCountedBack = ([parent] + consumers).allSatisfy {
            $0.exported != nil || site.generators(below: $0.id).isEmpty
        }
        guard !consumers.isEmpty, consumers.count + generators.count == family.count, isCountedBack
        else { return nil }
        let moves = Self.moves(parent, consumers, generators, site)
        let sums = moves.slots.indices.map { pair in
            moves.children.reduce(-moves.generated[pair]) { $0 + $1[pair] }
        }
        var explanations = consumers.indices.map { index in
            let own = moves.children[index]
            return Explanation(
                meter: consumers[index], own: own, levels: moves.childLevels[index],
                other: own.indices.map { moves.parent[$0] - sums[$0] + own[$0] },
                correctsParent: false)
        }
        // One child and its parent say the same of each other; the child is named then.
        if consumers.count > 1 {
            explanations.append(
                Explanation(
                    meter: parent, own: moves.parent, levels: moves.parentLevel, other: sums,
                    correctsParent: true))
        }
        let suspects = explanations.compactMap {
            Self.suspect($0, moves, load: load, pairs: pairs, uncertainty: uncertainty)
        }
        compared = Set(suspects.map(\.meter))
        suspect = suspects.min { $0.remainder < $1.remainder }
    }

    /// One meter that may be wrong: its own moves, and those of the others without it.
    private struct Explanation {
        var meter: MeterDiagnosisInput
        var own: [Double]
        var levels: [Double]
        var other: [Double]
        var correctsParent: Bool
    }

    /// The factor of one meter; nil where it is not sure enough.
    private static func suspect(
        _ one: Explanation, _ moves: Moves, load: Load, pairs: Double, uncertainty: Double
    ) -> Suspect? {
        guard let high = RobustStatistics.quantile(one.levels, load.highQuantile), high > 0 else {
            return nil
        }
        // Hours of rest are another state of the building, in which other loads rest too.
        let least = max(load.swing * high, load.steps * one.meter.step)
        let loaded = one.own.indices.filter {
            one.levels[$0] >= high * load.share && one.own[$0].magnitude >= least
        }
        let quotients = loaded.map { one.other[$0] / one.own[$0] }
        let day = moves.hoursOfLoad(load)
        guard Double(quotients.count) >= pairs, let first = loaded.first, let last = loaded.last,
            let value = RobustStatistics.median(quotients),
            let error = standardError(quotients),
            error <= uncertainty * max(1, value.magnitude),
            let left = RobustStatistics.median(
                day.map { (one.other[$0] - value * one.own[$0]).magnitude }),
            let moved = RobustStatistics.median(day.map { moves.parent[$0].magnitude })
        else { return nil }
        let truth = moved * (one.correctsParent ? value.magnitude : 1)
        guard truth > 0 else { return nil }
        return Suspect(
            meter: one.meter.id, value: value, uncertainty: error,
            span: moves.slots[first]..<moves.slots[last] + 1, remainder: left / truth)
    }

    private static func moves(
        _ parent: MeterDiagnosisInput, _ consumers: [MeterDiagnosisInput],
        _ generators: [MeterDiagnosisInput], _ site: DiagnosisSite
    ) -> Moves {
        let delivered = (0..<site.grid.count).map { net(parent, $0) }
        let made = (0..<site.grid.count).map { slot in
            generators.reduce(Optional(0.0)) { sum, generator in
                sum.flatMap { sum in net(generator, slot).map { sum + $0 } }
            }
        }
        let used = consumers.map { child in (0..<site.grid.count).map { net(child, $0) } }
        var moves = Moves()
        moves.children = consumers.map { _ in [] }
        moves.childLevels = moves.children
        for (earlier, slot) in sameHours(site) {
            guard let now = delivered[slot], let then = delivered[earlier],
                let madeNow = made[slot], let madeThen = made[earlier],
                used.allSatisfy({ $0[slot] != nil && $0[earlier] != nil })
            else { continue }
            moves.slots.append(slot)
            moves.parent.append(now - then)
            moves.parentLevel.append(min(now, then))
            moves.generated.append(madeNow - madeThen)
            for child in used.indices {
                let (now, then) = (used[child][slot] ?? 0, used[child][earlier] ?? 0)
                moves.children[child].append(now - then)
                moves.childLevels[child].append(min(now, then))
            }
        }
        return moves
    }

    /// Import less export of a slot by its own readings.
    private static func net(_ meter: MeterDiagnosisInput, _ slot: Int) -> Double? {
        guard let counted = meter.counts.measured(slot) else { return nil }
        guard let exported = meter.exported else { return counted }
        return exported.measured(slot).map { counted - $0 }
    }

    /// Slots of one civil hour on neighbouring days; hours that a change of the clocks shifts are
    /// left out.
    private static func sameHours(_ site: DiagnosisSite) -> [(earlier: Int, later: Int)] {
        zip(site.days, site.days.dropFirst()).flatMap { yesterday, today in
            today.compactMap { slot -> (earlier: Int, later: Int)? in
                let aligned = yesterday.lowerBound + (slot - today.lowerBound)
                guard yesterday.contains(aligned),
                    site.civilHours[aligned] == site.civilHours[slot]
                else { return nil }
                return (aligned, slot)
            }
        }
    }

    /// Of normal scatter: 1.4826 from the median deviation to the standard deviation, √(π/2) from
    /// the error of a mean to that of a median.
    private static func standardError(_ values: [Double]) -> Double? {
        RobustStatistics.medianDeviation(values).map {
            1.4826 * 1.2533 * $0 / Double(max(1, values.count)).squareRoot()
        }
    }
}
