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
    let status: LinkStatus
    let onEvent: @Sendable (AcquisitionEvent) -> Void
    let bell: Bell
    /// Pauses that a line or a device needs: neither an order nor the stop cuts them short.
    let stillness = Bell()
    let commands: DeviceCommands
    let longestDoubt: Duration
    var units: [PollUnit]
    var targets: [PollTarget]
    var contact: LinkContact
    /// The loop has ended, and devices are taken back to their safe states.
    var isRestoring = false
    /// Whether nothing but the end is worth another attempt.
    var isOver: Bool { bell.isStopped && !isRestoring }
    /// Requests that the status has not been told of yet.
    var untold: UInt64 = 0
    /// The last look at both clocks, and when it was by the link's own.
    private var look: (reading: ClockReading, at: Duration)?
    /// One for each target.
    private var counters: [CounterWatch]
    private let sink: any ScanSink
    private let wallClock: any WallClock

    /// The longest sleep: a wall clock that is set forward is noticed after it.
    private static let longestSleep = Duration.seconds(10)
    /// Missed slots are admitted together, at most so many.
    private static let longestRun = 64
    /// Scans of fast devices wait so long for company: to hand one over costs more than a request.
    private static let longestGathering = Duration.milliseconds(5)
    /// All links share a lock around the clocks, so a look at them serves for so long.
    private static let longestLook = Duration.milliseconds(20)
    /// and for so long while another link is looking.
    private static let longestTrust = Duration.seconds(2)

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
        counters = targets.map { CounterWatch($0.group.series, last: acquisition.lastValues) }
    }

    func run(on link: isolated BusLink) async {
        var schedule = PollSchedule(
            targets.map { .init(unit: units[$0.unit].scheduled, period: $0.period) },
            start: wallClock.read())
        var passed = Gathered()
        while !bell.isStopped {
            await settleCommands(on: link)
            let now = readClocks()
            schedule.follow(now)
            switch schedule.next(now: now.wall) {
            case .skip(let entry, let slot, let reason):
                passed.add(scan(of: targets[entry], slot, now, bad: reason), targets[entry])
                if reason == .missed { status.update { $0.missed += 1 } }
                if passed.scans.count >= Self.longestRun { await admit(&passed, on: link) }
            case .poll(let entry, let slot):
                let wasSilent = schedule.isSilent(unit: units[targets[entry].unit].scheduled)
                // Nobody waits for the answer of a unit that as a rule does not come.
                if wasSilent { await admit(&passed, on: link) }
                let began = clock.elapsed()
                passed.since = passed.since ?? began
                guard let result = await ask(entry, on: link, isProbe: wasSilent) else { break }
                let target = targets[entry]
                if let ending = result.ending {
                    let end = readClocks()
                    schedule.follow(end)
                    schedule.polled(entry: entry, ending, now: end.wall)
                    report(ending, of: target, wasSilent: wasSilent, cause: result.cause)
                }
                passed.add(scan(of: entry, slot, now, result), target)
                if clock.elapsed() - (passed.since ?? began) >= Self.longestGathering
                    || passed.scans.count >= Self.longestRun
                {
                    await admit(&passed, on: link)
                }
            case .wait(let until):
                await admit(&passed, on: link)
                var pause = until.map { $0 - readClocks().wall } ?? Self.longestSleep
                if let due = commands.nextDue { pause = min(pause, due - clock.elapsed()) }
                bell.wait(min(pause, Self.longestSleep))
            }
        }
        // First what moves: the scans may have to wait for a disk.
        await restoreSafeStates(on: link)
        await admit(&passed, on: link)
        tell()
        link.close()
        status.update { $0.isConnected = false }
    }

    /// Both clocks now; between two looks the link's own clock counts on.
    private func readClocks() -> ClockReading {
        let elapsed = clock.elapsed()
        guard let look else { return noted(wallClock.read(), at: elapsed) }
        let age = elapsed - look.at
        if age >= Self.longestTrust { return noted(wallClock.read(), at: elapsed) }
        if age >= Self.longestLook, let fresh = wallClock.readIfFree() {
            return noted(fresh, at: elapsed)
        }
        var reading = look.reading
        let passed = age.milliseconds
        reading.monotonic += passed
        reading.wall.milliseconds += passed
        return reading
    }

    private func noted(_ reading: ClockReading, at elapsed: Duration) -> ClockReading {
        look = (reading, elapsed)
        return reading
    }

    private func scan(
        of entry: Int, _ slot: Timestamp, _ now: ClockReading, _ result: PollResult
    ) -> Scan {
        let target = targets[entry]
        let readings =
            result.readings.map {
                counters[entry].judge($0, now: clock.elapsed())
            } ?? target.group.series.map { _ in .bad(result.refusal ?? .absent) }
        return Scan(
            group: target.group.id, time: slot, flags: now.scanFlags, readings: readings)
    }

    private func scan(
        of target: PollTarget, _ slot: Timestamp, _ now: ClockReading, bad reason: BadReason
    ) -> Scan {
        return Scan(
            group: target.group.id, time: slot, flags: now.scanFlags,
            readings: target.group.series.map { _ in .bad(reason) })
    }

    /// Scans that are handed over together.
    private struct Gathered {
        var scans: [Scan] = []
        /// For each scan the device that it is of.
        var devices: [DeviceID] = []
        /// When the first poll among them began, by the link's clock.
        var since: Duration?

        mutating func add(_ scan: Scan, _ target: PollTarget) {
            scans.append(scan)
            devices.append(target.group.device)
        }
    }

    private func admit(_ gathered: inout Gathered, on link: isolated BusLink) async {
        tell()
        gathered.since = nil
        guard !gathered.scans.isEmpty else { return }
        status.count(gathered.scans, of: gathered.devices)
        let admission = Admission(scans: gathered.scans)
        gathered = Gathered()
        if sink.offer(admission) { return }
        do {
            // Nobody waits for the commit here: that would idle the bus.
            _ = try await sink.admit(admission)
        } catch {
            status.update { $0.lastError = "not admitted: \(error)" }
            // The sink takes nothing; asking the devices at full speed would help nobody.
            bell.wait(.seconds(1))
        }
    }

    /// Adds the requests since the last time to the status, because each time takes a lock.
    func tell() {
        guard untold > 0 else { return }
        status.update { $0.requests += untold }
        untold = 0
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
