import FieldLinks
import Frames
import LocatedText
import Telemetry
import UplinkFormats

//    - id: city-dust
//      hj212: tcp://203.0.113.5:9001         or tls://
//      password: { file: /etc/plumbline/city.password }
//      factors: uplinks/hj212-factors.yaml   codes, units and digits of the points
//      dialect: "2017"                       of that file
//      particulates: mg/m3                   what the platform takes; nothing in a packet says it
//      edition: 2017                         2005, 2017, 2025; and every other key of docs/uplinks/hj212.md
//      realtime: 60 s                        or off; 30 s to 1 h
//      keep_realtime: false                  true: values of an outage are told later, too
//      minutes: 10 min                       or off
//      hours: true
//      days: true
//      boot: false                           2081 after each start
//      gather: 35 s                          how long a period waits for all devices of a station
//      stations:
//        - mn: "010000A8900016F000169DC0"
//          devices: [dust-north, weather]
//          codes: { a34001: dust-north.tsp } instead of, or besides, what the file says

extension SiteConfiguration {
    /// A supervision platform that speaks HJ 212, and whose stations are told of there.
    package struct HJ212Uplink: Sendable {
        /// One identity on the platform, and the devices behind it.
        package struct Station: Sendable {
            package var identity: HJ212Station
            package var password: Secret?
            package var devices: [DeviceID]
            /// Codes of single points, over those of the table.
            package var codes: [String: SeriesID]
            package var location: Location
        }

        package var endpoint: Endpoint
        /// nil: not encrypted.
        package var tls: MQTTEndpoint.TLS?
        /// Without the password, which is read when the connection is made.
        package var options: HJ212Options
        package var password: Secret
        package var table: HJ212FactorTable
        package var dialect: String
        /// The unit of particulates; nil: the table's.
        package var particulates: String?
        package var stations: [Station]
        /// nil: off.
        package var realtime: Duration?
        package var keepsRealtime: Bool
        /// nil: off.
        package var minutes: Int?
        package var hours: Bool
        package var days: Bool
        package var boot: Bool
        package var gather: Duration
        package var location: Location
    }
}

extension SiteConfiguration.HJ212Uplink {
    static func parse(
        at address: LocatedNode, _ reader: inout MappingReader, _ faults: FaultCollector,
        _ readFile: (String) throws -> String
    ) -> Self? {
        let place = SiteConfiguration.Endpoint.parse(secured: address, defaultPort: 9001, faults)
        let tls = SiteConfiguration.tls(&reader, isEncrypted: place?.isEncrypted ?? true, faults)
        let password = reader.required("password").flatMap { Secret.parse($0, faults) }
        let table = table(&reader, faults, readFile)
        let dialect = reader.optional("dialect")?.string(faults) ?? "2017"
        let particulates = reader.optional("particulates")?.string(faults)
        var options = HJ212Options(password: "000000")
        options.read(&reader, faults)
        let (realtime, isRealtime) = pause(&reader, "realtime", faults) ?? (.seconds(60), true)
        options.realtimeInterval = Int(realtime.milliseconds / 1000)
        let (minutes, isMinutes) = pause(&reader, "minutes", faults) ?? (.seconds(600), true)
        options.minuteInterval = Int(minutes.milliseconds / 60_000)
        let flags = ["keep_realtime", "hours", "days", "boot"].map {
            reader.optional($0)?.bool(faults)
        }
        let gather = reader.optional("gather")?.duration(faults) ?? .seconds(35)
        let stations = (reader.required("stations")?.list(faults) ?? []).compactMap {
            Station.parse($0, faults)
        }
        for text in options.faults + HJ212Station.faults(stations.map(\.identity)) {
            faults.add(address.location, text, remedy: "docs/uplinks/hj212.md tells each key")
        }
        guard let place, let password, let table else { return nil }
        if table.dialects[dialect] == nil {
            faults.add(
                address.location, "the factors know no dialect '\(dialect)'",
                remedy: "they know: \(table.dialects.keys.sorted().joined(separator: ", "))")
        }
        return Self(
            endpoint: place.endpoint, tls: tls, options: options, password: password,
            table: table, dialect: dialect, particulates: particulates, stations: stations,
            realtime: isRealtime ? realtime : nil, keepsRealtime: flags[0] ?? false,
            minutes: isMinutes ? options.minuteInterval : nil, hours: flags[1] ?? true,
            days: flags[2] ?? true, boot: flags[3] ?? false, gather: gather,
            location: address.location)
    }

    /// A duration, or `off`.
    private static func pause(
        _ reader: inout MappingReader, _ key: String, _ faults: FaultCollector
    ) -> (Duration, Bool)? {
        guard let node = reader.optional(key) else { return nil }
        if node.scalar == "off" || node.scalar == "false" {
            return (key == "minutes" ? .seconds(600) : .seconds(60), false)
        }
        return node.duration(faults).map { ($0, true) }
    }

    private static func table(
        _ reader: inout MappingReader, _ faults: FaultCollector,
        _ readFile: (String) throws -> String
    ) -> HJ212FactorTable? {
        reader.required("factors")?.file(
            faults, readFile, more: "one is shipped as Config/uplinks/hj212-factors.yaml"
        ) { HJ212FactorTable.parse(try LocatedNode.parse($0, file: $1), faults) }
    }
}

