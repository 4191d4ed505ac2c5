import Telemetry

/// A JSON text built from paths: what the simulator's devices send.
struct JSONDocument {
    enum Leaf {
        case text(String)
        /// A number as it is to stand there.
        case literal(String)
        /// Bits of a word that several points share; true: as 32 characters.
        case bits(UInt64, isText: Bool)
    }

    private var leaves: [(steps: ArraySlice<JSONPath.Step>, leaf: Leaf)] = []

    /// Puts a value at a path. Bits of the same path are joined.
    mutating func set(_ path: JSONPath, to leaf: Leaf) {
        if case .bits(let new, let isText) = leaf,
            let index = leaves.firstIndex(where: { $0.steps == path.steps[...] }),
            case .bits(let old, _) = leaves[index].leaf
        {
            leaves[index].leaf = .bits(old | new, isText: isText)
        } else {
            leaves.append((path.steps[...], leaf))
        }
    }

    var bytes: [UInt8] {
        var json = JSONWriter(capacity: 512)
        if leaves.isEmpty { json.object { _ in } } else { Self.write(leaves, &json) }
        return json.bytes
    }

    private static func write(
        _ leaves: [(steps: ArraySlice<JSONPath.Step>, leaf: Leaf)], _ json: inout JSONWriter
    ) {
        guard let first = leaves.first, let step = first.steps.first else {
            if let leaf = leaves.first?.leaf { write(leaf, &json) }
            return
        }
        var order: [JSONPath.Step] = []
        var parts: [JSONPath.Step: [(steps: ArraySlice<JSONPath.Step>, leaf: Leaf)]] = [:]
        for item in leaves {
            guard let head = item.steps.first else { continue }
            if parts[head] == nil { order.append(head) }
            parts[head, default: []].append((item.steps.dropFirst(), item.leaf))
        }
        if case .key = step {
            json.object { json in
                for case .key(let key) in order {
                    json.key(String(decoding: key, as: UTF8.self))
                    write(parts[.key(key)] ?? [], &json)
                }
            }
        } else {
            json.array { json in writeElements(order, parts, &json) }
        }
    }

    private static func writeElements(
        _ order: [JSONPath.Step],
        _ parts: [JSONPath.Step: [(steps: ArraySlice<JSONPath.Step>, leaf: Leaf)]],
        _ json: inout JSONWriter
    ) {
        var index = 0
        let positions = order.compactMap { step in
            if case .index(let index) = step { index } else { nil }
        }
        for wanted in positions.sorted() {
            while index < wanted {
                json.null()
                index += 1
            }
            write(parts[.index(wanted)] ?? [], &json)
            index += 1
        }
        for case .element(let member, let literal) in order {
            // The member that the path asks for goes into the element like any other.
            let leaf: Leaf
            switch literal {
            case .integer(let number): leaf = .literal("\(number)")
            case .text(let text): leaf = .text(String(decoding: text, as: UTF8.self))
            }
            let name: (steps: ArraySlice<JSONPath.Step>, leaf: Leaf) = ([.key(member)], leaf)
            write([name] + (parts[.element(member: member, equals: literal)] ?? []), &json)
        }
    }

    private static func write(_ leaf: Leaf, _ json: inout JSONWriter) {
        switch leaf {
        case .text(let text): json.value(text)
        case .literal(let number): json.fragment(number.utf8)
        case .bits(let pattern, true):
            let digits = String(pattern, radix: 2)
            json.value(String(repeating: "0", count: max(0, 32 - digits.utf8.count)) + digits)
        case .bits(let pattern, false): json.fragment("\(pattern)".utf8)
        }
    }
}
