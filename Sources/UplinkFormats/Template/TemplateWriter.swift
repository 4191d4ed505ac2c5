import Telemetry

/// Fills a shape with what is known.
struct TemplateWriter {
    let units: [String: Unit]
    let ids: [String: String]
    let calendar: SiteCalendar
    /// What stands in `$records`.
    let records: [TemplateRecord]

    /// Writes what stands at a place.
    ///
    /// - Parameter key: of a member; an unknown value that is left out leaves its key out too.
    func write(
        _ shape: TemplateShape, as key: String? = nil, of record: TemplateRecord,
        to json: inout JSONWriter
    ) {
        switch shape {
        case .point(let point):
            guard let value = value(of: point, record) else {
                return write(point.unknown, as: key, to: &json)
            }
            if let key { json.key(key) }
            json.fragment(value)
        case .bits(let bits):
            guard let text = text(of: bits, record) else {
                return write(bits.unknown, as: key, to: &json)
            }
            if let key { json.key(key) }
            json.value(text)
        default:
            if let key { json.key(key) }
            writeKnown(shape, of: record, to: &json)
        }
    }

    private func writeKnown(
        _ shape: TemplateShape, of record: TemplateRecord, to json: inout JSONWriter
    ) {
        switch shape {
        case .constant(let constant): constant.write(to: &json)
        case .text(let text): json.value(text.text(of: record, ids: ids))
        case .time(let time): time.write(record, calendar, to: &json)
        case .object(let fields):
            json.object {
                for field in fields { write(field.shape, as: field.key, of: record, to: &$0) }
            }
        case .list(let shapes):
            json.array { for shape in shapes { write(shape, of: record, to: &$0) } }
        case .records(let shape):
            json.array { for record in records { write(shape, of: record, to: &$0) } }
        case .point, .bits: break
        }
    }

    private func write(
        _ unknown: TemplateUnknown, as key: String?, to json: inout JSONWriter
    ) {
        if unknown == .omit { return }
        if let key { json.key(key) }
        if case .text(let text) = unknown { json.value(text) } else { json.null() }
    }

    // MARK: Values

    /// A value as JSON; nil when nothing is known.
    private func value(of point: TemplatePoint, _ record: TemplateRecord) -> [UInt8]? {
        var json = JSONWriter(capacity: 24)
        switch record.value(of: point, units: units) {
        case .number(let number):
            guard let text = digits(of: number, point) else { return nil }
            if point.isText { json.value(text) } else { json.fragment(text.utf8) }
        case .word(let word):
            if point.words.isEmpty { json.value(word) }
            if !point.words.isEmpty {
                guard let constant = point.words[word] else { return nil }
                constant.write(to: &json)
            }
        case nil: return nil
        }
        return json.bytes
    }

    /// A number in JSON's digits, with the decimals or in the scale that the platform wants.
    private func digits(of number: Double, _ point: TemplatePoint) -> String? {
        if let scale = point.scale { return DecimalText.fixed(number * scale, places: 0) }
        guard let places = point.decimals else { return DecimalText.shortest(number) }
        // What has no 15 digits to round keeps those that it has.
        return DecimalText.fixed(number, places: places) ?? DecimalText.shortest(number)
    }

    /// nil when the device has none of the points, or one of them says nothing: a zero would say
    /// that all is well.
    private func text(of bits: TemplateBits, _ record: TemplateRecord) -> String? {
        var characters = [Character](repeating: "0", count: bits.width)
        var isToldOf = false
        for (bit, point) in bits.points {
            guard record.entries.contains(where: { point.matches($0.series) }) else { continue }
            guard case .word(let word) = record.value(of: point, units: units) else { return nil }
            isToldOf = true
            if bits.set.contains(word), characters.indices.contains(bit) {
                characters[bits.width - 1 - bit] = "1"
            }
        }
        return isToldOf ? String(characters) : nil
    }
}
