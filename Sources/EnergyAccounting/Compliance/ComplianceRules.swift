import LocatedText
import Telemetry

/// What the law demands of a building's meters, as a file says it.
///
/// The grammar of `Config/energy/compliance.yaml`:
///
///     format: compliance/1
///     title: { en: …, zh: … }
///     duty: { en: …, zh: … }          what has to be done, and by whom
///     from_area: 10000 m2             the total floor area from which the duty holds
///     fine: { en: …, zh: … }          what it costs not to
///     source: where it stands
///     status: secondary               verified | secondary | from-memory | project
///     certificate_soon: 60 d          a certificate that is due within so long is due soon
///     upload_grace: 24 h              a platform is behind when something of a day is owed so long
///                                     after the day has ended
///
/// What the words mean is told in `docs/formats/compliance.md`.
package struct ComplianceRules: Hashable, Sendable {
    package static let format = "compliance/1"

    package var title: LocalizedText
    package var duty: LocalizedText
    /// In m²; a building of exactly this area is meant too.
    package var fromArea: Exact
    package var fine: LocalizedText
    package var source: String
    package var status: FigureEvidence
    /// In days.
    package var certificateSoon: Int
    package var uploadGrace: Duration

    /// - Throws: every fault of the text at once, each with its place and a remedy.
    package static func parse(_ text: String, file: String) throws(Faults) -> ComplianceRules {
        let faults = FaultCollector()
        var reader = MappingReader(try LocatedNode.parse(text, file: file), faults)
        _ = reader.required("format")?.word([(format, ())], faults)
        let title = words(reader.required("title"), faults)
        let duty = words(reader.required("duty"), faults)
        let area = reader.required("from_area")?.figure(
            unit: "m2", in: Exact(1)...Exact(10_000_000), faults)
        let fine = words(reader.required("fine"), faults)
        let source = reader.required("source")?.sentence(faults)
        let status = reader.required("status")?.word(FigureEvidence.words, faults)
        let soon = whole(reader.required("certificate_soon"), "d", most: 3650, faults)
        let grace = whole(reader.required("upload_grace"), "h", most: 8760, faults)
        reader.finish()
        try faults.throwIfAny()
        guard let title, let duty, let area, let fine, let source, let status, let soon, let grace
        else { throw Faults([Fault(Location(file: file, line: 1, column: 1), "unreadable")]) }
        return ComplianceRules(
            title: title, duty: duty, fromArea: area, fine: fine, source: source, status: status,
            certificateSoon: soon, uploadGrace: .seconds(Int64(grace) * 3600))
    }

    /// Both languages, and neither of them empty.
    private static func words(_ node: LocatedNode?, _ faults: FaultCollector) -> LocalizedText? {
        guard let node, let text = LocalizedText.parse(node, faults) else { return nil }
        if [text.en, text.zh].allSatisfy({ $0.contains { !$0.isWhitespace } }) { return text }
        faults.add(node.location, "nothing is said here", remedy: "write it in both languages")
        return nil
    }

    /// A whole number of a unit, 0 to `most`.
    private static func whole(
        _ node: LocatedNode?, _ unit: String, most: Int, _ faults: FaultCollector
    ) -> Int? {
        guard let node,
            let figure = node.figure(unit: unit, in: .zero...Exact(most), faults)
        else { return nil }
        if figure.denominator == 1 { return Int(figure.numerator) }
        faults.add(
            node.location, "'\(figure.plainText) \(unit)' is no whole number",
            remedy: "for example '30 \(unit)'")
        return nil
    }

    /// Whether the duty can hold for a building of this area; nil when nobody has said how large it
    /// is.
    package func holds(forArea area: Exact?) -> Bool? { area.map { fromArea <= $0 } }
}
