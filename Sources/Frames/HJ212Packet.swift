/// A packet of HJ 212, the protocol between environmental stations and supervision platforms.
///
///     ## | length, 4 decimal digits | data segment | CRC, 4 hexadecimal digits | CR LF
///
///     data segment   QN=…;ST=…;CN=…;PW=…;MN=…;Flag=…;[PNUM=…;PNO=…;]CP=&&data area&&
///     data area      name=value,name=value;name=value        ',' within an item, ';' between items
///     Flag           edition (0: 2005, 1: 2017, 2: 2025) in bits 2 to 7,
///                    bit 1: PNUM and PNO stand there, bit 0: the receiver has to acknowledge
///
/// The length counts the bytes of the data segment, and the CRC is made of the same bytes. What the
/// standard's own examples and real stations get wrong is read all the same (`parse`).
package struct HJ212Packet: Hashable, Sendable {
    /// One `name=value` of the data area.
    package struct Field: Hashable, Sendable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// What the fields of one name say.
    package enum Lookup: Hashable, Sendable {
        case absent
        case one(String)
        /// The name stands there more than once, with different values.
        case ambiguous
    }

    /// `yyyyMMddHHmmssSSS`, the identity of one exchange; nil in old packets.
    package var qn: String?
    /// The system code, 2 characters; empty when it is missing.
    package var st: String
    /// The command code, 4 digits.
    package var cn: String
    /// The access password in clear text; never to be logged.
    package var pw: String?
    /// The station's identity, up to 24 characters; empty when it is missing.
    package var mn: String
    /// 0 to 255; nil in old packets.
    package var flag: Int?
    /// How many parts a split upload has, and which one this is, from 1.
    package var pnum: Int?
    package var pno: Int?
    /// The data area: items, each with its sub-values.
    package var items: [[Field]]

    package init(
        qn: String?, st: String, cn: String, pw: String?, mn: String, flag: Int?,
        pnum: Int? = nil, pno: Int? = nil, items: [[Field]] = []
    ) {
        self.qn = qn
        self.st = st
        self.cn = cn
        self.pw = pw
        self.mn = mn
        self.flag = flag
        self.pnum = pnum
        self.pno = pno
        self.items = items
    }

    /// Whether the sender waits for an acknowledgement; one without a flag does not.
    package var wantsAcknowledgement: Bool { (flag ?? 0) & 1 == 1 }

    /// 0: 2005, 1: 2017, 2: 2025.
    package var edition: Int { (flag ?? 0) >> 2 }

    /// What the data area says under `name`; the same value twice is one value.
    package func value(_ name: String) -> Lookup {
        var found: String?
        for item in items {
            for field in item where field.name == name {
                if let found, found != field.value { return .ambiguous }
                found = field.value
            }
        }
        return found.map(Lookup.one) ?? .absent
    }

    /// The answer that belongs to this packet: same QN, PW and MN, from system 91.
    ///
    /// - Parameter cn: 9014 for data, 9013 for a notice.
    package func acknowledgement(cn: String) -> HJ212Packet {
        HJ212Packet(qn: qn, st: "91", cn: cn, pw: pw, mn: mn, flag: (edition & 0x3F) << 2)
    }
}

extension HJ212Packet {
    /// Reads a data segment whose length and CRC have been checked.
    ///
    /// Accepted: keys in any order, unknown keys, a missing QN, ST, PW or Flag, `,` for `;`,
    /// `Flag=5CP=` without a separator, blanks, a `;` before the closing `&&`.
    ///
    /// - Returns: nil without CN, without a data area in `&&`, or when a key of the head stands there
    ///   twice with two values.
    package static func parse(segment: ArraySlice<UInt8>) -> HJ212Packet? {
        guard let area = dataArea(segment) else { return nil }
        var head: [String: String] = [:]
        for part in split(segment[..<area.head]) {
            guard let field = field(part) else { continue }
            if let before = head[field.name], before != field.value { return nil }
            head[field.name] = field.value
        }
        guard let cn = head["CN"], !cn.isEmpty else { return nil }
        let items: [[Field]] = segment[area.data].split(separator: 0x3B).compactMap { item in
            let fields = item.split(separator: 0x2C).compactMap(field)
            return fields.isEmpty ? nil : fields
        }
        return HJ212Packet(
            qn: head["QN"], st: head["ST"] ?? "", cn: cn, pw: head["PW"], mn: head["MN"] ?? "",
            flag: head["Flag"].flatMap { Int($0) }.flatMap { (0...255).contains($0) ? $0 : nil },
            pnum: head["PNUM"].flatMap { Int($0) }, pno: head["PNO"].flatMap { Int($0) },
            items: items)
    }

    /// Where the head ends, and what stands between the two `&&`.
    private static func dataArea(
        _ segment: ArraySlice<UInt8>
    ) -> (head: Int, data: Range<Int>)? {
        var end = segment.endIndex
        while end > segment.startIndex, segment[end - 1] == 0x20 { end -= 1 }
        guard end - segment.startIndex >= 7, segment[end - 1] == 0x26, segment[end - 2] == 0x26
        else { return nil }
        end -= 2
        var index = segment.startIndex
        while index + 3 <= end {
            if segment[index] == 0x43, segment[index + 1] == 0x50, segment[index + 2] == 0x3D {
                var start = index + 3
                while start < end, segment[start] == 0x20 { start += 1 }
                // A key or a value of the head may end in the same letters.
                if start + 2 <= end, segment[start] == 0x26, segment[start + 1] == 0x26 {
                    return (index, (start + 2)..<end)
                }
            }
            index += 1
        }
        return nil
    }

    private static func split(_ head: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        head.split { $0 == 0x3B || $0 == 0x2C }
    }

    private static func field(_ bytes: ArraySlice<UInt8>) -> Field? {
        guard let equals = bytes.firstIndex(of: 0x3D) else { return nil }
        let name = text(bytes[..<equals])
        return name.isEmpty ? nil : Field(name, text(bytes[(equals + 1)...]))
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        var bytes = bytes
        while bytes.first == 0x20 { bytes.removeFirst() }
        while bytes.last == 0x20 { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }
}
