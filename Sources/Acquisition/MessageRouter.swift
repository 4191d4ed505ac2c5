import DeviceProfiles
import FieldLinks
import Telemetry

/// Turns a batch of messages into one admission: a value without a clock or a socket.
struct MessageRouter: Sendable {
    /// One device that publishes through the link; a class, so that a message copies no binding.
    final class Target: Sendable {
        let binding: MQTTBinding
        let group: ScanGroup

        init(binding: MQTTBinding, group: ScanGroup) {
            self.binding = binding
            self.group = group
        }
    }

    /// Scans that are admitted together.
    struct Part: Sendable {
        var admission = Admission(scans: [])
        /// For each scan the device that it is of.
        var devices: [DeviceID] = []
        var readings = 0
    }

    /// What became of one batch.
    struct Outcome: Sendable {
        /// Of messages that come again unless they are acknowledged. A message is whole in one part.
        var awaited: [Part] = []
        /// Of messages with QoS 0, which nobody sends again.
        var unawaited: [Part] = []
        /// The devices that spoke, whatever they said, each as often as it did.
        var heard: [Int] = []
        var refused: [(reason: RefusalReason, device: DeviceID?, topic: String, detail: String)] =
            []
        /// Sparkplug nodes that cannot be read further without a new birth.
        var owing: [SparkplugNodes.Owing] = []
        var scans: [Scan] { (awaited + unawaited).flatMap(\.admission.scans) }

        /// What the message at hand has brought.
        fileprivate var staged: [Scan] = []
        fileprivate var stagedDevices: [DeviceID] = []
        /// Whether it brought a reading, and not only the evidence that it could not be read.
        fileprivate var hasNews = false

        fileprivate mutating func stage(_ scan: Scan, of device: DeviceID) {
            staged.append(scan)
            stagedDevices.append(device)
        }

        /// Puts what is staged into the last part, or into a new one when that would be too large.
        fileprivate mutating func file(_ mark: DeliveryMark?, readings: Int, most: Int) {
            func add(to parts: inout [Part]) {
                if parts.isEmpty || parts[parts.count - 1].readings + readings > most {
                    parts.append(Part())
                }
                let last = parts.count - 1
                parts[last].admission.scans += staged
                parts[last].devices += stagedDevices
                parts[last].readings += readings
                if let mark { parts[last].admission.deliveries.append(mark) }
            }
            if mark == nil { add(to: &unawaited) } else { add(to: &awaited) }
        }

        fileprivate mutating func clearStage() {
            staged.removeAll(keepingCapacity: true)
            stagedDevices.removeAll(keepingCapacity: true)
            hasNews = false
        }
    }

    /// Who reads the messages of a topic.
    private final class Route: Sendable {
        /// Targets that read alike, one entry for each interface.
        let families: [[Int]]
        let isSparkplug: Bool
        var isEmpty: Bool { families.isEmpty && !isSparkplug }

        init(families: [[Int]], isSparkplug: Bool) {
            self.families = families
            self.isSparkplug = isSparkplug
        }
    }

    /// A delivery of this link.
    private struct Mark: Hashable {
        var messageID: UInt16
        var digest: UInt64
    }

    /// Times of arrival are rounded down to this: finer ones cost storage and mean nothing.
    private static let timeResolution = Duration.milliseconds(100)
    /// Topics are looked up once; a broker with endless topics must not fill the memory.
    private static let longestCache = 4096
    private static let largestCache = 1 << 20

    /// A device that sends nothing but garbage leaves evidence once in this time, in milliseconds;
    /// the rest is counted.
    private static let evidenceSpacing: Int64 = 1000

    let targets: [Target]
    private let link: String
    private let memory: Int
    private let mostReadings: Int
    /// Targets whose filter is one topic, by topic, and those with wildcards.
    private var exact: [String: [Int]] = [:]
    private var wild: [Int] = []
    /// Where the payload names the device: the targets of an interface by key.
    private var byKey: [String: [String: Int]] = [:]
    private var cache: [String: Route] = [:]
    private var cachedBytes = 0
    private var sparkplug: SparkplugNodes
    private var evidence: [Int: Int64] = [:]
    /// The marks of the last committed messages, around the ring from `oldest`; at most `memory`.
    private var recent: [Mark] = []
    private var oldest = 0
    private var known: [Mark: Int] = [:]
    /// Whether all messages since the last connection were redeliveries. A broker sends those
    /// first, so that what comes after a message that is none is none either, even where a broker
    /// that counts its identifiers anew gives a constant payload an old one.
    private var mayBeRedelivery = true
    /// What was admitted and not committed: it comes again, and what was committed after it as well.
    private var failed: Set<Mark> = []

