import LocatedText
import Telemetry

/// A platform's JSON as data: a file says what a message looks like (`uplink-template/1`).
///
///     {"deviceId":"32010001","time":"2026-11-21 08:00:00","data":{"pm10":150.9}}
///
/// is what this shape makes of an item:
///
///     body:
///       deviceId: { $text: "{device}" }
///       time: { $time: start, format: "yyyy-MM-dd HH:mm:ss" }
///       data:
///         pm10: { $point: pm10, decimals: 1 }
///
/// A *record* is what one device said of one period or, where readings are told, at one time. A
/// shape with `$records` has all records of up to `batch` items; one without is one record: the
/// period, or the newest time at which there are readings.
///
/// The file holds data only: no expression, no condition, no code. `docs/formats/uplink-template.md`
/// has the whole grammar.
package struct TemplateFormat: UplinkFormat {
    package let name: String
    /// Where the platform's fields are from, and how far that was checked.
    package let provenance: Provenance
    package let correction: CorrectionForm
    package let batchLimit: Int
    /// The platform's ids of our sites and devices, by ours; others go out as they are.
    package var ids: [String: String]
    let topic: TemplateText
    let body: TemplateShape
    let answer: TemplateAnswer?
    /// The vocabulary's units by their symbols.
    var units: [String: Unit] = [:]

    /// What is known of a platform's interface.
    package struct Provenance: Hashable, Sendable {
        package var source: String
        package var status: HJ212FactorTable.Evidence
        /// When that was looked at, as the file writes it.
        package var checked: String
    }

    package func encode(_ items: [UplinkItem], calendar: SiteCalendar) -> EncodedMessage {
        guard let first = items.first else {
            return EncodedMessage(topicSuffix: "", payload: [], idempotencyKey: "")
        }
        let writer = TemplateWriter(
            units: units, ids: ids, calendar: calendar,
            records: body.hasRecords ? items.flatMap(TemplateRecord.all) : [])
        let whole = TemplateRecord(newestOf: first)
        var json = JSONWriter()
        writer.write(body, of: whole, to: &json)
        return EncodedMessage(
            topicSuffix: topic.text(of: whole, ids: ids, escape: TopicLevel.escape),
            payload: json.bytes, idempotencyKey: items.sharedKey)
    }

    /// What the platform's answer says in its body, where the file tells how to read it.
    package func outcome(of answer: HTTPAnswer) -> Outcome {
        self.answer?.outcome(of: answer) ?? answer.outcomeInWords
    }

    // MARK: What the template wants to know

    /// The statistics that the template tells of a series, so that their readings can be looked up.
    package func statistics(of series: Series) -> [Statistic] {
        body.points.filter { $0.matches(series) }.map { $0.statistic(of: series) }
    }

    /// The template with the vocabulary's units; a unit or a point that the vocabulary does not have
    /// is a fault, because its field would never be known.
    ///
    /// - Parameters:
    ///   - known: the units by symbol.
    ///   - quantities: what points can measure, by their words.
    package func bound(
        to known: [String: Unit], quantities: Set<String>, _ faults: FaultCollector
    ) -> Self {
        var bound = self
        bound.units = known
        for point in body.points {
            if !quantities.contains(where: { Wildcard.matches($0, point.quantity) }) {
                let near = Spelling.nearest(to: point.quantity, among: Array(quantities))
                faults.add(
                    point.location, "the vocabulary has no '\(point.quantity)'",
                    remedy: near.map { "did you mean '\($0)'?" }
                        ?? "quantities stand in Devices/vocabulary.yaml")
            }
            guard let unit = point.unit, known[unit.symbol] == nil else { continue }
            faults.add(
                unit.location, "the vocabulary has no unit '\(unit.symbol)'",
                remedy: "units stand in Devices/vocabulary.yaml")
        }
        return bound
    }

    /// Finds fault with units that do not measure what the site's points are.
    package func check(_ series: [Series], _ faults: FaultCollector) {
        for point in body.points {
            guard let unit = point.unit, let theirs = units[unit.symbol] else { continue }
            let other = series.first {
                point.matches($0) && units[$0.unit]?.dimension != theirs.dimension
            }
            guard let other else { continue }
            faults.add(
                unit.location,
                "'\(other.id)' is in '\(other.unit)', which '\(unit.symbol)' does not measure")
        }
    }
}
