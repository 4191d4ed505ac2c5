import Telemetry

/// Writes the profile of a point list.
///
/// It can be loaded and probed at once; what the table cannot tell is marked: the vectors hold
/// made-up registers, and `open_questions` says so until somebody has measured.
struct PointListProfile {
    let rows: [PointListRow]
    let options: PointList.Options
    let file: String

    func yaml() -> String {
        let parts = options.id.split(separator: "/").map(String.init)
        let (vendor, model) = (parts.first ?? "", parts.last ?? "")
        let source = file.split(separator: "/").last.map(String.init) ?? file
        var text = """
            format: device-profile/1

            # A transcript of a table. Replace what is marked COMPLETE, then plumbline check it.
            device:
              id: \(options.id)
              vendor: {en: \(Self.quoted(vendor)), zh: \(Self.quoted(vendor))}   # COMPLETE
              models: [\(Self.quoted(model))]
              kind: \(options.kind)
              title: {en: \(Self.quoted(model)), zh: \(Self.quoted(model))}   # COMPLETE

            provenance:
              status: unverified
              checked: "\(options.day)"
              sources:
                - {ref: \(Self.quoted(source)), covers: [addresses, types, scales]}   # COMPLETE: the manual and its page
              open_questions:
                - "the vectors hold made-up registers: replace them with measured ones"
                - "identify was made from the table and may accept look-alikes"
                - "limits and serial settings are not in the table"

            """
        if rows.contains(where: { $0.description.kind == .counter }) {
            text += """
                    - "what the counters do at the end of their registers, and who sets them back"

                """
        }
        let word = rows.first { $0.type.registers > 1 }?.wordOrder ?? .highFirst
        let byte = rows.first?.byteOrder ?? .highFirst
        text += """

            interfaces:
              modbus:
                protocol: modbus
                unit: \(options.unit)
                # COMPLETE: serial: {baud: 9600, data_bits: 8, parity: none, stop_bits: 1}
                word_order: \(word.rawValue)
                byte_order: \(byte.rawValue)
                limits: {max_registers: 20, response_timeout: 1s, quiet_time: 100ms}
                identify:
                  - {\(identification())}
                polls: {fast: 5s, slow: 60s}
                defaults: {poll: fast}
                points:

            """
        for row in rows { text += "      \(point(row, word: word, byte: byte))\n" }
        text += vectors()
        return text
    }

    private func point(_ row: PointListRow, word: HalfOrder, byte: HalfOrder) -> String {
        var fields = ["at: \(row.place.wire)", "type: \(row.type.rawValue)"]
        if row.type.registers > 1, row.wordOrder != word {
            fields.append("word_order: \(row.wordOrder.rawValue)")
        }
        if row.byteOrder != byte { fields.append("byte_order: \(row.byteOrder.rawValue)") }
        if row.scale.value != 1 { fields.append("scale: \(row.scale.text)") }
        fields.append("unit: \(Self.quoted(row.unit.symbol))")
        if row.description.kind == .counter {
            fields += ["poll: slow", "counter: {modulus: null, resets: manual}"]
        }
        fields.append("doc: \(Self.quoted(row.doc))")
        return "\(row.key): {\(fields.joined(separator: ", "))}"
    }

    /// Physics where the table has it: mains frequency, then a mains voltage, then anything.
    private func identification() -> String {
        let ranges: [(quantity: String, low: Double, high: Double)] = [
            ("frequency", 45, 65), ("voltage", 0, 500), ("air_temperature", -40, 60),
            ("relative_humidity", 0, 100),
        ]
        for range in ranges {
            guard let row = rows.first(where: { $0.key.quantity == range.quantity }) else {
                continue
            }
            let ends = [range.low, range.high].map {
                ($0 - row.unit.offset) / row.unit.factor / row.scale.value
            }
            let (low, high) = (min(ends[0], ends[1]), max(ends[0], ends[1]))
            return "at: \(row.place.wire), type: \(row.type.rawValue), "
                + "between: [\(Self.number(low.rounded(.down))), \(Self.number(high.rounded(.up)))]"
        }
        let row = rows[0]
        return "at: \(row.place.wire), type: \(row.type.rawValue), between: [-1e15, 1e15]"
    }

    /// One vector with a number of its own for each point, so that no two can be confused.
    private func vectors() -> String {
        var given: [String] = []
        var expect: [String] = []
        for (index, row) in rows.enumerated() {
            let source = RegisterSource(
                area: row.place.area, address: row.place.address, type: row.type,
                count: row.type.registers, wordOrder: row.wordOrder, byteOrder: row.byteOrder)
            let raw: Double =
                switch row.type.registers {
                case 1: Double(row.type == .bcd16 ? 1234 + index : 258 + 257 * (index % 250))
                case 2: row.type == .float32 ? 1.5 + Double(index) : 66_051 + 65_537 * Double(index)
                default: 16_909_060 + 65_537 * Double(index)
                }
            guard let pattern = RegisterValue.pattern(nearest: raw, of: source),
                let number = RegisterValue.number(pattern, of: source)
            else { continue }
            let digits = RegisterValue.registers(pattern, of: source).map {
                let hexadecimal = String($0, radix: 16, uppercase: true)
                return String(repeating: "0", count: 4 - hexadecimal.utf8.count) + hexadecimal
            }
            let value =
                (number * DecimalRatio(row.scale.value) * DecimalRatio(row.unit.factor)
                + DecimalRatio(row.unit.offset)).value
            given.append("\(row.place.wire): \"\(digits.joined())\"")
            expect.append("\(row.key): \(Self.number(value))")
        }
        let pad = ",\n" + String(repeating: " ", count: 16)
        return """
                tests:
                  - name: "COMPLETE: made up by the import; registers as read, values as displayed"
                    given: {\(given.joined(separator: pad))}
                    expect: {\(expect.joined(separator: pad + " "))}

            """
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && value.magnitude < 1e15 ? "\(Int64(value))" : "\(value)"
    }

    /// In double quotes, as YAML reads them back.
    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for character in text {
            if character == "\"" || character == "\\" { quoted.append("\\") }
            quoted.append(character)
        }
        return quoted + "\""
    }
}
