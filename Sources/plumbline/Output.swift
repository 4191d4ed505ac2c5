import Foundation
import Telemetry

/// Prints a table as people, spreadsheets or programs want it.
func show(_ table: TextTable, _ format: OutputFormat) {
    switch format {
    case .table: print(table.text)
    case .csv:
        print(table.columns.map { csv($0.title) }.joined(separator: ","))
        for row in table.rows { print(row.map { csv($0 == "–" ? "" : $0) }.joined(separator: ",")) }
    case .json: print(json(table))
    }
}

private func csv(_ cell: String) -> String {
    let needsQuotes = cell.contains { $0 == "," || $0 == "\"" || $0 == "\n" }
    return needsQuotes ? "\"\(cell.replacing("\"", with: "\"\""))\"" : cell
}

private func json(_ table: TextTable) -> String {
    let rows = table.rows.map { row in
        Dictionary(
            zip(table.columns, row).map { column, cell -> (String, Any) in
                if cell == "–" { return (column.title, NSNull()) }
                if column.isNumber, let number = Double(cell) { return (column.title, number) }
                return (column.title, cell)
            }, uniquingKeysWith: { first, _ in first })
    }
    let options: JSONSerialization.WritingOptions = [
        .prettyPrinted, .sortedKeys, .withoutEscapingSlashes,
    ]
    let data = (try? JSONSerialization.data(withJSONObject: rows, options: options)) ?? Data()
    return String(decoding: data, as: UTF8.self)
}
