import RemoteWriteWire
import Telemetry

/// Prometheus remote write 1.0, for engines that hold the series of many sites.
///
///     POST, Content-Encoding: snappy, of a WriteRequest whose series are
///
///     plumbline_<quantity>_<unit>        {device, point, resolution, site, stat}   of a period
///     plumbline_<quantity>_<unit>_total  {device, point, resolution, site, stat}   a counter's register
///     plumbline_coverage_ratio           {device, point, resolution, site}         good / expected
///     plumbline_increase_estimated       {device, point, resolution, site}         0 or 1
///     plumbline_site_<figure>            {site}                                    what was configured
///
///     of a period    at its last millisecond, so that a range of PromQL that begins and ends with
///                    periods holds each of them once, whichever of its ends an engine counts
///     of a reading   at its own time, with resolution="raw" and without stat
///
/// A series appears once in a request, its labels sorted, its samples in order of time. A reading
/// without a value has no sample, and a period without one has only its coverage: nothing stands in
/// for what is not known. States and texts have no numbers; of them the coverage is told.
///
/// `docs/formats/remote-write.md` tells what engines make of it.
package struct RemoteWriteFormat: UplinkFormat {
    /// Labels that every series bears besides its own, which prevail.
    package var labels: [String: String]
    /// Numbers of the whole site, by name with the unit last: `floor_area_m2`. They are told with
    /// each item, so that an engine can divide by them.
    package var figures: [String: Double]
    /// Engines that keep the first sample of an instant, or any, take no corrections; of one that
    /// is known to overwrite the configuration can say so.
    package var correction: CorrectionForm

    package init(
        labels: [String: String] = [:], figures: [String: Double] = [:],
        correction: CorrectionForm = .none
    ) {
        self.labels = labels
        self.figures = figures
        self.correction = correction
    }

    package var name: String { "remote-write/1" }
    /// Some ten thousand samples; a month's backlog of one group goes in fifteen requests.
    package var batchLimit: Int { 200 }

    package func encode(_ items: [UplinkItem], calendar: SiteCalendar) -> EncodedMessage {
        var table = RemoteWriteTable(labels: labels)
        for item in items { add(item, to: &table) }
        return message(table, key: items.sharedKey)
    }

    func message(_ table: RemoteWriteTable, key: String) -> EncodedMessage {
        EncodedMessage(
            topicSuffix: "", payload: SnappyBlock.compress(table.request.bytes),
            contentType: "application/x-protobuf",
            fields: [
                .init("Content-Encoding", "snappy"),
                .init("X-Prometheus-Remote-Write-Version", "0.1.0"),
            ], idempotencyKey: key)
    }

    /// As a status means it, with one exception.
    ///
    /// Prometheus refuses a whole request for one sample that it has otherwise already or that is
    /// older than it accepts; its versions of 2023 and before call the latter their own failure
    /// (500). Sending the same again would not help.
    package func outcome(of answer: HTTPAnswer) -> Outcome {
        let words = answer.words
        if (500..<600).contains(answer.status), words.contains("too old sample") {
            return .rejected(reason: "HTTP \(answer.status): \(words)")
        }
        return answer.outcomeInWords
    }

    // MARK: Items

    private func add(_ item: UplinkItem, to table: inout RemoteWriteTable) {
        for entry in item.entries {
            if item.tellsReadings {
                addReadings(of: entry, item, to: &table)
            } else {
                addPeriod(of: entry, item, to: &table)
            }
        }
        for (name, value) in figures where value.isFinite {
            table.add(
                value, at: item.lastInstant,
                to: .init(
                    metric: "plumbline_site_" + RemoteWriteNames.legal(name), site: item.site.text))
        }
    }

    private func addReadings(
        of entry: UplinkItem.Entry, _ item: UplinkItem, to table: inout RemoteWriteTable
    ) {
        let metric = RemoteWriteNames.metric(of: entry)
        let isCounter = entry.series.kind == .counter
        let key = key(
            isCounter ? metric.register : metric.period, of: entry, item, resolution: "raw")
        for sample in entry.samples {
            let number = entry.converted(sample.reading.number)
            guard let value = entry.rounded(number) else { continue }
            table.add(value, at: sample.time, to: key)
        }
    }

    private func addPeriod(
        of entry: UplinkItem.Entry, _ item: UplinkItem, to table: inout RemoteWriteTable
    ) {
        let metric = RemoteWriteNames.metric(of: entry)
        let time = item.lastInstant
        var key = key(metric.period, of: entry, item, resolution: item.span)
        for statistic in entry.toldStatistics {
            guard let value = entry.rounded(entry.number(statistic)) else { continue }
            let isRegister = entry.series.kind == .counter && statistic != .increase
            key.metric = isRegister ? metric.register : metric.period
            key.stat = statistic.word
            table.add(value, at: time, to: key)
            if statistic == .increase {
                key.metric = "plumbline_increase_estimated"
                key.stat = ""
                table.add(entry.rollup.isEstimated ? 1 : 0, at: time, to: key)
            }
        }
        if let coverage = entry.rollup.coverage {
            key.metric = "plumbline_coverage_ratio"
            key.stat = ""
            table.add(coverage, at: time, to: key)
        }
    }

    private func key(
        _ metric: String, of entry: UplinkItem.Entry, _ item: UplinkItem, resolution: String
    ) -> RemoteWriteTable.Key {
        .init(
            metric: metric, site: item.site.text, device: entry.series.id.device.text,
            point: entry.series.id.point.text, resolution: resolution)
    }
}

extension UplinkItem {
    /// The last millisecond of the period.
    fileprivate var lastInstant: Timestamp { max(start, end - .milliseconds(1)) }
}
