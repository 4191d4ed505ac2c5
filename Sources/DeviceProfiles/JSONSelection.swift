/// The places of a payload that a profile wants, compiled into one tree.
///
/// Keys are compared by hash and then by bytes, so that no text is made for any of them.
struct JSONSelection: Sendable {
    struct Child: Sendable {
        let hash: UInt32
        let key: [UInt8]
        let node: Int
    }

    struct Predicate: Sendable {
        /// A selection of one place: the member that is compared.
        let member: [UInt8]
        let literal: JSONPath.Literal
        let node: Int
    }

    struct Node: Sendable {
        var children: [Child] = []
        var indices: [(index: Int, node: Int)] = []
        var predicates: [Predicate] = []
        /// Where the value found here goes.
        var slot: Int?
        var wantsElements: Bool { !indices.isEmpty || !predicates.isEmpty }
    }

    private(set) var nodes = [Node()]
    /// The slot of each path, in the order in which they were given; equal paths share one.
    private(set) var slots: [Int] = []
    private(set) var slotCount = 0

    init(_ paths: [JSONPath]) {
        for path in paths {
            var at = 0
            for step in path.steps { at = descend(from: at, by: step) }
            if nodes[at].slot == nil {
                nodes[at].slot = slotCount
                slotCount += 1
            }
            slots.append(nodes[at].slot ?? 0)
        }
    }

    private mutating func descend(from at: Int, by step: JSONPath.Step) -> Int {
        let next = nodes.count
        switch step {
        case .key(let key):
            if let known = nodes[at].children.first(where: { $0.key == key }) { return known.node }
            nodes[at].children.append(Child(hash: Self.hash(key[...]), key: key, node: next))
        case .index(let index):
            if let known = nodes[at].indices.first(where: { $0.index == index }) {
                return known.node
            }
            nodes[at].indices.append((index, next))
        case .element(let member, let literal):
            if let known = nodes[at].predicates.first(where: {
                $0.member == member && $0.literal == literal
            }) {
                return known.node
            }
            nodes[at].predicates.append(Predicate(member: member, literal: literal, node: next))
        }
        nodes.append(Node())
        return next
    }

    /// FNV-1a in 32 bits.
    static func hash(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.reduce(0x811C_9DC5) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
    }
}

/// What stands at a wanted place.
struct JSONToken: Sendable {
    enum Kind: UInt8, Sendable {
        case absent, null, boolean, number, text, container
        /// The place was found twice, and the payload contradicts itself.
        case ambiguous
    }

    var kind = Kind.absent
    /// The bytes of the token in the payload; for texts without the quotes.
    var start = 0
    var end = 0
    /// A text with backslashes.
    var isEscaped = false
}

/// Why a payload is not JSON, or not one that is read.
struct JSONFault: Error, Hashable, Sendable, CustomStringConvertible {
    var message: String
    /// The byte at which it was noticed, from 0.
    var position: Int
    var description: String { "\(message) at byte \(position)" }
}
