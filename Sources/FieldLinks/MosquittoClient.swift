import CMosquitto
import Glibc
import Telemetry

/// A libmosquitto handle for one connection, driven by hand on one thread.
///
/// `mosquitto_threaded_set(true)` makes the library queue what it has to send, PUBACKs included,
/// until `write` is called: that is what lets a link acknowledge after the commit. Letting the
/// object go closes the socket without sending anything more.
final class MosquittoClient {
    /// The broker's answer to CONNECT.
    struct Greeting {
        var result: Int32
        var sessionPresent: Bool
    }

    /// What a link asks of its connection.
    struct Options {
        var cleanSession: Bool
        /// Larger payloads are not kept, in bytes.
        var maximumPayload = 0
        /// How many messages the broker may send without an acknowledgement (version 5).
        var receiveMaximum = 65_535
        /// Messages on this topic are counted, not delivered.
        var echoTopic: String?
        /// Whether somebody takes `acknowledged`; else it stays empty.
        var hearsAcknowledgements = false
        /// What the broker publishes when the connection is lost.
        var will: MQTTPublication?
    }

    private static let library: Void = {
        // The library sends with write(), so a broker that has gone would end the process.
        signal(SIGPIPE, SIG_IGN)
        mosquitto_lib_init()
    }()
    /// The socket and the pair that the library opens for itself.
    private static let descriptors = 3

    /// How long a broker may take to hang up, in milliseconds.
    private static let patience: Int32 = 1000

    let handle: OpaquePointer
    let endpoint: MQTTEndpoint
    let options: Options
    var greeting: Greeting?
    /// The reason of the broker's DISCONNECT (version 5); 0: none came.
    private var farewell: Int32 = 0
    /// What the library had to say about an encrypted connection that failed.
    var tlsWords: String?
    private var subscriptions: [Int32: String] = [:]
    private var refusals: [(filter: String, reason: String)] = []
    /// Messages on the link's own topic since the last look.
    private var echoes = 0
    /// Messages that came and were not taken yet; their PUBACKs are queued, not sent.
    private(set) var received: [MQTTMessage] = []
    /// How many of them have QoS 1.
    private(set) var awaiting = 0
    /// The bytes of their payloads.
    private(set) var bytes = 0
    /// Packet identifiers whose PUBACK came and was not taken yet.
    var acknowledged: [Int32] = []
    /// Packet identifiers of messages with QoS 0: the library reports these when they leave.
    private var unacknowledging: Set<Int32> = []
    /// Packet identifiers of fences that the broker has answered and nobody has taken yet.
    var passedFences: [Int32] = []

    init(_ endpoint: MQTTEndpoint, _ options: Options) throws(MQTTError) {
        _ = Self.library
        do {
            try DescriptorBudget.acquire(.mqtt, count: Self.descriptors)
        } catch {
            throw MQTTError(code: .descriptors, cause: "\(error)")
        }
        guard let handle = mosquitto_new(endpoint.clientID, options.cleanSession, nil) else {
            let number = errno
            DescriptorBudget.release(.mqtt, count: Self.descriptors)
            throw MQTTError(
                code: number == EINVAL ? .invalid : .descriptors,
                cause: "no MQTT client \(endpoint.clientID): \(systemText(number))")
        }
        self.handle = handle
        self.endpoint = endpoint
        self.options = options
        mosquitto_user_data_set(handle, Unmanaged.passUnretained(self).toOpaque())
        mosquitto_threaded_set(handle, true)
        // `write` puts together what belongs together; what then leaves waits for nothing.
        mosquitto_int_option(handle, MOSQ_OPT_TCP_NODELAY, 1)
        // What is in flight is bounded by the caller, in both directions.
        mosquitto_int_option(handle, MOSQ_OPT_SEND_MAXIMUM, 65_535)
        if let credentials = endpoint.credentials {
            mosquitto_username_pw_set(handle, credentials.userName, credentials.password)
        }
        setCallbacks()
        try prepareTLS()
        prepareVersion5(options)
        try prepareWill()
    }

    deinit {
        mosquitto_destroy(handle)
        DescriptorBudget.release(.mqtt, count: Self.descriptors)
    }

