/// Reads a JSON text (RFC 8259) once and notes the tokens at the wanted places.
///
/// Strict about the whole text, wanted or not: numbers, escapes, control characters, commas, depth
/// and what follows the value. An array with predicates is the exception to the single pass:
/// each element is passed over to compare its member and read again where it matches.
struct JSONScanner {
    /// Levels of nesting that are followed.
    static let maximumDepth = 64
    /// Bytes that are looked at; no device of a site sends more in one message.
    static let maximumBytes = 262_144

    private let bytes: [UInt8]
    private let selection: JSONSelection
    private var position = 0
    private var tokens: [JSONToken]

    private init(_ bytes: [UInt8], _ selection: JSONSelection) {
        self.bytes = bytes
        self.selection = selection
        tokens = Array(repeating: JSONToken(), count: selection.slotCount)
    }

    /// The tokens at the places of `selection`, by slot.
    ///
    /// - Throws: what is wrong with the text, and at which byte.
    static func scan(
        _ bytes: [UInt8], for selection: JSONSelection
    ) throws(JSONFault) -> [JSONToken] {
        guard bytes.count <= maximumBytes else {
            throw JSONFault(
                message: "\(bytes.count) bytes are more than the \(maximumBytes) that are read",
                position: 0)
        }
        var scanner = JSONScanner(bytes, selection)
        // Some senders begin with a byte order mark, which RFC 8259 lets a reader ignore.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { scanner.position = 3 }
        try scanner.value(node: 0, depth: 0)
        scanner.skipSpace()
        if scanner.position < bytes.count { throw scanner.fault("text after the value") }
        return scanner.tokens
    }

    /// The tokens at the places of `selection` in the value that begins at `start`, in a text that
    /// was scanned before.
    static func scan(
        _ bytes: [UInt8], from start: Int, for selection: JSONSelection
    ) throws(JSONFault) -> [JSONToken] {
        var scanner = JSONScanner(bytes, selection)
        scanner.position = start
        try scanner.value(node: 0, depth: 0)
        return scanner.tokens
    }

    /// Where the elements of a list begin, or the members of an object with their names.
    ///
    /// - Parameter start: where the container begins, in a text that was scanned before.
    /// - Throws: also when there are more than `limit`.
    static func elements(
        _ bytes: [UInt8], from start: Int, limit: Int
    ) throws(JSONFault) -> [(start: Int, name: [UInt8]?)] {
        var scanner = JSONScanner(bytes, JSONSelection([]))
        scanner.position = start
        scanner.skipSpace()
        let isObject = scanner.next == 0x7B
        guard isObject || scanner.next == 0x5B else { throw scanner.fault("a list is expected") }
        scanner.position += 1
        var found: [(start: Int, name: [UInt8]?)] = []
        while true {
            scanner.skipSpace()
            if scanner.next == 0x5D || scanner.next == 0x7D { return found }
            if scanner.next == 0x2C {
                scanner.position += 1
                continue
            }
            var name: [UInt8]?
            if isObject {
                let inside = scanner.position + 1
                _ = try scanner.string()
                name = JSONText.unescaped(bytes[inside..<(scanner.position - 1)])
                scanner.skipSpace()
                scanner.position += 1
                scanner.skipSpace()
            }
            guard found.count < limit else {
                throw scanner.fault("more than \(limit) elements")
            }
            found.append((scanner.position, name))
            try scanner.value(node: -1, depth: 0)
        }
    }

