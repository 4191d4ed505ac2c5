/// Takes an input apart from its beginning; behind the end there are zeros.
struct FuzzBytes {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    var isEmpty: Bool { rest.isEmpty }

    mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

    mutating func word() -> UInt16 { UInt16(byte()) << 8 | UInt16(byte()) }

    mutating func bytes(_ count: Int) -> [UInt8] {
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    mutating func remainder() -> [UInt8] {
        defer { rest = [] }
        return Array(rest)
    }

    /// One of several, so that a seed can say which by a letter or a digit.
    mutating func choice<T>(_ choices: [T]) -> T { choices[Int(byte()) % choices.count] }

    /// The rest in pieces, as a network may cut it.
    ///
    ///     '0' … '7'   so many lengths follow, a byte each; the last piece is what is left
    mutating func pieces() -> [[UInt8]] {
        let lengths = bytes(Int(byte() & 7)).map(Int.init)
        return lengths.map { bytes($0) } + [remainder()]
    }

    /// The rest in lines, without their ends.
    mutating func lines() -> [[UInt8]] {
        remainder().split(separator: 0x0A, omittingEmptySubsequences: true).map(Array.init)
    }
}

/// The rest of a line as a text.
func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }
