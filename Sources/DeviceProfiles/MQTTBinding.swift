import Telemetry

/// What became of one message.
package enum MQTTDecoding: Hashable, Sendable {
    /// - `hasDeviceTime`: `time` is what the device said; false when it is the arrival.
    case scan(time: Timestamp, flags: ScanFlags, readings: [Reading], hasDeviceTime: Bool)
    case refused(BadReason, detail: String)
}

/// A profile's MQTT interface bound to one device with its key.
package struct MQTTBinding: Sendable {
    package let interface: MQTTInterface
    /// Named for the topic pattern; series in order of key, personal points left out.
    package let group: ScanGroup
    /// The filter of a subscription for this device alone.
    package let topicFilter: String
    package var qos: Int { interface.qos }
    private let key: String
    private let keyBytes: [UInt8]
    private let hasWildcards: Bool
    private let levels: [Substring]
    private let selection: JSONSelection
    private let points: [PayloadPoint]
    private let timeSlot: Int?
    private let agreeSlot: Int?

    /// - Parameter key: what stands for the device in the topic.
    package init(
        profile: DeviceProfile, interface name: String, parameters: [String: Double] = [:],
        device: DeviceID, key: String
    ) throws(BindingError) {
        let found = try profile.find(name)
        guard case .mqtt(let interface) = found else {
            throw .wrongProtocol(interface: name, is: found.fieldProtocol, wanted: .mqtt)
        }
        guard !key.isEmpty, !key.contains(where: { "/+#\0".contains($0) }) else {
            throw .badKey(key)
        }
        let resolved = try profile.resolve(parameters)
        self.interface = interface
        self.key = key
        keyBytes = Array(key.utf8)
        let filter = interface.topicPattern.split(separator: "/", omittingEmptySubsequences: false)
            .map { $0 == "{device}" ? key : String($0) }.joined(separator: "/")
        topicFilter = filter
        hasWildcards = filter.utf8.contains { $0 == 0x2B || $0 == 0x23 }
        levels = filter.split(separator: "/", omittingEmptySubsequences: false)
        let kept = interface.points.filter { !$0.isPersonal }.sorted { $0.key < $1.key }
        group = ScanGroup(
            device: device, interface: name, name: interface.topicPattern,
            series: kept.map { $0.series(of: device, parameters: resolved) },
            period: interface.every, isPolled: false)
        let paths = kept.compactMap(\.jsonPath)
        let selection = JSONSelection(
            paths + [interface.time.path, interface.agree].compactMap { $0 })
        var points: [PayloadPoint] = []
        for point in kept {
            guard let path = point.jsonPath else { continue }
            points.append(
                PayloadPoint(
                    point, path: path, slot: selection.slots[points.count], parameters: resolved))
        }
        self.points = points
        timeSlot = interface.time.path == nil ? nil : selection.slots[points.count]
        agreeSlot = interface.agree == nil ? nil : selection.slots.last
        self.selection = selection
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

    /// Reads one message.
    ///
    /// - Parameter isTimeOfDay: whether `arrival` is one; without it no time of a device can be
    ///   judged, and the arrival stands for all of them.
    /// - Returns: a reading for each series of `group`, or why the message as a whole is refused:
    ///   not JSON (`malformed`), another device's (`foreignAnswer`), a time that the profile
    ///   does not accept (`absent`, `invalid` or `stale`).
    package func decode(
        topic: String, payload: [UInt8], arrival: Timestamp, isTimeOfDay: Bool = true
    ) -> MQTTDecoding {
        guard matches(topic: topic) else {
            return .refused(
                .foreignAnswer, detail: "the topic '\(topic)' does not match '\(topicFilter)'")
        }
        let tokens: [JSONToken]
        do {
            tokens = try JSONScanner.scan(payload, for: selection)
        } catch {
            return .refused(.malformed, detail: error.description)
        }
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
        guard let timeSlot, let path = interface.time.path else {
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

    /// The message that a device with these canonical values would send at `time`.
    ///
    /// Values of other kinds than the point's, NaN and unknown words are left out.
    package func payload(_ values: [PointKey: Value], at time: Timestamp) -> [UInt8] {
        var document = JSONDocument()
        if let agree = interface.agree { document.set(agree, to: .text(key)) }
        if let path = interface.time.path {
            let text = interface.time.render(time)
            document.set(path, to: interface.time.isNumeric ? .literal(text) : .text(text))
        }
        for point in points {
            guard let value = values[point.key], let leaf = point.encode(value) else { continue }
            document.set(point.path, to: leaf)
        }
        return document.bytes
    }
}

extension ProfilePoint {
    var jsonPath: JSONPath? {
        if case .json(let path, _) = origin { path } else { nil }
    }
}
