import DeviceProfiles
import FieldLinks
import Telemetry

/// One device behind the broker: a message at every multiple of its period, over a connection of
/// its own. A message that the broker does not take in time is lost, as a real device loses it.
struct SimulatedPublisher: Sendable {
    /// How often a device reports whose profile does not say.
    static let defaultPeriod = Duration.seconds(10)

    private let site: SimulatedSite
    private let device: DeviceID
    private let binding: MQTTBinding
    private let period: Duration
    private let foreignTopic: String
    private let faults: FaultBoard
    private let clock: LinkClock
    private let wallClock: any WallClock
    private let publisher: MQTTPublisher

    init(
        site: SimulatedSite, device: SimulatedDevice, binding: MQTTBinding,
        broker: SimulatedEndpoints.Broker, period: Duration?, faults: FaultBoard, clock: LinkClock,
        wallClock: any WallClock
    ) throws(DescriptorBudgetError) {
        self.site = site
        self.device = device.id
        self.binding = binding
        self.period = period ?? binding.group.period ?? Self.defaultPeriod
        let key = device.key ?? ""
        foreignTopic = binding.topic().split(separator: "/", omittingEmptySubsequences: false)
            .map { $0 == key ? "\(key)-NEXT" : String($0) }.joined(separator: "/")
        self.faults = faults
        self.clock = clock
        self.wallClock = wallClock
        var options = MQTTPublisher.Options()
        options.timeout = .seconds(5)
        publisher = try MQTTPublisher(
            MQTTEndpoint(
                host: broker.host, port: broker.port, clientID: "simulated-\(device.id)"),
            options: options, clock: clock)
    }

    /// Publishes until the task is cancelled; the connection is closed on return.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await publisher.run() }
            await publish()
            publisher.stop()
        }
    }

    private func publish() async {
        while !Task.isCancelled {
            let now = wallClock.read().wall
            let slot = now.slot(every: period) + period
            do {
                try await clock.sleep(slot - now)
                guard let (topic, payload) = message(at: slot) else { continue }
                try await publisher.publish(topic, payload)
            } catch {
                // Lost, or asked to end; the loop's condition tells which.
                continue
            }
        }
    }

    private func message(at slot: Timestamp) -> (topic: String, payload: [UInt8])? {
        var instant = slot
        var topic = binding.topic()
        switch faults[device] {
        case .silent, .exception: return nil
        case .garbage, .babbling: return (topic, Array("{\"\u{1}\": [1e999, nul".utf8))
        case .foreign, .wrongUnit: topic = foreignTopic
        case .late(let delay): instant = slot - delay
        case .frozen(let at): instant = at
        case .swapped: instant = slot - period
        case .byteByByte, .short, nil: break
        }
        let payload = binding.payload(site.values(of: device, at: instant), at: instant)
        return (
            topic, faults[device] == .short ? Array(payload.prefix(payload.count / 2)) : payload
        )
    }
}
