/// An address of mail that was refused, with the reason.
package struct MailAddressError: Error, Hashable, CustomStringConvertible {
    package let address: String
    package let reason: String

    package var description: String { "'\(PlainLine.of(address, count: 80))': \(reason)" }
}

/// One address of mail (RFC 5322 section 3.4.1), with a name for people.
///
/// Only forms without quotes and comments are taken; a local name without a domain is one.
package struct MailAddress: Hashable, Sendable {
    package let address: String
    package let name: String?

    /// - Throws: when the address holds what could end it: spaces, control characters, line
    ///   breaks, brackets, commas; or when it is not ASCII.
    package init(_ address: String, name: String? = nil) throws(MailAddressError) {
        guard !address.isEmpty, address.utf8.count <= 254 else {
            throw MailAddressError(address: address, reason: "it has to have 1 to 254 characters")
        }
        for byte in address.utf8 {
            let isPlain = (0x21...0x7E).contains(byte) && !"()<>[]:;,\\\"".utf8.contains(byte)
            guard isPlain else {
                throw MailAddressError(
                    address: address, reason: "it holds a character that no plain address has")
            }
        }
        let parts = address.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count <= 2, parts.allSatisfy({ !$0.isEmpty }), !address.hasPrefix("-") else {
            throw MailAddressError(address: address, reason: "it is not of the form name@domain")
        }
        self.address = address
        self.name = name.map { PlainLine.of($0, count: 60) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    private init(local address: String, name: String?) {
        self.address = address
        self.name = name
    }

    /// The machine's own postmaster, who gets what nobody else was named for.
    static let root = MailAddress(local: "root", name: nil)
    static let plumbline = MailAddress(local: "plumbline", name: "Plumbline")

    /// As it stands in a header field, folded where the name is long.
    var text: String {
        guard let name else { return address }
        guard name.utf8.allSatisfy({ (0x20...0x7E).contains($0) }), !name.contains("=?") else {
            return EncodedWords.encode(name, column: 8, isForced: true) + "\n <\(address)>"
        }
        let isAtoms = name.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
                || $0 == 0x20 || $0 == 0x2D
        }
        if isAtoms { return "\(name) <\(address)>" }
        let quoted = name.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        return "\"\(quoted)\"\n <\(address)>"
    }
}

/// From whom and to whom a mail goes.
package struct MailEnvelope: Hashable, Sendable {
    package var from: MailAddress
    package var to: [MailAddress]

    package init(from: MailAddress, to: [MailAddress]) {
        self.from = from
        self.to = to
    }

    /// From the gateway to `root` of its own machine, as cron does.
    package static let local = MailEnvelope(from: .plumbline, to: [.root])
}