    // Callbacks are formed here, outside any actor: a closure formed in an isolated context is
    // checked for that isolation when C calls it.
    private func setCallbacks() {
        mosquitto_connect_with_flags_callback_set(handle) { _, object, result, flags in
            MosquittoClient.from(object)?.greeting = Greeting(
                result: result, sessionPresent: flags & 1 != 0)
        }
        mosquitto_message_callback_set(handle) { _, object, message in
            guard let message else { return }
            MosquittoClient.from(object)?.take(message.pointee)
        }
        mosquitto_publish_callback_set(handle) { _, object, messageID in
            guard let client = MosquittoClient.from(object), client.options.hearsAcknowledgements,
                client.unacknowledging.remove(messageID) == nil
            else { return }
            client.acknowledged.append(messageID)
        }
        mosquitto_unsubscribe_callback_set(handle) { _, object, messageID in
            MosquittoClient.from(object)?.passedFences.append(messageID)
        }
        mosquitto_subscribe_callback_set(handle) { _, object, messageID, count, granted in
            guard let client = MosquittoClient.from(object), let granted, count > 0,
                let filter = client.subscriptions.removeValue(forKey: messageID)
            else { return }
            if granted[0] > 2 {
                client.refusals.append((filter, client.subscriptionWords(granted[0])))
            }
        }
        mosquitto_disconnect_v5_callback_set(handle) { _, object, reason, _ in
            // Smaller numbers are the library's own, for connections that broke.
            if reason >= 0x80 { MosquittoClient.from(object)?.farewell = reason }
        }
        mosquitto_log_callback_set(handle) { _, object, level, text in
            guard level & Int32(MOSQ_LOG_ERR) != 0, let text,
                let client = MosquittoClient.from(object)
            else { return }
            client.tlsWords = String(cString: text)
        }
    }

    private static func from(_ object: UnsafeMutableRawPointer?) -> MosquittoClient? {
        object.map { Unmanaged<MosquittoClient>.fromOpaque($0).takeUnretainedValue() }
    }

    private func take(_ message: mosquitto_message) {
        let topic = message.topic.map { String(cString: $0) } ?? ""
        if topic == options.echoTopic {
            echoes += 1
            return
        }
        if message.qos > 0 { awaiting += 1 }
        let size = Int(message.payloadlen)
        let payload = UnsafeRawBufferPointer(start: message.payload, count: max(0, size))
        let isOversized = size > options.maximumPayload
        if !isOversized { bytes += payload.count }
        received.append(
            MQTTMessage(
                topic: topic,
                payload: isOversized ? [] : [UInt8](payload), qos: Int(message.qos),
                isRetained: message.retain, messageID: UInt16(truncatingIfNeeded: message.mid),
                oversize: isOversized ? size : nil))
    }

    /// Takes what has come.
    func takeReceived() -> [MQTTMessage] {
        defer {
            received = []
            (awaiting, bytes) = (0, 0)
        }
        return received
    }

    var socket: Int32 { mosquitto_socket(handle) }
    var wantsToWrite: Bool { mosquitto_want_write(handle) }

    /// Reads about one packet from the socket; returns also when there is none.
    func read() throws(MQTTError) { try check(mosquitto_loop_read(handle, 1)) }

    /// Sends what is queued, acknowledgements included, until the socket takes no more.
    ///
    /// The library hands over packet by packet; they leave together, because a segment for each
    /// costs both sides more than all that a message costs otherwise.
    func write() throws(MQTTError) {
        setTCPOption(TCP_CORK, 1)
        let result = mosquitto_loop_write(handle, 1)
        setTCPOption(TCP_CORK, 0)
        try check(result)
    }

    /// Tells the broker's kernel now what has arrived here.
    ///
    /// A broker leaves Nagle's algorithm on: while a message is not confirmed it sends no second
    /// one, and a kernel that has nothing to send confirms after 40 ms.
    func confirmArrival() { setTCPOption(TCP_QUICKACK, 1) }

