/// The places of a payload that a profile wants, compiled into one tree.
///
/// Nodes, children and keys lie in flat arrays of plain values. Keys are compared by hash and then
/// by bytes, so that a key of a payload costs neither a text nor a reference count.
struct JSONSelection: Sendable {
    struct Node: Sendable {
        var firstChild = 0
        var childCount = 0
        /// Where the value found here goes; -1 if nobody wants it.
        var slot = -1
        var wantsElements = false
    }

    struct Child: Sendable {
        var hash: UInt32
        var keyStart: Int
        var keyCount: Int
        var node: Int
    }

    /// What a node wants from the elements of a list.
    struct Elements: Sendable {
        var indices: [Int: Int] = [:]
        var predicates: [Predicate] = []
    }

    struct Predicate: Sendable {
        var member: [UInt8]
        var literal: JSONPath.Literal
        var node: Int
    }

    private(set) var nodes: [Node] = []
    private(set) var children: [Child] = []
    private(set) var keys: [UInt8] = []
    private(set) var elements: [Int: Elements] = [:]
    /// The slot of each path, in the order in which they were given; equal paths share one.
    private(set) var slots: [Int]
    private(set) var slotCount = 0

    init(_ paths: [JSONPath]) {
        slots = Array(repeating: 0, count: paths.count)
        _ = add(paths.enumerated().map { ($0.offset, $0.element.steps[...]) })
    }

    /// Adds the node at which these paths have arrived, and everything below it.
    private mutating func add(_ paths: [(path: Int, rest: ArraySlice<JSONPath.Step>)]) -> Int {
        let number = nodes.count
        nodes.append(Node())
        var order: [JSONPath.Step] = []
        var below: [JSONPath.Step: [(path: Int, rest: ArraySlice<JSONPath.Step>)]] = [:]
        for (path, rest) in paths {
            guard let step = rest.first else {
                if nodes[number].slot < 0 {
                    nodes[number].slot = slotCount
                    slotCount += 1
                }
                slots[path] = nodes[number].slot
                continue
            }
            if below[step] == nil { order.append(step) }
            below[step, default: []].append((path, rest.dropFirst()))
        }
        var found: [Child] = []
        for step in order {
            let node = add(below[step] ?? [])
            switch step {
            case .key(let key):
                found.append(
                    Child(
                        hash: Self.hash(key), keyStart: keys.count, keyCount: key.count, node: node))
                keys += key
            case .index(let index): elements[number, default: Elements()].indices[index] = node
            case .element(let member, let literal):
                elements[number, default: Elements()].predicates.append(
                    Predicate(member: member, literal: literal, node: node))
            }
        }
        nodes[number].firstChild = children.count
        nodes[number].childCount = found.count
        nodes[number].wantsElements = elements[number] != nil
        children += found
        return number
    }

    /// The child of `node` with the key in `bytes[start..<end]`; -1 if there is none.
    func child(of node: Int, hash: UInt32, _ bytes: [UInt8], _ start: Int, _ end: Int) -> Int {
        let first = nodes[node].firstChild
        search: for index in first..<(first + nodes[node].childCount) {
            let child = children[index]
            guard child.hash == hash, child.keyCount == end - start else { continue }
            for offset in 0..<child.keyCount
            where keys[child.keyStart + offset] != bytes[start + offset] { continue search }
            return child.node
        }
        return -1
    }

    /// FNV-1a in 32 bits.
    static func hash(_ bytes: some Sequence<UInt8>) -> UInt32 {
        bytes.reduce(hashStart) { hash($0, $1) }
    }

    static let hashStart: UInt32 = 0x811C_9DC5

    @inline(__always)
    static func hash(_ hash: UInt32, _ byte: UInt8) -> UInt32 {
        (hash ^ UInt32(byte)) &* 0x0100_0193
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
