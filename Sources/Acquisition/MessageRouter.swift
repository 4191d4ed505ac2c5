import DeviceProfiles
import FieldLinks
import Telemetry

/// Turns a batch of messages into one admission: a value without a clock or a socket.
struct MessageRouter: Sendable {
    /// One device that publishes through the link.
    struct Target: Sendable {
        let binding: MQTTBinding
        let group: ScanGroup
    }

    /// What became of one batch.
    struct Outcome: Sendable {
        var admission = Admission(scans: [])
        /// For each scan the device that it is of.
        var devices: [DeviceID] = []
        /// The devices that spoke, whatever they said.
        var heard: Set<Int> = []
        var refused: [(reason: RefusalReason, device: DeviceID?, topic: String, detail: String)] =
            []
        /// Sparkplug nodes that cannot be read further without a new birth.
        var owing: [SparkplugNodes.Owing] = []
    }

    /// Who reads the messages of a topic.
    private struct Route: Sendable {
        /// Targets that read alike, one entry for each interface.
        var families: [[Int]] = []
        var isSparkplug = false
        var isEmpty: Bool { families.isEmpty && !isSparkplug }
    }

    /// Times of arrival are rounded down to this: finer ones cost storage and mean nothing.
    private static let timeResolution = Duration.milliseconds(100)
    /// Topics are looked up once; a broker with endless topics must not fill the memory.
    private static let longestCache = 4096

    /// A device that sends nothing but garbage leaves evidence once in this time, in milliseconds;
    /// the rest is counted.
    private static let evidenceSpacing: Int64 = 1000

    let targets: [Target]
    private let link: String
    private let memory: Int
    /// Targets whose filter is one topic, by topic, and those with wildcards.
    private var exact: [String: [Int]] = [:]
    private var wild: [Int] = []
    /// Where the payload names the device: the targets of an interface by key.
    private var byKey: [String: [String: Int]] = [:]
    private var cache: [String: Route] = [:]
    private var sparkplug: SparkplugNodes
    private var evidence: [Int: Int64] = [:]
    /// The marks of the last committed messages, oldest first; at most `memory`.
    private var recent: [DeliveryMark]
    private var known: [DeliveryMark: Int] = [:]

    init(link: String, targets: [Target], memory: Int, recent: [DeliveryMark]) {
        self.link = link
        self.targets = targets
        self.memory = memory
        self.recent = []
        sparkplug = SparkplugNodes(targets)
        for (index, target) in targets.enumerated() {
            let binding = target.binding
            if binding.topicFilter.contains(where: { $0 == "+" || $0 == "#" }) {
                wild.append(index)
            } else {
                exact[binding.topicFilter, default: []].append(index)
            }
            if binding.isKeyedByPayload { byKey[binding.family, default: [:]][binding.key] = index }
        }
        remember(recent.filter { $0.link == link })
    }

    /// Reads a batch in its order.
    ///
    /// - Parameter now: when the batch has arrived; a scan that bears this time says how good it is.
    mutating func route(_ batch: [MQTTMessage], now: ClockReading) -> Outcome {
        var outcome = Outcome()
        for message in batch {
            let route = route(for: message.topic)
            let first = route.families.first?.first
            // Where the payload names the device, nobody can be blamed for one that is not read.
            let device = first.flatMap {
                targets[$0].binding.isKeyedByPayload ? nil : targets[$0].group.device
            }
            func refuse(_ reason: RefusalReason, _ detail: String) {
                outcome.refused.append((reason, device, message.topic, detail))
            }
            if let size = message.oversize {
                refuse(.oversized, "\(size) bytes")
                continue
            }
            if route.isEmpty {
                refuse(.unknownTopic, "no device of the link has this topic")
                continue
            }
            let mark = DeliveryMark(
                link: link, messageID: message.messageID, digest: message.digest)
            if message.mayBeRedelivery, message.qos > 0, known[mark] != nil {
                refuse(.duplicate, "committed before, acknowledged again")
                continue
            }
            let before = outcome.admission.scans.count
            if route.isSparkplug { read(sparkplug: message, now: now, into: &outcome) }
            for family in route.families { read(message, family, now: now, into: &outcome) }
            if message.qos > 0, outcome.admission.scans.count > before {
                outcome.admission.deliveries.append(mark)
            }
        }
        return outcome
    }

    private static func slot(_ time: Timestamp) -> Timestamp { time.slot(every: timeResolution) }

