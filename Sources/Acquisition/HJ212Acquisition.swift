import DeviceProfiles
import FieldLinks
import Frames
import Synchronization
import Telemetry

/// Is the platform of stations that speak HJ 212, and acknowledges a packet once it is committed.
package final class HJ212Acquisition: Sendable {
    /// One station that reports to the link.
    package struct Device: Sendable {
        package var binding: HJ212Binding
        /// The binding's group with the number of the registry.
        package var group: ScanGroup

        package init(binding: HJ212Binding, group: ScanGroup) {
            self.binding = binding
            self.group = group
        }
    }

    /// What the site says about the link.
    package struct Options: Sendable {
        /// What every packet must bear; nil accepts any.
        package var password: String?
        /// What is older than this when it arrives is history: it raises no notification.
        package var backfillAfter: Duration = .seconds(3600)
        /// How many committed packets are remembered.
        package var memory = 4096
        package init() {}
    }

    private struct Refusal: Hashable {
        var reason: RefusalReason
        var device: DeviceID?
    }

    private struct State {
        var router: HJ212Router
        /// When a refusal was last reported, in monotonic milliseconds.
        var reported: [Refusal: Int64] = [:]
    }

    /// A refusal of one kind of one device is reported once in this time, in milliseconds.
    private static let reportSpacing: Int64 = 60_000

    private let name: String
    private let listener: HJ212Listener
    private let sink: any ScanSink
    private let wallClock: any WallClock
    private let status: LinkStatus
    private let onEvent: @Sendable (AcquisitionEvent) -> Void
    private let state: Mutex<State>

    /// - Parameters:
    ///   - name: the link's id in the configuration; part of each delivery mark.
    ///   - recentDeliveries: the marks of the last packets that were committed, oldest first.
    ///   - onEvent: called while a batch is read; must not block.
    package init(
        name: String, listener: HJ212Listener, devices: [Device], options: Options = .init(),
        sink: any ScanSink, wallClock: any WallClock, status: AcquisitionStatus,
        recentDeliveries: [DeliveryMark] = [],
        onEvent: @escaping @Sendable (AcquisitionEvent) -> Void = { _ in }
    ) {
        self.name = name
        self.listener = listener
        self.sink = sink
        self.wallClock = wallClock
        let status = status.link(name)
        self.status = status
        self.onEvent = onEvent
        for device in devices { status.register(device.group.device) }
        state = Mutex(
            State(
                router: HJ212Router(
                    .init(
                        link: name, password: options.password,
                        backfillAfter: options.backfillAfter, memory: options.memory),
                    targets: devices.map { .init(binding: $0.binding, group: $0.group) },
                    recent: recentDeliveries)))
    }

    /// The checksums that some profile of the link wants.
    package static func checksums(_ devices: [Device]) -> Set<HJ212Packet.Checksum> {
        Set(devices.map(\.binding.interface.checksum))
    }

    /// Asks `run` to finish: it carries the commits through that are under way.
    package func stop() { listener.stop() }

    /// Serves stations until `stop`.
    package func run() async {
        await listener.run(
            onListening: { [self] result in
                switch result {
                case .success(let port):
                    status.update { $0.isConnected = true }
                    onEvent(.linkUp(link: name, detail: "listening on port \(port)"))
                case .failure(let error):
                    status.update { status in
                        status.isConnected = false
                        status.lastError = "\(error)"
                    }
                    onEvent(.linkDown(link: name, cause: "\(error)"))
                }
            },
            { [self] events in await handle(events) })
        let rest = state.withLock { $0.router.finish(now: wallClock.read()) }
        // What waits for an acknowledgement comes again.
        _ = await store(rest.unawaited)
        status.update { $0.isConnected = false }
    }

    private func handle(_ events: [HJ212Listener.Event]) async -> HJ212Listener.Handling {
        let now = wallClock.read()
        let routed = state.withLock { $0.router.route(events, now: now) }
        status.update { $0.requests += UInt64(routed.packets) }
        report(routed, at: now)
        let outcome = await store(routed.unawaited) ? routed : routed.withoutUnawaited
        guard !outcome.awaited.scans.isEmpty else {
            count(outcome)
            state.withLock { $0.router.settle(outcome, isCommitted: true) }
            return HJ212Listener.Handling(replies: outcome.replies)
        }
        do {
            let ticket = try await sink.admit(outcome.awaited)
            return HJ212Listener.Handling(replies: outcome.replies) { [self] in
                do {
                    try await ticket.committed()
                    count(outcome)
                    state.withLock { $0.router.settle(outcome, isCommitted: true) }
                    return outcome.acknowledgements
                } catch {
                    return fail(outcome, error)
                }
            }
        } catch {
            _ = fail(outcome, error)
            return HJ212Listener.Handling(replies: outcome.replies)
        }
    }

    /// Hands on what nobody sends again: as with a poll, the buffer is all that keeps it.
    ///
    /// - Returns: false when it was not taken.
    private func store(_ unawaited: Admission) async -> Bool {
        if unawaited.scans.isEmpty { return true }
        if (try? await sink.admit(unawaited)) != nil { return true }
        status.update { $0.failures += 1 }
        return false
    }

    /// Nothing is acknowledged: the stations send it again.
    private func fail(
        _ outcome: HJ212Router.Outcome, _ error: any Error
    ) -> [HJ212Listener.Reply] {
        state.withLock { $0.router.settle(outcome, isCommitted: false) }
        status.update { status in
            status.failures += 1
            status.lastError = "\(error)"
        }
        return []
    }

    private func count(_ outcome: HJ212Router.Outcome) {
        status.count(
            outcome.devices.map(\.0), of: outcome.devices.map(\.1))
    }

    private func report(_ outcome: HJ212Router.Outcome, at now: ClockReading) {
        for event in outcome.events { onEvent(event) }
        for refusal in outcome.refused {
            status.refuse(refusal.reason)
            // Repetitions are the protocol's daily bread, and a stranger is named once, above.
            if refusal.isTold || refusal.reason == .duplicate || refusal.reason == .unknownStation {
                continue
            }
            let isDue = state.withLock { state in
                let key = Refusal(reason: refusal.reason, device: refusal.device)
                if let last = state.reported[key], now.monotonic &- last < Self.reportSpacing {
                    return false
                }
                state.reported[key] = now.monotonic
                return true
            }
            guard isDue else { continue }
            onEvent(
                .messageRefused(
                    link: name, device: refusal.device, topic: refusal.what,
                    reason: refusal.reason, detail: refusal.detail))
        }
    }
}
