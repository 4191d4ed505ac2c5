import Telemetry

/// One day of a parent and its children, each known in full.
struct BalanceDay {
    var slots: Range<Int>
    /// What the parent passed on: import less export.
    var parent: Exact
    /// Each consuming child, in the order of the tree, and what the generators below made.
    var children: [Exact]
    var generated: Exact

    /// What the children used beyond what the parent and the generators delivered.
    var excess: Exact { children.reduce(Exact.zero, +) - generated - parent }
}

extension DiagnosisSite {
    /// Why a parent cannot be compared with its children.
    enum BalanceObstacle: Error {
        case missingChild(String)
        case missingExport
        case incomplete

        var reason: LocalizedText {
            switch self {
            case .missingChild(let id):
                LocalizedText(
                    en: "there are no readings of '\(id)' below it", zh: "下级表「\(id)」没有数据")
            case .missingExport:
                LocalizedText(
                    en: "there is generation below it and nobody counts what is fed back",
                    zh: "下级有发电设备但未计反向电量")
            case .incomplete:
                LocalizedText(
                    en: "the counts are too incomplete to compare", zh: "电量数据不完整，无法比对")
            }
        }
    }

    /// The days on which a parent and all its children are known by their own readings.
    func balanceDays(
        of meter: MeterDiagnosisInput, completeness: Double
    ) throws(BalanceObstacle) -> [BalanceDay] {
        let family = children(of: meter.id)
        if let missing = family.first(where: { self[$0.id] == nil }) {
            throw .missingChild(missing.id)
        }
        let hasGeneration = !generators(below: meter.id).isEmpty
        if hasGeneration, meter.exported == nil { throw .missingExport }
        // A child with a generator of its own below feeds back too.
        for child in family where !child.isGeneration && !generators(below: child.id).isEmpty {
            if self[child.id]?.exported == nil { throw .missingExport }
        }
        let inputs = family.compactMap { child in self[child.id].map { (child, $0) } }
        let known = days.compactMap { day -> BalanceDay? in
            guard let parent = net(meter, day) else { return nil }
            var result = BalanceDay(slots: day, parent: parent, children: [], generated: .zero)
            for (child, input) in inputs {
                guard let net = net(input, day) else { return nil }
                if child.isGeneration {
                    result.generated += net
                } else {
                    result.children.append(net)
                }
            }
            return result
        }
        let slots = known.reduce(0) { $0 + $1.slots.count }
        guard !known.isEmpty, Double(slots) >= completeness * Double(grid.count) else {
            throw .incomplete
        }
        return known
    }

    /// Import less export over a day; nil when a slot is unknown or estimated.
    private func net(_ meter: MeterDiagnosisInput, _ day: Range<Int>) -> Exact? {
        for counts in [meter.counts, meter.exported].compactMap(\.self) {
            guard day.allSatisfy({ counts.isKnown($0) && !counts.isEstimated($0) }) else {
                return nil
            }
        }
        return meter.counts.total(day).sum - (meter.exported?.total(day).sum ?? .zero)
    }
}
