import DeviceProfiles
import FieldLinks
import Telemetry

/// Polls the devices of one Modbus link.
///
/// The loop runs inside the link's actor, on its thread: it asks the schedule, does what it says,
/// and admits one scan for each slot. A read that failed is a scan with bad readings.
package final class ModbusAcquisition: Sendable {
    /// One device on the link.
    package struct Device: Sendable {
        package var unit: UInt8
        package var binding: ModbusBinding
        /// The binding's groups in the same order, with the numbers of the registry.
        package var groups: [ScanGroup]

        package init(unit: UInt8, binding: ModbusBinding, groups: [ScanGroup]) {
            self.unit = unit
            self.binding = binding
            self.groups = groups
        }
    }

    let name: String
    let link: ModbusLink
    let clock: LinkClock
    let status: AcquisitionStatus
    let onEvent: @Sendable (AcquisitionEvent) -> Void
    let signal = StopSignal()
    private let devices: [Device]
    private let sink: any ScanSink
    private let wallClock: any WallClock
    private let random: any RandomNumberGenerator & Sendable

    /// The longest sleep: a wall clock that is set forward is noticed after it.
    private static let longestSleep = Duration.seconds(10)
    /// Missed slots are admitted together, at most so many.
    private static let longestRun = 64

    /// - Parameters:
    ///   - name: the link's id in the configuration.
    ///   - wallClock: stamps the scans and gives the slots.
    ///   - random: gives the jitter of the reconnects.
    ///   - onEvent: called on the link's thread; must not block.
    package init(
        name: String, link: ModbusLink, devices: [Device], sink: any ScanSink, clock: LinkClock,
        wallClock: any WallClock, status: AcquisitionStatus,
        random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator(),
        onEvent: @escaping @Sendable (AcquisitionEvent) -> Void = { _ in }
    ) {
        self.name = name
        self.link = link
        self.devices = devices
        self.sink = sink
        self.clock = clock
        self.wallClock = wallClock
        self.status = status
        self.random = random
        self.onEvent = onEvent
        for device in devices {
            for group in device.groups { status.register(group.device, on: name) }
        }
    }

    /// Asks `run` to finish: after the request that is under way, at the latest.
    package func stop() { signal.stop() }

    /// Polls until `stop`.
    package func run() async {
        await withTaskCancellationHandler {
            await link.perform { link in await self.poll(link) }
        } onCancel: {
            stop()
        }
    }

    private func poll(_ link: isolated ModbusLink) async {
        var targets: [PollTarget] = []
        for device in devices {
            for (index, group) in device.groups.enumerated()
            where index < device.binding.groups.count {
                targets.append(
                    PollTarget(
                        unit: device.unit, binding: device.binding, index: index, group: group))
            }
        }
        var contact = LinkContact(Backoff(.init(ceiling: .seconds(15)), random: random))
        var schedule = PollSchedule(
            targets.map { .init(unit: Int($0.unit), period: $0.period) },
            start: wallClock.read())
        var passed: [Scan] = []
        while !signal.isStopped {
            let now = wallClock.read()
            schedule.follow(now)
            switch schedule.next(now: now.wall) {
            case .skip(let entry, let slot, let reason):
                passed.append(scan(of: targets[entry], slot, now, bad: reason))
                if reason == .missed { status.update(link: name) { $0.missed += 1 } }
                if passed.count >= Self.longestRun { await admit(&passed) }
            case .poll(let entry, let slot):
                await admit(&passed)
                let wasSilent = schedule.isSilent(unit: Int(targets[entry].unit))
                guard
                    let result = await ask(
                        &targets[entry], on: link, &contact, isKnownSilent: wasSilent)
                else { break }
                let target = targets[entry]
                if let ending = result.ending {
                    let end = wallClock.read()
                    schedule.follow(end)
                    schedule.polled(entry: entry, ending, now: end.wall)
                    report(ending, of: target, wasSilent: wasSilent, cause: result.cause)
                }
                passed.append(
                    Scan(
                        group: target.group.id, time: slot, flags: now.scanFlags,
                        readings: target.binding.readings(group: target.index, result.answers)))
                status.count(passed[passed.count - 1], of: target.group.device, on: name)
                await admit(&passed)
            case .wait(let until):
                await admit(&passed)
                let pause = until.map { $0 - wallClock.read().wall } ?? Self.longestSleep
                if pause > .zero { await signal.wait(min(pause, Self.longestSleep), on: clock) }
            }
        }
        await admit(&passed)
        link.close()
        status.update(link: name) { $0.isConnected = false }
    }

    private func scan(
        of target: PollTarget, _ slot: Timestamp, _ now: ClockReading, bad reason: BadReason
    ) -> Scan {
        let scan = Scan(
            group: target.group.id, time: slot, flags: now.scanFlags,
            readings: target.group.series.map { _ in .bad(reason) })
        status.count(scan, of: target.group.device, on: name)
        return scan
    }

    private func admit(_ scans: inout [Scan]) async {
        guard !scans.isEmpty else { return }
        let admission = Admission(scans: scans)
        scans.removeAll(keepingCapacity: true)
        do {
            // Nobody waits for the commit here: that would idle the bus.
            _ = try await sink.admit(admission)
        } catch {
            status.update(link: name) { $0.lastError = "not admitted: \(error)" }
            // The sink takes nothing; asking the devices at full speed would help nobody.
            await signal.wait(.seconds(1), on: clock)
        }
    }

    private func report(
        _ ending: PollSchedule.Ending, of target: PollTarget, wasSilent: Bool, cause: String
    ) {
        switch ending {
        case .silent where !wasSilent:
            onEvent(.deviceSilent(link: name, device: target.group.device, cause: cause))
        case .answered where wasSilent:
            onEvent(.deviceAnswers(link: name, device: target.group.device))
        default: break
        }
    }
}
