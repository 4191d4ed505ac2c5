import LocatedText

/// The quotas of all files that a site includes, and which of those from memory it has taken over.
package struct QuotaBook: Hashable, Sendable {
    /// In the order of the files.
    package let quotas: [Quota]

    /// Puts several files together.
    ///
    /// - Throws: a fault for each quota that holds on a day of another of its id.
    package init(merging files: [[Quota]]) throws(Faults) {
        quotas = files.flatMap { $0 }
        let faults = FaultCollector()
        Self.findCollisions(quotas, faults)
        try faults.throwIfAny()
    }

    /// Notes each quota that holds on a day of one before it in the list.
    static func findCollisions(_ quotas: [Quota], _ faults: FaultCollector) {
        var seen: [String: [Quota]] = [:]
        for quota in quotas {
            let before = seen[quota.id] ?? []
            if let other = before.first(where: { $0.validity.collides(with: quota.validity) }) {
                faults.add(
                    quota.location, "two quotas '\(quota.id)' hold on one day",
                    remedy: "the other is at \(other.location); end it with 'until:' or remove one")
            }
            seen[quota.id, default: []].append(quota)
        }
    }

    /// The quotas that hold on a day, of one id the one that began last; filled in or not.
    package func quotas(on day: CivilDate) -> [Quota] {
        quotas.filter { quota in
            guard quota.validity.first <= day, quota.validity.last.map({ day <= $0 }) ?? true else {
                return false
            }
            return !quotas.contains {
                $0.id == quota.id && $0.validity.first <= day
                    && $0.validity.first > quota.validity.first
            }
        }
    }

    /// The quotas of a day that stand so; `toFillIn` are the fields that somebody owes a value.
    package func quotas(
        on day: CivilDate, standing: Quota.Standing, enabled: Set<String>
    ) -> [Quota] {
        quotas(on: day).filter { $0.standing(enabled: enabled) == standing }
    }

    /// Reads the site's list of ids whose figures from memory it takes over, `[office-b-cold]`.
    package func enabled(_ node: LocatedNode, faults: FaultCollector) -> Set<String> {
        let ids = Set(quotas.map(\.id)).sorted()
        return Set(node.list(faults).compactMap { $0.word(ids.map { ($0, $0) }, faults) })
    }
}
