import DeviceProfiles
import FieldLinks
import Telemetry

/// One device as the loop of its link sees it.
struct PollUnit: Sendable {
    /// How far the device is known.
    enum Acquaintance: Sendable {
        /// It has not been asked who it is, or never answered.
        case stranger
        /// It is what its profile describes.
        case known
        /// It is something else; asked again after this time of the link's clock.
        case different(until: Duration)
    }

    let device: DeviceID
    let number: UInt8
    /// As the installer described the device.
    let described: BusBinding
    /// As it is polled: with its models in place and its ratios read.
    var binding: BusBinding
    var acquaintance = Acquaintance.stranger
    /// When its ratios are read again; nil when it has none that are read.
    var refreshAt: Duration?
    /// What a device can refuse.
    enum Question: Hashable, Sendable {
        case registers(RegisterRequest)
        /// An item of a meter.
        case item(UInt32)
    }

    /// What was refused and until when it is not asked for again, by the link's clock.
    var quarantine: [Question: Duration] = [:]

    /// The schedule's name for the unit: meters share no unit ids with anybody.
    let scheduled: Int

    init(
        device: DeviceID, number: UInt8, binding: BusBinding, checksIdentity: Bool, place: Int
    ) {
        self.device = device
        self.number = number
        described = binding
        self.binding = binding
        switch binding {
        case .modbus(let modbus):
            scheduled = Int(number)
            if !checksIdentity, !modbus.interface.isDiscovered, !modbus.readsRatios {
                acquaintance = .known
            }
        case .meter:
            // A meter answers to its own address alone.
            scheduled = 1000 + place
            acquaintance = .known
        }
    }
}

/// One scan group of one device, as the loop of a link sees it.
struct PollTarget: Sendable {
    /// The device's place among the link's.
    let unit: Int
    /// The group's place in the binding.
    let index: Int
    let group: ScanGroup
    let period: Duration
    var blocks: [RegisterBlock]

    init(unit: Int, binding: BusBinding, index: Int, group: ScanGroup) {
        self.unit = unit
        self.index = index
        self.group = group
        period = group.period ?? binding.groups[index].period ?? .seconds(60)
        blocks = binding.modbus.map { RegisterBlock.blocks(of: $0, group: index) } ?? []
    }
}

/// What is known about the connection of a link.
struct LinkContact: Sendable {
    var backoff: Backoff
    /// No attempt to connect before this time of the link's clock.
    var downUntil: Duration?
    /// What was reported last; nil before the first word.
    var isReportedUp: Bool?
    /// When the last answer or time-out ended, by the link's clock.
    var lastEnd: Duration?
    /// When somebody on the link last answered, by the link's clock.
    var lastAnswer: Duration?
    /// Requests in a row that nobody answered.
    var silence = 0

    init(_ backoff: Backoff) { self.backoff = backoff }
}

/// What one poll brought.
struct PollResult: Sendable {
    /// One reading for each series of the group; nil when `refusal` says why there are none.
    var readings: [Reading]?
    /// What the schedule is told; nil when the link itself was down.
    var ending: PollSchedule.Ending?
    /// Why the whole group has no values, when it is not for want of answers.
    var refusal: BadReason?
    var cause = ""
}