    private func setTCPOption(_ option: Int32, _ value: Int32) {
        var value = value
        setsockopt(
            socket, Int32(IPPROTO_TCP), option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Keeps the connection alive; queues a ping when it is due.
    func tick() throws(MQTTError) { try check(mosquitto_loop_misc(handle)) }

    /// Queues a subscription.
    func subscribe(_ filter: String, qos: Int) throws(MQTTError) {
        var messageID: Int32 = 0
        // Version 5 can ask for kept messages only where the subscription is new.
        let options = endpoint.version == .v5 ? Int32(MQTT_SUB_OPT_SEND_RETAIN_NEW.rawValue) : 0
        try check(
            mosquitto_subscribe_v5(handle, &messageID, filter, Int32(qos), options, nil))
        subscriptions[messageID] = filter
    }

    /// Whether the broker has answered each subscription, with yes or no.
    var hasAnswered: Bool { subscriptions.isEmpty }

    /// The filters that the broker has refused since the last call, and its words.
    func takeRefusals() -> [(filter: String, reason: String)] {
        defer { refusals = [] }
        return refusals
    }

    /// Whether a message came on the link's own topic since the last call.
    func takeEcho() -> Bool {
        defer { echoes = 0 }
        return echoes > 0
    }

    private func subscriptionWords(_ code: Int32) -> String {
        endpoint.version == .v5
            ? String(cString: mosquitto_reason_string(code)) : "the broker gives no reason"
    }

    /// Queues a message and returns its packet identifier.
    @discardableResult
    func publish(
        _ topic: String, _ payload: [UInt8], qos: Int32 = 1, isRetained: Bool = false
    ) throws(MQTTError) -> Int32 {
        var messageID: Int32 = 0
        let result = payload.withUnsafeBytes {
            mosquitto_publish(
                handle, &messageID, topic, Int32(clamping: $0.count), $0.baseAddress, qos,
                isRetained)
        }
        switch result {
        case MOSQ_ERR_PAYLOAD_SIZE.rawValue, MOSQ_ERR_OVERSIZE_PACKET.rawValue:
            throw MQTTError(code: .oversize, cause: "\(payload.count) bytes: \(text(result))")
        case MOSQ_ERR_INVAL.rawValue, MOSQ_ERR_MALFORMED_UTF8.rawValue:
            throw MQTTError(code: .invalid, cause: "the topic '\(topic)': \(text(result))")
        default: try check(result)
        }
        if qos == 0, options.hearsAcknowledgements { unacknowledging.insert(messageID) }
        return messageID
    }

    /// Queues the end of a subscription that nobody has, and returns its packet identifier.
    ///
    /// The broker takes what comes on a connection in its order, so its answer says that it has
    /// taken everything before. It answers whoever may connect: no list of topics forbids it.
    func raiseFence() throws(MQTTError) -> Int32 {
        var messageID: Int32 = 0
        try check(mosquitto_unsubscribe(handle, &messageID, "plumbline/fence"))
        return messageID
    }

    /// Sends what is queued, takes leave of the broker, and hears it out.
    ///
    /// The library closes its socket at once. A copy keeps the connection until the broker has read
    /// all acknowledgements: who connects with the same client id before that throws them away.
    func disconnect() {
        let copy = dup(socket)
        mosquitto_disconnect(handle)
        mosquitto_loop_write(handle, 1)
        guard copy >= 0 else { return }
        Self.hearOut(copy)
        close(copy)
    }

    /// Ends the connection and sends nothing more: what was not acknowledged comes again.
    ///
    /// What was acknowledged before must reach the broker. Closing a socket with unread bytes in it
    /// resets the connection, and the reset throws away what the broker has not read yet; so this
    /// side falls silent, and the broker is heard out until it hangs up too.
    func hangUp() { Self.hearOut(socket) }

    private static func hearOut(_ socket: Int32) {
        guard socket >= 0, shutdown(socket, Int32(SHUT_WR)) == 0 else { return }
        withUnsafeTemporaryAllocation(byteCount: 64 * 1024, alignment: 1) { buffer in
            // The bound is for a broker that goes on sending, or hangs.
            for _ in 0..<64 {
                var entry = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
                guard poll(&entry, 1, patience) > 0,
                    recv(socket, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT)) > 0
                else { return }
            }
        }
    }

    func check(_ result: Int32) throws(MQTTError) {
        guard result != MOSQ_ERR_SUCCESS.rawValue else { return }
        let place = "\(endpoint.host):\(endpoint.port)"
        if farewell == Int32(MQTT_RC_SESSION_TAKEN_OVER.rawValue) {
            throw MQTTError(
                code: .takenOver,
                cause:
                    "\(place): another client has connected as '\(endpoint.clientID)'; give each "
                    + "gateway a client_id of its own")
        }
        if farewell != 0 {
            let words = String(cString: mosquitto_reason_string(farewell))
            throw MQTTError(
                code: .disconnected, cause: "\(place): the broker hung up: \(words) (\(farewell))")
        }
        if result == MOSQ_ERR_TLS.rawValue, let error = tlsError(place) { throw error }
        throw MQTTError(code: .disconnected, cause: "\(place): \(text(result))")
    }

    func text(_ result: Int32) -> String {
        result == MOSQ_ERR_ERRNO.rawValue
            ? systemText(errno) : String(cString: mosquitto_strerror(result))
    }
}
