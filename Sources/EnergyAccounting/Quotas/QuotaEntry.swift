import LocatedText
import Telemetry

/// One entry of `quotas:` while it is read.
struct QuotaEntry {
    private let node: LocatedNode
    private let known: [QuotaCorrection]
    private let faults: FaultCollector

    init(_ node: LocatedNode, _ known: [QuotaCorrection], _ faults: FaultCollector) {
        self.node = node
        self.known = known
        self.faults = faults
    }

    /// No site of this trade comes near it, and no sum of such figures overflows.
    private static let largest = Exact(1_000_000_000_000)
    private static let smallest = Exact(1, over: 1_000_000)

    /// nil when anything in it is wrong, which the collector is told.
    func quota() -> Quota? {
        var reader = MappingReader(node, faults)
        let id = reader.required("quota")?.name(faults)
        let title = reader.required("title").flatMap { LocalizedText.parse($0, faults) }
        let kind = reader.required("kind")?
            .word(Quota.Kind.allCases.map { ($0.rawValue, $0) }, faults)
        let unitNode = reader.required("unit")
        let unit = kind.flatMap { kind in
            unitNode?.word(kind.units.map { ($0.text, $0) }, faults)
        }
        let scope = scope(reader.required("scope"))
        let validity = ValiditySpan.read(&reader, faults)
        let limit = limit(&reader, kind, unit)
        let isNet = reader.optional("net").map { $0.bool(faults) } ?? false
        let corrections = corrections(reader.optional("corrections"))
        let tiers = tiers(reader.optional("tiers"), unit)
        let warnings = warnings(reader.optional("warn"))
        let strength = reader.required("strength")?
            .word(Quota.Strength.allCases.map { ($0.rawValue, $0) }, faults)
        let source = reader.required("source")?.sentence(faults)
        let evidence = reader.required("status")?.word(FigureEvidence.words, faults)
        reader.finish()
        guard let id, let title, let kind, let unit, let scope, let validity, let limit, let isNet,
            let strength, let source, let evidence
        else { return nil }
        return Quota(
            id: id, title: title, kind: kind, unit: unit, scope: scope, validity: validity,
            limit: limit, isNet: isNet, corrections: corrections, tiers: tiers, warnings: warnings,
            strength: strength, source: source, evidence: evidence, location: node.location)
    }

    private func scope(_ node: LocatedNode?) -> Quota.Scope? {
        guard let node else { return nil }
        var reader = MappingReader(node, faults)
        let jurisdiction = reader.required("jurisdiction")?.name(faults)
        let building = reader.required("building")?.name(faults)
        reader.finish()
        guard let jurisdiction, let building else { return nil }
        return Quota.Scope(jurisdiction: jurisdiction, building: building)
    }

    // MARK: Limits

    private func limit(
        _ reader: inout MappingReader, _ kind: Quota.Kind?, _ unit: QuotaUnit?
    ) -> Quota.Limit? {
        // An entry whose kind is misspelt is not told that its other keys are unknown too.
        let saving = kind == nil || kind == .saving
        let base = saving ? reader.optional("base") : nil
        let target = saving ? reader.optional("target") : nil
        let yearly = kind != .saving
        let constraint = yearly ? reader.optional("constraint") : nil
        let guide = yearly ? reader.optional("guide") : nil
        guard let kind, let unit else { return nil }
        return kind == .saving
            ? savingLimit(base, target, unit) : yearlyLimit(constraint, guide, unit)
    }

    private func yearlyLimit(
        _ constraintNode: LocatedNode?, _ guideNode: LocatedNode?, _ unit: QuotaUnit
    ) -> Quota.Limit? {
        let constraint = constraintNode.map { amount($0, unit) }
        let guide = guideNode.map { amount($0, unit) }
        // A value that is there and wrong is not the same as one that is left out.
        if let constraint, constraint == nil { return nil }
        if let guide, guide == nil { return nil }
        if let guideNode, let constraint = constraint ?? nil, let guide = guide ?? nil,
            guide > constraint
        {
            faults.add(
                guideNode.location, "the guide lies above the constraint",
                remedy: "the guide is the stricter of the two; exchange them")
            return nil
        }
        return .yearly(constraint: constraint ?? nil, guide: guide ?? nil)
    }

    private func savingLimit(
        _ base: LocatedNode?, _ target: LocatedNode?, _ unit: QuotaUnit
    ) -> Quota.Limit? {
        guard let base, let target else {
            faults.add(
                node.location, "a saving has a base and a target",
                remedy: "add 'base: { year: 2020 }' and 'target: { year: 2025, change: -5 % }'")
            return nil
        }
        var baseReader = MappingReader(base, faults)
        let baseYear = baseReader.required("year")?.calendarYear(faults)
        let baseValue = baseReader.optional("value").map { amount($0, unit) }
        baseReader.finish()
        var targetReader = MappingReader(target, faults)
        let targetYear = targetReader.required("year")?.calendarYear(faults)
        let change = targetReader.required("change")?
            .figure(unit: "%", in: Exact(-99)...Exact(100), faults)
        targetReader.finish()
        guard let baseYear, let targetYear, let change else { return nil }
        if let baseValue, baseValue == nil { return nil }
        guard baseYear < targetYear else {
            faults.add(
                target.location, "the target's year \(targetYear) is not after the base's",
                remedy: "a year after \(baseYear)")
            return nil
        }
        return .saving(
            SavingTarget(
                baseYear: baseYear, baseValue: baseValue ?? nil, targetYear: targetYear,
                change: change))
    }

    private func amount(_ node: LocatedNode, _ unit: QuotaUnit) -> Exact? {
        node.figure(unit: unit.text, in: Self.smallest...Self.largest, faults)
    }

    // MARK: Corrections, tiers, warnings

    private func corrections(_ node: LocatedNode?) -> [QuotaCorrection] {
        (node?.list(faults) ?? []).compactMap { element in
            element.word(known.map { ($0.name, $0) }, faults)
        }
    }

    private func tiers(_ node: LocatedNode?, _ unit: QuotaUnit?) -> [SurchargeTier] {
        var tiers: [SurchargeTier] = []
        for element in node?.list(faults) ?? [] {
            var reader = MappingReader(element, faults)
            let aboveNode = reader.required("above")
            let above = aboveNode?.figure(unit: "%", in: .zero...Exact(1000), faults)
            let priceNode = reader.required("surcharge")
            reader.finish()
            let price = unit.flatMap { unit in
                priceNode?.figure(
                    unit: "CNY/\(unit.amount.rawValue)", in: .zero...Exact(1000), faults)
            }
            guard let above, let aboveNode, let price else { continue }
            if let last = tiers.last, last.above >= above {
                faults.add(
                    aboveNode.location,
                    "a tier above \(above.plainText) % stands behind one above "
                        + "\(last.above.plainText) %", remedy: "write them in ascending order")
                continue
            }
            tiers.append(SurchargeTier(above: above, price: price))
        }
        return tiers
    }

    private func warnings(_ node: LocatedNode?) -> [Exact] {
        var warnings: [Exact] = []
        for element in node?.list(faults) ?? [] {
            guard
                let percent = element.figure(unit: "%", in: Exact(1)...Exact(200), faults)
            else { continue }
            if let last = warnings.last, last >= percent {
                faults.add(
                    element.location, "the warnings do not ascend",
                    remedy: "write them in ascending order")
                continue
            }
            warnings.append(percent)
        }
        return warnings
    }
}
