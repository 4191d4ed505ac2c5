import Telemetry

/// ThingsBoard's gateway API: one connection speaks for all the devices of a site.
///
///     v1/gateway/connect      {"device":"dust-north"}                            once per connection
///     v1/gateway/attributes   {"dust-north":{"site":"hz-qt-0172","pm10_unit":"ug/m3"}}        once
///     v1/gateway/telemetry    {"dust-north":[{"ts":1795219200000,"values":{"pm10":150.9}}]}
///
///     a period         at its first instant
///       <key>                what is told of the point, where that is one number
///       <key>_mean …         where it is several: mean, min and max of a gauge, increase and last
///                            of a counter
///       <key>_estimated      true when an increase rests on a gap, a reset or a missing end
///       <key>_count          good readings: of a point of which no number is told (0: it is dead;
///                            a fold of states has no number), and of all points of a correction
///     readings         a record for each distinct time, with the values that are known at it
///       <key>                a number, the word of a state, or free text
///       <key>_count          0 at the first instant of the period, when none is known in it
///
/// A key is the platform's word for the point, else the point's own. Written again under the same
/// key and time, a value overwrites the one before. What is not known has no key, and a correction
/// that no longer knows a number cannot take it back; its count says so.
///
/// One item is one message: a server that is left as it comes takes 64 KiB and cuts the connection
/// for more, which nobody could halve.
package struct ThingsBoardFormat: UplinkFormat {
    /// Stands before each device's id. The names of a tenant's devices are unique, so several sites
    /// in one tenant need it.
    package var devicePrefix: String

    package init(devicePrefix: String = "") { self.devicePrefix = devicePrefix }

    package var name: String { "thingsboard" }
    package var correction: CorrectionForm { .replace }

    /// - Parameter items: one.
    package func encode(_ items: [UplinkItem], calendar: SiteCalendar) -> EncodedMessage {
        guard let item = items.first else {
            return EncodedMessage(topicSuffix: "", payload: [], idempotencyKey: "")
        }
        var json = JSONWriter()
        json.object {
            for (device, entries) in item.entriesByDevice {
                $0.key(devicePrefix + device.text)
                $0.array { json in
                    for record in records(of: item, entries) { record.write(to: &json) }
                }
            }
        }
        return message("telemetry", json, key: item.idempotencyKey)
    }

    /// That each device is there, and in which units its numbers are.
    ///
    /// Units are attributes of their own, because several scan groups tell of one device and an
    /// attribute that holds all of them would be overwritten by each.
    package func introduction(of items: [UplinkItem]) -> [EncodedMessage] {
        items.flatMap { item in
            item.entriesByDevice.flatMap { device, entries -> [EncodedMessage] in
                let name = devicePrefix + device.text
                var connect = JSONWriter()
                connect.object { $0.field("device", name) }
                var attributes = JSONWriter()
                attributes.object {
                    $0.key(name)
                    $0.object {
                        $0.field("site", item.site.text)
                        for (key, entry) in zip(keys(of: entries), entries)
                        where !entry.toldUnit.isEmpty { $0.field("\(key)_unit", entry.toldUnit) }
                    }
                }
                return [
                    message("connect", connect, key: "connect|\(name)"),
                    message("attributes", attributes, key: "attributes|\(item.scope)|\(name)"),
                ]
            }
        }
    }

    // MARK: Devices and keys

    private func message(_ topic: String, _ json: JSONWriter, key: String) -> EncodedMessage {
        EncodedMessage(
            topicSuffix: "v1/gateway/\(topic)", payload: json.bytes, idempotencyKey: key)
    }

    /// What each entry is called. Of two that would be called the same, the later keeps the point's
    /// own key, so that no number hides another one.
    private func keys(of entries: [UplinkItem.Entry]) -> [String] {
        var taken: Set<String> = []
        return entries.map { entry in
            let point = entry.series.id.point.text
            let wanted = entry.point.name.flatMap { $0.isEmpty ? nil : $0 } ?? point
            let key = taken.contains(wanted) ? point : wanted
            taken.insert(key)
            return key
        }
    }

    // MARK: Records

    private func records(
        of item: UplinkItem, _ entries: [UplinkItem.Entry]
    ) -> [ThingsBoardRecord] {
        let named = Array(zip(keys(of: entries), entries))
        return item.tellsReadings
            ? readings(of: item, named) : [period(item, named)].filter { !$0.isEmpty }
    }

    private func period(
        _ item: UplinkItem, _ entries: [(String, UplinkItem.Entry)]
    ) -> ThingsBoardRecord {
        var record = ThingsBoardRecord(time: item.start)
        for (key, entry) in entries {
            var isTold = false
            let statistics = entry.toldStatistics
            for statistic in statistics {
                guard let value = entry.rounded(entry.number(statistic)) else { continue }
                isTold = true
                record.add(
                    statistics.count == 1 ? key : "\(key)_\(statistic.word)", .number(value))
                if statistic == .increase, entry.rollup.isEstimated || item.revision > 0 {
                    record.add("\(key)_estimated", .truth(entry.rollup.isEstimated))
                }
            }
            if !isTold || item.revision > 0 {
                record.add("\(key)_count", .number(Double(entry.rollup.count)))
            }
        }
        return record
    }

    private func readings(
        of item: UplinkItem, _ entries: [(String, UplinkItem.Entry)]
    ) -> [ThingsBoardRecord] {
        var records: [Timestamp: ThingsBoardRecord] = [:]
        for (key, entry) in entries {
            var isTold = false
            for sample in entry.samples {
                guard let value = value(of: sample, entry) else { continue }
                isTold = true
                records[sample.time, default: .init(time: sample.time)].add(key, value)
            }
            if !isTold {
                records[item.start, default: .init(time: item.start)]
                    .add("\(key)_count", .number(0))
            }
        }
        return records.values.sorted { $0.time < $1.time }
    }

    private func value(
        of sample: Sample, _ entry: UplinkItem.Entry
    ) -> ThingsBoardRecord.Value? {
        switch sample.reading {
        case .good(.text(let word)): .text(word)
        case .good(.number(let number)):
            entry.rounded(entry.converted(number)).map { .number($0) }
        case .bad: nil
        }
    }
}

/// What one device said at one time: `{"ts":ms,"values":{…}}`.
private struct ThingsBoardRecord {
    enum Value {
        case number(Double)
        case text(String)
        case truth(Bool)
    }

    let time: Timestamp
    private var values: [(key: String, value: Value)] = []

    init(time: Timestamp) { self.time = time }

    var isEmpty: Bool { values.isEmpty }

    /// Of two values of one key the later counts: an object with a member twice is no JSON.
    mutating func add(_ key: String, _ value: Value) {
        if let place = values.firstIndex(where: { $0.key == key }) {
            values[place].value = value
        } else {
            values.append((key, value))
        }
    }

    func write(to json: inout JSONWriter) {
        json.object {
            $0.field("ts", time.milliseconds)
            $0.key("values")
            $0.object {
                for (key, value) in values {
                    switch value {
                    case .number(let number): $0.field(key, number)
                    case .text(let text): $0.field(key, text)
                    case .truth(let truth): $0.field(key, truth)
                    }
                }
            }
        }
    }
}
