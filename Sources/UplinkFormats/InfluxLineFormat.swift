import Telemetry

/// InfluxDB's line protocol, for engines that hold the series of many sites.
///
///     POST of text, a line for each series and period, or for each reading:
///
///     <quantity>,device=…,point=…,resolution=…,site=…,unit=… <field>=<value>,… <ns since 1970>
///
///     a period's fields      at its first instant, as InfluxQL labels its own windows
///       mean= min= max= …    what is told of a gauge
///       increase= last= estimated=true|false   what is told of a counter
///       bad=2i count=88i     readings without and with a value
///       coverage=0.97        good / expected, where the latter is known
///       revision=0i          a correction has a higher one
///     a reading's fields     at its own time, with resolution=raw
///       value=16.5           a number
///       text="idle"          a state's word or free text
///       quality="timeout"    why there is neither
///
/// A point that is written again under the same tags and time overwrites field by field. What is not
/// known has no field. Numbers never end in `i` but those above, so a field keeps its type.
///
/// Times are nanoseconds, although they are whole milliseconds: that is the unit which a server
/// assumes when it is told none, and one that it reads wrongly is refused instead of being filed
/// under 1970.
package struct InfluxLineFormat: UplinkFormat {
    /// Tags that every line bears besides its own, which prevail.
    package var tags: [String: String]

    package init(tags: [String: String] = [:]) { self.tags = tags }

    package var name: String { "influx-line/1" }
    package var correction: CorrectionForm { .replace }
    /// Some thousand lines, as InfluxDB's makers advise.
    package var batchLimit: Int { 200 }

    package func encode(_ items: [UplinkItem], calendar: SiteCalendar) -> EncodedMessage {
        var text = ""
        for item in items {
            for entry in item.entries {
                let series = head(of: entry, item)
                if item.tellsReadings {
                    for sample in entry.samples {
                        add(series, field(of: sample, entry), sample.time, to: &text)
                    }
                } else {
                    add(series, fields(of: entry, revision: item.revision), item.start, to: &text)
                }
            }
        }
        // An empty body is answered like any other; a comment says that it is meant.
        if text.isEmpty { text = "# no reading\n" }
        return EncodedMessage(
            topicSuffix: "", payload: Array(text.utf8),
            contentType: "text/plain; charset=utf-8", idempotencyKey: items.sharedKey)
    }

    /// As a status means it, with the server's words: which part of a request it did not take
    /// ("partial write … dropped=1"; it has the rest), or which database does not exist.
    package func outcome(of answer: HTTPAnswer) -> Outcome { answer.outcomeInWords }

    // MARK: Lines

    private func add(
        _ head: String, _ fields: String, _ time: Timestamp, to text: inout String
    ) {
        // The server knows the times of 64 bits of nanoseconds, 1677 to 2262.
        guard time.milliseconds.magnitude < 9_223_372_036_854 else { return }
        text += "\(head) \(fields) \(time.milliseconds)000000\n"
    }

    /// The measurement and the tags in the order of their names, which saves the server a sort.
    private func head(of entry: UplinkItem.Entry, _ item: UplinkItem) -> String {
        let named = entry.point.name.flatMap { $0.isEmpty ? nil : $0 }
        let measurement = named ?? String(entry.series.id.point.quantity)
        let own = [
            "device": entry.series.id.device.text, "point": entry.series.id.point.text,
            "resolution": item.tellsReadings ? "raw" : item.span, "site": item.site.text,
            "unit": entry.toldUnit,
        ]
        var text = InfluxText.measurement(measurement)
        for (name, value) in tags.merging(own, uniquingKeysWith: { $1 })
            .sorted(by: { $0.key < $1.key })
        {
            let (name, value) = (InfluxText.name(name), InfluxText.name(value))
            if !name.isEmpty, !value.isEmpty { text += ",\(name)=\(value)" }
        }
        return text
    }

    private func fields(of entry: UplinkItem.Entry, revision: Int) -> String {
        let rollup = entry.rollup
        var fields: [String] = []
        for statistic in entry.toldStatistics {
            guard let value = entry.rounded(entry.number(statistic)),
                let digits = DecimalText.shortest(value)
            else { continue }
            fields.append("\(statistic.word)=\(digits)")
            if statistic == .increase { fields.append("estimated=\(rollup.isEstimated)") }
        }
        fields += ["bad=\(rollup.bad)i", "count=\(rollup.count)i"]
        if let coverage = rollup.coverage.flatMap(DecimalText.shortest) {
            fields.append("coverage=\(coverage)")
        }
        fields.append("revision=\(revision)i")
        return fields.joined(separator: ",")
    }

    private func field(of sample: Sample, _ entry: UplinkItem.Entry) -> String {
        switch sample.reading {
        case .good(.text(let word)): return "text=\(InfluxText.string(word))"
        case .good(.number(let number)):
            let value = entry.rounded(entry.converted(number))
            if let digits = value.flatMap(DecimalText.shortest) { return "value=\(digits)" }
            return "quality=\(InfluxText.string(BadReason.invalid.word))"
        case .bad(let reason): return "quality=\(InfluxText.string(reason.word))"
        }
    }
}
