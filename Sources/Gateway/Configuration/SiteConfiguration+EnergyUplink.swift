import FieldLinks
import LocatedText
import Telemetry
import UplinkFormats

//    - id: district
//      building_energy: tcp://203.0.113.6:9000
//      building: 330302D110
//      gateway: "01"
//      secret: { file: /etc/plumbline/district.secret }     of the log-in
//      key: { file: /etc/plumbline/district.key }           AES-128: 32 hexadecimal digits
//      initial_vector: { file: … }
//      codes: uplinks/building-energy-codes.yaml
//      period: 15 min
//      gather: 40 s
//      meters:
//        - { meter: "01", series: meter-main.active_energy.import.total, carrier: electricity }
//        - { meter: "02", function: "01", series: meter-office.…, item: lighting-sockets, decimals: 2 }
//        - { meter: "03", series: …, code: 330302D11001C10 }
//      … and every other key of docs/uplinks/building-energy.md

extension SiteConfiguration {
    /// A platform of the building energy upload.
    package struct EnergyUplink: Sendable {
        package var endpoint: Endpoint
        /// nil: not encrypted.
        package var tls: MQTTEndpoint.TLS?
        package var building: String
        package var gateway: String
        package var secret: Secret
        package var key: Secret
        package var vector: Secret
        /// In the order of the configuration.
        package var meters: [ReportedMeter]
        /// Minutes.
        package var period: Int
        package var dialect: EnergyDialect
        package var patience: EnergyPatience
        package var window: Int
        /// The largest frame that is read, in bytes.
        package var longestFrame: Int
        /// What the gateway tells of itself, in this order.
        package var device: [BuildingEnergyOptions.DeviceField]
        package var obeys: Set<EnergyDemand.Kind>
        package var gather: Duration
        package var location: Location

        /// One line of the archive that was agreed with the platform.
        package struct ReportedMeter: Hashable, Sendable {
            package var series: SeriesID
            package var point: EnergyMeterPoint
            /// The unit in which it is told, by its symbol; nil: the canonical one.
            package var unit: String?
            package var decimals: Int?
            package var location: Location
        }

        /// Of whom its items tell.
        package var scope: String { building + gateway }
    }
}

extension SiteConfiguration.EnergyUplink {
    static func parse(
        at address: LocatedNode, _ reader: inout MappingReader, _ faults: FaultCollector,
        _ readFile: (String) throws -> String
    ) -> Self? {
        let place = SiteConfiguration.Endpoint.parse(secured: address, defaultPort: 9000, faults)
        let tls = SiteConfiguration.tls(&reader, isEncrypted: place?.isEncrypted ?? true, faults)
        let building = reader.required("building")?.string(faults)
        let gateway = reader.required("gateway")?.string(faults)
        let secret = reader.required("secret").flatMap { Secret.parse($0, faults) }
        let key = reader.required("key").flatMap { Secret.parse($0, faults) }
        let vector = reader.required("initial_vector").flatMap { Secret.parse($0, faults) }
        let codes = codes(&reader, faults, readFile)
        var period = 15
        if let node = reader.optional("period"), let span = node.duration(faults) {
            period = Int(span.milliseconds / 60_000)
            if !(1...1440).contains(period) || span.milliseconds % 60_000 != 0 {
                faults.add(node.location, "a period is 1 to 1440 whole minutes")
                period = 15
            }
        }
        let gather = reader.optional("gather")?.duration(faults) ?? .seconds(40)
        var dialect = EnergyDialect()
        if let node = reader.optional("dialect") { dialect.read(node, faults) }
        var patience = EnergyPatience()
        if let node = reader.optional("patience") { patience.read(node, faults) }
        let window = reader.optional("window")?.int(faults) ?? 1
        let longest = reader.optional("longest_frame")?.byteCount(faults) ?? 1 << 20
        let device = (reader.optional("device")?.entries(faults) ?? []).compactMap { entry in
            entry.value.string(faults).map {
                BuildingEnergyOptions.DeviceField(entry.key, $0)
            }
        }
        let obeys = (reader.optional("obeys")?.list(faults) ?? []).compactMap { node in
            node.word(
                EnergyDemand.Kind.allCases.filter { $0 != .restart }.map { ($0.rawValue, $0) },
                faults)
        }
        let meters = (reader.required("meters")?.list(faults) ?? []).compactMap {
            meter($0, codes, building: building ?? "", faults)
        }
        guard let place, let building, let gateway, let secret, let key, let vector else {
            return nil
        }
        return Self(
            endpoint: place.endpoint, tls: tls, building: building, gateway: gateway,
            secret: secret, key: key, vector: vector, meters: meters, period: period,
            dialect: dialect, patience: patience, window: max(1, window),
            longestFrame: Int(min(max(longest, 4096), 1 << 24)), device: device,
            obeys: Set(obeys), gather: gather,
            location: address.location)
    }

