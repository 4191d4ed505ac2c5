/// The places of a payload that a profile wants, compiled into one tree.
///
/// Nodes, children and keys lie in flat arrays of plain values. A key is looked up by a hash of its
/// length and four of its bytes and then compared, so that it costs neither a text nor a reference
/// count, and seldom more than one comparison.
struct JSONSelection: Sendable {
    struct Node: Sendable {
        /// Where the node's hash table begins in `buckets`; its size is `mask` + 1.
        var firstBucket = 0
        var mask: UInt32 = 0
        var childCount = 0
        /// Where the value found here goes; -1 if nobody wants it.
        var slot = -1
        var wantsElements = false
    }

    struct Child: Sendable {
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
    /// For each bucket of each node its first child; the next entry is where it ends.
    private(set) var buckets: [Int] = []
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
        var found: [(key: [UInt8], node: Int)] = []
        for step in order {
            let node = add(below[step] ?? [])
            switch step {
            case .key(let key): found.append((key, node))
            case .index(let index): elements[number, default: Elements()].indices[index] = node
            case .element(let member, let literal):
                elements[number, default: Elements()].predicates.append(
                    Predicate(member: member, literal: literal, node: node))
            }
        }
        nodes[number].wantsElements = elements[number] != nil
        nodes[number].childCount = found.count
        store(found, of: number)
        return number
    }

    private mutating func store(_ found: [(key: [UInt8], node: Int)], of number: Int) {
        var size = 1
        while size < 2 * found.count { size *= 2 }
        let mask = UInt32(size - 1)
        nodes[number].mask = mask
        nodes[number].firstBucket = buckets.count
        for bucket in 0..<UInt32(size) {
            buckets.append(children.count)
            for (key, node) in found where Self.hash(key, 0, key.count) & mask == bucket {
                children.append(Child(keyStart: keys.count, keyCount: key.count, node: node))
                keys += key
            }
        }
        buckets.append(children.count)
    }

    /// The child of `node` with the key in `bytes[start..<end]`; -1 if there is none.
    func child(of node: Int, _ bytes: [UInt8], _ start: Int, _ end: Int) -> Int {
        let bucket =
            nodes[node].firstBucket + Int(Self.hash(bytes, start, end) & nodes[node].mask)
        search: for index in buckets[bucket]..<buckets[bucket + 1] {
            let child = children[index]
            guard child.keyCount == end - start else { continue }
            for offset in 0..<child.keyCount
            where keys[child.keyStart + offset] != bytes[start + offset] { continue search }
            return child.node
        }
        return -1
    }

    /// Mixes the length, the first two, the middle and the last byte.
    @inline(__always)
    private static func hash(_ bytes: [UInt8], _ start: Int, _ end: Int) -> UInt32 {
        let count = end - start
        guard count > 0 else { return 0 }
        var hash = UInt32(truncatingIfNeeded: count)
        hash = hash &* 31 &+ UInt32(bytes[start])
        hash = hash &* 31 &+ UInt32(bytes[start + min(1, count - 1)])
        hash = hash &* 31 &+ UInt32(bytes[start + count / 2])
        return hash &* 31 &+ UInt32(bytes[end - 1])
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
