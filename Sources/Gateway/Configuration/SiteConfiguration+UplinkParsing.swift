import FieldLinks
import LocatedText
import Telemetry
import UplinkFormats

extension SiteConfiguration.Uplink {
    private static let ways = ["mqtt", "http", "hj212", "building_energy"]

    /// One entry of `uplinks`: an uplink, or `{ include: FILE }` with a list of them.
    ///
    /// Paths in such a file begin where those of the site's configuration do.
    static func parse(
        entry node: LocatedNode, _ faults: FaultCollector,
        _ readFile: (String) throws -> String
    ) -> [Self] {
        var reader = MappingReader(node, FaultCollector())
        guard let include = reader.optional("include") else {
            return parse(node, faults, readFile).map { [$0] } ?? []
        }
        var entry = MappingReader(node, faults)
        _ = entry.optional("include")
        entry.finish()
        let list = include.file(faults, readFile) { try LocatedNode.parse($0, file: $1) }
        return (list?.list(faults) ?? []).compactMap { parse($0, faults, readFile) }
    }

    private static func parse(
        _ node: LocatedNode, _ faults: FaultCollector, _ readFile: (String) throws -> String
    ) -> Self? {
        var reader = MappingReader(node, faults)
        let id = reader.required("id")?.identifier(faults)
        let found = ways.compactMap { key in reader.optional(key).map { (key: key, node: $0) } }
        guard found.count == 1, let (key, address) = found.first else {
            faults.add(
                node.location, "an uplink goes to one place",
                remedy: "one of " + ways.map { "'\($0): …'" }.joined(separator: ", "))
            return nil
        }
        let way: Way?
        switch key {
        case "http": way = http(address, &reader, faults, readFile)
        case "hj212":
            way = SiteConfiguration.HJ212Uplink.parse(
                at: address, &reader, faults, readFile
            ).map { .hj212($0) }
        case "building_energy":
            way = SiteConfiguration.EnergyUplink.parse(
                at: address, &reader, faults, readFile
            ).map { .buildingEnergy($0) }
        default: way = mqtt(address, &reader, faults, readFile)
        }
        let selection: SiteConfiguration.UplinkSelection
        switch way {
        case .hj212, .buildingEnergy: selection = .init()
        default: selection = .parse(&reader, faults)
        }
        let pace = SiteConfiguration.UplinkPace.parse(&reader, faults)
        let told: (content: UplinkItem.Content, resolution: Resolution)
        switch way {
        // Stations say themselves what they tell.
        case .hj212, .buildingEnergy: told = (.rollup, .quarterHour)
        default: told = Self.told(&reader, faults)
        }
        let spacing = reader.optional("correction_spacing")?.duration(faults) ?? .seconds(900)
        let corrects = reader.optional("corrections")?.bool(faults) ?? true
        let since = reader.optional("since").flatMap { instant($0, faults) }
        reader.finish()
        guard let id, let way else { return nil }
        return Self(
            id: id, way: way, selection: selection, pace: pace, content: told.content,
            resolution: told.resolution, correctionSpacing: spacing, sendsCorrections: corrects,
            since: since, location: node.location)
    }

    // MARK: Ways

    private static func format(
        _ reader: inout MappingReader, _ faults: FaultCollector,
        _ readFile: (String) throws -> String
    ) -> any UplinkFormat {
        let known = UplinkFormats.all
        let node = reader.optional("format")
        if let node, node.scalar == nil {
            var format = template(node, faults, readFile)
            let ids = texts("ids", &reader, faults)
            format?.ids.merge(ids) { $1 }
            return format ?? known[0]
        }
        let format = node.flatMap { $0.word(known.map { ($0.name, $0) }, faults) } ?? known[0]
        switch format {
        case var format as RemoteWriteFormat:
            format.labels = texts("labels", &reader, faults)
            format.figures = numbers("figures", &reader, faults)
            // Engines that keep the first sample of an instant would refuse the second.
            if reader.optional("overwrites")?.bool(faults) ?? false { format.correction = .replace }
            return format
        case is PlumblineJSONFormat:
            guard let batch = reader.optional("batch"), let count = batch.int(faults) else {
                return format
            }
            if !(1...500).contains(count) {
                faults.add(batch.location, "'batch' lies between 1 and 500")
            }
            return PlumblineJSONFormat(batchLimit: min(max(count, 1), 500))
        case var format as ThingsBoardFormat:
            format.devicePrefix = reader.optional("device_prefix")?.string(faults) ?? ""
            return format
        case var format as InfluxLineFormat:
            format.tags = texts("tags", &reader, faults)
            return format
        default: return format
        }
    }

