extension LocatedNode {
    /// What stands here, for messages.
    package var kindWord: String {
        switch content {
        case .scalar(let text, _): "'\(text)'"
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }

    /// Whether nothing, `~` or `null` stands here.
    package var isNull: Bool {
        if case .scalar(let text, false) = content { return ["", "~", "null"].contains(text) }
        return false
    }

    /// The text of a scalar, nil for lists and mappings.
    package var scalar: String? {
        if case .scalar(let text, _) = content { return text }
        return nil
    }

    /// A text; a fault and nil if a list or mapping stands here.
    package func string(_ faults: FaultCollector) -> String? {
        if let scalar { return scalar }
        faults.add(location, "a text is expected, not \(kindWord)")
        return nil
    }

    /// A decimal or `0x` integer.
    package func int(_ faults: FaultCollector) -> Int? {
        if case .scalar(let text, false) = content, let value = Self.integer(text) { return value }
        faults.add(location, "a whole number is expected, not \(kindWord)")
        return nil
    }

    /// A finite number, hexadecimal integers included.
    package func double(_ faults: FaultCollector) -> Double? {
        if case .scalar(let text, false) = content {
            if let value = Self.integer(text) { return Double(value) }
            if let value = Double(text), value.isFinite { return value }
        }
        faults.add(location, "a number is expected, not \(kindWord)")
        return nil
    }

    /// `true` or `false`.
    package func bool(_ faults: FaultCollector) -> Bool? {
        if case .scalar(let text, false) = content {
            if text == "true" { return true }
            if text == "false" { return false }
        }
        faults.add(location, "true or false is expected, not \(kindWord)")
        return nil
    }

    /// The elements of a list; a fault and nothing otherwise.
    package func list(_ faults: FaultCollector) -> [LocatedNode] {
        if case .sequence(let nodes) = content { return nodes }
        if !isNull { faults.add(location, "a list is expected, not \(kindWord)") }
        return []
    }

    /// The entries of a mapping; a fault and nothing otherwise.
    package func entries(_ faults: FaultCollector) -> [Entry] {
        if case .mapping(let entries) = content { return entries }
        if !isNull { faults.add(location, "a mapping is expected, not \(kindWord)") }
        return []
    }

    /// One of the accepted words, else a fault that names them and the nearest.
    package func word<T>(_ accepted: [(String, T)], _ faults: FaultCollector) -> T? {
        guard let text = string(faults) else { return nil }
        if let match = accepted.first(where: { $0.0 == text }) { return match.1 }
        let words = accepted.map(\.0)
        let remedy: String
        if let near = Spelling.nearest(to: text, among: words) {
            remedy = "did you mean '\(near)'?"
        } else {
            remedy = "one of: \(words.joined(separator: ", "))"
        }
        faults.add(location, "'\(text)' is not accepted here", remedy: remedy)
        return nil
    }

    private static func integer(_ text: String) -> Int? {
        if text.hasPrefix("0x") || text.hasPrefix("0X") { return Int(text.dropFirst(2), radix: 16) }
        return Int(text)
    }
}
