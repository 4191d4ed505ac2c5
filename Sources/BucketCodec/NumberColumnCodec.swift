import Telemetry

/// One column of optional numbers ↔ bytes, bit for bit; for packed roll-ups.
///
/// The bytes do not say how many values they hold: who keeps them knows.
///
///     byte      form: bits 0–2 kind (0 no value, 1 integers, 2 doubles), bit 3 some values are
///               missing, bits 4–7 decimal places of the integers
///     presence  only with bit 3: a stream of 1 for a value, 0 for none
///     values    those that are there: a stream of mantissas, or byte shift and a stream of bit
///               patterns (docs/formats/bucket.md, "Streams")
///
/// A column of one value that never changes costs two to five bytes.
package enum NumberColumnCodec {
    /// The bytes of `values`; they tell where they end, not how many values they are.
    package static func encode(_ values: [Double?]) -> [UInt8] {
        var out = ByteWriter()
        encode(values, into: &out)
        return out.bytes
    }

    /// Appends the bytes of `values`.
    package static func encode(_ values: [Double?], into out: inout ByteWriter) {
        let numbers = values.compactMap { $0 }
        guard !numbers.isEmpty else {
            out.byte(ColumnCoding.Kind.none)
            return
        }
        let isWhole = numbers.count == values.count
        let column = DecimalColumn.values(of: numbers)
        guard !isWhole else {
            ColumnCoding.encode(numbers: column, into: &out)
            return
        }
        out.byte(ColumnCoding.kind(of: column) | ColumnCoding.hasBad)
        IntegerStream.encode(values.map { $0 == nil ? 0 : 1 }, into: &out)
        switch column {
        case .integers(let mantissas, _): IntegerStream.encode(mantissas, into: &out)
        case .doubles(let numbers): ColumnCoding.encode(doubles: numbers, into: &out)
        default: break
        }
    }

    /// The `count` values that begin at the reader's position; the reader goes on behind them.
    ///
    /// Throws on bytes that are none of this codec. `count` must be bounded by the caller.
    package static func decode(
        _ reader: inout ByteReader, count: Int
    ) throws(Damage) -> [Double?] {
        let count = max(0, count)
        let form = try reader.byte()
        if form == ColumnCoding.Kind.none { return [Double?](repeating: nil, count: count) }
        guard form & ColumnCoding.hasBad != 0 else {
            return try ColumnCoding.decodeNumbers(&reader, form: form, count: count).map { $0 }
        }
        let presence = try IntegerStream.decode(&reader, count: count)
        guard presence.allSatisfy({ $0 == 0 || $0 == 1 }) else {
            throw reader.damage("a value that is neither there nor missing")
        }
        let present = presence.reduce(0) { $0 + Int($1) }
        let numbers = try ColumnCoding.decodeNumbers(
            &reader, form: form & ~ColumnCoding.hasBad, count: present)
        var next = numbers.makeIterator()
        return presence.map { $0 == 1 ? next.next() : nil }
    }
}
