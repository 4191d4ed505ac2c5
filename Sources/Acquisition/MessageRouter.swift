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
        var refused: [(reason: RefusalReason, device: DeviceID?, topic: String, detail: String)] =
            []
    }

    /// Times of arrival are rounded down to this: finer ones cost storage and mean nothing.
    private static let timeResolution = Duration.milliseconds(100)
    /// Topics are looked up once; a broker with endless topics must not fill the memory.
    private static let longestCache = 4096

    private let link: String
    private let targets: [Target]
    private let memory: Int
    private var cache: [String: Int?] = [:]
    /// The marks of the last committed messages, oldest first; at most `memory`.
    private var recent: [DeliveryMark]
    private var known: [DeliveryMark: Int] = [:]

    init(link: String, targets: [Target], memory: Int, recent: [DeliveryMark]) {
        self.link = link
        self.targets = targets
        self.memory = memory
        self.recent = []
        remember(recent.filter { $0.link == link })
    }

    /// Reads a batch in its order.
    ///
    /// - Parameter now: when the batch has arrived; a scan that bears this time says how good it is.
    mutating func route(_ batch: [MQTTMessage], now: ClockReading) -> Outcome {
        var outcome = Outcome()
        let (arrival, flags) = (now.wall, now.scanFlags)
        let instant = arrival.slot(every: Self.timeResolution)
        for message in batch {
            let target = target(for: message.topic)
            func refuse(_ reason: RefusalReason, _ detail: String) {
                outcome.refused.append((reason, target?.group.device, message.topic, detail))
            }
            if let size = message.oversize {
                refuse(.oversized, "\(size) bytes")
                continue
            }
            guard let target else {
                refuse(.unknownTopic, "no device of the link has this topic")
                continue
            }
            let mark = DeliveryMark(
                link: link, messageID: message.messageID, digest: message.digest)
            if message.mayBeRedelivery, message.qos > 0, known[mark] != nil {
                refuse(.duplicate, "committed before, acknowledged again")
                continue
            }
            var scan = Scan(group: target.group.id, time: instant, readings: [])
            switch target.binding.decode(
                topic: message.topic, payload: message.payload, arrival: arrival,
                isTimeOfDay: now.isTrusted)
            {
            case .scan(let time, let decoded, let readings, let hasDeviceTime):
                if message.isRetained, !hasDeviceTime {
                    refuse(.retained, "kept by the broker, without a time of its own")
                    continue
                }
                scan.time = time.slot(every: Self.timeResolution)
                scan.flags = hasDeviceTime ? decoded : decoded.union(flags)
                scan.readings = readings
            case .refused(let reason, let detail):
                refuse(reason == .malformed ? .malformed : .refused, detail)
                if message.isRetained { continue }
                // Stored evidence: the device spoke, and this is why there is no value.
                scan.flags = flags
                scan.readings = target.group.series.map { _ in .bad(reason) }
            }
            outcome.admission.scans.append(scan)
            outcome.devices.append(target.group.device)
            if message.qos > 0 { outcome.admission.deliveries.append(mark) }
        }
        return outcome
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

    private mutating func target(for topic: String) -> Target? {
        if let index = cache[topic] { return index.map { targets[$0] } }
        let index = targets.firstIndex { $0.binding.matches(topic: topic) }
        if cache.count >= Self.longestCache { cache.removeAll(keepingCapacity: true) }
        cache[topic] = .some(index)
        return index.map { targets[$0] }
    }
}
