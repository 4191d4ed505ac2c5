import OwnThread
import Telemetry

/// Publishes with QoS 1; each call returns at its PUBACK.
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
    private let onEvent: @Sendable (MQTTLinkEvent) -> Void
    private var backoff: Backoff
    /// Packet identifiers of this connection → who waits for them.
    private var inFlight: [Int32: PublishMailbox.Ticket] = [:]
    private var isReportedDown = false

    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        thread.asUnownedSerialExecutor()
    }

    /// - Parameters:
    ///   - random: gives the jitter of the reconnects.
    ///   - onEvent: called on the publisher's thread, once for each change of state.
    package init(
        _ endpoint: MQTTEndpoint, options: Options = Options(), clock: LinkClock,
        random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator(),
        onEvent: @escaping @Sendable (MQTTLinkEvent) -> Void = { _ in }
    ) throws(DescriptorBudgetError) {
        self.endpoint = endpoint
        self.options = options
        self.clock = clock
        self.onEvent = onEvent
        wakeUp = try WakeUp(for: .mqtt)
        backoff = Backoff(options.reconnect, random: random)
        thread = OwnThread(name: "mqtt-out \(endpoint.port)")
    }

    /// Whether the broker is there right now.
    package nonisolated var isConnected: Bool { mailbox.isConnected }

    /// The number of the newest connection, 0 before the first.
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
        let ticket = mailbox.ticket()
        let limit = options.timeout
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { [mailbox, wakeUp] in
                    try await mailbox.submit(ticket, topic, payload, isRetained: isRetained) {
                        wakeUp.ring()
                    }
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
                do throws(MQTTError) {
                    try serve()
                } catch {
                    failInFlight(error)
                    guard error.code != .stopped else { break }
                    if !isReportedDown { onEvent(.disconnected(error)) }
                    isReportedDown = true
                    rest(backoff.next())
                }
                // Other jobs of the actor get their turn between two connections.
                await Task.yield()
            }
            mailbox.stop()
        } onCancel: {
            stop()
        }
    }

    private func serve() throws(MQTTError) {
        let client = try MosquittoClient(
            endpoint, .init(cleanSession: true, hearsAcknowledgements: true))
        let isSessionPresent = try client.connect(clock, wakeUp)
        backoff.reset()
        isReportedDown = false
        mailbox.setConnected(true)
        onEvent(.connected(sessionPresent: isSessionPresent))
        while !wakeUp.isStopped {
            takeRequests(client)
            if client.wantsToWrite { try client.write() }
            let ready = wakeUp.wait(
                socket: client.socket, forWriting: client.wantsToWrite, limit: .seconds(1))
            if ready.isReadable {
                repeat { try client.read() } while WakeUp.isReadable(client.socket)
            }
            for messageID in client.acknowledged {
                // Unknown identifiers belong to nobody any more and are let go.
                if let ticket = inFlight.removeValue(forKey: messageID) {
                    mailbox.settle(ticket, .success(()))
                }
            }
            client.acknowledged.removeAll(keepingCapacity: true)
            try client.tick()
            if mailbox.isSuspected(inFlight.values) {
                throw MQTTError(code: .disconnected, cause: "the broker acknowledges nothing")
            }
        }
        client.disconnect()
        throw MQTTError(code: .stopped, cause: "asked to stop")
    }

    private func takeRequests(_ client: MosquittoClient) {
        while inFlight.count < options.maximumInFlight, let request = mailbox.next() {
            do throws(MQTTError) {
                let messageID = try client.publish(
                    request.topic, request.payload, isRetained: request.isRetained)
                inFlight[messageID] = request.ticket
            } catch {
                mailbox.settle(request.ticket, .failure(error))
            }
        }
    }

    private func failInFlight(_ error: MQTTError) {
        mailbox.setConnected(false)
        for ticket in inFlight.values { mailbox.settle(ticket, .failure(error)) }
        inFlight = [:]
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
