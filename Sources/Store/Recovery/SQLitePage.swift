// B-tree pages of a SQLite file, all integers big endian.
//
// Page (page 1: behind the 100 bytes of the database header)
//
//     byte   0      2 interior index, 5 interior table, 10 leaf index, 13 leaf table
//     bytes  3–4    number of cells
//     bytes  8–11   interior pages only: the rightmost child
//            8/12…  2 bytes for each cell: where on the page it begins, in order of keys
//
// Cells
//
//     leaf table       varint payload length, varint rowid, payload
//     interior table   4 bytes child, varint rowid: the highest in that child
//     leaf index       varint payload length, payload
//     interior index   4 bytes child, varint payload length, payload
//
// Of a payload of P bytes on pages of U bytes all is on the page if P ≤ X; else the first K bytes
// are, and then 4 bytes with the number of the first overflow page. An overflow page is 4 bytes with
// the number of the next one (0: last) and U − 4 bytes of payload.
//
//     X = U − 35 (leaf table), (U − 12) · 64 / 255 − 23 (index)
//     M = (U − 12) · 32 / 255 − 23,  K = M + (P − M) mod (U − 4), M where K > X
//
// Record (the payload): varint length of the header with itself, a varint type for each column, then
// the values. Types: 0 NULL; 1 2 3 4 5 6 integers of 1 2 3 4 6 8 bytes; 7 double; 8 zero; 9 one;
// even n ≥ 12: blob of (n − 12) / 2 bytes; odd n ≥ 13: text of (n − 13) / 2 bytes.
//
// A varint here is 1 to 9 bytes, the highest seven bits first, the top bit says that more follows;
// the ninth byte gives all its eight bits.

/// One value of a record.
enum PageValue: Hashable, Sendable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])
}

/// One row as a page tells it; `values` is nil when the row is there but cannot be read.
struct PageRecord {
    /// The rowid of a table row; nil for an entry of an index or of a table without rowid.
    var rowID: Int64?
    var values: [PageValue]?
}

/// One b-tree page, its cells found but not read.
struct SQLitePage {
    let number: Int
    let bytes: [UInt8]
    let isLeaf: Bool
    let isTable: Bool
    /// Where the cells begin.
    let cells: [Int]
    let rightmost: Int

    /// Nil when the page is no b-tree page or its cells lie outside of it.
    init?(number: Int, _ bytes: [UInt8]) {
        let header = number == 1 ? 100 : 0
        guard bytes.count > header + 12 else { return nil }
        switch bytes[header] {
        case 2: (isLeaf, isTable) = (false, false)
        case 5: (isLeaf, isTable) = (false, true)
        case 10: (isLeaf, isTable) = (true, false)
        case 13: (isLeaf, isTable) = (true, true)
        default: return nil
        }
        let first = header + (isLeaf ? 8 : 12)
        let count = bytes.big16(at: header + 3)
        guard first + 2 * count <= bytes.count else { return nil }
        self.number = number
        self.bytes = bytes
        cells = (0..<count).map { bytes.big16(at: first + 2 * $0) }
        rightmost = isLeaf ? 0 : Int(bytes.big32(at: header + 8))
    }

    /// The child left of an interior cell and, in tables, the highest rowid in it.
    func child(_ cell: Int) -> (page: Int, highest: Int64?) {
        var position = cell + 4
        let key = isTable ? Self.varint(bytes, &position) : nil
        return (Int(bytes.big32(at: cell)), key)
    }

    /// The row of a cell that has a payload; `overflow` gives overflow pages by number.
    func record(_ cell: Int, overflow: (Int) -> [UInt8]?) -> PageRecord? {
        var position = cell + (isLeaf ? 0 : 4)
        guard let length = Self.varint(bytes, &position), length >= 0 else { return nil }
        var rowID: Int64?
        if isTable {
            guard let key = Self.varint(bytes, &position) else { return nil }
            rowID = key
        }
        let payload = payload(Int(clamping: length), at: position, overflow)
        return PageRecord(rowID: rowID, values: payload.flatMap(Self.values))
    }

    /// Longer than any row of ours: a damaged length cannot ask for memory.
    private static let longestPayload = 64 << 20

    private func payload(
        _ length: Int, at position: Int, _ overflow: (Int) -> [UInt8]?
    ) -> [UInt8]? {
        let usable = bytes.count
        guard length <= Self.longestPayload else { return nil }
        let longest = isTable ? usable - 35 : (usable - 12) * 64 / 255 - 23
        if length <= longest {
            guard position + length <= usable else { return nil }
            return Array(bytes[position..<position + length])
        }
        let shortest = (usable - 12) * 32 / 255 - 23
        let fitting = shortest + (length - shortest) % (usable - 4)
        let local = fitting <= longest ? fitting : shortest
        guard position + local + 4 <= usable else { return nil }
        var payload = Array(bytes[position..<position + local])
        payload.reserveCapacity(length)
        var next = Int(bytes.big32(at: position + local))
        // The length bounds the walk, so a chain that runs in a circle ends too.
        while payload.count < length {
            guard next > 1, let page = overflow(next) else { return nil }
            payload += page[4..<min(page.count, 4 + length - payload.count)]
            next = Int(page.big32(at: 0))
        }
        return payload
    }

    private static func values(_ payload: [UInt8]) -> [PageValue]? {
        var position = 0
        guard let header = varint(payload, &position), header >= 1, header <= payload.count else {
            return nil
        }
        var body = Int(header)
        var values: [PageValue] = []
        while position < Int(header) {
            guard let type = varint(payload, &position),
                let value = value(type, payload, &body)
            else { return nil }
            values.append(value)
        }
        return position == Int(header) && body == payload.count ? values : nil
    }

    private static func value(
        _ type: Int64, _ payload: [UInt8], _ position: inout Int
    ) -> PageValue? {
        switch type {
        case 0: return .null
        case 8: return .integer(0)
        case 9: return .integer(1)
        case 1...7:
            let width = type < 5 ? Int(type) : type == 5 ? 6 : 8
            guard position + width <= payload.count else { return nil }
            var raw = payload[position] >= 0x80 && type != 7 ? UInt64.max : 0
            for byte in payload[position..<position + width] { raw = raw << 8 | UInt64(byte) }
            position += width
            return type == 7
                ? .real(Double(bitPattern: raw)) : .integer(Int64(bitPattern: raw))
        case 12...:
            let length = Int(clamping: (type - 12) / 2)
            guard length <= payload.count - position else { return nil }
            let slice = payload[position..<position + length]
            position += length
            if type % 2 == 0 { return .blob(Array(slice)) }
            return String(validating: slice, as: UTF8.self).map { .text($0) }
        default: return nil
        }
    }

    private static func varint(_ bytes: [UInt8], _ position: inout Int) -> Int64? {
        var value: UInt64 = 0
        for index in 0..<9 {
            guard position < bytes.count else { return nil }
            let byte = bytes[position]
            position += 1
            if index == 8 { return Int64(bitPattern: value << 8 | UInt64(byte)) }
            value = value << 7 | UInt64(byte & 0x7F)
            if byte < 0x80 { return Int64(bitPattern: value) }
        }
        return nil
    }
}
