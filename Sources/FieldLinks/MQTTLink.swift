import OwnThread
import Synchronization
import Telemetry

/// A subscription that acknowledges a message only after it is committed.
///
///     poll ─▶ read, up to `window` ─▶ hand on ─▶ all of it committed ─▶ write PUBACKs
///       ▲                               │  └─▶ refused or late: close, write nothing;
///       └───── while a commit waits ────┘      the broker redelivers after the reconnect
///
/// The library queues a PUBACK for each message it reads and sends all or none; so none leaves
/// before everything that was read is committed.
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
        /// Within this time a subscription is noticed that the broker has lost although the
        /// connection stands; nil: do not watch.
        package var probe: Duration? = .seconds(60)
        /// The group of a shared subscription: its members get each message once between them.
        package var share: String?
        /// A connection that has lasted for so long has proved itself.
        package var settledAfter = Duration.seconds(30)
        package init() {}

        /// How many deliveries after a reconnect may be redeliveries, and how many marks of
        /// committed messages are worth keeping: at least the window, and a reserve for brokers
        /// that allow more messages in flight than the link takes at once.
        package var redeliveries: Int { max(window, 1024) }
    }

    private let thread: OwnThread
    let endpoint: MQTTEndpoint
    let subscriptions: [Subscription]
    let options: Options
    let clock: LinkClock
    let wakeUp: WakeUp
    let onEvent: @Sendable (MQTTLinkEvent) -> Void
    let outbox = Mutex<[(topic: String, payload: [UInt8])]>([])
    private var backoff: Backoff
    var probe: SubscriptionProbe
    var redeliveriesPossible = 0
    /// What the next message begins.
    var beginning: MQTTMessage.Beginning?
    var sessionPresent = false
    /// A session that was made here is what the broker should still know at the next connection.
    var hadSession = false
    /// When the link last asked for its subscriptions.
    var subscribedAt = Duration.zero
    /// When the broker last accepted this client; nil while it has not.
    var acceptedAt: Duration?
    /// Connections in a row that the broker ended soon after it had accepted them.
    var shortLives = 0
    /// What was said last; nil before the first word.
    var reported: Reported?

    enum Reported: Equatable {
        case up
        case away
        case refused
        case degraded
        case contested

        init(_ error: MQTTError) {
            self =
                switch error.code {
                case .refused, .untrusted: .refused
                case .commitFailed: .degraded
                case .takenOver: .contested
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
        probe = SubscriptionProbe(limit: options.probe)
        thread = OwnThread(name: "mqtt \(endpoint.port)")
    }

    /// Asks `run` to finish: it waits for the commit that is under way, acknowledges it, and goes.
    package nonisolated func stop() { wakeUp.stop() }

    /// Sends a message once the connection is there, with QoS 0; the oldest go when too many wait.
    package nonisolated func send(_ topic: String, _ payload: [UInt8]) {
        outbox.withLock { outbox in
            if outbox.count >= 64 { outbox.removeFirst() }
            outbox.append((topic, payload))
        }
        wakeUp.ring()
    }

    /// Receives until `stop`, connecting again whenever the broker has gone.
    ///
    /// - Parameter take: gets the messages in the broker's order; while a batch is not committed the
    ///   next one may come. When it throws, nothing is acknowledged that was not before.
    package func run(_ take: @escaping MQTTBatch.Taking) async {
        await withTaskCancellationHandler {
            while !wakeUp.isStopped {
                do throws(MQTTError) {
                    try await receive(take)
                } catch {
                    guard error.code != .stopped else { break }
                    report(down: judge(error))
                    rest(backoff.next())
                }
            }
        } onCancel: {
            wakeUp.stop()
        }
    }

    private func receive(_ take: @escaping MQTTBatch.Taking) async throws(MQTTError) {
        let client = try connect()
        let open = OpenMessages(onChange: { [wakeUp] in wakeUp.ring() })
        let (sleep, limit) = (clock.sleep, options.commitTimeout)
        let ending = await withTaskGroup(of: Void.self) { group in
            group.addTask { await open.run(take) }
            // Blocks the link's own thread: what is handed on is taken over beside it.
            let ending = serve(client, open)
            open.finish()
            if ending.code == .commitFailed {
                // At once: the broker shall have the messages back before the keep-alive is over.
                client.hangUp()
            } else {
                // What was read is taken over all the same: QoS 0 does not come again, and the rest
                // is known then when it does.
                group.addTask { try? await sleep(limit) }
                await group.next()
            }
            // The reconnect waits until nothing is being taken over any more.
            group.cancelAll()
            return ending
        }
        if ending.code == .stopped { client.disconnect() }
        throw ending
    }

    /// Reads, hands on and acknowledges until the connection ends or `stop`.
    ///
    /// - Returns: why it ended; `stopped` only when all that was read is acknowledged.
    private func serve(_ client: MosquittoClient, _ open: OpenMessages) -> MQTTError {
        var intake = Intake()
        do throws(MQTTError) {
            while try step(client, open, &intake) {}
            return MQTTError(code: .stopped, cause: "asked to stop")
        } catch {
            if !client.received.isEmpty { handOn(client, open, &intake) }
            return error
        }
    }

    /// What one connection has read.
    private struct Intake {
        /// Messages whose PUBACK is withheld, and since when one is.
        var unacknowledged = 0
        var since: Duration?
        /// Whether anything was handed on that may not be committed.
        var isOpen = false
        /// Whether the socket had nothing more; else `poll` may not know of what is left.
        var isDry = true
    }

    /// - Returns: false when it was asked to stop and owes nothing.
    private func step(
        _ client: MosquittoClient, _ open: OpenMessages, _ intake: inout Intake
    ) throws(MQTTError) -> Bool {
        // Messages may have come together with the greeting, before anything was asked.
        if !client.received.isEmpty { handOn(client, open, &intake) }
        let figures = open.figures
        let left = try timeLeft(figures)
        if figures.awaited == 0 {
            if intake.unacknowledged > 0 || (intake.isOpen && figures.count == 0) {
                settle()
                intake = Intake(isDry: intake.isDry)
            }
            try watch(client)
            try flush(client)
            // Also under load: a broker that only sends must hear from this side now and then.
            try client.tick()
            if wakeUp.isStopped, figures.count == 0 { return false }
        }
        let mayRead = mayRead(of: intake, figures)
        if intake.isDry || !mayRead {
            client.confirmArrival()
            let ready = wakeUp.wait(
                socket: mayRead ? client.socket : -1,
                forWriting: intake.unacknowledged == 0 && client.wantsToWrite,
                limit: min(probe.resolution, left))
            if !ready.isReadable {
                if !ready.isWritable, figures.count == 0 { settle() }
                return true
            }
        }
        intake.isDry = try read(client, upTo: options.window - intake.unacknowledged)
        for refusal in client.takeRefusals() { report(refusal) }
        return true
    }

    private func mayRead(of intake: Intake, _ figures: OpenMessages.Figures) -> Bool {
        if wakeUp.isStopped || intake.unacknowledged >= options.window { return false }
        // Commits that always meet a new message would keep back every acknowledgement.
        if let since = intake.since, clock.elapsed() - since > Self.longestWithholding {
            return false
        }
        return figures.count < options.window
            || (figures.count < Self.mostUnawaited && figures.bytes < Self.fullBatch)
    }

    /// How long the oldest message that is not committed may wait on.
    private func timeLeft(_ figures: OpenMessages.Figures) throws(MQTTError) -> Duration {
        if let cause = figures.failure {
            throw MQTTError(code: .commitFailed, cause: "not committed, not acknowledged: \(cause)")
        }
        guard let since = figures.since else { return probe.resolution }
        let left = options.commitTimeout - (clock.elapsed() - since)
        guard left > .zero else {
            throw MQTTError(
                code: .commitFailed, cause: "not committed within \(options.commitTimeout)")
        }
        return left + .milliseconds(1)
    }

    private func handOn(
        _ client: MosquittoClient, _ open: OpenMessages, _ intake: inout Intake
    ) {
        let now = clock.elapsed()
        let (awaited, bytes) = (client.awaiting, client.bytes)
        intake.isOpen = true
        intake.unacknowledged += awaited
        if awaited > 0, intake.since == nil { intake.since = now }
        var batch = MQTTBatch(takeBatch(client))
        batch.fillsWindow = intake.unacknowledged >= options.window
        open.add(batch, awaited: awaited, bytes: bytes, at: now)
        probe.heard(at: now)
    }

    /// Messages that are read before they are handed on: the next are read while those are decoded.
    private static let handful = 64
    /// Messages, and bytes of them, that are not committed although fewer of them than a window are
    /// to be acknowledged.
    private static let mostUnawaited = 1024
    private static let fullBatch = 1 << 20
    /// After this time nothing more is read until all acknowledgements have left.
    private static let longestWithholding = Duration.seconds(5)
    /// Reads a handful, of which no more than `limit` are to be acknowledged.
    ///
    /// - Returns: whether nothing more is there.
    private func read(_ client: MosquittoClient, upTo limit: Int) throws(MQTTError) -> Bool {
        while client.awaiting < limit, client.received.count < Self.handful {
            let before = client.received.count
            try client.read()
            // The library may stop with an encrypted packet in its own memory, where no `poll` sees
            // it; so it is asked until it has nothing more.
            if client.received.count == before, !WakeUp.isReadable(client.socket) { return true }
        }
        return false
    }

    private func takeBatch(_ client: MosquittoClient) -> [MQTTMessage] {
        var batch = client.takeReceived()
        if beginning != nil, !batch.isEmpty {
            batch[0].beginning = beginning
            beginning = nil
        }
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

    /// The connection is idle, or a commit has succeeded.
    private func settle() {
        guard let acceptedAt else { return }
        let hasLasted = clock.elapsed() - acceptedAt >= options.settledAfter
        if hasLasted {
            backoff.reset()
            shortLives = 0
        }
        if reported != .up, reported != .contested || hasLasted { reportUp() }
    }

    func reportUp() {
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
