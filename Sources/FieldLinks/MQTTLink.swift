import OwnThread
import Telemetry

/// A subscription that acknowledges a message only after it is committed.
///
///     poll ─▶ read until dry or `window` full ─▶ deliver ─▶ (returns: committed) ─▶ write PUBACKs
///                                                  └─▶ throws or late: close, write nothing;
///                                                      the broker redelivers after the reconnect
///
/// The session is persistent (clean session off, stable client id), so that the broker keeps what
/// was not acknowledged. The link's thread sits in `poll()`; `stop` rings it.
package actor MQTTLink {
    /// A topic filter and the QoS to ask for.
    package struct Subscription: Hashable, Sendable {
        package var filter: String
        /// 0 or 1; a broker never gets 2 from here.
        package var qos: Int
        package init(filter: String, qos: Int = 1) {
            self.filter = filter
            self.qos = min(1, max(0, qos))
        }
    }

    /// What a site may set about a link.
    package struct Options: Hashable, Sendable {
        /// How many messages may wait for one commit; the broker's `max_inflight_messages`.
        package var window = 20
        /// Larger payloads are not kept, in bytes.
        package var maximumPayload = 256 * 1024
        /// How long a commit may take before the broker is to keep the messages instead.
        package var commitTimeout = Duration.seconds(20)
        package var reconnect = Backoff.Limits()
        package init() {}

        /// How many deliveries after a reconnect may be redeliveries, and how many marks of
        /// committed messages are worth keeping: at least the window, and a reserve for brokers
        /// that allow more messages in flight than the link takes at once.
        package var redeliveries: Int { max(window, 1024) }
    }

    private let thread: OwnThread
    private let endpoint: MQTTEndpoint
    private let subscriptions: [Subscription]
    private let options: Options
    private let clock: LinkClock
    private let wakeUp: WakeUp
    private let onEvent: @Sendable (MQTTLinkEvent) -> Void
    private var backoff: Backoff
    private var redeliveriesPossible = 0
    private var sessionPresent = false
    /// What was said last; nil before the first word.
    private var reported: Reported?

    private enum Reported: Equatable {
        case up
        case away
        case refused
        case degraded

        init(_ error: MQTTError) {
            self =
                switch error.code {
                case .refused: .refused
                case .commitFailed: .degraded
                default: .away
                }
        }
    }

    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        thread.asUnownedSerialExecutor()
    }

    /// - Parameters:
    ///   - random: gives the jitter of the reconnects.
    ///   - onEvent: called on the link's thread, once for each change of state; must not block.
    package init(
        _ endpoint: MQTTEndpoint, subscriptions: [Subscription], options: Options = Options(),
        clock: LinkClock,
        random: any RandomNumberGenerator & Sendable =
            SystemRandomNumberGenerator(),
        onEvent: @escaping @Sendable (MQTTLinkEvent) -> Void = { _ in }
    ) throws(DescriptorBudgetError) {
        self.endpoint = endpoint
        self.subscriptions = subscriptions
        self.options = options
        self.clock = clock
        self.onEvent = onEvent
        wakeUp = try WakeUp(for: .mqtt)
        backoff = Backoff(options.reconnect, random: random)
        thread = OwnThread(name: "mqtt \(endpoint.port)")
    }

    /// Asks `run` to finish: it waits for the commit that is under way, acknowledges it, and goes.
    package nonisolated func stop() { wakeUp.stop() }

    /// Receives until `stop`, connecting again whenever the broker has gone.
    ///
    /// - Parameter deliver: gets the messages in the broker's order and returns once they are
    ///   committed. When it throws, nothing of the batch is acknowledged and all of it comes again.
    package func run(_ deliver: @escaping @Sendable ([MQTTMessage]) async throws -> Void) async {
        await withTaskCancellationHandler {
            while !wakeUp.isStopped {
                do throws(MQTTError) {
                    try await receive(deliver)
                } catch {
                    guard error.code != .stopped else { break }
                    report(down: error)
                    rest(backoff.next())
                }
            }
        } onCancel: {
            wakeUp.stop()
        }
    }

    private func receive(
        _ deliver: @escaping @Sendable ([MQTTMessage]) async throws -> Void
    ) async throws(MQTTError) {
        let client = try connect()
        while true {
            // Messages may have come together with the greeting, before anything was asked.
            if client.received.isEmpty {
                try flush(client)
                if wakeUp.isStopped { break }
                let ready = wakeUp.wait(
                    socket: client.socket, forWriting: client.wantsToWrite, limit: .seconds(1))
                if !ready.isReadable {
                    try client.tick()
                    if !ready.isWritable { settle() }
                    continue
                }
            }
            try readBatch(client)
            for filter in client.takeRefusals() { onEvent(.subscriptionRefused(filter: filter)) }
            guard !client.received.isEmpty else {
                try client.tick()
                continue
            }
            try await commit(takeBatch(client), on: client, deliver)
            settle()
        }
        client.disconnect()
        throw MQTTError(code: .stopped, cause: "asked to stop")
    }

    private func connect() throws(MQTTError) -> MosquittoClient {
        let client = try MosquittoClient(
            endpoint, cleanSession: false, maximumPayload: options.maximumPayload)
        sessionPresent = try client.connect(clock, wakeUp)
        redeliveriesPossible = sessionPresent ? options.redeliveries : 0
        // Also when the session is present: the configuration may have changed since.
        for subscription in subscriptions {
            try client.subscribe(subscription.filter, qos: subscription.qos)
        }
        // After a failed commit the link is up again only when the next commit has succeeded.
        if reported != .degraded { reportUp() }
        return client
    }

    private func readBatch(_ client: MosquittoClient) throws(MQTTError) {
        while client.received.count < options.window, WakeUp.isReadable(client.socket) {
            try client.read()
        }
    }

    private func takeBatch(_ client: MosquittoClient) -> [MQTTMessage] {
        var batch = client.received
        client.received.removeAll(keepingCapacity: true)
        if redeliveriesPossible > 0 {
            for index in batch.indices.prefix(redeliveriesPossible) where batch[index].qos > 0 {
                batch[index].mayBeRedelivery = true
            }
            redeliveriesPossible = max(0, redeliveriesPossible - batch.count)
        }
        return batch
    }

    /// Sends the acknowledgements and all else that is queued; called only with nothing withheld.
    private func flush(_ client: MosquittoClient) throws(MQTTError) {
        if client.wantsToWrite { try client.write() }
    }

    private enum Ending: Sendable {
        case committed
        case failed(String)
        case late
    }

    private func commit(
        _ batch: [MQTTMessage], on client: MosquittoClient,
        _ deliver: @escaping @Sendable ([MQTTMessage]) async throws -> Void
    ) async throws(MQTTError) {
        let (sleep, limit) = (clock.sleep, options.commitTimeout)
        let ending = await withTaskGroup(of: Ending.self) { group in
            group.addTask {
                do {
                    try await deliver(batch)
                    return .committed
                } catch {
                    return .failed("\(error)")
                }
            }
            group.addTask {
                try? await sleep(limit)
                return .late
            }
            let first = await group.next() ?? .late
            // At once: the broker shall have the messages back before the keep-alive is over. The
            // group then waits until `deliver` has ended, and with it the reconnect.
            if case .committed = first {} else { client.hangUp() }
            group.cancelAll()
            return first
        }
        switch ending {
        case .committed: return
        case .failed(let cause):
            throw MQTTError(code: .commitFailed, cause: "not committed, not acknowledged: \(cause)")
        case .late:
            throw MQTTError(code: .commitFailed, cause: "not committed within \(limit)")
        }
    }

    /// The connection has proved itself.
    private func settle() {
        backoff.reset()
        if reported != .up { reportUp() }
    }

    private func reportUp() {
        reported = .up
        onEvent(.connected(sessionPresent: sessionPresent))
    }

    private func report(down error: MQTTError) {
        let state = Reported(error)
        if reported == state { return }
        reported = state
        onEvent(.disconnected(error))
    }

    /// Waits before the next attempt, on the doorbell.
    private func rest(_ duration: Duration) {
        let start = clock.elapsed()
        while !wakeUp.isStopped {
            let left = duration - (clock.elapsed() - start)
            guard left > .zero else { return }
            _ = wakeUp.wait(socket: -1, forWriting: false, limit: left)
        }
    }
}