    private static func codes(
        _ reader: inout MappingReader, _ faults: FaultCollector,
        _ readFile: (String) throws -> String
    ) -> EnergyItemCodes? {
        reader.optional("codes")?.file(
            faults, readFile, more: "one is shipped as Config/uplinks/building-energy-codes.yaml"
        ) { try EnergyItemCodes.parse($0, file: $1) }
    }

    private static func meter(
        _ node: LocatedNode, _ codes: EnergyItemCodes?, building: String,
        _ faults: FaultCollector
    ) -> ReportedMeter? {
        var reader = MappingReader(node, faults)
        let meter = reader.required("meter")?.string(faults)
        let function = reader.optional("function")?.string(faults) ?? "01"
        let point = reader.required("series")
        let coding = reader.optional("code")?.string(faults)
        let unit = reader.optional("unit")?.string(faults)
        let decimals = reader.optional("decimals")?.int(faults)
        let carrier = reader.optional("carrier")?.string(faults)
        let item = reader.optional("item")?.string(faults)
        reader.finish()
        guard let meter, let point, let text = point.string(faults) else { return nil }
        guard let series = SeriesID(text) else {
            faults.add(point.location, "'\(text)' is no point", remedy: "write DEVICE.POINT")
            return nil
        }
        let subject = item.map(EnergyItemCodes.Subject.item) ?? carrier.map { .carrier($0) }
        guard let code = coding ?? subject.flatMap({ codes?.coding($0, building: building) })
        else {
            faults.add(
                node.location,
                subject.map { "the codes have none for \($0) in building '\(building)'" }
                    ?? "nobody says what is counted here",
                remedy: "name 'item:' or 'carrier:' and 'codes: FILE', or write 'code: …'")
            return nil
        }
        return ReportedMeter(
            series: series,
            point: EnergyMeterPoint(meter: meter, function: function, coding: code), unit: unit,
            decimals: decimals.map { min(max($0, 0), 9) }, location: node.location)
    }
}

extension EnergyDialect {
    fileprivate mutating func read(_ node: LocatedNode, _ faults: FaultCollector) {
        var reader = MappingReader(node, faults)
        func word<T: RawRepresentable & CaseIterable>(_ key: String, _ value: inout T)
        where T.RawValue == String {
            guard let node = reader.optional(key) else { return }
            value = node.word(T.allCases.map { ($0.rawValue, $0) }, faults) ?? value
        }
        word("marks", &marks)
        word("digest_order", &digestOrder)
        word("encoding", &encoding)
        word("plain_messages", &plainMessages)
        word("type_word", &typeWord)
        word("sequence_bytes", &sequenceBytes)
        word("amount", &amount)
        word("time", &time)
        word("correction", &correction)
        goodMark = reader.optional("good_mark")?.string(faults) ?? goodMark
        if let node = reader.optional("fault_mark"), let text = node.string(faults) {
            if text.isEmpty {
                faults.add(node.location, "a bad value needs a mark that is not empty")
            } else {
                faultMark = text
            }
        }
        announcesDevice = reader.optional("announces_device")?.bool(faults) ?? announcesDevice
        checksAddress = reader.optional("checks_address")?.bool(faults) ?? checksAddress
        reader.finish()
    }
}

extension EnergyPatience {
    fileprivate mutating func read(_ node: LocatedNode, _ faults: FaultCollector) {
        var reader = MappingReader(node, faults)
        func span(_ key: String, _ value: inout Duration) {
            guard let node = reader.optional(key), let given = node.duration(faults) else { return }
            if given >= .seconds(1) {
                value = given
            } else {
                faults.add(node.location, "'\(key)' is 1 s at least")
            }
        }
        span("login", &login)
        span("heartbeat", &heartbeat)
        span("acknowledgement", &acknowledgement)
        span("retry", &retry)
        span("refusal", &refusal)
        if let node = reader.optional("silence") {
            silence = node.scalar == "never" ? nil : node.duration(faults)
        }
        reader.finish()
    }
}
