import LocatedText

/// The civil days on which a dated figure holds.
package struct ValiditySpan: Hashable, Sendable {
    /// The first day.
    package var first: CivilDate
    /// The last day, which belongs to it; nil when it holds until the next figure begins.
    package var last: CivilDate?

    /// - Parameter last: not before `first`.
    package init(first: CivilDate, last: CivilDate?) {
        self.first = first
        self.last = last
    }

    /// Reads `from:` and `until:` of an entry; a last day before the first is a fault.
    static func read(_ reader: inout MappingReader, _ faults: FaultCollector) -> ValiditySpan? {
        let first = reader.required("from")?.civilDate(faults)
        let untilNode = reader.optional("until")
        let last = untilNode?.civilDate(faults)
        guard let first else { return nil }
        if let last, let untilNode, last < first {
            faults.add(
                untilNode.location, "the last day \(last) lies before the first, \(first)",
                remedy: "'until' is the last day on which it holds")
            return nil
        }
        if untilNode != nil, last == nil { return nil }
        return ValiditySpan(first: first, last: last)
    }

    /// Whether two figures hold on one day though neither gives way to the other.
    ///
    /// A figure without a last day gives way to a later one; it never does to one of its own day.
    func collides(with other: ValiditySpan) -> Bool {
        let (earlier, later) = first <= other.first ? (self, other) : (other, self)
        if earlier.first == later.first { return true }
        return earlier.last.map { $0 >= later.first } ?? false
    }

    /// The last day when `next` is the first day of the figure that follows; nil for no end.
    ///
    /// A last day that is written lies before it, for figures that collide are refused.
    func lastDay(before next: CivilDate?) -> CivilDate? {
        last ?? next.map { $0.advanced(days: -1) }
    }
}
