import Telemetry

@testable import BucketCodec

/// A bucket as `scripts/decode_bucket.py --exact` prints it.
struct ExactTable {
    var text: String

    init(_ rows: BucketRows) {
        var lines = [
            ["time", "sequence", "flags"] + rows.columns.indices.map { "column_\($0)" }
        ]
        for row in 0..<rows.count {
            lines.append(
                [
                    "\(rows.times[row].milliseconds)", "\(rows.sequences[row])",
                    "\(rows.flags[row].rawValue)",
                ] + rows.columns.map { Self.cell($0, row) })
        }
        text = lines.map { $0.map(Self.quoted).joined(separator: ",") + "\n" }.joined()
    }

    private static func cell(_ column: BucketColumn, _ row: Int) -> String {
        switch column.reading(at: row) {
        case .bad(let reason): return "!\(reason.word)"
        case .good(.text(let text)): return "text \(text)"
        case .good(.number(let number)):
            if let (mantissas, exponent, _) = column.integers {
                return "decimal \(mantissas[row])e-\(exponent) \(hex(number))"
            }
            guard case .mixed(let values) = column.values else { return "double \(hex(number))" }
            // The numbers of a mixed column have a grid of their own.
            let numbers = (0..<column.rows).filter { column.isGood(at: $0) }
                .compactMap { values[$0].number }
            guard let (_, exponent) = DecimalColumn.mantissas(of: numbers) else {
                return "double \(hex(number))"
            }
            let mantissa = DecimalColumn.mantissas(of: [number]).map { own in
                (own.exponent..<exponent).reduce(own.mantissas[0]) { mantissa, _ in mantissa * 10 }
            }
            return "decimal \(mantissa ?? 0)e-\(exponent) \(hex(number))"
        }
    }

    /// Quoted where Python's `csv` quotes.
    private static func quoted(_ cell: String) -> String {
        let isSpecial = cell.utf8.contains { [0x22, 0x2C, 0x0A, 0x0D].contains($0) }
        guard isSpecial else { return cell }
        return "\""
            + cell.split(separator: "\"", omittingEmptySubsequences: false)
            .joined(separator: "\"\"") + "\""
    }
}
