import Telemetry

/// The readings of one series in one bucket, one for each row.
///
/// Rows whose reading is bad hold a filler in `values` (0, or index 0), so that rows and indices
/// are the same.
package struct BucketColumn: Hashable, Sendable {
    /// The good values, in the densest form that gives them back bit for bit.
    package enum Values: Hashable, Sendable {
        /// No reading is good.
        case none
        /// Not decoded, because the caller did not want it; its readings say `absent`.
        case omitted
        /// Every good value is `Double(mantissa) / 10^exponent`, exponent 0 to 9.
        case integers([Int64], exponent: Int)
        /// Numbers that are not decimals of one grid; −0, NaN and infinities included.
        case doubles([Double])
        /// Text: for each row the place of its word in `dictionary` (in order of appearance).
        case words([Int64], dictionary: [String])
        /// Numbers and text in one column.
        case mixed([Value])
    }

    /// How many rows the bucket has.
    package let rows: Int
    package let values: Values
    /// For each row why it is bad, nil for good; the whole is nil when every row is good.
    package let reasons: [BadReason?]?

    package init(rows: Int, values: Values, reasons: [BadReason?]?) {
        self.rows = rows
        self.values = values
        self.reasons = reasons
    }

    /// The reading at a row; `absent` where there is no such row and in an omitted column.
    package func reading(at row: Int) -> Reading {
        guard row >= 0, row < rows else { return .bad(.absent) }
        if let reasons, let reason = reasons[row] { return .bad(reason) }
        switch values {
        case .none, .omitted: return .bad(.absent)
        case .integers(let mantissas, let exponent):
            return .number(DecimalColumn.double(mantissas[row], exponent: exponent))
        case .doubles(let numbers): return .number(numbers[row])
        case .words(let indices, let dictionary): return .text(dictionary[Int(indices[row])])
        case .mixed(let values): return .good(values[row])
        }
    }

    /// Whether the reading at a row is good.
    package func isGood(at row: Int) -> Bool {
        guard row >= 0, row < rows else { return false }
        switch values {
        case .none, .omitted: return false
        default: return reasons.map { $0[row] == nil } ?? true
        }
    }

    /// The mantissas of an all-decimal column, to be folded without floating point: the value of a
    /// row is mantissa / 10^exponent where its reason is nil. nil for other columns.
    package var integers: (mantissas: [Int64], exponent: Int, reasons: [BadReason?]?)? {
        guard case .integers(let mantissas, let exponent) = values else { return nil }
        return (mantissas, exponent, reasons)
    }

    /// Hands every good number to `body`, in order of rows; text is passed over.
    package func forEachNumber(_ body: (_ row: Int, _ number: Double) -> Void) {
        switch values {
        case .none, .omitted, .words: return
        case .integers(let mantissas, let exponent):
            let scale = DecimalColumn.scale(exponent)
            for row in 0..<rows where reasons?[row] == nil {
                body(row, Double(mantissas[row]) / scale)
            }
        case .doubles(let numbers):
            for row in 0..<rows where reasons?[row] == nil { body(row, numbers[row]) }
        case .mixed(let values):
            for row in 0..<rows where reasons?[row] == nil {
                if case .number(let number) = values[row] { body(row, number) }
            }
        }
    }
}

extension BucketColumn {
    /// The column of these readings.
    package init(_ readings: [Reading]) {
        let rows = readings.count
        var reasons: [BadReason?] = []
        var numbers: [Double] = []
        var goodCount = 0
        var numberCount = 0
        reasons.reserveCapacity(rows)
        numbers.reserveCapacity(rows)
        for reading in readings {
            switch reading {
            case .bad(let reason):
                reasons.append(reason)
                numbers.append(0)
            case .good(let value):
                reasons.append(nil)
                numbers.append(value.number ?? 0)
                goodCount += 1
                if case .number = value { numberCount += 1 }
            }
        }
        let values: Values
        if goodCount == 0 {
            values = .none
        } else if numberCount == goodCount {
            values = DecimalColumn.values(of: numbers)
        } else if numberCount == 0 {
            values = Self.words(readings)
        } else {
            values = .mixed(readings.map { $0.value ?? .number(0) })
        }
        self.init(rows: rows, values: values, reasons: goodCount == rows ? nil : reasons)
    }

    private static func words(_ readings: [Reading]) -> Values {
        var dictionary: [String] = []
        var places: [[UInt8]: Int64] = [:]
        let indices = readings.map { reading -> Int64 in
            guard case .good(.text(let text)) = reading else { return 0 }
            // By bytes: Swift's strings are equal when they look alike, and the bits must return.
            let key = Array(text.utf8)
            if let place = places[key] { return place }
            let place = Int64(dictionary.count)
            dictionary.append(text)
            places[key] = place
            return place
        }
        return .words(indices, dictionary: dictionary)
    }
}
