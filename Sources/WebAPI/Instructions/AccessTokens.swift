import Crypto
import LocatedText

/// Who may do what, by tokens of which only the hash is kept.
///
/// The file (`format: api-tokens/1`), as `plumbline token` writes its lines:
///
///     format: api-tokens/1
///     tokens:
///       - { name: li.wei, role: operator, sha256: 5f2d…  }
///
/// A token is `plb_` and 43 letters and digits: 256 random bits, so that a plain hash is enough.
package struct AccessTokens: Sendable {
    /// What a holder may do; each may what those before it may.
    package enum Role: String, Hashable, Sendable, CaseIterable, Comparable {
        case viewer, `operator`, administrator

        package static func < (a: Role, b: Role) -> Bool { a.rank < b.rank }
        private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    }

    /// One holder.
    package struct Holder: Hashable, Sendable {
        /// Stands under what is done with the token.
        package var name: String
        package var role: Role
        var digest: [UInt8]
    }

    private let holders: [Holder]

    /// Nobody may do anything.
    package static let none = AccessTokens(holders: [])

    private init(holders: [Holder]) { self.holders = holders }

    package var isEmpty: Bool { holders.isEmpty }

    /// Reads a file of tokens.
    ///
    /// - Throws: every mistake of the text at once.
    package init(_ text: String, file: String) throws(Faults) {
        let root = try LocatedNode.parse(text, file: file)
        let faults = FaultCollector()
        var reader = MappingReader(root, faults)
        _ = reader.required("format")?.word([("api-tokens/1", ())], faults)
        var holders: [Holder] = []
        for node in reader.required("tokens")?.list(faults) ?? [] {
            guard let holder = Self.holder(node, faults) else { continue }
            if holders.contains(where: { $0.name == holder.name }) {
                faults.add(
                    node.location, "'\(holder.name)' stands twice",
                    remedy: "give each token a name of its own")
            }
            holders.append(holder)
        }
        reader.finish()
        try faults.throwIfAny()
        self.holders = holders
    }

    private static func holder(_ node: LocatedNode, _ faults: FaultCollector) -> Holder? {
        var reader = MappingReader(node, faults)
        let nameNode = reader.required("name")
        let name = nameNode?.string(faults)
        let role = reader.required("role")?.word(Role.allCases.map { ($0.rawValue, $0) }, faults)
        let hashNode = reader.required("sha256")
        let digest = hashNode.flatMap { node in node.scalar.flatMap { bytes(hex: $0) } }
        reader.finish()
        if let hashNode, digest?.count != 32 {
            // What stands there may be the token itself, so no message repeats it.
            faults.add(
                hashNode.location, "this is not the SHA-256 of a token in 64 hexadecimal digits",
                remedy: "make one with 'plumbline token'; the token itself stands nowhere")
            return nil
        }
        if let nameNode, let name, name.isEmpty || name.utf8.count > 64 {
            faults.add(
                nameNode.location, "a name has 1 to 64 bytes", remedy: "for example 'li.wei'")
            return nil
        }
        guard let name, let role, let digest else { return nil }
        return Holder(name: name, role: role, digest: digest)
    }

    /// Whose token this is; nil: nobody's. Takes the same time for every wrong one.
    package func holder(of token: String) -> Holder? {
        let digest = Self.digest(of: token)
        var found: Holder?
        for holder in holders {
            var difference: UInt8 = 0
            for (a, b) in zip(holder.digest, digest) { difference |= a ^ b }
            if difference == 0 { found = holder }
        }
        return found
    }

    /// The SHA-256 of a token.
    package static func digest(of token: String) -> [UInt8] {
        Array(SHA256.hash(data: Array(token.utf8)))
    }

    /// A new token, and the line that lets it in.
    ///
    /// - Parameter random: 32 random bytes.
    package static func make(
        name: String, role: Role, random: [UInt8]
    ) -> (token: String, line: String) {
        // 64 letters would do; these need no escaping anywhere.
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        var (bits, count, text) = (UInt32(0), 0, "plb_")
        for byte in random {
            bits = bits << 8 | UInt32(byte)
            count += 8
            while count >= 6 {
                count -= 6
                text.append(letters[Int(bits >> UInt32(count) & 63)])
            }
        }
        if count > 0 { text.append(letters[Int(bits << UInt32(6 - count) & 63)]) }
        let hash = digest(of: text).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
        return (text, "  - { name: \(name), role: \(role.rawValue), sha256: \(hash) }")
    }

    private static func bytes(hex text: String) -> [UInt8]? {
        let digits = text.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        guard digits.count == text.utf8.count, digits.count % 2 == 0 else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map {
            UInt8(digits[$0] * 16 + digits[$0 + 1])
        }
    }
}