    /// `{ template: FILE }`
    private static func template(
        _ node: LocatedNode, _ faults: FaultCollector, _ readFile: (String) throws -> String
    ) -> TemplateFormat? {
        var reader = MappingReader(node, faults)
        let file = reader.required("template")
        reader.finish()
        return file?.file(faults, readFile, more: "two are shipped in Config/uplinks") {
            TemplateFormat.parse(try LocatedNode.parse($0, file: $1), faults)
        }
    }

    private static func texts(
        _ key: String, _ reader: inout MappingReader, _ faults: FaultCollector
    ) -> [String: String] {
        var found: [String: String] = [:]
        for entry in reader.optional(key)?.entries(faults) ?? [] {
            found[entry.key] = entry.value.string(faults)
        }
        return found
    }

    private static func numbers(
        _ key: String, _ reader: inout MappingReader, _ faults: FaultCollector
    ) -> [String: Double] {
        var found: [String: Double] = [:]
        for entry in reader.optional(key)?.entries(faults) ?? [] {
            found[entry.key] = entry.value.double(faults)
        }
        return found
    }

    private static func mqtt(
        _ address: LocatedNode, _ reader: inout MappingReader, _ faults: FaultCollector,
        _ readFile: (String) throws -> String
    ) -> Way? {
        let fields = BrokerFields(BrokerFields.connection, in: &reader)
        let broker = fields.broker(at: address, faults)
        if let node = reader.optional("sparkplug") {
            return sparkplug(node, faults).map { .sparkplug(broker, $0) }
        }
        let format = format(&reader, faults, readFile)
        let tellsStatus =
            reader.optional("status")?.bool(faults) ?? (format is PlumblineJSONFormat)
        // ThingsBoard's topics are fixed.
        guard
            let node = format is ThingsBoardFormat
                ? reader.optional("topic") : reader.required("topic")
        else {
            return format is ThingsBoardFormat
                ? .mqtt(broker, topic: "", format: format, tellsStatus: tellsStatus) : nil
        }
        guard let text = node.string(faults) else { return nil }
        if text.isEmpty || text.contains("+") || text.contains("#") || text.hasSuffix("/") {
            faults.add(
                node.location, "'\(text)' cannot be a topic to publish under",
                remedy: "levels joined by '/', without + and #, without a final '/'")
            return nil
        }
        return .mqtt(broker, topic: text, format: format, tellsStatus: tellsStatus)
    }

    /// Who an edge node is.
    private static func sparkplug(
        _ node: LocatedNode, _ faults: FaultCollector
    ) -> SparkplugIdentity? {
        var reader = MappingReader(node, faults)
        func id(_ node: LocatedNode) -> String? {
            guard let text = node.string(faults) else { return nil }
            if !text.isEmpty, !text.contains(where: { "+#/".contains($0) }) { return text }
            faults.add(
                node.location, "'\(text)' cannot be an id of Sparkplug",
                remedy: "letters and digits, without '+', '#' and '/'")
            return nil
        }
        let groupNode = reader.required("group")
        let group = groupNode.flatMap(id)
        let name = reader.required("node").flatMap(id)
        let host = reader.optional("primary_host").flatMap(id)
        reader.finish()
        if let groupNode, group == "STATE" {
            faults.add(groupNode.location, "a group is not called STATE", remedy: "hosts use it")
        }
        guard let group, let name else { return nil }
        return SparkplugIdentity(group: group, node: name, primaryHost: host)
    }

