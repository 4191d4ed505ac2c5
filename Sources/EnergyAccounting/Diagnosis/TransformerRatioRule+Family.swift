/// The comparison of a meter with its relatives.
extension TransformerRatioRule {
    typealias Quotients = [(slots: Range<Int>, value: Double)]

    /// The meter against its parent less its siblings, and as a parent against its children.
    ///
    /// Only slots without generation count, and only of meters whose load swings: against a level
    /// load a level rest looks like a factor.
    func familyQuotients(
        _ meter: MeterDiagnosisInput, _ site: DiagnosisSite
    ) -> [(Comparison, Quotients)] {
        var found: [(Comparison, Quotients)] = []
        if let id = site.relation(meter.id)?.parent, let parent = site[id],
            let quotients = siblingQuotients(meter, below: parent, site)
        {
            found.append((.family(parent: id), quotients))
        }
        if site.children(of: meter.id).count > 1, let quotients = childQuotients(meter, site) {
            found.append((.children, quotients))
        }
        return found
    }

    private func siblingQuotients(
        _ meter: MeterDiagnosisInput, below parent: MeterDiagnosisInput, _ site: DiagnosisSite
    ) -> Quotients? {
        let family = site.children(of: parent.id)
        guard family.contains(where: { $0.id == meter.id }),
            let others = counts(of: family.filter { $0.id != meter.id }, site),
            let isStill = site.isWithoutGeneration(below: parent.id)
        else { return nil }
        return quotients(of: meter, isStill, site) { slot in
            guard var rest = parent.counts.measured(slot) else { return nil }
            for other in others {
                guard let counted = other.measured(slot) else { return nil }
                rest -= counted
            }
            return rest
        }
    }

    private func childQuotients(
        _ meter: MeterDiagnosisInput, _ site: DiagnosisSite
    ) -> Quotients? {
        guard let children = counts(of: site.children(of: meter.id), site),
            let isStill = site.isWithoutGeneration(below: meter.id)
        else { return nil }
        return quotients(of: meter, isStill, site) { slot in
            var sum = 0.0
            for child in children {
                guard let counted = child.measured(slot) else { return nil }
                sum += counted
            }
            return sum
        }
    }

    /// The counts of some meters that consume; nil when one of them has no readings at all.
    private func counts(of family: [DiagnosisRelation], _ site: DiagnosisSite) -> [Counts]? {
        let consumers = family.filter { !$0.isGeneration }.map { site[$0.id]?.counts }
        let known = consumers.compactMap(\.self)
        return known.count == consumers.count ? known : nil
    }

    /// What `other` says over what the meter counted, slot by slot; nil when that is too rarely
    /// known or the meter's load is too level.
    private func quotients(
        of meter: MeterDiagnosisInput, _ isStill: [Bool], _ site: DiagnosisSite,
        to other: (Int) -> Double?
    ) -> Quotients? {
        var (quotients, loads): (Quotients, [Double]) = ([], [])
        for slot in isStill.indices where isStill[slot] {
            guard let own = meter.counts.measured(slot), own >= 10 * meter.step, own > 0,
                let theirs = other(slot)
            else { continue }
            quotients.append((slot..<slot + 1, theirs / own))
            loads.append(own)
        }
        guard site.duration(of: quotients.map(\.slots.lowerBound)) >= hours,
            let low = RobustStatistics.quantile(loads, 0.1), low > 0,
            let high = RobustStatistics.quantile(loads, 0.9), high / low >= swing
        else { return nil }
        return quotients
    }
}
