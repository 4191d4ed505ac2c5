import OwnThread
import Telemetry

/// Publishes with QoS 1, each call returning at its PUBACK; or message after message on one line,
/// and then a fence that says when the broker has taken them.
///
/// Nothing is kept beyond the call: what was in flight when the connection went fails, and the
/// owner of the outbox sends it again under the same key. `run` owns the connection.
package actor MQTTPublisher {
    /// What a site may set about a publisher.
    package struct Options: Hashable, Sendable {
        /// How many messages may wait for their PUBACK; further callers wait their turn.
        package var maximumInFlight = 100
        /// How long one message may take, the wait for a connection included.
        package var timeout = Duration.seconds(20)
        package var reconnect = Backoff.Limits()
        package init() {}
    }

    private let thread: OwnThread
    private let endpoint: MQTTEndpoint
    private let options: Options
    private let clock: LinkClock
    private let wakeUp: WakeUp
    private let mailbox = PublishMailbox()
    private let presence: MQTTPresence
    private let onEvent: @Sendable (MQTTLinkEvent) -> Void
    private var backoff: Backoff
    /// Packet identifiers of this connection → who waits for them.
    private var inFlight: [Int32: PublishMailbox.Ticket] = [:]
    /// The same for fences.
    private var fences: [Int32: PublishMailbox.Ticket] = [:]
    private var attempts = 0
    /// What was said last; nil before the first word.
    private var reported: Reported?

    private enum Reported { case up, down }

    /// The largest payload that is listened to, in bytes.
    private static let mostHeard = 256 * 1024

    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        thread.asUnownedSerialExecutor()
    }

    /// - Parameters:
    ///   - presence: what is said of this side on each connection, and who listens.
    ///   - random: gives the jitter of the reconnects.
    ///   - onEvent: called on the publisher's thread, once for each change of state.
    package init(
        _ endpoint: MQTTEndpoint, options: Options = Options(),
        presence: MQTTPresence = MQTTPresence(), clock: LinkClock,
        random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator(),
        onEvent: @escaping @Sendable (MQTTLinkEvent) -> Void = { _ in }
    ) throws(DescriptorBudgetError) {
        self.endpoint = endpoint
        self.options = options
        self.presence = presence
        self.clock = clock
        self.onEvent = onEvent
        wakeUp = try WakeUp(for: .mqtt)
        backoff = Backoff(options.reconnect, random: random)
        thread = OwnThread(name: "mqtt-out \(endpoint.port)")
    }

    /// Whether the broker is there right now.
    package nonisolated var isConnected: Bool { mailbox.isConnected }

    /// The number of the newest connection that stood, 0 before the first.
    package nonisolated var connection: Int { mailbox.connections }

    /// Asks `run` to finish; waiting and later calls of `publish` fail with `stopped`.
    package nonisolated func stop() {
        mailbox.stop()
        wakeUp.stop()
    }

    /// Publishes with QoS 1 and returns when the broker has acknowledged.
    ///
    /// - Throws: `MQTTError`: `timeout` (a missing broker included, its cause says so),
    ///   `disconnected`, `oversize`, `invalid`, `stopped`; `CancellationError`.
    package nonisolated func publish(
        _ topic: String, _ payload: [UInt8], isRetained: Bool = false
    ) async throws {
        try await submit(
            .message(MQTTPublication(topic: topic, payload: payload, isRetained: isRetained)))
    }

    /// Returns when the broker has taken everything that was posted on `line` before.
    ///
    /// QoS 0 has no acknowledgement; this is one for all of it (decision 0028).
    ///
    /// - Throws: `MQTTError`: `disconnected` when the line is over, `timeout`, `stopped`;
    ///   `CancellationError`.
    package nonisolated func fence(_ line: MQTTLine) async throws {
        try await submit(.fence, on: line.number)
    }

    private nonisolated func submit(
        _ content: PublishMailbox.Request.Content, on connection: Int? = nil
    ) async throws {
        let ticket = mailbox.ticket()
        let limit = options.timeout
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { [mailbox, wakeUp] in
                    try await mailbox.submit(ticket, content, on: connection) { wakeUp.ring() }
                }
                group.addTask { [clock, mailbox] in
                    try await clock.sleep(limit)
                    throw MQTTError(
                        code: .timeout,
                        cause: mailbox.isConnected
                            ? "no acknowledgement within \(limit)"
                            : "no connection to the broker for \(limit)")
                }
                defer { group.cancelAll() }
                try await group.next()
            }
        } catch let error as MQTTError where error.code == .timeout {
            // A broker that takes messages and acknowledges none is as good as gone.
            mailbox.suspect(ticket)
            wakeUp.ring()
            throw error
        }
    }

    /// Keeps the connection until `stop`, connecting again whenever the broker has gone.
    package func run() async {
        await withTaskCancellationHandler {
            while !wakeUp.isStopped {
                attempts += 1
                do throws(MQTTError) {
                    try serve(attempts)
                    failInFlight(MQTTError(code: .disconnected, cause: "left the broker"))
                } catch {
                    failInFlight(error)
                    if error.code != .stopped { report(down: error) }
                }
                presence.ended(attempts)
                rest(backoff.next())
                // Other jobs of the actor get their turn between two connections.
                await Task.yield()
            }
            mailbox.stop()
        } onCancel: {
            stop()
        }
    }

    private func report(down error: MQTTError) {
        if reported != .down { onEvent(.disconnected(error)) }
        reported = .down
    }

    /// Serves one connection; returns when it was left, or the publisher was asked to stop.
    private func serve(_ number: Int) throws(MQTTError) {
        let client = try MosquittoClient(
            endpoint,
            .init(
                cleanSession: true, maximumPayload: Self.mostHeard, hearsAcknowledgements: true,
                will: presence.will(number)))
        let isSessionPresent = try client.connect(clock, wakeUp)
        backoff.reset()
        let line = MQTTLine(number: number, mailbox: mailbox, wakeUp: wakeUp)
        for subscription in presence.subscriptions {
            try client.subscribe(subscription.filter, qos: subscription.qos)
        }
        mailbox.connected(number)
        try say(presence.greeting(line), client)
        // A connection that was left on purpose was never down.
        if reported != .up { onEvent(.connected(sessionPresent: isSessionPresent)) }
        reported = .up
        while !wakeUp.isStopped, !mailbox.isLeaving(number) {
            try takeRequests(client)
            if client.wantsToWrite { try client.write() }
            let ready = wakeUp.wait(
                socket: client.socket, forWriting: client.wantsToWrite, limit: .seconds(1))
            if ready.isReadable {
                repeat { try client.read() } while WakeUp.isReadable(client.socket)
            }
            settle(client)
            hear(client, line)
            try client.tick()
            if mailbox.isSuspected([inFlight.values, fences.values].joined()) {
                throw MQTTError(code: .disconnected, cause: "the broker acknowledges nothing")
            }
        }
        try say(presence.farewell(line), client)
        client.disconnect()
    }

    private func say(
        _ publications: [MQTTPublication], _ client: MosquittoClient
    ) throws(MQTTError) {
        // Nobody waits for their acknowledgements.
        for each in publications {
            try client.publish(
                each.topic, each.payload, qos: Int32(each.qos), isRetained: each.isRetained)
        }
        if client.wantsToWrite { try client.write() }
    }

    private func settle(_ client: MosquittoClient) {
        for messageID in client.acknowledged {
            // Unknown identifiers belong to nobody any more and are let go.
            if let ticket = inFlight.removeValue(forKey: messageID) {
                mailbox.settle(ticket, .success(()))
            }
        }
        client.acknowledged.removeAll(keepingCapacity: true)
        for messageID in client.passedFences {
            if let ticket = fences.removeValue(forKey: messageID) {
                mailbox.settle(ticket, .success(()))
            }
        }
        client.passedFences.removeAll(keepingCapacity: true)
    }

    private func hear(_ client: MosquittoClient, _ line: MQTTLine) {
        for message in client.takeReceived() { presence.hears(message, line) }
        for refusal in client.takeRefusals() {
            onEvent(.subscriptionRefused(filter: refusal.filter, reason: refusal.reason))
        }
    }

    /// - Throws: when a message that nobody waits for cannot be handed over: those behind it would
    ///   go out as if it had.
    private func takeRequests(_ client: MosquittoClient) throws(MQTTError) {
        while inFlight.count + fences.count < options.maximumInFlight, let request = mailbox.next()
        {
            do throws(MQTTError) {
                switch request.content {
                case .message(let message):
                    let messageID = try client.publish(
                        message.topic, message.payload, qos: Int32(message.qos),
                        isRetained: message.isRetained)
                    if let ticket = request.ticket { inFlight[messageID] = ticket }
                case .fence:
                    let messageID = try client.raiseFence()
                    if let ticket = request.ticket { fences[messageID] = ticket }
                }
            } catch {
                guard let ticket = request.ticket else { throw error }
                mailbox.settle(ticket, .failure(error))
            }
        }
    }

    private func failInFlight(_ error: MQTTError) {
        mailbox.disconnected(error)
        for ticket in inFlight.values { mailbox.settle(ticket, .failure(error)) }
        for ticket in fences.values { mailbox.settle(ticket, .failure(error)) }
        inFlight = [:]
        fences = [:]
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