    private static func http(
        _ address: LocatedNode, _ reader: inout MappingReader, _ faults: FaultCollector,
        _ readFile: (String) throws -> String
    ) -> Way? {
        let format = format(&reader, faults, readFile)
        let tls = reader.optional("tls").map { BrokerFields.tls($0, faults) }
        let token = reader.optional("token").flatMap { Secret.parse($0, faults) }
        let secret = reader.optional("signing_secret").flatMap { Secret.parse($0, faults) }
        let compresses = reader.optional("gzip")?.bool(faults) ?? false
        let keyField = reader.optional("key_header")?.string(faults) ?? "Idempotency-Key"
        guard let url = address.webAddress(faults) else { return nil }
        if tls != nil, !url.hasPrefix("https://") {
            faults.add(
                address.location, "'tls' stands beside an address that is not encrypted",
                remedy: "write 'http: https://HOST/PATH'")
        }
        return .http(
            SiteConfiguration.HTTPAddress(
                url: url, tls: tls, token: token, signingSecret: secret, compresses: compresses,
                keyField: keyField == "none" ? nil : keyField, location: address.location),
            format: format)
    }

    // MARK: What is told

    private static func told(
        _ reader: inout MappingReader, _ faults: FaultCollector
    ) -> (content: UplinkItem.Content, resolution: Resolution) {
        var words: [(String, (content: UplinkItem.Content, resolution: Resolution))] = [
            Resolution.minute, .quarterHour, .hour, .day,
        ].map { ($0.rawValue, (.rollup, $0)) }
        // Readings as they are, a minute of them in one message.
        words.append(("raw", (.raw, .minute)))
        return reader.optional("resolution")?.word(words, faults) ?? (.rollup, .quarterHour)
    }

    private static func instant(_ node: LocatedNode, _ faults: FaultCollector) -> Timestamp? {
        guard let text = node.string(faults) else { return nil }
        if let time = Timestamp(rfc3339: text) { return time }
        faults.add(
            node.location, "'\(text)' is not a time with its offset",
            remedy: "write it as '2026-11-21T00:00:00+08:00'")
        return nil
    }
}

extension SiteConfiguration.UplinkSelection {
    static func parse(_ reader: inout MappingReader, _ faults: FaultCollector) -> Self {
        var selection = Self()
        func patterns(_ key: String) -> [PointPattern]? {
            reader.optional(key)?.list(faults).compactMap { node in
                node.string(faults).map { PointPattern(text: $0, location: node.location) }
            }
        }
        selection.points = patterns("points")
        selection.except = patterns("except") ?? []
        let words: [(String, Statistic)] = [
            ("mean", .mean), ("min", .minimum), ("max", .maximum), ("first", .first),
            ("last", .last), ("sum", .sum), ("increase", .increase),
            ("leq", .energeticMean), ("direction", .vectorMean),
        ]
        selection.statistics = (reader.optional("statistics")?.list(faults) ?? []).compactMap {
            $0.word(words, faults)
        }
        for entry in reader.optional("units")?.entries(faults) ?? [] {
            selection.units[entry.key] = entry.value.string(faults)
            selection.locations[entry.key] = entry.value.location
        }
        for entry in reader.optional("names")?.entries(faults) ?? [] {
            selection.names[entry.key] = entry.value.string(faults)
            selection.locations[entry.key] = entry.value.location
        }
        return selection
    }

    /// Whether a point is told of.
    func holds(_ series: SeriesID) -> Bool {
        if except.contains(where: { $0.matches(series) }) { return false }
        return points?.contains { $0.matches(series) } ?? true
    }

    /// How a point is told.
    func point(of series: Series, units known: [String: Unit]) -> UplinkPoint {
        UplinkPoint(
            name: names[series.id.description], unit: units[series.unit].flatMap { known[$0] },
            statistics: statistics)
    }