    /// - Parameter mostReadings: of one admission; a message with more is refused.
    init(
        link: String, targets: [Target], memory: Int, recent: [DeliveryMark],
        mostReadings: Int = Admission.mostReadings
    ) {
        self.link = link
        self.memory = max(1, memory)
        self.mostReadings = mostReadings
        self.targets = targets
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

    /// A connection was made: what was not acknowledged comes first. With a new session nothing
    /// comes again, and no mark of an old one means anything.
    mutating func begin(_ beginning: MQTTMessage.Beginning) {
        mayBeRedelivery = beginning == .connection
        guard beginning == .session else { return }
        (recent, oldest, known, failed) = ([], 0, [:], [])
    }

    /// Reads a batch in its order.
    ///
    /// - Parameter now: when the batch has arrived; a scan that bears this time says how good it is.
    mutating func route(_ batch: [MQTTMessage], now: ClockReading) -> Outcome {
        var outcome = Outcome()
        for message in batch { route(message, now: now, into: &outcome) }
        return outcome
    }

    private mutating func route(
        _ message: MQTTMessage, now: ClockReading, into outcome: inout Outcome
    ) {
        let route = route(for: message.topic)
        func refuse(_ reason: RefusalReason, _ detail: String) {
            // Where the payload names the device, nobody can be blamed for one that is not read.
            let device = route.families.first?.first.flatMap {
                targets[$0].binding.isKeyedByPayload ? nil : targets[$0].group.device
            }
            outcome.refused.append((reason, device, message.topic, detail))
        }
        if let size = message.oversize { return refuse(.oversized, "\(size) bytes") }
        if route.isEmpty { return refuse(.unknownTopic, "no device of the link has this topic") }
        let digest = message.qos > 0 ? message.digest : 0
        if message.qos > 0, mayBeRedelivery, message.mayBeRedelivery,
            known[Mark(messageID: message.messageID, digest: digest)] != nil
        {
            return refuse(.duplicate, "committed before, acknowledged again")
        }
        if route.isSparkplug { read(sparkplug: message, now: now, into: &outcome) }
        for family in route.families { read(message, family, now: now, into: &outcome) }
        defer { outcome.clearStage() }
        if outcome.staged.isEmpty { return }
        let readings = outcome.staged.reduce(0) { $0 + $1.readings.count }
        if readings > mostReadings {
            return refuse(.oversized, "\(readings) readings, at most \(mostReadings)")
        }
        if message.qos > 0 {
            let mark = Mark(messageID: message.messageID, digest: digest)
            if failed.remove(mark) == nil, outcome.hasNews { mayBeRedelivery = false }
            outcome.file(
                DeliveryMark(link: link, messageID: message.messageID, digest: digest),
                readings: readings, most: mostReadings)
        } else {
            outcome.file(nil, readings: readings, most: mostReadings)
        }
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
            // What the broker had kept says nothing of whether the device still speaks.
            if !message.isRetained { outcome.heard.append(index) }
            outcome.hasNews = true
            outcome.stage(scan, of: target.group.device)
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
        outcome.heard.append(index)
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
        outcome.stage(scan, of: target.group.device)
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
            case .scan(let index, let scan, let isHeard):
                if isHeard { outcome.heard.append(index) }
                outcome.hasNews = true
                outcome.stage(scan, of: targets[index].group.device)
            case .refused(let index, let reason, let detail):
                outcome.refused.append(
                    (reason, index.map { targets[$0].group.device }, message.topic, detail))
            }
        }
    }

    /// Notes what is committed, so that it is known when it comes again.
    mutating func remember(_ marks: [DeliveryMark]) {
        for mark in marks.suffix(memory) {
            let mark = Mark(messageID: mark.messageID, digest: mark.digest)
            known[mark, default: 0] += 1
            if recent.count < memory {
                recent.append(mark)
                continue
            }
            let old = recent[oldest]
            if let count = known[old] { known[old] = count > 1 ? count - 1 : nil }
            recent[oldest] = mark
            oldest = (oldest + 1) % memory
        }
    }

    /// Notes what was not committed: it comes again as a redelivery that is new.
    mutating func expectAgain(_ marks: [DeliveryMark]) {
        for mark in marks where failed.count < memory {
            failed.insert(Mark(messageID: mark.messageID, digest: mark.digest))
        }
    }

    private mutating func route(for topic: String) -> Route {
        if let route = cache[topic] { return route }
        var lists: [[Int]] = []
        var isSparkplug = false
        var places: [String: Int] = [:]
        let matching =
            (exact[topic] ?? []) + wild.filter { targets[$0].binding.matches(topic: topic) }
        for index in matching.sorted() {
            let binding = targets[index].binding
            if binding.interface.format == .sparkplug {
                isSparkplug = true
            } else if binding.isKeyedByPayload, let place = places[binding.family] {
                lists[place].append(index)
            } else if places[binding.family] == nil {
                places[binding.family] = lists.count
                lists.append([index])
            }
        }
        let bytes = topic.utf8.count
        if cache.count >= Self.longestCache || cachedBytes + bytes > Self.largestCache {
            cache.removeAll(keepingCapacity: true)
            cachedBytes = 0
        }
        let route = Route(families: lists, isSparkplug: isSparkplug)
        cache[topic] = route
        cachedBytes += bytes
        return route
    }
}
