import LocatedText
import Telemetry

/// A list of registers out of a spreadsheet, on its way to a profile.
package struct PointList: Sendable {
    /// What the table does not say.
    package struct Options: Sendable {
        /// `vendor/model`, the path of the profile.
        package var id: String
        /// A word of the schema.
        package var kind = "meter.electric"
        /// The unit identifier on the bus.
        package var unit = 1
        /// For rows without a type.
        package var type: RegisterType?
        /// For rows without an order: ABCD, CDAB, BADC or DCBA.
        package var order: String?
        /// Whether 40098 beside a function is a register (`false`) or a reference (`true`).
        package var areReferences: Bool?
        /// The day of the import, `2026-11-21`.
        package var day: String

        package init(id: String, day: String) {
            self.id = id
            self.day = day
        }

        var addresses: PointListAddress.Notation? {
            areReferences.map { $0 ? .reference : .wire }
        }
    }

    /// One point as it was understood, for a person to compare with the manual.
    package struct Point: Hashable, Sendable {
        package var line: Int
        package var key: String
        /// 0-based: `holding/0x61`.
        package var address: String
        /// Counted from 1: `40098`.
        package var reference: String
        package var type: String
        /// ABCD, CDAB, BADC or DCBA; empty for one register in the usual order.
        package var order: String
        package var scale: String
        package var unit: String
    }

    /// In order of address.
    package let points: [Point]
    /// What was decided without being written in the table, to be shown to the person.
    package let notes: [Fault]
    /// The profile, complete but for what only the device can tell.
    package let profile: String

    /// Reads a table whose first row names the columns.
    ///
    /// - Parameters:
    ///   - text: comma, semicolon or tab between the cells; a byte order mark is passed over.
    ///   - skipsFaultyRows: leaves faulty rows out instead of refusing the table.
    /// - Throws: every fault with its place and what to do; also a list of points that cannot be
    ///   one profile.
    package static func read(
        _ text: String, file: String, vocabulary: Vocabulary, options: Options,
        skipsFaultyRows: Bool = false
    ) throws(Faults) -> PointList {
        let faults = FaultCollector()
        let start = Location(file: file, line: 1, column: 1)
        if !isID(options.id) {
            faults.add(
                start, "the id '\(options.id)' is not vendor/model",
                remedy: "small letters, digits and hyphens, for example acme/m1")
        }
        if !ProfileReader.kinds.contains(options.kind) {
            faults.add(
                start, "the kind '\(options.kind)' is not known",
                remedy: "one of " + ProfileReader.kinds.joined(separator: ", "))
        }
        let table = PointListText(text, file: file, faults: faults)
        guard let head = table.rows.first else {
            throw Faults([Fault(start, "the file is empty", remedy: "its first row names columns")])
        }
        let columns = PointListColumns(head, faults: faults)
        try faults.throwIfAny()
        let found = FaultCollector()
        var reader = PointListReader(
            columns: columns, options: options, vocabulary: vocabulary, faults: found)
        let rows = distinct(table.rows.dropFirst().compactMap { reader.row($0) }, found)
        var notes = columns.unused.map {
            Fault($0.location, "the column '\($0.text)' is not used")
        }
        notes += reader.notes
        if skipsFaultyRows {
            notes += found.faults
        } else {
            try found.throwIfAny()
        }
        guard !rows.isEmpty else {
            throw Faults([Fault(start, "no row of the table is usable")] + found.faults)
        }
        let text = PointListProfile(rows: rows, options: options, file: file).yaml()
        // The import answers for what it writes: it is a profile, and its vectors hold.
        let profile = try DeviceProfile.parse(
            text, file: options.id + ".yaml", vocabulary: vocabulary)
        let failures = profile.selfTest()
        if !failures.isEmpty { throw Faults(failures) }
        return PointList(points: rows.map(Point.init), notes: notes, profile: text)
    }

    private static func isID(_ id: String) -> Bool {
        let parts = id.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 2
            && parts.allSatisfy { part in
                part.first != "-" && !part.isEmpty
                    && part.utf8.allSatisfy {
                        (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D
                    }
            }
    }

    /// In order of address; a key or a register that stands twice is a fault of the later row.
    private static func distinct(
        _ rows: [PointListRow], _ faults: FaultCollector
    ) -> [PointListRow] {
        var kept: [PointListRow] = []
        for row in rows {
            if let other = kept.first(where: { $0.key == row.key }) {
                faults.add(
                    row.location, "'\(row.key)' stands already in line \(other.location.line)",
                    remedy: "give one of them another key")
            } else if let other = kept.first(where: {
                $0.place.area == row.place.area && $0.addresses.overlaps(row.addresses)
            }) {
                faults.add(
                    row.location,
                    "\(row.place.wire) lies in the registers of line \(other.location.line) "
                        + "('\(other.key)', \(other.type.rawValue))",
                    remedy: "one of the two has another address or width")
            } else {
                kept.append(row)
            }
        }
        return kept.sorted {
            ($0.place.area.rawValue, $0.place.address) < ($1.place.area.rawValue, $1.place.address)
        }
    }
}

extension PointList.Point {
    init(_ row: PointListRow) {
        line = row.location.line
        key = row.key.text
        address = row.place.wire
        reference = row.place.reference
        type = row.type.rawValue
        let orders: [[String]] = [["ABCD", "BADC"], ["CDAB", "DCBA"]]
        let word = row.wordOrder == .highFirst ? 0 : 1
        let byte = row.byteOrder == .highFirst ? 0 : 1
        order = row.type.registers == 1 && byte == 0 ? "" : orders[word][byte]
        scale = row.scale.text
        unit = row.unit.symbol
    }
}
