import BucketCodec
import Telemetry

/// One column of a sealed bucket with the times of its rows, small enough to be kept in memory.
///
/// Rows at equal distances cost nothing, decimals of a narrow range four bytes each; what it gives
/// back is what the bucket holds, bit for bit.
struct SealedColumn: Sendable {
    /// The bucket's interval, in milliseconds since 1970.
    let start: Int64
    let end: Int64
    /// How many rows there are.
    let count: Int
    private let times: Times
    /// One for each row, or one for all.
    private let flags: [ScanFlags]
    private let values: Values

    private enum Times {
        case every(first: Int64, step: Int64)
        case each([Timestamp])
    }

    private enum Values {
        /// Good decimals: mantissa − least.
        case narrow([UInt32], least: Int64, scale: Double)
        case whole(BucketColumn)
    }

    init(_ rows: BucketRows, column: Int, start: Int64, end: Int64) {
        self.start = start
        self.end = end
        count = rows.count
        times = Self.times(rows.times)
        let first = rows.flags.first ?? []
        // As numbers: the comparison of two sets is a call through a table for each row.
        flags = rows.flags.allSatisfy { $0.rawValue == first.rawValue } ? [first] : rows.flags
        values = Self.narrow(rows.columns[column]) ?? .whole(rows.columns[column])
    }

    private static func times(_ times: [Timestamp]) -> Times {
        guard times.count > 1 else { return .each(times) }
        let first = times[0].milliseconds
        let step = times[1].milliseconds &- first
        for row in times.indices where times[row].milliseconds != first &+ Int64(row) &* step {
            return .each(times)
        }
        return .every(first: first, step: step)
    }

    private static func narrow(_ column: BucketColumn) -> Values? {
        guard let (mantissas, exponent, reasons) = column.integers, reasons == nil,
            let least = mantissas.min(), let greatest = mantissas.max(),
            UInt64(bitPattern: greatest &- least) <= UInt64(UInt32.max)
        else { return nil }
        return .narrow(
            mantissas.map { UInt32(truncatingIfNeeded: $0 &- least) }, least: least,
            scale: DecimalColumn.scale(exponent))
    }

    /// The memory it takes; nil for text, which may take any.
    var bytes: Int? {
        var bytes = MemoryLayout<Self>.stride + 96 + flags.count
        if case .each(let times) = times { bytes += times.count * 8 }
        switch values {
        case .narrow(let offsets, _, _): bytes += offsets.count * 4
        case .whole(let column):
            switch column.values {
            case .words, .mixed: return nil
            default: bytes += column.rows * 9
            }
        }
        return bytes
    }

    func time(_ row: Int) -> Timestamp {
        switch times {
        case .every(let first, let step):
            Timestamp(milliseconds: first &+ Int64(row) &* step)
        case .each(let times): times[row]
        }
    }

    /// The rows with `from` ≤ time < `to`.
    func rows(from: Timestamp, to: Timestamp) -> Range<Int> {
        let first = place(of: from)
        return first..<max(first, place(of: to))
    }

    private func place(of time: Timestamp) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self.time(middle) < time { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Hands over the readings of some rows in order.
    func forEach(_ rows: Range<Int>, _ body: (Reading, Timestamp) -> Void) {
        switch values {
        case .narrow(let offsets, let least, let scale):
            for row in rows {
                body(.number(Double(least &+ Int64(offsets[row])) / scale), time(row))
            }
        case .whole(let column):
            for row in rows { body(column.reading(at: row), time(row)) }
        }
    }

    /// Adds the readings of some rows with their flags.
    func append(_ rows: Range<Int>, to samples: inout [Sample]) {
        let before = samples.count
        let needed = before + rows.count
        // Doubled, because what grows by a bucket at a time would be moved at each of them.
        if samples.capacity < needed { samples.reserveCapacity(max(needed, 2 * before)) }
        forEach(rows) { samples.append(Sample(time: $1, reading: $0, flags: flags[0])) }
        if flags.count > 1 {
            for (index, row) in rows.enumerated() { samples[before + index].flags = flags[row] }
        }
    }

    /// Adds some rows to the bars they fall into, in order, as `forEach` and `BarFold.add` would.
    func add(_ rows: Range<Int>, to fold: inout BarFold) {
        guard case .narrow(let offsets, let least, let scale) = values else {
            return forEach(rows) { fold.add($0, at: $1) }
        }
        var row = rows.lowerBound
        while row < rows.upperBound {
            fold.addToBar(at: time(row)) { bar in
                let end = bar.end
                repeat {
                    bar.add(Double(least &+ Int64(offsets[row])) / scale)
                    row += 1
                } while row < rows.upperBound && time(row) < end
            }
        }
    }
}
