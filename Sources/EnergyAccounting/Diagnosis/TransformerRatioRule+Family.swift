/// The comparison of a meter with its relatives.
extension TransformerRatioRule {
    /// What its parent says of a meter and what its children say of it; nil where nobody can tell.
    func familyFactors(
        _ meter: MeterDiagnosisInput, _ site: DiagnosisSite
    ) -> [(Comparison, Factor)]? {
        var found: [(Comparison, Factor)]?
        func take(_ comparison: Comparison, below parent: MeterDiagnosisInput) {
            let family = FamilyFactors(
                below: parent, of: site, load: load, pairs: hours, uncertainty: familySpread)
            guard let family, family.compared.contains(meter.id) else { return }
            found = found ?? []
            guard let suspect = family.suspect, suspect.meter == meter.id, suspect.value > 0,
                suspect.uncertainty <= familySpread * suspect.value
            else { return }
            let factor = Factor(
                value: suspect.value, spread: suspect.uncertainty / suspect.value,
                span: suspect.span)
            if isOff(comparison, factor) { found?.append((comparison, factor)) }
        }
        if let id = site.relation(meter.id)?.parent, let parent = site[id] {
            take(.family(parent: id), below: parent)
        }
        take(.children, below: meter)
        return found
    }

    /// Whether a factor is beyond the tolerance that holds for its direction.
    private func isOff(_ comparison: Comparison, _ factor: Factor) -> Bool {
        let limit =
            rule(comparison, factor) == .ratioFamilyTolerance ? familyTolerance : tolerance
        return max(factor.value, 1 / factor.value) >= 1 + limit
    }
}
