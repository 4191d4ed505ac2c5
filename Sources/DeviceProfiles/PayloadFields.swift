/// Reads payloads that are lines of text, and notes the tokens of the wanted fields.
///
///     text   "  21.5 \n"            one field
///     kv     "t=21.5, h=40;ok=1"    fields by name; what has no name is passed over
///     csv    "21.5,40,\"a,b\"\n…"   one record a line, fields by number, quotes as in RFC 4180
///
/// A field that is empty counts as absent. Bytes that no text holds make the whole malformed.
enum PayloadFields {
    /// Lines that are read of one message.
    static let maximumLines = 10_000

    /// The records of a payload, one token for each of `places`.
    ///
    /// - Throws: why it is no text of this form.
    static func records(
        _ bytes: [UInt8], _ format: PayloadFormat, _ places: [PayloadPlace]
    ) throws(JSONFault) -> [[JSONToken]] {
        for (position, byte) in bytes.enumerated()
        where byte < 0x20 && byte != 0x09 && byte != 0x0A && byte != 0x0D || byte == 0x7F {
            throw JSONFault(message: "a control character", position: position)
        }
        switch format {
        case .text:
            let token = token(bytes, 0, bytes.count)
            if token.kind == .absent { throw JSONFault(message: "an empty text", position: 0) }
            return [places.map { _ in token }]
        case .pairs(let fields, let value):
            return [try pairs(bytes, fields, value, places)]
        case .columns(let separator): return try lines(bytes, separator, places)
        case .json, .sparkplug: return []
        }
    }

    private static func pairs(
        _ bytes: [UInt8], _ fields: [UInt8], _ value: UInt8, _ places: [PayloadPlace]
    ) throws(JSONFault) -> [JSONToken] {
        var tokens = Array(repeating: JSONToken(), count: places.count)
        var found = 0
        var start = 0
        while start <= bytes.count {
            let end = bytes[start...].firstIndex(where: fields.contains) ?? bytes.count
            if let middle = bytes[start..<end].firstIndex(of: value) {
                found += 1
                let name = token(bytes, start, middle)
                for (slot, place) in places.enumerated() {
                    guard case .key(let wanted) = place,
                        bytes[name.start..<name.end].elementsEqual(wanted)
                    else { continue }
                    // A name that stands twice contradicts itself.
                    if tokens[slot].kind == .absent {
                        tokens[slot] = token(bytes, middle + 1, end)
                    } else {
                        tokens[slot].kind = .ambiguous
                    }
                }
            }
            start = end + 1
        }
        guard found > 0 else { throw JSONFault(message: "no field with a name", position: 0) }
        return tokens
    }

    private static func lines(
        _ bytes: [UInt8], _ separator: UInt8, _ places: [PayloadPlace]
    ) throws(JSONFault) -> [[JSONToken]] {
        var records: [[JSONToken]] = []
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex { $0 == 0x0A || $0 == 0x0D } ?? bytes.count
            defer { start = end + 1 }
            if token(bytes, start, end).kind == .absent { continue }
            guard records.count < maximumLines else {
                throw JSONFault(message: "more than \(maximumLines) lines", position: start)
            }
            let columns = try columns(bytes, start, end, separator)
            records.append(
                places.map { place in
                    guard case .column(let number) = place, number < columns.count else {
                        return JSONToken()
                    }
                    return columns[number]
                })
        }
        guard !records.isEmpty else { throw JSONFault(message: "an empty text", position: 0) }
        return records
    }

    private static func columns(
        _ bytes: [UInt8], _ start: Int, _ end: Int, _ separator: UInt8
    ) throws(JSONFault) -> [JSONToken] {
        var columns: [JSONToken] = []
        var position = start
        while true {
            while position < end, bytes[position] == 0x20 { position += 1 }
            var next: Int
            if position < end, bytes[position] == 0x22 {
                guard let quote = bytes[(position + 1)..<end].firstIndex(of: 0x22) else {
                    throw JSONFault(message: "a text without its closing quote", position: position)
                }
                columns.append(JSONToken(kind: .text, start: position + 1, end: quote))
                next = bytes[quote..<end].firstIndex(of: separator) ?? end
                if token(bytes, quote + 1, next).kind != .absent {
                    throw JSONFault(message: "text after a closing quote", position: quote + 1)
                }
            } else {
                next = bytes[position..<end].firstIndex(of: separator) ?? end
                columns.append(token(bytes, position, next))
            }
            if next == end { return columns }
            position = next + 1
        }
    }

    /// A field without the blanks around it.
    private static func token(_ bytes: [UInt8], _ start: Int, _ end: Int) -> JSONToken {
        var (start, end) = (start, end)
        func isBlank(_ byte: UInt8) -> Bool {
            byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
        }
        while start < end, isBlank(bytes[start]) { start += 1 }
        while end > start, isBlank(bytes[end - 1]) { end -= 1 }
        return JSONToken(kind: start < end ? .text : .absent, start: start, end: end)
    }
}
