import Telemetry

/// The house's own format, one JSON object for each closed bucket of a scan group.
///
///     {"format":"plumbline-json/1",
///      "key":     "<site>|rollup/<resolution>|<scope>|<start in UTC>",   the same for every revision
///      "site", "device", "scope":  text
///      "resolution": "1min" | "15min" | "1h" | "1d" | "1month"
///      "start", "end":             RFC 3339 with the site's offset, [start, end)
///      "revision":                 0, 1, 2 …; a higher one replaces a lower one
///      "stored":                   false while the gateway cannot write to its own store
///      "series": [ {"id":"<site>/<device>/<point>", "unit", "kind",
///                   "count", "bad", "expected", "coverage",
///                   gauge:   "mean", "min", "max", "first", "last", "sum"
///                   counter: "increase", "estimated", "last"
///                   state, text: nothing more } … ]}
///
/// Keys stand in this order. What is not known is `null`: a gauge without a good reading has no
/// mean, and coverage without an expected number is not 100 %. `docs/formats/uplink-json.md` tells
/// each field.
package struct PlumblineJSONFormat: UplinkFormat {
    package init() {}

    package var name: String { "plumbline-json/1" }
    package var correction: CorrectionForm { .replace }

    /// - Parameter items: one.
    package func encode(_ items: [UplinkItem], calendar: SiteCalendar) -> EncodedMessage {
        guard let item = items.first else {
            return EncodedMessage(topicSuffix: "", payload: [], idempotencyKey: "")
        }
        var json = JSONWriter(capacity: 256 + 256 * item.entries.count)
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
            $0.field("resolution", item.span)
            $0.field("start", calendar.rfc3339(item.start))
            $0.field("end", calendar.rfc3339(item.end))
            $0.field("revision", item.revision)
            $0.field("stored", item.isStored)
            $0.key("series")
            $0.array { for entry in item.entries { write(entry, of: item.site, to: &$0) } }
        }
    }

    private func write(_ entry: UplinkItem.Entry, of site: SiteID, to json: inout JSONWriter) {
        let (series, rollup) = (entry.series, entry.rollup)
        json.object {
            $0.field("id", "\(site)/\(series.id.device)/\(series.id.point)")
            $0.field("unit", series.unit)
            $0.field("kind", series.kind.rawValue)
            $0.field("count", rollup.count)
            $0.field("bad", rollup.bad)
            $0.field("expected", rollup.expected)
            $0.field("coverage", rollup.coverage)
            switch series.kind {
            case .gauge:
                $0.field("mean", rollup.mean)
                $0.field("min", rollup.minimum)
                $0.field("max", rollup.maximum)
                $0.field("first", rollup.first?.value)
                $0.field("last", rollup.last?.value)
                $0.field("sum", rollup.first == nil ? nil : rollup.sum.value)
            case .counter:
                $0.field("increase", rollup.increase?.double)
                $0.field("estimated", rollup.isEstimated)
                $0.field("last", rollup.last?.value)
            case .state, .text: break
            }
        }
    }
}

extension UplinkItem {
    /// Device, interface and name of the scan group; a topic pattern keeps its slashes.
    var scopeParts: [String] {
        scope.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
            .map(String.init)
    }
}
