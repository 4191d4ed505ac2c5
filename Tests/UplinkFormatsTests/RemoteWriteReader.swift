import Testing

/// Reads a remote-write body as its specification has it: snappy's block format, then protobuf.
/// Written for the tests, it knows nothing of how the body was made.
struct RemoteWriteReader {
    struct Failure: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    struct Series: Hashable {
        var labels: [(name: String, value: String)] = []
        var samples: [(time: Int64, value: Double)] = []

        var text: String {
            labels.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
                + samples.map { "\n    \($0.time) \($0.value)" }.joined() + "\n"
        }

        static func == (a: Self, b: Self) -> Bool { a.text == b.text }
        func hash(into hasher: inout Hasher) { hasher.combine(text) }

        subscript(label: String) -> String? { labels.first { $0.name == label }?.value }
    }

    static func series(ofBody body: [UInt8]) throws -> [Series] {
        try series(ofMessage: decompress(body))
    }

    // MARK: snappy

    /// format_description.txt of snappy: the length as a varint, then elements whose kind is in the
    /// two low bits of their first byte.
    static func decompress(_ block: [UInt8]) throws -> [UInt8] {
        var reader = Bytes(block)
        let length = try Int(reader.varint())
        guard length <= 64 << 20 else { throw Failure("a block of \(length) bytes") }
        var result: [UInt8] = []
        while !reader.isAtEnd {
            let tag = try Int(reader.byte())
            switch tag & 3 {
            case 0:
                var count = tag >> 2
                if count >= 60 { count = try reader.little(count - 59) }
                result += try reader.take(count + 1)
            case 1:
                let offset = try (tag >> 5) << 8 | Int(reader.byte())
                try copy(4 + (tag >> 2 & 7), from: offset, in: &result)
            case let kind:
                let offset = try reader.little(kind == 2 ? 2 : 4)
                try copy(1 + (tag >> 2), from: offset, in: &result)
            }
        }
        guard result.count == length else { throw Failure("\(result.count) of \(length) bytes") }
        return result
    }

    private static func copy(_ count: Int, from offset: Int, in result: inout [UInt8]) throws {
        guard offset >= 1, offset <= result.count else { throw Failure("a copy from \(offset)") }
        for _ in 0..<count { result.append(result[result.count - offset]) }
    }

    // MARK: protobuf

    static func series(ofMessage message: [UInt8]) throws -> [Series] {
        try fields(message).map { field in
            guard field.number == 1 else { throw Failure("field \(field.number) of a request") }
            var series = Series()
            for part in try fields(field.bytes) {
                switch part.number {
                case 1: series.labels.append(try label(part.bytes))
                case 2: series.samples.append(try sample(part.bytes))
                default: throw Failure("field \(part.number) of a series")
                }
            }
            return series
        }
    }

    private static func label(_ bytes: [UInt8]) throws -> (String, String) {
        var (name, value) = ("", "")
        for part in try fields(bytes) {
            guard let text = String(validating: part.bytes, as: UTF8.self) else {
                throw Failure("no UTF-8")
            }
            if part.number == 1 { name = text } else { value = text }
        }
        return (name, value)
    }

    private static func sample(_ bytes: [UInt8]) throws -> (Int64, Double) {
        var reader = Bytes(bytes)
        var (time, value) = (Int64(0), 0.0)
        while !reader.isAtEnd {
            switch try reader.varint() {
            case 1 << 3 | 1:
                let bits = try reader.take(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
                value = Double(bitPattern: bits)
            case 2 << 3: time = Int64(bitPattern: try reader.varint())
            case let tag: throw Failure("tag \(tag) of a sample")
            }
        }
        return (time, value)
    }

    /// The fields of a message that holds messages and texts only.
    private static func fields(_ bytes: [UInt8]) throws -> [(number: Int, bytes: [UInt8])] {
        var reader = Bytes(bytes)
        var fields: [(Int, [UInt8])] = []
        while !reader.isAtEnd {
            let tag = try Int(reader.varint())
            guard tag & 7 == 2 else { throw Failure("wire type \(tag & 7)") }
            fields.append((tag >> 3, try reader.take(Int(reader.varint()))))
        }
        return fields
    }

    private struct Bytes {
        private let bytes: [UInt8]
        private var place = 0

        init(_ bytes: [UInt8]) { self.bytes = bytes }

        var isAtEnd: Bool { place == bytes.count }

        mutating func take(_ count: Int) throws -> [UInt8] {
            guard count >= 0, count <= bytes.count - place else { throw Failure("truncated") }
            defer { place += count }
            return Array(bytes[place..<place + count])
        }

        mutating func byte() throws -> UInt8 { try take(1)[0] }

        mutating func little(_ count: Int) throws -> Int {
            try take(count).reversed().reduce(0) { $0 << 8 | Int($1) }
        }

        mutating func varint() throws -> UInt64 {
            var result: UInt64 = 0
            for shift in stride(from: 0, through: 63, by: 7) {
                let next = try byte()
                result |= UInt64(next & 0x7F) << UInt64(shift)
                if next & 0x80 == 0 { return result }
            }
            throw Failure("a varint of more than ten bytes")
        }
    }
}
