import LocatedText

/// The codes under which platforms of the building energy upload know what was used.
///
///     format: energy-item-codes/1
///     source: "…"
///     status: from-memory
///     codes:
///       - { carrier: water, code: "02000", status: from-memory, source: "…" }
///       - { item: hvac-plant, code: "01B10", status: from-memory, source: "…" }
///
/// A code has 15 characters, of which the file gives the last five:
///
///     330302  D  110   01  B  1  0
///     │       │  │     │   │  │  └ second-level sub-item, 0: all of them
///     │       │  │     │   │  └ first-level sub-item, 0: all of them
///     │       │  │     │   └ item A to D, 0: all of them
///     │       │  │     └ class of energy, 01 electricity
///     └───────┴──┴ administrative division, type letter, serial number: the building's id
///
/// `carrier` is one of the meters' carriers and stands for all of it; `item` is an end use of
/// `Config/energy/items.yaml`, or one that a site adds to it.
package struct EnergyItemCodes: Hashable, Sendable {
    /// What a code stands for.
    package enum Subject: Hashable, Sendable, CustomStringConvertible {
        case carrier(String)
        case item(String)

        package var description: String {
            switch self {
            case .carrier(let name): "carrier \(name)"
            case .item(let name): "item \(name)"
            }
        }
    }

    /// One code.
    package struct Code: Hashable, Sendable {
        package var subject: Subject
        /// Class, item, first and second level: two digits and three digits or letters.
        package var tail: String
        package var status: String
        package var source: String
    }

    /// In the order of the file.
    package let codes: [Code]
    package let source: String
    package let status: String

    /// The code of a subject; nil when the file has none.
    package subscript(_ subject: Subject) -> Code? { codes.first { $0.subject == subject } }

    /// The 15 characters for one building.
    ///
    /// - Parameter building: its id of 10 characters.
    /// - Returns: nil when the id has another form, or the file has no such code.
    package func coding(_ subject: Subject, building: String) -> String? {
        guard Self.isBuilding(building), let code = self[subject] else { return nil }
        return building + code.tail
    }

    /// Whether a text is six digits, a capital letter and three digits.
    package static func isBuilding(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count == 10 else { return false }
        return bytes.enumerated().allSatisfy { index, byte in
            index == 6 ? isLetter(byte) : isDigit(byte)
        }
    }

    /// Whether a text has the form of the last five characters of a code.
    package static func isTail(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return bytes.count == 5 && bytes.prefix(2).allSatisfy(isDigit)
            && bytes.dropFirst(2).allSatisfy { isDigit($0) || isLetter($0) }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    private static func isLetter(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte) }

    private static let statuses = ["verified", "secondary", "from-memory", "project"]

    /// Reads the file; all its mistakes at once.
    package static func parse(_ text: String, file: String) throws(Faults) -> EnergyItemCodes {
        let faults = FaultCollector()
        var reader = MappingReader(try LocatedNode.parse(text, file: file), faults)
        _ = reader.required("format")?.word([("energy-item-codes/1", ())], faults)
        let source = reader.required("source")?.string(faults) ?? ""
        let status = reader.required("status")?.word(statuses.map { ($0, $0) }, faults) ?? ""
        var codes: [Code] = []
        for node in reader.required("codes")?.list(faults) ?? [] {
            guard let code = Self.code(node, after: codes, faults) else { continue }
            codes.append(code)
        }
        reader.finish()
        try faults.throwIfAny()
        return EnergyItemCodes(codes: codes, source: source, status: status)
    }

    private static func code(
        _ node: LocatedNode, after codes: [Code], _ faults: FaultCollector
    ) -> Code? {
        var reader = MappingReader(node, faults)
        let carrier = reader.optional("carrier")
        let item = reader.optional("item")
        let tailNode = reader.required("code")
        let status = reader.required("status")?.word(statuses.map { ($0, $0) }, faults)
        let source = reader.required("source")?.string(faults)
        reader.finish()
        let subject: Subject?
        switch (carrier, item) {
        case (let carrier?, nil): subject = carrier.string(faults).map(Subject.carrier)
        case (nil, let item?): subject = item.string(faults).map(Subject.item)
        default:
            faults.add(
                node.location, "a code stands for one carrier or for one item",
                remedy: "write either 'carrier: …' or 'item: …'")
            subject = nil
        }
        guard let subject, let tailNode, let tail = tailNode.string(faults), let status, let source
        else { return nil }
        guard isTail(tail) else {
            faults.add(
                tailNode.location, "'\(tail)' is no class of energy with three levels",
                remedy: "two digits, then three digits or capital letters, in quotes: \"01A10\"")
            return nil
        }
        if codes.contains(where: { $0.subject == subject }) {
            faults.add(node.location, "the \(subject) stands twice")
            return nil
        }
        if let other = codes.first(where: { $0.tail == tail }) {
            faults.add(tailNode.location, "the \(other.subject) has the code '\(tail)' already")
            return nil
        }
        return Code(subject: subject, tail: tail, status: status, source: source)
    }
}
