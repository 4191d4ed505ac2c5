extension HJ212Packet {
    /// How the four digits behind the data segment are made.
    package enum Checksum: String, Hashable, Sendable, CaseIterable {
        /// Annex A of the standard: each byte meets the high half of the register.
        case hj212
        /// The CRC of Modbus, which some stations and platforms use instead.
        case modbus

        /// The checksum of a data segment.
        package func callAsFunction(_ bytes: ArraySlice<UInt8>) -> UInt16 {
            switch self {
            case .modbus: return ModbusRTUFrame.checksum(bytes)
            case .hj212:
                var crc: UInt16 = 0xFFFF
                for byte in bytes {
                    // The low half is thrown away here, so only 256 checksums exist: a valid
                    // packet proves less than it seems, and its form is judged too.
                    crc = (crc >> 8) ^ UInt16(byte)
                    for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0xA001 : crc >> 1 }
                }
                return crc
            }
        }
    }

    /// Where the numbers of a split packet stand, and how long a packet may get.
    package struct Layout: Hashable, Sendable {
        /// The longest data segment in bytes; 9999 is what four digits can say.
        package var longestSegment: Int
        /// The most bytes of `CP=&&…&&`.
        package var longestArea: Int
        /// Whether PNO stands before PNUM, as in packets of the first edition.
        package var isPartFirst: Bool

        package init(
            longestSegment: Int = 1024, longestArea: Int = 1024, isPartFirst: Bool = false
        ) {
            self.longestSegment = min(longestSegment, 9999)
            self.longestArea = longestArea
            self.isPartFirst = isPartFirst
        }
    }

    /// The data segment in the standard's order; nil when it would be longer than 1024 bytes.
    package var segment: [UInt8]? { segment(Layout()) }

    /// The data segment.
    ///
    /// - Returns: nil when it would be longer than the layout allows, or when a name or value holds
    ///   a character that separates others. QN and PW are echoed to stations that chose them, so
    ///   they may hold all that can be read back: anything but `;` and `,`.
    package func segment(_ layout: Layout) -> [UInt8]? {
        var head: [(String, String)] = []
        if let qn { head.append(("QN", qn)) }
        head += [("ST", st), ("CN", cn)]
        if let pw { head.append(("PW", pw)) }
        head.append(("MN", mn))
        if let flag { head.append(("Flag", "\(flag)")) }
        let parts = [pnum.map { ("PNUM", "\($0)") }, pno.map { ("PNO", "\($0)") }]
        head += (layout.isPartFirst ? parts.reversed() : parts).compactMap(\.self)
        let fields = items.joined()
        guard
            head.allSatisfy({ Self.isPlain($0.1, isEcho: $0.0 == "QN" || $0.0 == "PW") }),
            fields.allSatisfy({ Self.isPlain($0.name) && Self.isPlain($0.value) })
        else { return nil }
        let data = items.map { item in
            item.map { "\($0.name)=\($0.value)" }.joined(separator: ",")
        }.joined(separator: ";")
        let area = Array("CP=&&\(data)&&".utf8)
        let bytes = Array(head.map { "\($0)=\($1);" }.joined().utf8) + area
        return area.count <= layout.longestArea && bytes.count <= layout.longestSegment
            ? bytes : nil
    }

    private static func isPlain(_ text: String, isEcho: Bool = false) -> Bool {
        text.utf8.allSatisfy { byte in
            switch byte {
            case 0x2C, 0x3B: false
            case 0x3D, 0x26, 0x23: isEcho
            default: byte >= 0x20
            }
        }
    }

    /// The whole packet with its CR LF; nil when `segment` is.
    package func encoded(
        _ checksum: Checksum = .hj212, layout: Layout = Layout()
    ) -> [UInt8]? {
        segment(layout).map { Self.framed($0, checksum) }
    }

    /// - Parameter segment: at most 9999 bytes.
    static func framed(_ segment: [UInt8], _ checksum: Checksum) -> [UInt8] {
        let length = "\(segment.count)"
        let crc = String(checksum(segment[...]), radix: 16, uppercase: true)
        var bytes = Array("##".utf8)
        bytes += Array(String(repeating: "0", count: max(0, 4 - length.utf8.count)).utf8)
        bytes += Array(length.utf8)
        bytes += segment
        bytes += Array(String(repeating: "0", count: max(0, 4 - crc.utf8.count)).utf8)
        bytes += Array(crc.utf8)
        return bytes + [0x0D, 0x0A]
    }
}
