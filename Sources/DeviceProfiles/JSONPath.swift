/// The part of RFC 9535 that profiles use, each path naming at most one place:
///
///     $.name   $['name']   $[0]   $[?@.name==1]   $[?@.name=='text']
///
/// A path that begins with `@` instead of `$` starts at the element of a list, not at the message.
package struct JSONPath: Hashable, Sendable, CustomStringConvertible {
    /// One step of the way from a value to a part of it.
    package enum Step: Hashable, Sendable {
        case key([UInt8])
        case index(Int)
        /// The element whose member equals the literal.
        case element(member: [UInt8], equals: Literal)
    }

    /// What a predicate compares a member with.
    package enum Literal: Hashable, Sendable {
        case integer(Int64)
        case text([UInt8])
    }

    package let steps: [Step]
    /// Begins at an element instead of the whole.
    package let isRelative: Bool
    package let description: String

    /// The longest path that is accepted.
    static let maximumSteps = 16

    /// nil when the text is not such a path.
    ///
    /// - Parameter allowsWhole: whether `$` and `@` alone are paths.
    package init?(_ text: String, allowsWhole: Bool = false) {
        var parser = Parser(rest: Array(text.utf8)[...])
        let isRelative = text.hasPrefix("@")
        guard isRelative ? parser.take("@") : parser.take("$"), let steps = parser.steps(),
            allowsWhole || !steps.isEmpty, steps.count <= Self.maximumSteps
        else { return nil }
        self.steps = steps
        self.isRelative = isRelative
        description = text
    }

    /// The first place that `path` means below an element of the list at this path.
    func element(_ path: JSONPath) -> JSONPath {
        JSONPath(
            steps: steps + [.index(0)] + path.steps, isRelative: isRelative,
            description: "\(description)[0]\(path.description.dropFirst())")
    }

    private init(steps: [Step], isRelative: Bool, description: String) {
        self.steps = steps
        self.isRelative = isRelative
        self.description = description
    }

    private struct Parser {
        var rest: ArraySlice<UInt8>

        mutating func take(_ text: StaticString) -> Bool {
            let wanted = text.withUTF8Buffer(Array.init)
            guard rest.starts(with: wanted) else { return false }
            rest = rest.dropFirst(wanted.count)
            return true
        }

        mutating func steps() -> [Step]? {
            var steps: [Step] = []
            while !rest.isEmpty {
                guard let step = step() else { return nil }
                steps.append(step)
            }
            return steps
        }

        private mutating func step() -> Step? {
            if take(".") { return name().map(Step.key) }
            if take("[?@.") {
                guard let member = name() else { return nil }
                skipSpaces()
                guard take("==") else { return nil }
                skipSpaces()
                guard let literal = literal(), take("]") else { return nil }
                return .element(member: member, equals: literal)
            }
            guard take("[") else { return nil }
            if let text = quoted() { return take("]") ? .key(text) : nil }
            guard let index = integer(), (0...65_535).contains(index), take("]") else { return nil }
            return .index(Int(index))
        }

        private mutating func skipSpaces() { rest = rest.drop { $0 == 0x20 } }

        /// Letters, digits, underscores and everything beyond ASCII.
        private mutating func name() -> [UInt8]? {
            let name = rest.prefix {
                $0 == 0x5F || $0 >= 0x80 || (0x30...0x39).contains($0)
                    || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
            }
            guard let first = name.first, !(0x30...0x39).contains(first) else { return nil }
            rest = rest[name.endIndex...]
            return Array(name)
        }

        private mutating func quoted() -> [UInt8]? {
            guard let quote = rest.first, quote == 0x27 || quote == 0x22 else { return nil }
            let inner = rest.dropFirst().prefix { $0 != quote && $0 != 0x5C }
            guard inner.endIndex < rest.endIndex, rest[inner.endIndex] == quote else { return nil }
            rest = rest[(inner.endIndex + 1)...]
            return Array(inner)
        }

        private mutating func integer() -> Int64? {
            let digits = rest.prefix { $0 == 0x2D || (0x30...0x39).contains($0) }
            guard let value = Int64(String(decoding: digits, as: UTF8.self)) else { return nil }
            rest = rest[digits.endIndex...]
            return value
        }

        private mutating func literal() -> Literal? {
            if let text = quoted() { return .text(text) }
            return integer().map(Literal.integer)
        }
    }
}
