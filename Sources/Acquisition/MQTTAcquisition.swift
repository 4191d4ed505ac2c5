import DeviceProfiles
import FieldLinks
import Synchronization
import Telemetry

/// Receives what the devices of one broker publish, and acknowledges it once it is committed.
package final class MQTTAcquisition: Sendable {
    /// One device that publishes through the link.
    package struct Device: Sendable {
        package var binding: MQTTBinding
        /// The binding's group with the number of the registry.
        package var group: ScanGroup

        package init(binding: MQTTBinding, group: ScanGroup) {
            self.binding = binding
            self.group = group
        }
    }

    private struct State {
        var router: MessageRouter
        /// Admissions whose commit was still open when the link gave up waiting for it.
        var open: [(ticket: CommitTicket, marks: [DeliveryMark])] = []
        /// When a refusal was last reported, in monotonic milliseconds.
        var reported: [Refusal: Int64] = [:]
        /// When a node was last asked for a birth, in monotonic milliseconds.
        var asked: [String: Int64] = [:]
        var silence: SilenceWatch
    }

    private struct Refusal: Hashable {
        var reason: RefusalReason
        var device: DeviceID?
    }

    /// A refusal of one kind of one device is reported once in this time, in milliseconds.
    private static let reportSpacing: Int64 = 60_000

    private let name: String
    private let mayAskForBirths: Bool
    private let clock: LinkClock
    private let stopping = StopSignal()
    private let link: MQTTLink
    private let sink: any ScanSink
    private let wallClock: any WallClock
    private let status: LinkStatus
    private let onEvent: @Sendable (AcquisitionEvent) -> Void
    private let state: Mutex<State>

    /// - Parameters:
    ///   - name: the link's id in the configuration; part of each delivery mark.
    ///   - recentDeliveries: the marks of the last `options.redeliveries` messages that were committed,
    ///     oldest first.
    ///   - mayAskForBirths: whether a Sparkplug node may be asked for a new birth, which is the one
    ///     thing that is ever written to the field here.
    ///   - onEvent: called on the link's thread or while a batch is read; must not block.
    package init(
        name: String, endpoint: MQTTEndpoint, devices: [Device],
        options: MQTTLink.Options = .init(), sink: any ScanSink, clock: LinkClock,
        wallClock: any WallClock, status: AcquisitionStatus, recentDeliveries: [DeliveryMark] = [],
        mayAskForBirths: Bool = false,
        random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator(),
        onEvent: @escaping @Sendable (AcquisitionEvent) -> Void = { _ in }
    ) throws(DescriptorBudgetError) {
        self.name = name
        self.mayAskForBirths = mayAskForBirths
        self.clock = clock
        self.sink = sink
        self.wallClock = wallClock
        let status = status.link(name)
        self.status = status
        self.onEvent = onEvent
        let router = MessageRouter(
            link: name, targets: devices.map { .init(binding: $0.binding, group: $0.group) },
            memory: options.redeliveries, recent: recentDeliveries)
        state = Mutex(
            State(
                router: router,
                silence: SilenceWatch(
                    devices.map(\.binding.interface.silentAfter), since: wallClock.read().monotonic)
            ))
        var filters: [String: Int] = [:]
        for device in devices {
            let filter = device.binding.topicFilter
            filters[filter] = max(filters[filter] ?? 0, device.binding.qos)
            status.register(device.group.device)
        }
        link = try MQTTLink(
            endpoint,
            subscriptions: filters.sorted { $0.key < $1.key }
                .map { .init(filter: $0.key, qos: $0.value) },
            options: options, clock: clock, random: random,
            onEvent: { event in
                switch event {
                case .connected(let sessionPresent):
                    status.update { $0.isConnected = true }
                    let detail = sessionPresent ? "the session goes on" : "a new session"
                    onEvent(.linkUp(link: name, detail: detail))
                case .disconnected(let error):
                    status.update { status in
                        status.isConnected = false
                        status.lastError = "\(error)"
                    }
                    onEvent(.linkDown(link: name, cause: "\(error)"))
                case .subscriptionRefused(let filter, let reason):
                    onEvent(.subscriptionRefused(link: name, filter: filter, reason: reason))
                case .sessionLost:
                    status.update { $0.sessionsLost += 1 }
                    onEvent(.sessionLost(link: name))
                case .subscriptionLost(let silentFor):
                    status.update { $0.subscriptionsLost += 1 }
                    onEvent(.subscriptionLost(link: name, silentFor: silentFor))
                case .probeOff(let reason):
                    status.update { $0.isWatched = false }
                    onEvent(.probeOff(link: name, reason: reason))
                }
            })
    }

    /// Asks `run` to finish: it carries the commit through that is under way.
    package func stop() {
        stopping.stop()
        link.stop()
    }

    /// Receives until `stop`.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await self.link.run { batch in try await self.take(batch) }
                self.stopping.stop()
            }
            group.addTask { await self.watch() }
        }
        status.update { $0.isConnected = false }
    }

    /// Notices devices that have gone silent, until `stop`.
    private func watch() async {
        guard let interval = state.withLock({ $0.silence.interval }) else { return }
        while !stopping.isStopped {
            await stopping.wait(interval, on: clock)
            if stopping.isStopped { return }
            await silence(at: wallClock.read())
        }
    }

    private func silence(at now: ClockReading) async {
        let isConnected = status.link.isConnected
        let (silent, targets) = state.withLock {
            ($0.silence.fallenSilent(at: now.monotonic), $0.router.targets)
        }
        guard !silent.isEmpty else { return }
        // One bad reading, so that charts and rules see the end of what was known.
        let reason: BadReason = isConnected ? .timeout : .disconnected
        var scans: [Scan] = []
        for (index, duration) in silent {
            let group = targets[index].group
            var scan = Scan(
                group: group.id, time: now.wall.slot(every: .milliseconds(100)),
                readings: group.series.map { _ in .bad(reason) })
            scan.flags = now.scanFlags
            scans.append(scan)
            status.count([scan], of: [group.device])
            onEvent(
                .deviceSilent(
                    link: name, device: group.device,
                    cause: isConnected
                        ? "no message for \(duration)" : "no connection to the broker"))
        }
        // When nothing can be taken the gateway says so itself, for all of its links.
        _ = try? await sink.admit(Admission(scans: scans))
    }

    /// Reads a batch and admits it.
    ///
    /// - Returns: what waits until all is committed that the broker waits for.
    private func take(_ batch: MQTTBatch) async throws -> MQTTBatch.Committing {
        if let beginning = batch.messages.first?.beginning { try await begin(beginning) }
        let now = wallClock.read()
        let (outcome, woken) = state.withLock { state in
            let outcome = state.router.route(batch.messages, now: now)
            let woken = state.silence.heard(outcome.heard, at: now.monotonic)
            return (outcome, woken.map { state.router.targets[$0].group.device })
        }
        for device in woken { onEvent(.deviceAnswers(link: name, device: device)) }
        for owing in outcome.owing { ask(owing, at: now) }
        status.update { $0.requests += UInt64(batch.messages.count) }
        report(outcome, at: now)
        await take(outcome.unawaited)
        // Also when the last messages bring nothing: those before them wait for their commit.
        let isHastened = batch.fillsWindow && outcome.awaited.isEmpty
        let parts = isHastened ? [MessageRouter.Part()] : outcome.awaited
        for (index, part) in parts.enumerated() {
            let ticket = try await sink.admit(
                Admission(
                    scans: part.admission.scans, deliveries: part.admission.deliveries,
                    holdsWindow: batch.fillsWindow || index < parts.count - 1))
            state.withLock { $0.open.append((ticket, part.admission.deliveries)) }
        }
        return { [self] in
            for part in parts {
                try await settleFirst()
                status.count(part.admission.scans, of: part.devices)
            }
        }
    }

    /// Waits for what was admitted through the connection before.
    ///
    /// A commit may succeed after the link has given up on it. Its messages come again, and are
    /// known only if the end of that commit was waited for first.
    private func begin(_ beginning: MQTTMessage.Beginning) async throws {
        state.withLock { state in
            state.router.begin(beginning)
            guard beginning == .session else { return }
            for index in state.open.indices { state.open[index].marks = [] }
        }
        while state.withLock({ !$0.open.isEmpty }) {
            do {
                try await settleFirst()
            } catch let error as CancellationError {
                throw error
            } catch {
                // It comes again, and is new.
            }
        }
    }

    /// Hands on what nobody sends again: apart from the rest, because that is given up when a
    /// commit fails, and a broker has no second chance to offer for these.
    private func take(_ parts: [MessageRouter.Part]) async {
        for part in parts {
            if !sink.offer(part.admission) {
                do {
                    _ = try await sink.admit(part.admission)
                } catch {
                    status.update { status in
                        status.failures += UInt64(part.admission.scans.count)
                        status.lastError = "\(error)"
                    }
                    continue
                }
            }
            status.count(part.admission.scans, of: part.devices)
        }
    }

    /// Waits for what was admitted first and remembers it when it is committed.
    private func settleFirst() async throws {
        guard let first = state.withLock({ $0.open.first }) else { return }
        var failure: (any Error)?
        do {
            try await first.ticket.committed()
        } catch let error as CancellationError {
            throw error
        } catch {
            failure = error
        }
        state.withLock { state in
            state.open.removeFirst()
            if failure == nil {
                state.router.remember(first.marks)
            } else {
                state.router.expectAgain(first.marks)
            }
        }
        if let failure { throw failure }
    }

    /// Asks a node for a new birth, once a minute at most, where the site allows it.
    private func ask(_ owing: SparkplugNodes.Owing, at now: ClockReading) {
        let isDue = state.withLock { state in
            if let last = state.asked[owing.node.key], now.monotonic &- last < Self.reportSpacing {
                return false
            }
            state.asked[owing.node.key] = now.monotonic
            return true
        }
        guard isDue else { return }
        if mayAskForBirths {
            link.send(owing.node.commandTopic, SparkplugSession.rebirth(at: now.wall))
        }
        onEvent(
            .birthMissing(
                link: name, node: owing.node.key, reason: owing.reason, isAsked: mayAskForBirths))
    }

    private func report(_ outcome: MessageRouter.Outcome, at now: ClockReading) {
        for refusal in outcome.refused {
            status.refuse(refusal.reason)
            let isDue = state.withLock { state in
                let key = Refusal(reason: refusal.reason, device: refusal.device)
                if let last = state.reported[key], now.monotonic &- last < Self.reportSpacing {
                    return false
                }
                state.reported[key] = now.monotonic
                return true
            }
            guard isDue else { continue }
            if refusal.reason == .duplicate {
                onEvent(.duplicateRefused(link: name, topic: refusal.topic))
            } else {
                onEvent(
                    .messageRefused(
                        link: name, device: refusal.device, topic: refusal.topic,
                        reason: refusal.reason, detail: refusal.detail))
            }
        }
    }
}
