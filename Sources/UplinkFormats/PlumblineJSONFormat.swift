import Telemetry

/// The house's own format, one JSON object for each closed bucket of a scan group, or for its
/// readings of a minute.
///
///     {"format":"plumbline-json/1",
///      "key":     "<site>|<kind>|<scope>|<start in UTC>",   the same for every revision
///      "site", "device", "scope":  text
///      "resolution": "1min" | "15min" | "1h" | "1d" | "1month" | "raw"
///      "start", "end":             RFC 3339 with the site's offset, [start, end)
///      "revision":                 0, 1, 2 …; a higher one replaces a lower one
///      "stored":                   false while the gateway cannot write to its own store
///      "series": [ {"id":"<site>/<device>/<point>", "name" if the platform has a word for it,
///                   "unit", "kind", "count", "bad", "expected", "coverage",
///                   gauge:   "mean", "min", "max", "first", "last", "sum"
///                   counter: "increase", "estimated", "last"
///                   either:  what the platform's point asks for instead
///                   state, text: nothing more
///                   of readings instead: "readings":[[ms, value, quality, flag…] … ] } … ]}
///
/// Keys stand in this order. What is not known is `null`: a gauge without a good reading has no
/// mean, and coverage without an expected number is not 100 %. A good reading without flags is its
/// time and its value only. `docs/formats/uplink-json.md` tells each field.
package struct PlumblineJSONFormat: UplinkFormat {
    /// More than 1: messages are `{"items":[…]}` with so many objects at most, and have no levels of
    /// their own below the uplink's address.
    package let batchLimit: Int

    package init(batchLimit: Int = 1) { self.batchLimit = max(1, batchLimit) }

    package var name: String { "plumbline-json/1" }
    package var correction: CorrectionForm { .replace }

    /// - Parameter items: one, or up to `batchLimit`.
    package func encode(_ items: [UplinkItem], calendar: SiteCalendar) -> EncodedMessage {
        guard let item = items.first else {
            return EncodedMessage(topicSuffix: "", payload: [], idempotencyKey: "")
        }
        var json = JSONWriter(capacity: items.reduce(256) { $0 + 256 * $1.entries.count })
        if batchLimit > 1 {
            json.object {
                $0.key("items")
                $0.array { for item in items { write(item, calendar, to: &$0) } }
            }
            return EncodedMessage(
                topicSuffix: "", payload: json.bytes, idempotencyKey: items.sharedKey)
        }
        write(item, calendar, to: &json)
        return EncodedMessage(
            topicSuffix: ([item.kind] + item.scopeParts.map(TopicLevel.escape))
                .joined(separator: "/"),
            payload: json.bytes, idempotencyKey: item.idempotencyKey)
    }

    private func write(
        _ item: UplinkItem, _ calendar: SiteCalendar, to json: inout JSONWriter
    ) {
        json.object {
            $0.field("format", name)
            $0.field("key", item.idempotencyKey)
            $0.field("site", item.site.text)
            $0.field("device", item.device?.text)
            $0.field("scope", item.scope)
            $0.field("resolution", item.tellsReadings ? "raw" : item.span)
            $0.field("start", calendar.rfc3339(item.start))
            $0.field("end", calendar.rfc3339(item.end))
            $0.field("revision", item.revision)
            $0.field("stored", item.isStored)
            $0.key("series")
            $0.array { for entry in item.entries { write(entry, of: item, to: &$0) } }
        }
    }

    private func write(
        _ entry: UplinkItem.Entry, of item: UplinkItem, to json: inout JSONWriter
    ) {
        let (series, rollup) = (entry.series, entry.rollup)
        json.object {
            $0.field("id", "\(item.site)/\(series.id.device)/\(series.id.point)")
            if let name = entry.point.name, !name.isEmpty { $0.field("name", name) }
            $0.field("unit", entry.toldUnit)
            $0.field("kind", series.kind.rawValue)
            $0.field("count", rollup.count)
            $0.field("bad", rollup.bad)
            $0.field("expected", rollup.expected)
            $0.field("coverage", rollup.coverage)
            if item.tellsReadings {
                $0.key("readings")
                $0.array { for sample in entry.samples { write(sample, of: entry, to: &$0) } }
            } else {
                writeFold(of: entry, to: &$0)
            }
        }
    }

    private func writeFold(of entry: UplinkItem.Entry, to json: inout JSONWriter) {
        let statistics: [Statistic]
        switch entry.series.kind {
        case .state, .text: return
        case .gauge: statistics = [.mean, .minimum, .maximum, .first, .last, .sum]
        case .counter: statistics = [.increase, .last]
        }
        var told: Set<Statistic> = []
        for statistic in entry.point.statistics.isEmpty ? statistics : entry.point.statistics {
            // One list of statistics is for all points; a gauge has nothing to count.
            if statistic == .increase, entry.series.kind == .gauge { continue }
            guard told.insert(statistic).inserted else { continue }
            json.field(statistic.word, entry.rounded(entry.number(statistic)))
            if statistic == .increase { json.field("estimated", entry.rollup.isEstimated) }
        }
    }

    private func write(
        _ sample: Sample, of entry: UplinkItem.Entry, to json: inout JSONWriter
    ) {
        json.array {
            $0.value(sample.time.milliseconds)
            var quality = sample.reading.qualityWord
            switch sample.reading {
            case .good(.text(let word)): $0.value(word)
            case .good(.number(let number)):
                let value = entry.rounded(entry.converted(number))
                $0.value(value)
                if value == nil { quality = BadReason.invalid.word }
            case .bad: $0.null()
            }
            let flags = sample.flags.words
            if quality != "good" || !flags.isEmpty { $0.value(quality) }
            for flag in flags { $0.value(flag) }
        }
    }
}

extension ScanFlags {
    /// What a stored reading can be marked with.
    fileprivate var words: [String] {
        let known: [(ScanFlags, String)] = [
            (.backfill, "backfill"), (.arrivalTime, "arrival_time"),
            (.timeEstimated, "time_estimated"),
        ]
        return known.filter { contains($0.0) }.map(\.1)
    }
}

extension UplinkItem {
    /// Device, interface and name of the scan group; a topic pattern keeps its slashes.
    var scopeParts: [String] {
        scope.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
            .map(String.init)
    }
}
