import LocatedText
import Telemetry

/// The small words of every file of this trade: names, titles, sentences, years.
extension LocatedNode {
    /// Whether a text can name a meter, an item, a quota, a band: `[a-z0-9-]`, at most 64 bytes and
    /// with a letter, so that nobody takes it for a number.
    static func isName(_ text: some StringProtocol) -> Bool {
        text.utf8.count <= 64 && text.utf8.contains { (0x61...0x7A).contains($0) }
            && text.utf8.allSatisfy {
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D
            }
    }

    /// A name of small letters, digits and hyphens: `public-institution`.
    func name(_ faults: FaultCollector) -> String? {
        guard let text = string(faults) else { return nil }
        if Self.isName(text) { return text }
        let isNumber = text.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2D }
        faults.add(
            location, "'\(text)' is not a name",
            remedy: isNumber
                ? "a letter a to z among the digits" : "small letters a to z, digits and '-'")
        return nil
    }

    /// A text that says something.
    func sentence(_ faults: FaultCollector) -> String? {
        guard let text = string(faults) else { return nil }
        if text.contains(where: { !$0.isWhitespace }) { return text }
        faults.add(location, "nothing is said here", remedy: "write where the figure comes from")
        return nil
    }

    /// A year of the calendar that a figure of this trade can have.
    func calendarYear(_ faults: FaultCollector) -> Int? {
        guard let year = int(faults) else { return nil }
        if (1900...2200).contains(year) { return year }
        faults.add(location, "\(year) is not a year", remedy: "four digits, for example '2023'")
        return nil
    }
}

extension LocalizedText {
    /// `{ en: …, zh: … }`, or one text for both.
    package static func parse(_ node: LocatedNode, _ faults: FaultCollector) -> LocalizedText? {
        if let text = node.scalar { return LocalizedText(en: text, zh: text) }
        var reader = MappingReader(node, faults)
        let en = reader.required("en")?.string(faults)
        let zh = reader.required("zh")?.string(faults)
        reader.finish()
        return en.flatMap { en in zh.map { LocalizedText(en: en, zh: $0) } }
    }
}
