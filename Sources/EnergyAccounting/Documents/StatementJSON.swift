import Telemetry

// A statement for programs (RFC 8259, UTF-8, no white space between tokens).
//
//     {"kind":"monthly","title":{"en":…,"zh":…},"site":"…","period":"2026-03",
//      "facts":[{"key":"area","title":{…},"unit":"m²","value":{CELL}}, …],
//      "tables":[{"key":"by_meter","title":{…},
//                 "columns":[{"key":"total","title":{…},"unit":"kWh","number":true}, …],
//                 "rows":[{"total":{CELL}, …}, …],
//                 "sums":[12]}, …],
//      "notes":[{"en":…,"zh":…}, …],
//      "signatures":[{"en":…,"zh":…}, …]}
//
//     CELL   a number    "value":12.50,"estimated":false[,"trace":"…"]
//            a text      "text":{"en":…,"zh":…}
//            missing     "value":null,"missing":{"en":…,"zh":…}
//
// A number has exactly the digits that are printed, trailing noughts included. `sums` are the rows,
// counted from 0, that are sums of others: who adds up a column leaves them out.

/// Writes a statement as JSON; the form is drawn above.
package enum StatementJSON {
    /// The document as UTF-8; equal documents give equal bytes.
    package static func bytes(_ document: StatementDocument) -> [UInt8] {
        var json = JSONWriter(capacity: 16 * 1024)
        json.object {
            $0.field("kind", document.kind)
            write(document.title, as: "title", to: &$0)
            $0.field("site", document.site)
            $0.field("period", document.period)
            $0.key("facts")
            $0.array { for fact in document.facts { write(fact, to: &$0) } }
            $0.key("tables")
            $0.array { for table in document.tables { write(table, to: &$0) } }
            $0.key("notes")
            write(document.notes, to: &$0)
            $0.key("signatures")
            write(document.signatures, to: &$0)
        }
        return json.bytes
    }

    private static func write(_ fact: StatementDocument.Fact, to json: inout JSONWriter) {
        json.object {
            $0.field("key", fact.key)
            write(fact.title, as: "title", to: &$0)
            $0.field("unit", fact.unit)
            $0.key("value")
            write(fact.value, to: &$0)
        }
    }

    private static func write(_ table: StatementDocument.Table, to json: inout JSONWriter) {
        let keys = table.distinctKeys
        json.object {
            $0.field("key", table.key)
            write(table.title, as: "title", to: &$0)
            $0.key("columns")
            $0.array {
                for (key, column) in zip(keys, table.columns) {
                    $0.object {
                        $0.field("key", key)
                        write(column.title, as: "title", to: &$0)
                        $0.field("unit", column.unit)
                        $0.field("number", column.isNumber)
                    }
                }
            }
            $0.key("rows")
            $0.array {
                for row in table.rows.indices {
                    $0.object {
                        for (column, key) in keys.enumerated() {
                            $0.key(key)
                            write(table.cell(row, column), to: &$0)
                        }
                    }
                }
            }
            $0.key("sums")
            $0.array { for row in table.sums.sorted() { $0.value(row) } }
        }
    }

    private static func write(_ cell: StatementDocument.Cell, to json: inout JSONWriter) {
        json.object {
            switch cell {
            case .text(let text): write(text, as: "text", to: &$0)
            case .number(let number):
                $0.key("value")
                $0.fragment(number.text.utf8)
                $0.field("estimated", number.isEstimated)
                if let trace = number.trace { $0.field("trace", trace) }
            case .missing(let reason):
                $0.key("value")
                $0.null()
                write(reason, as: "missing", to: &$0)
            }
        }
    }

    private static func write(_ texts: [LocalizedText], to json: inout JSONWriter) {
        json.array {
            for text in texts { $0.object { write(bothOf: text, to: &$0) } }
        }
    }

    private static func write(
        _ text: LocalizedText, as key: String, to json: inout JSONWriter
    ) {
        json.key(key)
        json.object { write(bothOf: text, to: &$0) }
    }

    private static func write(bothOf text: LocalizedText, to json: inout JSONWriter) {
        json.field("en", text.en)
        json.field("zh", text.zh)
    }
}
