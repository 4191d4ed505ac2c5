import Telemetry

/// What a link says to its broker besides acknowledgements: who it is, what it wants, whether it is
/// still heard.
extension MQTTLink {
    private static let probePayload: [UInt8] = [0x2E]
    private var probeTopic: String { "plumbline/\(endpoint.clientID)/probe" }

    private func filter(_ filter: String) -> String {
        options.share.map { "$share/\($0)/\(filter)" } ?? filter
    }

    func connect() throws(MQTTError) -> MosquittoClient {
        acceptedAt = nil
        let client = try MosquittoClient(
            endpoint,
            .init(
                cleanSession: false, maximumPayload: options.maximumPayload,
                receiveMaximum: options.window + 1, echoTopic: probeTopic))
        sessionPresent = try client.connect(clock, wakeUp)
        let now = clock.elapsed()
        acceptedAt = now
        probe.connected(at: now)
        redeliveriesPossible = sessionPresent ? options.redeliveries : 0
        beginning = sessionPresent ? .connection : .session
        // Also when the session is present: the configuration may have changed since.
        try subscribe(client)
        if hadSession, !sessionPresent { onEvent(.sessionLost) }
        hadSession = true
        // After a failed commit the link is up again only when the next commit has succeeded, and
        // after a fight over the session when it has lasted.
        if reported != .degraded, reported != .contested { reportUp() }
        return client
    }

    private func subscribe(_ client: MosquittoClient) throws(MQTTError) {
        subscribedAt = clock.elapsed()
        for subscription in subscriptions {
            try client.subscribe(filter(subscription.filter), qos: subscription.qos)
        }
        if !probe.isOff { try client.subscribe(filter(probeTopic), qos: 0) }
    }

    /// Takes the next step of the probe, and sends what is to be sent.
    func watch(_ client: MosquittoClient) throws(MQTTError) {
        let now = clock.elapsed()
        if client.takeEcho() { probe.echoed(at: now) }
        if !client.hasAnswered, now - subscribedAt > endpoint.connectTimeout {
            throw MQTTError(
                code: .timeout,
                cause: "\(endpoint.host):\(endpoint.port): no answer to the subscription within "
                    + "\(endpoint.connectTimeout)")
        }
        switch probe.step(at: now) {
        case .rest: break
        case .send: try client.publish(probeTopic, Self.probePayload, qos: 0)
        case .subscribeAgain(let silentFor):
            onEvent(.subscriptionLost(silentFor: silentFor))
            try subscribe(client)
            try client.publish(probeTopic, Self.probePayload, qos: 0)
        case .reconnect:
            throw MQTTError(
                code: .timeout,
                cause: "\(endpoint.host):\(endpoint.port): the connection stands, but a message to "
                    + "itself does not come back")
        case .giveUp: giveUpProbe("its messages to \(filter(probeTopic)) do not come back")
        }
        let waiting = outbox.withLock { outbox in
            defer { outbox = [] }
            return outbox
        }
        for message in waiting { try client.publish(message.topic, message.payload, qos: 0) }
    }

    private func giveUpProbe(_ reason: String) { onEvent(.probeOff(reason: reason)) }

    func report(_ refusal: (filter: String, reason: String)) {
        guard refusal.filter == filter(probeTopic) else {
            onEvent(.subscriptionRefused(filter: refusal.filter, reason: refusal.reason))
            return
        }
        if probe.refused() == .giveUp { giveUpProbe("the broker refuses it: \(refusal.reason)") }
    }

    /// What the end of a connection means, seen together with those before it.
    func judge(_ error: MQTTError) -> MQTTError {
        guard let acceptedAt else { return error }
        let lived = clock.elapsed() - acceptedAt
        self.acceptedAt = nil
        guard error.code == .disconnected || error.code == .takenOver else {
            shortLives = 0
            return error
        }
        if probe.lost() == .giveUp { giveUpProbe("the broker hangs up on it") }
        shortLives = lived < options.settledAfter ? shortLives + 1 : 0
        guard error.code == .disconnected, shortLives >= 3 else { return error }
        return MQTTError(
            code: .takenOver,
            cause:
                "\(error.cause); \(shortLives) times in a row soon after the greeting: does another "
                + "client use the client_id '\(endpoint.clientID)', or does the broker forbid "
                + "what is subscribed?")
    }
}
