import Telemetry

/// The body of one column ↔ bytes.
///
///     reasons   only if a reading is bad: a stream of R integers, 0 for good, else the reason's code
///     integers  stream of mantissa − minimum
///     doubles   byte s, stream of the bit patterns shifted right by s (arithmetically)
///     words     varint D, D texts (varint length, UTF-8), stream of places in that list
///     mixed     stream of 1 for number, 0 for text; the numbers as byte form (kind and exponent,
///               as in the directory) and their `integers` (minimum 0) or `doubles`; the `words`
///
/// All but `reasons` hold the good readings only.
enum ColumnCoding {
    /// What the low three bits of a form byte say. Stored: never renumber, only append.
    enum Kind {
        static let none: UInt8 = 0
        static let integers: UInt8 = 1
        static let doubles: UInt8 = 2
        static let words: UInt8 = 3
        static let mixed: UInt8 = 4
    }

    /// The bit of a form byte that says that a reading is bad.
    static let hasBad: UInt8 = 8

    static func kind(of values: BucketColumn.Values) -> UInt8 {
        switch values {
        case .none, .omitted: Kind.none
        case .integers(_, let exponent): Kind.integers | UInt8(exponent) << 4
        case .doubles: Kind.doubles
        case .words: Kind.words
        case .mixed: Kind.mixed
        }
    }

    // MARK: - Writing

    static func encode(_ column: BucketColumn, minimum: Int64, into out: inout ByteWriter) {
        let reasons = column.reasons
        if let reasons {
            IntegerStream.encode(reasons.map { Int64($0?.rawValue ?? 0) }, into: &out)
        }
        switch column.values {
        case .none, .omitted: break
        case .integers(let mantissas, _):
            let good = reasons == nil ? mantissas : Self.good(mantissas, reasons)
            IntegerStream.encode(good.map { $0 &- minimum }, into: &out)
        case .doubles(let numbers): encode(doubles: good(numbers, reasons), into: &out)
        case .words(let indices, let dictionary):
            encode(words: dictionary, good(indices, reasons), into: &out)
        case .mixed(let values): encode(mixed: good(values, reasons), into: &out)
        }
    }

    private static func good<T>(_ values: [T], _ reasons: [BadReason?]?) -> [T] {
        guard let reasons else { return values }
        return values.indices.compactMap { reasons[$0] == nil ? values[$0] : nil }
    }

    static func encode(doubles: [Double], into out: inout ByteWriter) {
        let all = doubles.reduce(UInt64(0)) { $0 | $1.bitPattern }
        let shift = min(63, all.trailingZeroBitCount)
        out.byte(UInt8(shift))
        IntegerStream.encode(
            doubles.map { Int64(bitPattern: $0.bitPattern) >> Int64(shift) }, asBits: true,
            into: &out)
    }

    private static func encode(
        words dictionary: [String], _ places: [Int64], into out: inout ByteWriter
    ) {
        out.varint(UInt64(dictionary.count))
        for word in dictionary { out.text(word) }
        IntegerStream.encode(places, into: &out)
    }

    private static func encode(mixed values: [Value], into out: inout ByteWriter) {
        IntegerStream.encode(values.map { $0.number == nil ? 0 : 1 }, into: &out)
        encode(numbers: DecimalColumn.values(of: values.compactMap(\.number)), into: &out)
        let texts = BucketColumn(
            values.compactMap { value in
                if case .text(let text) = value { .text(text) } else { nil }
            })
        if case .words(let places, let dictionary) = texts.values {
            encode(words: dictionary, places, into: &out)
        } else {
            encode(words: [], [], into: &out)
        }
    }

    /// A form byte and the numbers; `values` are integers or doubles.
    static func encode(
        numbers values: BucketColumn.Values, flags: UInt8 = 0, into out: inout ByteWriter
    ) {
        out.byte(kind(of: values) | flags)
        switch values {
        case .integers(let mantissas, _): IntegerStream.encode(mantissas, into: &out)
        case .doubles(let numbers): encode(doubles: numbers, into: &out)
        default: break
        }
    }

    // MARK: - Reading

