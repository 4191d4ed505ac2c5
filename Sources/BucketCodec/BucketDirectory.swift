import Telemetry

/// What stands in a bucket before its rows: counts, times, and an entry for each column.
struct BucketDirectory {
    /// What is known of a column before its body is read.
    struct Entry {
        var kind: UInt8
        var exponent = 0
        var bad = 0
        /// Integers: the least mantissa, and how far the greatest lies above it.
        var minimumMantissa: Int64 = 0
        var span: UInt64 = 0
        /// Doubles and mixed: the bounds, NaN for none.
        var minimum = Double.nan
        var maximum = Double.nan
        var bodyLength = 0
    }

    var rows: Int
    var first: Int64 = 0
    var last: Int64 = 0
    /// Milliseconds; 0 for none.
    var period: Int64
    var entries: [Entry] = []
    /// Where the rows begin.
    var rowsStart = 0
    /// Where the first body begins.
    var bodiesStart = 0

    // MARK: - Writing

    init(_ bucket: BucketRows, period: Duration?) {
        rows = bucket.count
        first = bucket.times.first?.milliseconds ?? 0
        last = bucket.times.last?.milliseconds ?? 0
        self.period = max(0, period?.milliseconds ?? 0)
        entries = bucket.columns.map(Self.entry)
    }

    private static func entry(_ column: BucketColumn) -> Entry {
        let form = ColumnCoding.kind(of: column.values)
        var entry = Entry(kind: form & 7, exponent: Int(form >> 4))
        switch column.values {
        case .none, .omitted: entry.bad = column.rows
        default: entry.bad = column.reasons?.reduce(0) { $0 + ($1 == nil ? 0 : 1) } ?? 0
        }
        switch column.values {
        case .integers(let mantissas, _):
            var least = Int64.max
            var greatest = Int64.min
            if let reasons = column.reasons {
                for row in mantissas.indices where reasons[row] == nil {
                    least = min(least, mantissas[row])
                    greatest = max(greatest, mantissas[row])
                }
            } else {
                for mantissa in mantissas {
                    least = min(least, mantissa)
                    greatest = max(greatest, mantissa)
                }
            }
            entry.minimumMantissa = least
            entry.span = UInt64(bitPattern: greatest &- least)
        case .doubles, .mixed:
            var bounds: (Double, Double)?
            column.forEachNumber { _, number in
                guard !number.isNaN else { return }
                bounds = (min(bounds?.0 ?? number, number), max(bounds?.1 ?? number, number))
            }
            if let bounds { (entry.minimum, entry.maximum) = bounds }
        case .none, .omitted, .words: break
        }
        return entry
    }

    func write(to out: inout ByteWriter) {
        out.varint(UInt64(rows))
        out.varint(UInt64(entries.count))
        if rows > 0 {
            out.zigzag(first)
            out.zigzag(last &- first)
        }
        out.varint(UInt64(period))
        for entry in entries {
            let bad = entry.bad > 0 ? ColumnCoding.hasBad : 0
            out.byte(entry.kind | bad | UInt8(entry.exponent) << 4)
            if entry.bad > 0 { out.varint(UInt64(entry.bad)) }
            switch entry.kind {
            case ColumnCoding.Kind.integers:
                out.zigzag(entry.minimumMantissa)
                out.varint(entry.span)
            case ColumnCoding.Kind.doubles, ColumnCoding.Kind.mixed:
                out.fixed(entry.minimum.bitPattern)
                out.fixed(entry.maximum.bitPattern)
            default: break
            }
            out.varint(UInt64(entry.bodyLength))
        }
    }

    // MARK: - Reading

    /// Reads the directory; `reader` stands behind the checksum and then at the rows.
    init(_ reader: inout ByteReader) throws(Damage) {
        rows = try reader.count(upTo: BucketRows.maximumRows, of: "rows")
        // Each column has at least two bytes here.
        let width = try reader.count(upTo: reader.remaining / 2, of: "columns")
        guard rows * width <= BucketRows.maximumReadings else {
            throw reader.damage("\(rows) rows of \(width) readings")
        }
        if rows > 0 {
            first = try reader.zigzag()
            last = first &+ (try reader.zigzag())
        }
        let rawPeriod = try reader.varint()
        guard let period = Int64(exactly: rawPeriod) else {
            throw reader.damage("a period of \(rawPeriod) ms")
        }
        self.period = period
        entries.reserveCapacity(width)
        var bodies = 0
        for _ in 0..<width {
            let entry = try Self.readEntry(&reader, rows: rows)
            bodies += entry.bodyLength
            // A sum of lengths that each fit cannot overflow before it is refused here.
            guard bodies <= reader.remaining else {
                throw reader.damage("columns of \(bodies) bytes, \(reader.remaining) are left")
            }
            entries.append(entry)
        }
        rowsStart = reader.position
        bodiesStart = reader.position + reader.remaining - bodies
    }

    private static func readEntry(
        _ reader: inout ByteReader, rows: Int
    ) throws(Damage) -> Entry {
        let form = try reader.byte()
        var entry = Entry(kind: form & 7, exponent: Int(form >> 4))
        guard entry.kind <= ColumnCoding.Kind.mixed, entry.exponent <= DecimalColumn.finestExponent,
            entry.exponent == 0 || entry.kind == ColumnCoding.Kind.integers
        else { throw reader.damage("a column of form \(form)") }
        if form & ColumnCoding.hasBad != 0 {
            entry.bad = try reader.count(upTo: rows, of: "bad readings")
        }
        guard (entry.bad == rows) == (entry.kind == ColumnCoding.Kind.none) else {
            throw reader.damage("\(entry.bad) bad of \(rows) readings in a column of form \(form)")
        }
        switch entry.kind {
        case ColumnCoding.Kind.integers:
            entry.minimumMantissa = try reader.zigzag()
            entry.span = try reader.varint()
        case ColumnCoding.Kind.doubles, ColumnCoding.Kind.mixed:
            entry.minimum = Double(bitPattern: try reader.fixed(UInt64.self))
            entry.maximum = Double(bitPattern: try reader.fixed(UInt64.self))
        default: break
        }
        entry.bodyLength = try reader.length(of: "a column")
        return entry
    }

    // MARK: - For the caller

    var summary: BucketSummary {
        BucketSummary(
            rows: rows,
            first: rows > 0 ? Timestamp(milliseconds: first) : nil,
            last: rows > 0 ? Timestamp(milliseconds: last) : nil,
            period: period > 0 ? .milliseconds(period) : nil,
            columns: entries.map { entry in
                var column = BucketSummary.Column(
                    good: rows - entry.bad, bad: entry.bad, minimum: nil, maximum: nil)
                if entry.kind == ColumnCoding.Kind.integers {
                    let greatest = entry.minimumMantissa &+ Int64(bitPattern: entry.span)
                    column.minimum = DecimalColumn.double(
                        entry.minimumMantissa, exponent: entry.exponent)
                    column.maximum = DecimalColumn.double(greatest, exponent: entry.exponent)
                } else if !entry.minimum.isNaN, !entry.maximum.isNaN {
                    column.minimum = entry.minimum
                    column.maximum = entry.maximum
                }
                return column
            })
    }
}
