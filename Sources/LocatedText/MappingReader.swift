/// Takes the keys of a mapping one by one; what nobody took is an unknown key, and a fault.
package struct MappingReader {
    package let location: Location
    private let entries: [LocatedNode.Entry]
    private var known: [String] = []
    private let faults: FaultCollector

    /// A fault and an empty reader if `node` is no mapping.
    package init(_ node: LocatedNode, _ faults: FaultCollector) {
        location = node.location
        entries = node.entries(faults)
        self.faults = faults
    }

    /// The value of `key`, or nil; a null value counts as absent.
    package mutating func optional(_ key: String) -> LocatedNode? {
        known.append(key)
        guard let node = entries.first(where: { $0.key == key })?.value, !node.isNull else {
            return nil
        }
        return node
    }

    /// The value of `key`; its absence is a fault.
    package mutating func required(_ key: String) -> LocatedNode? {
        if let node = optional(key) { return node }
        faults.add(location, "'\(key)' is missing", remedy: "add '\(key): …'")
        return nil
    }

    /// Whether `key` stands there, a null value included.
    package func has(_ key: String) -> Bool { entries.contains { $0.key == key } }

    /// Reports every key that was not asked for, with the nearest known spelling.
    package func finish() {
        for entry in entries where !known.contains(entry.key) {
            let remedy: String
            if let near = Spelling.nearest(to: entry.key, among: known) {
                remedy = "did you mean '\(near)'?"
            } else {
                remedy = "known here: \(known.sorted().joined(separator: ", "))"
            }
            faults.add(entry.keyLocation, "unknown key '\(entry.key)'", remedy: remedy)
        }
    }
}

/// Finds what somebody meant to write.
package enum Spelling {
    /// The candidate with the fewest edits, if they are few beside its length; nil otherwise.
    package static func nearest(to word: String, among candidates: [String]) -> String? {
        candidates
            .map { ($0, distance(word.lowercased(), $0.lowercased())) }
            .filter { $0.1 <= max(1, min(word.count, $0.0.count) / 3) }
            .min { ($0.1, $0.0) < ($1.1, $1.0) }?.0
    }

    /// The number of insertions, deletions, changes and swaps of neighbours between two words.
    static func distance(_ a: String, _ b: String) -> Int {
        let (x, y) = (Array(a), Array(b))
        var twoBack: [Int] = []
        var previous = Array(0...y.count)
        for i in 0..<x.count {
            var row = [i + 1]
            for j in 0..<y.count {
                var best = min(
                    previous[j + 1] + 1, row[j] + 1, previous[j] + (x[i] == y[j] ? 0 : 1))
                if i > 0, j > 0, x[i] == y[j - 1], x[i - 1] == y[j] {
                    best = min(best, twoBack[j - 1] + 1)
                }
                row.append(best)
            }
            twoBack = previous
            previous = row
        }
        return previous[y.count]
    }
}