    /// What does not fit the points and units that there are.
    func check(
        _ series: [Series], units known: [String: Unit], _ faults: FaultCollector
    ) {
        for pattern in (points ?? []) + except
        where !series.contains(where: { pattern.matches($0.id) }) {
            faults.add(
                pattern.location, "'\(pattern.text)' is no point of this site",
                remedy: "write DEVICE.POINT; '*' stands for any characters")
        }
        for (name, _) in names where !series.contains(where: { $0.id.description == name }) {
            guard let location = locations[name] else { continue }
            faults.add(location, "'\(name)' is no point of this site")
        }
        for (from, to) in units {
            guard let location = locations[from] else { continue }
            guard let mine = known[from], let theirs = known[to] else {
                faults.add(
                    location, "the vocabulary has no unit '\(known[from] == nil ? from : to)'",
                    remedy: "units stand in Devices/vocabulary.yaml")
                continue
            }
            if mine.dimension != theirs.dimension {
                faults.add(location, "'\(from)' and '\(to)' do not measure the same")
            } else if !mine.isCanonical {
                faults.add(
                    location, "readings are not kept in '\(from)'",
                    remedy: "name the unit in which 'plumbline devices' shows them")
            }
        }
    }
}

extension SiteConfiguration.UplinkPace {
    static func parse(_ reader: inout MappingReader, _ faults: FaultCollector) -> Self {
        var pace = Self()
        func number(_ key: String, in range: ClosedRange<Int>) -> Int? {
            guard let node = reader.optional(key), let value = node.int(faults) else { return nil }
            if range.contains(value) { return value }
            faults.add(
                node.location, "'\(key)' lies between \(range.lowerBound) and \(range.upperBound)")
            return nil
        }
        pace.inFlight = number("in_flight", in: 1...1000)
        if let node = reader.optional("tries") {
            let isNever = node.scalar == "never"
            if isNever {
                pace.tries = 0
            } else if let value = node.int(faults) {
                if (1...1000).contains(value) {
                    pace.tries = value
                } else {
                    faults.add(node.location, "'tries' is 'never' or lies between 1 and 1000")
                }
            }
        }
        if let node = reader.optional("expires") {
            pace.expires = node.scalar == "never" ? nil : node.duration(faults)
        }
        if let node = reader.optional("rate") {
            var rate = MappingReader(node, faults)
            let most = rate.required("most")?.int(faults) ?? 1
            let per = rate.required("per")?.duration(faults) ?? .seconds(1)
            rate.finish()
            if most >= 1, per > .zero {
                pace.rate = Rate(most: most, per: per)
            } else {
                faults.add(node.location, "a rate is at least one message in a time")
            }
        }
        if let node = reader.optional("budget") {
            var budget = MappingReader(node, faults)
            let bytes = budget.required("bytes")?.byteCount(faults) ?? 0
            let words = [("day", false), ("month", true)]
            let isMonthly = budget.required("per")?.word(words, faults) ?? true
            budget.finish()
            pace.budget = Budget(bytes: bytes, isMonthly: isMonthly)
        }
        return pace
    }

    /// What the delivery loop is told.
    var policy: DeliveryPolicy {
        var policy = DeliveryPolicy.uplink
        policy.inFlight = inFlight ?? policy.inFlight
        policy.tries = tries == 0 ? nil : tries ?? policy.tries
        policy.expires = expires
        policy.rates = rate.map { [DeliveryPolicy.Rate(count: $0.most, per: $0.per)] } ?? []
        policy.budget = budget.map {
            DataBudget(bytes: $0.bytes, per: $0.isMonthly ? .month : .day)
        }
        return policy
    }
}

extension LocatedNode {
    /// An address of the web: `http://` or `https://` and more.
    func webAddress(_ faults: FaultCollector) -> String? {
        guard let text = string(faults) else { return nil }
        let isAddress = ["http://", "https://"].contains {
            text.hasPrefix($0) && text.count > $0.count
        }
        if isAddress, !text.contains(where: \.isWhitespace) { return text }
        faults.add(
            location, "'\(text)' is not an address", remedy: "write it as 'https://HOST/PATH'")
        return nil
    }
}