    private mutating func read(
        _ message: MQTTMessage, _ family: [Int], now: ClockReading, into outcome: inout Outcome
    ) {
        guard let first = family.first else { return }
        let isKeyed = targets[first].binding.isKeyedByPayload
        switch targets[first].binding.open(message.payload) {
        case .refused(let reason, let detail):
            let device = isKeyed ? nil : targets[first].group.device
            outcome.refused.append(
                (reason == .malformed ? .malformed : .refused, device, message.topic, detail))
            if !isKeyed { note(reason, of: first, message, now: now, into: &outcome) }
        case .records(let records):
            for record in records {
                var index = first
                if isKeyed {
                    guard let key = record.key else {
                        outcome.refused.append(
                            (.refused, nil, message.topic, "the payload names no device"))
                        continue
                    }
                    guard let found = byKey[targets[first].binding.family]?[key],
                        family.contains(found)
                    else {
                        outcome.refused.append(
                            (
                                .unknownDevice, nil, message.topic,
                                "no device of the link has the key '\(key.prefix(64))'"
                            ))
                        continue
                    }
                    index = found
                }
                read(record, of: index, message, now: now, into: &outcome)
            }
        }
    }

    private mutating func read(
        _ record: MQTTRecord, of index: Int, _ message: MQTTMessage, now: ClockReading,
        into outcome: inout Outcome
    ) {
        let target = targets[index]
        switch target.binding.decode(
            record, payload: message.payload, arrival: now.wall, isTimeOfDay: now.isTrusted)
        {
        case .scan(let time, let flags, let readings, let hasDeviceTime):
            if message.isRetained, !hasDeviceTime {
                outcome.refused.append(
                    (
                        .retained, target.group.device, message.topic,
                        "kept by the broker, without a time of its own"
                    ))
                return
            }
            var scan = Scan(group: target.group.id, time: Self.slot(time), readings: readings)
            scan.flags = hasDeviceTime ? flags : flags.union(now.scanFlags)
            outcome.heard.insert(index)
            outcome.admission.scans.append(scan)
            outcome.devices.append(target.group.device)
        case .refused(let reason, let detail):
            outcome.refused.append(
                (
                    reason == .malformed ? .malformed : .refused, target.group.device,
                    message.topic, detail
                ))
            note(reason, of: index, message, now: now, into: &outcome)
        }
    }

    /// Stored evidence: the device spoke, and this is why there is no value.
    private mutating func note(
        _ reason: BadReason, of index: Int, _ message: MQTTMessage, now: ClockReading,
        into outcome: inout Outcome
    ) {
        guard !message.isRetained else { return }
        outcome.heard.insert(index)
        if let last = evidence[index], now.monotonic &- last < Self.evidenceSpacing,
            now.monotonic >= last
        {
            return
        }
        evidence[index] = now.monotonic
        let target = targets[index]
        var scan = Scan(
            group: target.group.id, time: Self.slot(now.wall),
            readings: target.group.series.map { _ in .bad(reason) })
        scan.flags = now.scanFlags
        outcome.admission.scans.append(scan)
        outcome.devices.append(target.group.device)
    }

    private mutating func read(
        sparkplug message: MQTTMessage, now: ClockReading, into outcome: inout Outcome
    ) {
        if message.isRetained {
            outcome.refused.append(
                (.retained, nil, message.topic, "Sparkplug messages are never kept"))
            return
        }
        let (results, owing) = sparkplug.take(message, targets, now: now, slot: Self.slot)
        outcome.owing += owing
        for result in results {
            switch result {
            case .scan(let index, let scan):
                outcome.heard.insert(index)
                outcome.admission.scans.append(scan)
                outcome.devices.append(targets[index].group.device)
            case .refused(let index, let reason, let detail):
                outcome.refused.append(
                    (reason, index.map { targets[$0].group.device }, message.topic, detail))
            }
        }
    }

    /// Notes what is committed, so that it is known when it comes again.
    mutating func remember(_ marks: [DeliveryMark]) {
        for mark in marks.suffix(memory) {
            recent.append(mark)
            known[mark, default: 0] += 1
        }
        let surplus = recent.count - memory
        guard surplus > 0 else { return }
        for mark in recent.prefix(surplus) {
            if let count = known[mark] { known[mark] = count > 1 ? count - 1 : nil }
        }
        recent.removeFirst(surplus)
    }

    private mutating func route(for topic: String) -> Route {
        if let route = cache[topic] { return route }
        var route = Route()
        var families: [String: Int] = [:]
        let matching =
            (exact[topic] ?? []) + wild.filter { targets[$0].binding.matches(topic: topic) }
        for index in matching.sorted() {
            let binding = targets[index].binding
            if binding.interface.format == .sparkplug {
                route.isSparkplug = true
            } else if binding.isKeyedByPayload, let place = families[binding.family] {
                route.families[place].append(index)
            } else if families[binding.family] == nil {
                families[binding.family] = route.families.count
                route.families.append([index])
            }
        }
        if cache.count >= Self.longestCache { cache.removeAll(keepingCapacity: true) }
        cache[topic] = route
        return route
    }
}