    private func fault(_ message: String) -> JSONFault {
        JSONFault(message: message, position: position)
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    /// - Parameter node: what is wanted here and below; -1 for nothing.
    private mutating func value(node: Int, depth: Int) throws(JSONFault) {
        skipSpace()
        guard let first = next else { throw fault("the text ends where a value is expected") }
        var token = JSONToken(kind: .container, start: position)
        switch first {
        case 0x7B: try object(node: node, depth: depth)
        case 0x5B: try array(node: node, depth: depth)
        case 0x22:
            token.kind = .text
            token.isEscaped = try string()
        case 0x74:
            token.kind = .boolean
            try word("true")
        case 0x66:
            token.kind = .boolean
            try word("false")
        case 0x6E:
            token.kind = .null
            try word("null")
        default:
            token.kind = .number
            try number()
        }
        guard node >= 0 else { return }
        let slot = selection.nodes[node].slot
        if slot >= 0 {
            token.end = position
            if token.kind == .text {
                token.start += 1
                token.end -= 1
            }
            if tokens[slot].kind == .absent {
                tokens[slot] = token
            } else {
                tokens[slot].kind = .ambiguous
            }
        }
    }

    private mutating func object(node: Int, depth: Int) throws(JSONFault) {
        guard depth < Self.maximumDepth else { throw fault("nested deeper than 64 levels") }
        position += 1
        skipSpace()
        if next == 0x7D {
            position += 1
            return
        }
        while true {
            skipSpace()
            guard next == 0x22 else { throw fault("a key in quotes is expected") }
            let start = position + 1
            let isEscaped = try string()
            let wanted =
                node < 0
                ? -1 : child(of: node, start: start, end: position - 1, isEscaped: isEscaped)
            skipSpace()
            guard next == 0x3A else { throw fault("a colon is expected") }
            position += 1
            try value(node: wanted, depth: depth + 1)
            skipSpace()
            switch next {
            case 0x2C: position += 1
            case 0x7D:
                position += 1
                return
            default: throw fault("a comma or a closing brace is expected")
            }
        }
    }

    private func child(of node: Int, start: Int, end: Int, isEscaped: Bool) -> Int {
        guard selection.nodes[node].childCount > 0 else { return -1 }
        if isEscaped {
            let key = JSONText.unescaped(bytes[start..<end])
            return selection.child(of: node, key, 0, key.count)
        }
        return selection.child(of: node, bytes, start, end)
    }

    private mutating func array(node: Int, depth: Int) throws(JSONFault) {
        guard depth < Self.maximumDepth else { throw fault("nested deeper than 64 levels") }
        position += 1
        skipSpace()
        if next == 0x5D {
            position += 1
            return
        }
        var index = 0
        while true {
            try element(index, of: node, depth: depth)
            index += 1
            skipSpace()
            switch next {
            case 0x2C: position += 1
            case 0x5D:
                position += 1
                return
            default: throw fault("a comma or a closing bracket is expected")
            }
        }
    }

    private mutating func element(_ index: Int, of node: Int, depth: Int) throws(JSONFault) {
        let start = position
        guard node >= 0, selection.nodes[node].wantsElements,
            let elements = selection.elements[node]
        else { return try value(node: -1, depth: depth + 1) }
        var wanted: [Int] = []
        if let child = elements.indices[index] { wanted.append(child) }
        for predicate in elements.predicates {
            position = start
            if try holds(predicate, depth: depth) { wanted.append(predicate.node) }
        }
        position = start
        guard !wanted.isEmpty else { return try value(node: -1, depth: depth + 1) }
        for inner in wanted {
            position = start
            try value(node: inner, depth: depth + 1)
        }
    }

    /// Whether the element at `position` has the member that the predicate asks for.
    private mutating func holds(
        _ predicate: JSONSelection.Predicate, depth: Int
    ) throws(JSONFault) -> Bool {
        skipSpace()
        guard next == 0x7B, depth + 1 < Self.maximumDepth else { return false }
        position += 1
        skipSpace()
        if next == 0x7D { return false }
        while true {
            skipSpace()
            guard next == 0x22 else { throw fault("a key in quotes is expected") }
            let start = position + 1
            let isEscaped = try string()
            let key = bytes[start..<(position - 1)]
            let isMember =
                isEscaped
                ? JSONText.unescaped(key) == predicate.member : key.elementsEqual(predicate.member)
            skipSpace()
            guard next == 0x3A else { throw fault("a colon is expected") }
            position += 1
            skipSpace()
            let valueStart = position
            try value(node: -1, depth: depth + 2)
            if isMember { return equals(predicate.literal, bytes[valueStart..<position]) }
            skipSpace()
            switch next {
            case 0x2C: position += 1
            case 0x7D: return false
            default: throw fault("a comma or a closing brace is expected")
            }
        }
    }

    private func equals(_ literal: JSONPath.Literal, _ token: ArraySlice<UInt8>) -> Bool {
        switch literal {
        case .integer(let wanted):
            return DecimalText.parse(token)?.value == Double(wanted)
        case .text(let wanted):
            guard token.first == 0x22, token.count >= 2 else { return false }
            return JSONText.unescaped(token.dropFirst().dropLast()) == wanted
        }
    }

    private mutating func word(_ text: StaticString) throws(JSONFault) {
        let isThere = text.withUTF8Buffer { bytes[position...].starts(with: $0) }
        guard isThere else { throw fault("not a JSON value") }
        position += text.utf8CodeUnitCount
    }

    /// Passes over a string; true when it holds a backslash.
    private mutating func string() throws(JSONFault) -> Bool {
        position += 1
        var isEscaped = false
        let end = bytes.count
        while position < end {
            switch bytes[position] {
            case 0x22:
                position += 1
                return isEscaped
            case 0x5C:
                isEscaped = true
                position += 1
                try escape()
            case 0..<0x20: throw fault("a control character in a text")
            default: position += 1
            }
        }
        throw fault("a text without its closing quote")
    }

    private mutating func escape() throws(JSONFault) {
        switch next {
        case 0x22, 0x5C, 0x2F, 0x62, 0x66, 0x6E, 0x72, 0x74: position += 1
        case 0x75:
            position += 1
            for _ in 0..<4 {
                guard let byte = next, JSONText.hexDigit(byte) != nil else {
                    throw fault("\\u without four hexadecimal digits")
                }
                position += 1
            }
        default: throw fault("an unknown escape")
        }
    }

    private mutating func number() throws(JSONFault) {
        if next == 0x2D { position += 1 }
        let first = next
        let whole = digits()
        guard whole > 0 else { throw fault("not a JSON value") }
        guard first != 0x30 || whole == 1 else { throw fault("a number with a leading zero") }
        if next == 0x2E {
            position += 1
            guard digits() > 0 else { throw fault("a number without digits after its point") }
        }
        if next == 0x65 || next == 0x45 {
            position += 1
            if next == 0x2B || next == 0x2D { position += 1 }
            guard digits() > 0 else { throw fault("a number without digits in its exponent") }
        }
    }

    private mutating func digits() -> Int {
        let start = position
        while position < bytes.count, bytes[position] &- 0x30 < 10 { position += 1 }
        return position - start
    }
}
