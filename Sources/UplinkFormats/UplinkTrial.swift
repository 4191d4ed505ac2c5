import RemoteWriteWire
import Telemetry

//  What `plumbline check --uplink` sends: a message that says of itself that it is a trial, with no
//  reading in it.
//
//      plumbline-json/1   the object of an item of kind "trial/check" without series
//      remote-write/1     plumbline_trial{site="…"} 1
//      influx-line/1      plumbline_trial,site=… value=1i

extension UplinkItem {
    /// An item that counts for nothing.
    package static func trial(of site: SiteID, at time: Timestamp) -> UplinkItem {
        let start = time.slot(every: .seconds(1))
        return UplinkItem(
            site: site, kind: "trial/check", scope: "gateway/check/trial", device: nil,
            start: start, end: start + .seconds(1), revision: 0, entries: [])
    }
}

extension PlumblineJSONFormat {
    package func trial(
        of site: SiteID, at time: Timestamp, calendar: SiteCalendar
    ) -> EncodedMessage? { encode(.trial(of: site, at: time), calendar: calendar) }
}

extension RemoteWriteFormat {
    package func trial(
        of site: SiteID, at time: Timestamp, calendar: SiteCalendar
    ) -> EncodedMessage? {
        var table = RemoteWriteTable(labels: labels)
        table.add(1, at: time, to: .init(metric: "plumbline_trial", site: site.text))
        return message(table, key: UplinkItem.trial(of: site, at: time).idempotencyKey)
    }
}

extension InfluxLineFormat {
    package func trial(
        of site: SiteID, at time: Timestamp, calendar: SiteCalendar
    ) -> EncodedMessage? {
        let line =
            "plumbline_trial,site=\(InfluxText.name(site.text)) value=1i \(time.milliseconds)000000"
        return EncodedMessage(
            topicSuffix: "", payload: Array((line + "\n").utf8),
            contentType: "text/plain; charset=utf-8",
            idempotencyKey: UplinkItem.trial(of: site, at: time).idempotencyKey)
    }
}
