import DeviceProfiles
import FieldLinks
import OwnThread
import Telemetry

/// The loop of one link: lives on the link's thread and nowhere else.
///
/// It asks the schedule, does what it says, and admits one scan for each slot. A read that failed is
/// a scan with bad readings. Writes that were asked for go before the next read.
final class BusPoller {
    let name: String
    let clock: LinkClock
    let status: AcquisitionStatus
    let onEvent: @Sendable (AcquisitionEvent) -> Void
    let bell: Bell
    let commands: DeviceCommands
    let longestDoubt: Duration
    var units: [PollUnit]
    var targets: [PollTarget]
    var contact: LinkContact
    private let sink: any ScanSink
    private let wallClock: any WallClock

    /// The longest sleep: a wall clock that is set forward is noticed after it.
    private static let longestSleep = Duration.seconds(10)
    /// Missed slots are admitted together, at most so many.
    private static let longestRun = 64

    init(_ acquisition: BusAcquisition) {
        name = acquisition.name
        clock = acquisition.clock
        status = acquisition.status
        onEvent = acquisition.onEvent
        bell = acquisition.bell
        commands = acquisition.commands
        longestDoubt = acquisition.longestDoubt
        sink = acquisition.sink
        wallClock = acquisition.wallClock
        contact = LinkContact(Backoff(.init(ceiling: .seconds(15)), random: acquisition.random))
        units = acquisition.devices.enumerated().map { place, device in
            PollUnit(
                device: device.binding.groups.first?.device ?? DeviceID("-"), number: device.unit,
                binding: device.binding, checksIdentity: device.checksIdentity,
                place: place)
        }
        targets = []
        for (unit, device) in acquisition.devices.enumerated() {
            for (index, group) in device.groups.enumerated()
            where index < device.binding.groups.count {
                targets.append(
                    PollTarget(unit: unit, binding: device.binding, index: index, group: group))
            }
        }
    }

    func run(on link: isolated BusLink) async {
        var schedule = PollSchedule(
            targets.map { .init(unit: units[$0.unit].scheduled, period: $0.period) },
            start: wallClock.read())
        var passed: [Scan] = []
        while !bell.isStopped {
            await settleCommands(on: link)
            let now = wallClock.read()
            schedule.follow(now)
            switch schedule.next(now: now.wall) {
            case .skip(let entry, let slot, let reason):
                passed.append(scan(of: targets[entry], slot, now, bad: reason))
                if reason == .missed { status.update(link: name) { $0.missed += 1 } }
                if passed.count >= Self.longestRun { await admit(&passed, on: link) }
            case .poll(let entry, let slot):
                await admit(&passed, on: link)
                let wasSilent = schedule.isSilent(unit: units[targets[entry].unit].scheduled)
                guard let result = await ask(entry, on: link, isProbe: wasSilent) else { break }
                let target = targets[entry]
                if let ending = result.ending {
                    let end = wallClock.read()
                    schedule.follow(end)
                    schedule.polled(entry: entry, ending, now: end.wall)
                    report(ending, of: target, wasSilent: wasSilent, cause: result.cause)
                }
                passed.append(scan(of: target, slot, now, result))
                await admit(&passed, on: link)
            case .wait(let until):
                await admit(&passed, on: link)
                var pause = until.map { $0 - wallClock.read().wall } ?? Self.longestSleep
                if let due = commands.nextDue { pause = min(pause, due - clock.elapsed()) }
                bell.wait(min(pause, Self.longestSleep))
            }
        }
        await admit(&passed, on: link)
        await restoreSafeStates(on: link)
        link.close()
        status.update(link: name) { $0.isConnected = false }
    }

    private func scan(
        of target: PollTarget, _ slot: Timestamp, _ now: ClockReading, _ result: PollResult
    ) -> Scan {
        let readings =
            result.readings
            ?? target.group.series.map { _ in .bad(result.refusal ?? .absent) }
        let scan = Scan(
            group: target.group.id, time: slot, flags: now.scanFlags, readings: readings)
        status.count(scan, of: target.group.device, on: name)
        return scan
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

    private func admit(_ scans: inout [Scan], on link: isolated BusLink) async {
        guard !scans.isEmpty else { return }
        let admission = Admission(scans: scans)
        scans.removeAll(keepingCapacity: true)
        do {
            // Nobody waits for the commit here: that would idle the bus.
            _ = try await sink.admit(admission)
        } catch {
            status.update(link: name) { $0.lastError = "not admitted: \(error)" }
            // The sink takes nothing; asking the devices at full speed would help nobody.
            bell.wait(.seconds(1))
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