extension SiteConfiguration.HJ212Uplink.Station {
    fileprivate static func parse(_ node: LocatedNode, _ faults: FaultCollector) -> Self? {
        var reader = MappingReader(node, faults)
        let mn = reader.required("mn")?.string(faults)
        let devices = (reader.required("devices")?.list(faults) ?? []).compactMap {
            $0.string(faults).map { DeviceID($0) }
        }
        let st = reader.optional("st")?.string(faults)
        let noiseST = reader.optional("noise_st")?.string(faults)
        let password = reader.optional("password").flatMap { Secret.parse($0, faults) }
        var marks: [String: String] = [:]
        for entry in reader.optional("marks")?.entries(faults) ?? [] {
            marks[entry.key] = entry.value.string(faults)
        }
        var codes: [String: SeriesID] = [:]
        for entry in reader.optional("codes")?.entries(faults) ?? [] {
            guard let text = entry.value.string(faults) else { continue }
            guard let series = SeriesID(text) else {
                faults.add(
                    entry.value.location, "'\(text)' is no point", remedy: "write DEVICE.POINT")
                continue
            }
            if let other = codes.first(where: { $0.value == series })?.key {
                faults.add(
                    entry.value.location, "'\(text)' stands for two codes, '\(other)' too",
                    remedy: "a point is told under one code of a station")
            }
            codes[entry.key] = series
        }
        reader.finish()
        guard let mn else { return nil }
        return Self(
            identity: HJ212Station(
                scope: mn, mn: mn, st: st, noiseST: noiseST, marks: marks), password: password,
            devices: devices, codes: codes, location: node.location)
    }
}

extension HJ212Options {
    /// Takes the keys of the protocol; what they may be is judged by `faults`.
    fileprivate mutating func read(_ reader: inout MappingReader, _ faults: FaultCollector) {
        func word<T: RawRepresentable & CaseIterable>(_ key: String, _ value: inout T)
        where T.RawValue == String {
            guard let node = reader.optional(key) else { return }
            value = node.word(T.allCases.map { ($0.rawValue, $0) }, faults) ?? value
        }
        func flag(_ key: String, _ value: inout Bool) {
            value = reader.optional(key)?.bool(faults) ?? value
        }
        func number(_ key: String, _ value: inout Int) {
            value = reader.optional(key)?.int(faults) ?? value
        }
        func text(_ key: String, _ value: inout String) {
            value = reader.optional(key)?.string(faults) ?? value
        }
        func span(_ key: String, _ value: inout Duration) {
            value = reader.optional(key)?.duration(faults) ?? value
        }
        word("edition", &edition)
        word("crc", &crc)
        word("data_time", &dataTime)
        word("missing", &missing)
        word("noise", &noise)
        word("sm4", &sm4)
        text("st", &st)
        text("noise_st", &noiseST)
        if let node = reader.optional("noise_codes") {
            noiseCodes = Set(node.list(faults).compactMap { $0.string(faults) })
        }
        if let node = reader.optional("part_numbers") {
            partNumbers = node.word(PartNumbers.allCases.map { ($0.rawValue, $0) }, faults)
        }
        number("packet_limit", &packetLimit)
        number("area_limit", &areaLimit)
        number("resends", &resends)
        number("window", &window)
        span("timeout", &timeout)
        span("gap", &gap)
        span("largest_age", &largestAge)
        span("time_tolerance", &timeTolerance)
        if let node = reader.optional("heartbeat") {
            heartbeat = node.scalar == "off" ? nil : node.duration(faults)
        }
        flag("acknowledged", &acknowledged)
        flag("heartbeat_acknowledged", &heartbeatAcknowledged)
        flag("asks_for_time", &asksForTime)
        flag("obeys_password", &obeysPassword)
        flag("strict_st", &strictST)
        span("longest_history", &longestHistory)
        span("history_patience", &historyPatience)
        if let node = reader.optional("crc_received") {
            let words = HJ212Packet.Checksum.allCases.map { ($0.rawValue, $0) }
            crcReceived = Set(node.list(faults).compactMap { $0.word(words, faults) })
        }
        if let node = reader.optional("day_hours") {
            var day = MappingReader(node, faults)
            let from = day.required("from")?.minuteOfDay(faults) ?? dayHours.lowerBound
            let to = day.required("to")?.minuteOfDay(faults) ?? dayHours.upperBound
            day.finish()
            if from < to {
                dayHours = from..<to
            } else {
                faults.add(node.location, "the acoustic day ends before it begins")
            }
        }
    }
}

extension SiteConfiguration.Endpoint {
    /// Reads `tcp://host:port` or `tls://host:port`.
    static func parse(
        secured node: LocatedNode, defaultPort: Int, _ faults: FaultCollector
    ) -> (endpoint: Self, isEncrypted: Bool)? {
        let isEncrypted = node.scalar?.hasPrefix("tls://") ?? false
        return parse(
            node, scheme: isEncrypted ? "tls" : "tcp", defaultPort: defaultPort, faults
        ).map { ($0, isEncrypted) }
    }
}

extension SiteConfiguration {
    /// The files of an encrypted connection; nil where it is not encrypted.
    static func tls(
        _ reader: inout MappingReader, isEncrypted: Bool, _ faults: FaultCollector
    ) -> MQTTEndpoint.TLS? {
        guard let node = reader.optional("tls") else {
            return isEncrypted ? MQTTEndpoint.TLS() : nil
        }
        let files = BrokerFields.tls(node, faults)
        if isEncrypted { return files }
        faults.add(
            node.location, "'tls' stands beside an address that is not encrypted",
            remedy: "write 'tls://HOST:PORT'")
        return nil
    }
}
