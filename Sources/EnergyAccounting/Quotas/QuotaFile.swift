import LocatedText
import Telemetry

/// Reads `quotas/1`, the grammar of `Config/quotas/*.yaml`:
///
///     format: quotas/1
///     corrections:                         optional; what its quotas refer to by name
///       - correction: office-use-hours     [a-z0-9-], once
///         input: use-hours                 one of `QuotaCorrectionInput`
///         constant: 0.3                    γ = constant + share · value / reference, or
///         share: 0.7                       the other way round where it is `inverse`
///         reference: 2500 h                in the input's unit
///         proportion: inverse              direct | inverse
///         source: where it comes from
///         status: from-memory
///     quotas:
///       - quota: office-b                  [a-z0-9-]
///         title: { en: …, zh: … }
///         kind: area                       area | per-head | carbon | energy | saving
///         unit: kWh/m2                     of the kind, and for one year
///         scope: { jurisdiction: hangzhou, building: office }
///         from: 2024-01-01                 the first day
///         until: 2026-12-31                optional: the last
///         constraint: 85 kWh/m2            optional: left out it is to be filled in
///         guide: 70 kWh/m2                 optional, not above the constraint
///         base: { year: 2020, value: 90 kWh/m2 }      of a saving, in place of these two;
///         target: { year: 2025, change: -5 % }        the value may be left out
///         net: true                        optional: own generation is set off
///         corrections: [office-use-hours]  optional
///         tiers:                           optional, ascending
///           - { above: 0 %, surcharge: 0.1 CNY/kWh }
///         warn: [90 %, 100 %]              optional, ascending
///         strength: duty                   duty | encouraged | announced
///         source: where it comes from
///         status: secondary                verified | secondary | from-memory | project
///
/// What the words mean is told in `docs/formats/quotas.md`.
package enum QuotaFile {
    package static let format = "quotas/1"

    /// - Throws: every fault of the text at once, each with its place and a remedy.
    package static func parse(_ text: String, file: String) throws(Faults) -> [Quota] {
        let root = try LocatedNode.parse(text, file: file)
        let faults = FaultCollector()
        var reader = MappingReader(root, faults)
        _ = reader.required("format")?.word([(format, ())], faults)
        let corrections = corrections(reader.optional("corrections")?.list(faults) ?? [], faults)
        let nodes = reader.required("quotas")?.list(faults) ?? []
        reader.finish()
        let quotas = nodes.compactMap { QuotaEntry($0, corrections, faults).quota() }
        QuotaBook.findCollisions(quotas, faults)
        try faults.throwIfAny()
        return quotas
    }

    private static func corrections(
        _ nodes: [LocatedNode], _ faults: FaultCollector
    ) -> [QuotaCorrection] {
        var corrections: [QuotaCorrection] = []
        for node in nodes {
            guard let correction = QuotaCorrection(node, faults) else { continue }
            if corrections.contains(where: { $0.name == correction.name }) {
                faults.add(
                    node.location, "the correction '\(correction.name)' stands twice",
                    remedy: "remove one")
            } else {
                corrections.append(correction)
            }
        }
        return corrections
    }
}
