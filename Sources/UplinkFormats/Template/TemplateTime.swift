import Telemetry

/// A time of the record, as a platform writes times.
struct TemplateTime: Hashable, Sendable {
    /// Which instant of a period; of a reading both are its time.
    enum Instant: String, Hashable, Sendable, CaseIterable { case start, end }

    enum Form: Hashable, Sendable {
        /// With the site's offset.
        case rfc3339
        case epochSeconds
        case epochMilliseconds
        /// The site's civil time in this pattern, without a zone.
        case civil([CivilPart])
    }

    /// A piece of a civil time.
    enum CivilPart: Hashable, Sendable {
        case year, month, day, hour, minute, second, millisecond
        case literal(Character)
    }

    var instant: Instant
    var form: Form
    /// Whether a number is written as a text.
    var isText: Bool

    func write(_ record: TemplateRecord, _ calendar: SiteCalendar, to json: inout JSONWriter) {
        let time = instant == .start ? record.start : record.end
        switch form {
        case .rfc3339: json.value(calendar.rfc3339(time))
        case .epochSeconds: write(time.slot(every: .seconds(1)).milliseconds / 1000, to: &json)
        case .epochMilliseconds: write(time.milliseconds, to: &json)
        case .civil(let parts): json.value(Self.text(calendar.civil(time), parts))
        }
    }

    private func write(_ number: Int64, to json: inout JSONWriter) {
        if isText { json.value(String(number)) } else { json.value(number) }
    }

    private static func text(_ time: CivilTime, _ parts: [CivilPart]) -> String {
        parts.map { part in
            switch part {
            case .year: time.year.padded(4)
            case .month: time.month.padded(2)
            case .day: time.day.padded(2)
            case .hour: time.hour.padded(2)
            case .minute: time.minute.padded(2)
            case .second: time.second.padded(2)
            case .millisecond: time.millisecond.padded(3)
            case .literal(let character): String(character)
            }
        }.joined()
    }

    /// Reads a pattern as `yyyyMMddHHmmss` or `yyyy-MM-dd HH:mm:ss.SSS`.
    ///
    /// - Returns: nil without year, month, day, hour and minute, each once; and for other Latin letters
    ///   than those and `T`.
    static func pattern(_ text: String) -> [CivilPart]? {
        let fields: [(String, CivilPart)] = [
            ("yyyy", .year), ("MM", .month), ("dd", .day), ("HH", .hour), ("mm", .minute),
            ("ss", .second), ("SSS", .millisecond),
        ]
        var parts: [CivilPart] = []
        var rest = text[...]
        while let character = rest.first {
            if let (word, part) = fields.first(where: { rest.hasPrefix($0.0) }) {
                if parts.contains(part) { return nil }
                parts.append(part)
                rest = rest.dropFirst(word.count)
            } else {
                if character.isASCII, character.isLetter, character != "T" { return nil }
                parts.append(.literal(character))
                rest = rest.dropFirst()
            }
        }
        return [.year, .month, .day, .hour, .minute].allSatisfy(parts.contains) ? parts : nil
    }
}
