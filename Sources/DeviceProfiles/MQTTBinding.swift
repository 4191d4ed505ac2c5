import Telemetry

/// What became of one message.
package enum MQTTDecoding: Hashable, Sendable {
    /// - `hasDeviceTime`: `time` is what the device said; false when it is the arrival.
    case scan(time: Timestamp, flags: ScanFlags, readings: [Reading], hasDeviceTime: Bool)
    case refused(BadReason, detail: String)
}

/// What one message says of one device at one time, read but not yet judged.
package struct MQTTRecord: Sendable {
    /// The device's key where the payload gives it; nil where the topic does.
    package var key: String? { record.key.map { String(decoding: $0, as: UTF8.self) } }
    let record: PayloadLayout.Record
}

/// A message as a whole: its records, or why there are none.
package enum MQTTMessageContent: Sendable {
    case records([MQTTRecord])
    case refused(BadReason, detail: String)
}

/// A profile's MQTT interface bound to one device with its key.
package struct MQTTBinding: Sendable {
    package let interface: MQTTInterface
    /// Named for the topic pattern; series in order of key, personal points left out unless the site keeps them.
    package let group: ScanGroup
    /// The filter of a subscription for this device alone, or for all devices that share a topic.
    package let topicFilter: String
    /// What the payload or the topic calls the device.
    package let key: String
    /// Equal for bindings that read a message alike.
    package let family: String
    package var qos: Int { interface.qos }
    /// Whether one message can be of several devices, told apart by the payload.
    package var isKeyedByPayload: Bool { interface.deviceKey != .topic }
    let points: [PayloadPoint]
    private let keyBytes: [UInt8]
    private let hasWildcards: Bool
    private let levels: [Substring]
    private let layout: PayloadLayout
    private let timeSlot: Int?
    private let agreeSlot: Int?

    /// - Parameters:
    ///   - key: what stands for the device in the topic or the payload.
    ///   - personal: points that are personal data and that the site keeps all the same.
    package init(
        profile: DeviceProfile, interface name: String, parameters: [String: Double] = [:],
        device: DeviceID, key: String, personal: Set<PointKey> = []
    ) throws(BindingError) {
        let found = try profile.find(name)
        guard case .mqtt(let interface) = found else {
            throw .wrongProtocol(interface: name, is: found.fieldProtocol, wanted: .mqtt)
        }
        try Self.check(key, of: interface)
        let resolved = try profile.resolve(parameters)
        self.interface = interface
        self.key = key
        family = "\(profile.id)/\(name)"
        keyBytes = Array(key.utf8)
        let filter = Self.filter(interface, key: key)
        topicFilter = filter
        hasWildcards = filter.utf8.contains { $0 == 0x2B || $0 == 0x23 }
        levels = filter.split(separator: "/", omittingEmptySubsequences: false)
        let kept = interface.points.filter { !$0.isPersonal || personal.contains($0.key) }
            .sorted { $0.key < $1.key }
        group = ScanGroup(
            device: device, interface: name, name: interface.topicPattern,
            series: kept.map { $0.series(of: device, parameters: resolved) },
            period: interface.every, isPolled: false)
        var wanted: [(place: PayloadPlace, isInner: Bool)] = []
        var points: [PayloadPoint] = []
        for point in kept {
            guard case .payload(let place, _) = point.origin else { continue }
            points.append(
                PayloadPoint(point, place: place, slot: wanted.count, parameters: resolved))
            wanted.append((place, true))
        }
        self.points = points
        timeSlot = interface.time.place == nil ? nil : wanted.count
        if let place = interface.time.place { wanted.append((place, true)) }
        agreeSlot = interface.agree == nil ? nil : wanted.count
        if let place = interface.agree { wanted.append((place, false)) }
        layout = PayloadLayout(interface, wanted: wanted)
    }

    private static func check(
        _ key: String, of interface: MQTTInterface
    ) throws(BindingError) {
        guard !key.isEmpty, !key.contains("\0") else { throw .badKey(key) }
        if interface.format == .sparkplug {
            guard SparkplugAddress(key: key) != nil else { throw .badSparkplugKey(key) }
        } else if interface.deviceKey == .topic, key.contains(where: { "/+#".contains($0) }) {
            throw .badKey(key)
        }
    }

    private static func filter(_ interface: MQTTInterface, key: String) -> String {
        if interface.format == .sparkplug, let address = SparkplugAddress(key: key) {
            return address.filter
        }
        return interface.topicPattern.split(separator: "/", omittingEmptySubsequences: false)
            .map { $0 == "{device}" ? key : String($0) }.joined(separator: "/")
    }

    /// Whether `topic` is this device's.
    package func matches(topic: String) -> Bool {
        guard hasWildcards else { return topic == topicFilter }
        var rest = topic.utf8[...]
        for (index, level) in levels.enumerated() {
            if level == "#" { return true }
            let end = rest.firstIndex(of: 0x2F) ?? rest.endIndex
            guard level == "+" || rest[..<end].elementsEqual(level.utf8) else { return false }
            if end == rest.endIndex {
                return index == levels.count - 1
                    || (index == levels.count - 2 && levels[index + 1] == "#")
            }
            rest = rest[rest.index(after: end)...]
        }
        return false
    }

    /// Reads one message and gives the last scan that it holds of this device.
    ///
    /// - Parameter isTimeOfDay: whether `arrival` is one; without it no time of a device can be
    ///   judged, and the arrival stands for all of them.
    /// - Returns: a reading for each series of `group`, or why the message as a whole is refused:
    ///   not of the form (`malformed`), another device's (`foreignAnswer`), nothing of this device
    ///   (`absent`), a time that the profile does not accept (`absent`, `invalid` or `stale`).
    package func decode(
        topic: String, payload: [UInt8], arrival: Timestamp, isTimeOfDay: Bool = true
    ) -> MQTTDecoding {
        guard matches(topic: topic) else {
            return .refused(
                .foreignAnswer, detail: "the topic '\(topic)' does not match '\(topicFilter)'")
        }
        switch open(payload) {
        case .refused(let reason, let detail): return .refused(reason, detail: detail)
        case .records(let records):
            let own = records.last { !isKeyedByPayload || $0.key == key }
            guard let own else {
                return .refused(.absent, detail: "nothing of the device '\(key)'")
            }
            return decode(own, payload: payload, arrival: arrival, isTimeOfDay: isTimeOfDay)
        }
    }

    /// Takes a message apart, for this binding and all of its family.
    package func open(_ payload: [UInt8]) -> MQTTMessageContent {
        do {
            return .records(try layout.records(payload).map(MQTTRecord.init))
        } catch {
            return .refused(.malformed, detail: error.description)
        }
    }

    /// Judges one record of this device.
    ///
    /// - Parameter payload: the message that the record comes from.
    package func decode(
        _ record: MQTTRecord, payload: [UInt8], arrival: Timestamp, isTimeOfDay: Bool = true
    ) -> MQTTDecoding {
        let tokens = record.record.tokens
        if let agreeSlot, let agree = interface.agree {
            guard let said = PayloadPoint.scalar(tokens[agreeSlot], in: payload) else {
                return .refused(.foreignAnswer, detail: "\(agree) holds no device id")
            }
            guard said.elementsEqual(keyBytes) else {
                let text = String(decoding: said.prefix(64), as: UTF8.self)
                return .refused(.foreignAnswer, detail: "\(agree) is '\(text)', not '\(key)'")
            }
        }
        let instant =
            isTimeOfDay
            ? instant(tokens, payload: payload, arrival: arrival)
            : .arrival(isDistrusted: timeSlot != nil)
        switch instant {
        case .refused(let reason, let detail): return .refused(reason, detail: detail)
        case .device(let time):
            return .scan(
                time: time, flags: [], readings: readings(tokens, payload), hasDeviceTime: true)
        case .arrival(let isDistrusted):
            return .scan(
                time: arrival, flags: isDistrusted ? .arrivalTime : [],
                readings: readings(tokens, payload), hasDeviceTime: false)
        }
    }

    private func readings(_ tokens: [JSONToken], _ payload: [UInt8]) -> [Reading] {
        points.map { $0.decode(tokens[$0.slot], in: payload) }
    }

    private enum Instant {
        case device(Timestamp)
        case arrival(isDistrusted: Bool)
        case refused(BadReason, String)
    }

    private func instant(
        _ tokens: [JSONToken], payload: [UInt8], arrival: Timestamp
    ) -> Instant {
        guard let timeSlot, let path = interface.time.place else {
            return .arrival(isDistrusted: false)
        }
        let isStrict = interface.time.refusesBadTime
        guard let bytes = PayloadPoint.scalar(tokens[timeSlot], in: payload) else {
            return isStrict
                ? .refused(.absent, "\(path) holds no time") : .arrival(isDistrusted: true)
        }
        guard let time = interface.time.parse(bytes) else {
            let text = String(decoding: bytes.prefix(64), as: UTF8.self)
            return isStrict
                ? .refused(.invalid, "\(path) is '\(text)', which is not a time of the format")
                : .arrival(isDistrusted: true)
        }
        if let limit = interface.time.maximumSkew,
            (time - arrival).milliseconds.magnitude > limit.milliseconds.magnitude
        {
            return isStrict
                ? .refused(
                    .stale, "\(path) is \(time.rfc3339()), further from the arrival than \(limit)")
                : .arrival(isDistrusted: true)
        }
        return .device(time)
    }

    /// The topic on which this device publishes; wildcards of the pattern become `0`.
    package func topic() -> String {
        levels.map { $0 == "+" || $0 == "#" ? "0" : String($0) }.joined(separator: "/")
    }
}
