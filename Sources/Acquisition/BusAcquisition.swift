import DeviceProfiles
import FieldLinks
import OwnThread
import Telemetry

/// Polls the devices of one bus.
///
/// The loop runs inside the link's actor, on its thread (`BusPoller`).
package final class BusAcquisition: Sendable {
    /// One device on the link.
    package struct Device: Sendable {
        /// The unit id; 0 for meters, which have addresses of their own.
        package var unit: UInt8
        package var binding: BusBinding
        /// The binding's groups in the same order, with the numbers of the registry.
        package var groups: [ScanGroup]
        /// Whether the profile's `identify` must hold before the device's numbers are believed.
        package var checksIdentity: Bool

        package init(
            unit: UInt8, binding: ModbusBinding, groups: [ScanGroup], checksIdentity: Bool = true
        ) {
            self.unit = unit
            self.binding = .modbus(binding)
            self.groups = groups
            self.checksIdentity = checksIdentity
        }

        /// A meter of another protocol.
        package init(meter: MeterBinding, groups: [ScanGroup]) {
            unit = 0
            binding = .meter(meter)
            self.groups = groups
            checksIdentity = false
        }
    }

    let name: String
    let link: BusLink
    let devices: [Device]
    let lastValues: [Int: Double]
    let sink: any ScanSink
    let clock: LinkClock
    let wallClock: any WallClock
    let status: LinkStatus
    let random: any RandomNumberGenerator & Sendable
    /// A network connection on which nobody has answered for so long is made anew.
    let longestDoubt: Duration
    let onEvent: @Sendable (AcquisitionEvent) -> Void
    let bell = Bell()
    let commands: DeviceCommands

    /// - Parameters:
    ///   - name: the link's id in the configuration.
    ///   - commands: what may be written on this link.
    ///   - lastValues: the last good numbers that are stored, by the number of the series; counters
    ///     go on from them.
    ///   - wallClock: stamps the scans and gives the slots.
    ///   - random: gives the jitter of the reconnects.
    ///   - longestDoubt: a network connection on which nobody has answered for so long, and three
    ///     requests, is made anew.
    ///   - onEvent: called on the link's thread; must not block.
    package init(
        name: String, link: BusLink, devices: [Device], commands: [DeviceCommand] = [],
        lastValues: [Int: Double] = [:], sink: any ScanSink, clock: LinkClock,
        wallClock: any WallClock, status: AcquisitionStatus,
        random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator(),
        longestDoubt: Duration = .seconds(10),
        onEvent: @escaping @Sendable (AcquisitionEvent) -> Void = { _ in }
    ) {
        self.name = name
        self.link = link
        self.devices = devices
        self.lastValues = lastValues
        self.sink = sink
        self.clock = clock
        self.wallClock = wallClock
        self.status = status.link(name)
        self.random = random
        self.longestDoubt = longestDoubt
        self.onEvent = onEvent
        self.commands = DeviceCommands(commands)
        for device in devices {
            for group in device.groups { self.status.register(group.device) }
        }
    }

    /// Asks `run` to finish: after the request that is under way, at the latest.
    package func stop() {
        bell.stop()
        commands.close()
    }

    /// Polls until `stop`; leaves every device that was switched in its safe state.
    package func run() async {
        await withTaskCancellationHandler {
            await link.perform { link in await BusPoller(self).run(on: link) }
        } onCancel: {
            stop()
        }
    }

    /// Switches a device; returns when the device's own read-back says so, or why not.
    package func execute(_ order: DeviceOrder) async -> DeviceOrder.Outcome {
        await commands.submit(order, now: clock.elapsed()) { self.bell.ring() }
    }
}