    static func decode(
        _ entry: BucketDirectory.Entry, rows: Int, _ reader: inout ByteReader
    ) throws(Damage) -> BucketColumn {
        let reasons = entry.bad > 0 ? try decodeReasons(rows, entry.bad, &reader) : nil
        let good = rows - entry.bad
        let values: BucketColumn.Values
        switch entry.kind {
        case Kind.none: values = .none
        case Kind.integers:
            var mantissas = try IntegerStream.decode(&reader, count: good)
            let minimum = entry.minimumMantissa
            for index in mantissas.indices { mantissas[index] &+= minimum }
            values = .integers(spread(mantissas, reasons, 0), exponent: entry.exponent)
        case Kind.doubles:
            values = .doubles(spread(try decodeDoubles(&reader, count: good), reasons, 0))
        case Kind.words:
            let (places, dictionary) = try decodeWords(&reader, count: good)
            values = .words(spread(places, reasons, 0), dictionary: dictionary)
        default:
            values = .mixed(spread(try decodeMixed(&reader, count: good), reasons, .number(0)))
        }
        return BucketColumn(rows: rows, values: values, reasons: reasons)
    }

    private static func decodeReasons(
        _ rows: Int, _ bad: Int, _ reader: inout ByteReader
    ) throws(Damage) -> [BadReason?] {
        var reasons: [BadReason?] = []
        reasons.reserveCapacity(rows)
        var found = 0
        for code in try IntegerStream.decode(&reader, count: rows) {
            if code == 0 {
                reasons.append(nil)
                continue
            }
            guard let raw = UInt8(exactly: code), let reason = BadReason(rawValue: raw) else {
                throw reader.damage("a reason of code \(code)")
            }
            reasons.append(reason)
            found += 1
        }
        guard found == bad else { throw reader.damage("\(found) bad readings, \(bad) announced") }
        return reasons
    }

    /// Each value to its row; rows of bad readings hold `filler`.
    private static func spread<T>(_ good: [T], _ reasons: [BadReason?]?, _ filler: T) -> [T] {
        guard let reasons else { return good }
        var values = [T](repeating: filler, count: reasons.count)
        var next = 0
        for row in reasons.indices where reasons[row] == nil {
            values[row] = good[next]
            next += 1
        }
        return values
    }

    static func decodeDoubles(
        _ reader: inout ByteReader, count: Int
    ) throws(Damage) -> [Double] {
        let shift = try reader.byte()
        guard shift < 64 else { throw reader.damage("a shift by \(shift) bits") }
        return try IntegerStream.decode(&reader, count: count).map {
            Double(bitPattern: UInt64(bitPattern: $0) &<< UInt64(shift))
        }
    }

    private static func decodeWords(
        _ reader: inout ByteReader, count: Int
    ) throws(Damage) -> (places: [Int64], dictionary: [String]) {
        // Each word has at least its length byte.
        let size = try reader.count(upTo: min(count, reader.remaining), of: "words")
        var dictionary: [String] = []
        dictionary.reserveCapacity(size)
        for _ in 0..<size { dictionary.append(try reader.text()) }
        let places = try IntegerStream.decode(&reader, count: count)
        guard places.allSatisfy({ $0 >= 0 && $0 < size }) else {
            throw reader.damage("a word that is not in the list of \(size)")
        }
        return (places, dictionary)
    }

    private static func decodeMixed(
        _ reader: inout ByteReader, count: Int
    ) throws(Damage) -> [Value] {
        let isNumber = try IntegerStream.decode(&reader, count: count)
        guard isNumber.allSatisfy({ $0 == 0 || $0 == 1 }) else {
            throw reader.damage("a reading that is neither number nor text")
        }
        let numberCount = isNumber.reduce(0) { $0 + Int($1) }
        let form = try reader.byte()
        let numbers = try decodeNumbers(&reader, form: form, count: numberCount)
        let (places, dictionary) = try decodeWords(&reader, count: count - numberCount)
        var values: [Value] = []
        values.reserveCapacity(count)
        var nextNumber = 0
        for isNumber in isNumber {
            if isNumber == 1 {
                values.append(.number(numbers[nextNumber]))
                nextNumber += 1
            } else {
                values.append(.text(dictionary[Int(places[values.count - nextNumber])]))
            }
        }
        return values
    }

    /// What `encode(numbers:)` wrote behind the form byte, as doubles.
    static func decodeNumbers(
        _ reader: inout ByteReader, form: UInt8, count: Int
    ) throws(Damage) -> [Double] {
        let exponent = Int(form >> 4)
        switch form & 7 {
        case Kind.integers where exponent <= DecimalColumn.finestExponent:
            let scale = DecimalColumn.scale(exponent)
            return try IntegerStream.decode(&reader, count: count).map { Double($0) / scale }
        case Kind.doubles where exponent == 0: return try decodeDoubles(&reader, count: count)
        default: throw reader.damage("numbers of form \(form)")
        }
    }
}
