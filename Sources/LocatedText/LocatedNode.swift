import Yams

/// A piece of YAML that knows where it stands.
package struct LocatedNode: Sendable {
    /// A key of a mapping with its place, and what it maps to.
    package struct Entry: Sendable {
        package let key: String
        package let keyLocation: Location
        package let value: LocatedNode
    }

    /// What can stand at a place.
    package enum Content: Sendable {
        /// The text, and whether it was quoted: a quoted number is a text.
        case scalar(String, isQuoted: Bool)
        case sequence([LocatedNode])
        case mapping([Entry])
    }

    package let content: Content
    package let location: Location

    package init(content: Content, location: Location) {
        self.content = content
        self.location = location
    }

    /// Reads one YAML document of the house's subset: no anchors, aliases or tags, no key twice.
    ///
    /// - Throws: every fault of the text's form; syntax errors end the reading at once.
    package static func parse(_ text: String, file: String) throws(Faults) -> LocatedNode {
        if let alias = tooManyAliases(text) {
            throw Faults([
                Fault(
                    Location(file: file, line: alias, column: 1),
                    "anchors and aliases are not allowed", remedy: "write the value out")
            ])
        }
        let parser: Parser
        let root: Node?
        do {
            parser = try Parser(yaml: text, resolver: .basic)
            root = try parser.singleRoot()
        } catch {
            throw Faults([fault(for: error, file: file)])
        }
        let faults = FaultCollector()
        guard let root else {
            throw Faults([Fault(Location(file: file, line: 1, column: 1), "the file is empty")])
        }
        // A node refers weakly to its anchor; the parser owns the anchors.
        let node = withExtendedLifetime(parser) {
            convert(root, file: file, faults: faults, depth: 0)
        }
        try faults.throwIfAny()
        return node
    }

    /// The line on which a text has more aliases than a reader can put up with; nil below that.
    ///
    /// Yams compares the keys of a mapping before it hands the nodes over, and a key that is an
    /// alias of aliases of aliases is billions of nodes to it. Sixteen of them, which may as well be
    /// words of a comment, unfold to some hundreds.
    private static func tooManyAliases(_ text: String) -> Int? {
        var line = 1
        var count = 0
        var before: UInt8 = 0x0A
        var mark: UInt8 = 0
        for byte in text.utf8 {
            if mark == 0x2A, isWordByte(byte) { count += 1 }
            if count > 16 { return line }
            // A star within a word is no alias; behind anything else it may be one.
            mark = byte == 0x2A && !isWordByte(before) ? byte : 0
            if byte == 0x0A { line += 1 }
            before = byte
        }
        return nil
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x2D: true
        default: false
        }
    }

    /// The tags that Yams gives to nodes that bear none.
    private static let plainTags: Set<String> = [
        "tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map",
    ]

    private static func fault(for error: any Error, file: String) -> Fault {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            return Fault(
                Location(file: file, line: mark.line, column: mark.column),
                "not valid YAML: \(problem)", remedy: "check indentation, colons and quotes")
        case .duplicatedKeysInMapping(let duplicates, let context):
            let mark = context.mark
            return Fault(
                Location(file: file, line: mark.line, column: mark.column),
                "the key \(duplicates.map { "'\($0.description)'" }.joined(separator: ", ")) "
                    + "stands twice in one mapping",
                remedy: "keep one of them")
        default:
            return Fault(
                Location(file: file, line: 1, column: 1), "cannot be read as YAML: \(error)")
        }
    }

    private static func convert(
        _ node: Node, file: String, faults: FaultCollector, depth: Int
    ) -> LocatedNode {
        let location = Location(
            file: file, line: node.mark?.line ?? 1, column: node.mark?.column ?? 1)
        if depth > 64 {
            faults.add(location, "nested deeper than 64 levels")
            return LocatedNode(content: .scalar("", isQuoted: true), location: location)
        }
        if node.anchor != nil {
            // Not read further: Yams puts the anchored value in the place of each alias, and a
            // few lines of aliases of aliases would expand to billions of nodes.
            faults.add(
                location, "anchors and aliases are not allowed", remedy: "write the value out")
            return LocatedNode(content: .scalar("", isQuoted: true), location: location)
        }
        if !plainTags.contains(node.tag.description) {
            faults.add(location, "tags are not allowed", remedy: "leave '\(node.tag)' out")
        }
        switch node {
        case .scalar(let scalar):
            let quoted = scalar.style == .singleQuoted || scalar.style == .doubleQuoted
            return LocatedNode(
                content: .scalar(scalar.string, isQuoted: quoted), location: location)
        case .sequence(let sequence):
            return LocatedNode(
                content: .sequence(
                    sequence.map { convert($0, file: file, faults: faults, depth: depth + 1) }),
                location: location)
        case .mapping(let mapping):
            let entries = mapping.map { key, value in
                Entry(
                    key: key.string ?? "",
                    keyLocation: Location(
                        file: file, line: key.mark?.line ?? location.line,
                        column: key.mark?.column ?? location.column),
                    value: convert(value, file: file, faults: faults, depth: depth + 1))
            }
            return LocatedNode(content: .mapping(entries), location: location)
        case .alias:
            faults.add(location, "aliases are not allowed", remedy: "write the value out")
            return LocatedNode(content: .scalar("", isQuoted: true), location: location)
        }
    }
}
