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
    private struct Greeting {
        var result: Int32
        var sessionPresent: Bool
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

    private let handle: OpaquePointer
    private let endpoint: MQTTEndpoint
    private let maximumPayload: Int
    private var greeting: Greeting?
    private var subscriptions: [Int32: String] = [:]
    private var refusals: [String] = []
    /// Messages that came and were not taken yet; their PUBACKs are queued, not sent.
    var received: [MQTTMessage] = []
    /// Packet identifiers whose PUBACK came and was not taken yet.
    var acknowledged: [Int32] = []

    init(
        _ endpoint: MQTTEndpoint, cleanSession: Bool, maximumPayload: Int
    ) throws(MQTTError) {
        _ = Self.library
        do {
            try DescriptorBudget.acquire(.mqtt, count: Self.descriptors)
        } catch {
            throw MQTTError(code: .descriptors, cause: "\(error)")
        }
        guard let handle = mosquitto_new(endpoint.clientID, cleanSession, nil) else {
            let number = errno
            DescriptorBudget.release(.mqtt, count: Self.descriptors)
            throw MQTTError(
                code: number == EINVAL ? .invalid : .descriptors,
                cause: "no MQTT client \(endpoint.clientID): \(systemText(number))")
        }
        self.handle = handle
        self.endpoint = endpoint
        self.maximumPayload = maximumPayload
        mosquitto_user_data_set(handle, Unmanaged.passUnretained(self).toOpaque())
        mosquitto_threaded_set(handle, true)
        // What is in flight is bounded by the caller, in both directions.
        mosquitto_int_option(handle, MOSQ_OPT_SEND_MAXIMUM, 65_535)
        if let credentials = endpoint.credentials {
            mosquitto_username_pw_set(handle, credentials.userName, credentials.password)
        }
        setCallbacks()
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
            MosquittoClient.from(object)?.acknowledged.append(messageID)
        }
        mosquitto_subscribe_callback_set(handle) { _, object, messageID, count, granted in
            guard let client = MosquittoClient.from(object), let granted, count > 0,
                let filter = client.subscriptions.removeValue(forKey: messageID)
            else { return }
            if granted[0] > 2 { client.refusals.append(filter) }
        }
    }

    private static func from(_ object: UnsafeMutableRawPointer?) -> MosquittoClient? {
        object.map { Unmanaged<MosquittoClient>.fromOpaque($0).takeUnretainedValue() }
    }

    private func take(_ message: mosquitto_message) {
        let size = Int(message.payloadlen)
        let bytes = UnsafeRawBufferPointer(start: message.payload, count: max(0, size))
        let isOversized = size > maximumPayload
        received.append(
            MQTTMessage(
                topic: message.topic.map { String(cString: $0) } ?? "",
                payload: isOversized ? [] : [UInt8](bytes), qos: Int(message.qos),
                isRetained: message.retain, messageID: UInt16(truncatingIfNeeded: message.mid),
                oversize: isOversized ? size : nil))
    }

    var socket: Int32 { mosquitto_socket(handle) }
    var wantsToWrite: Bool { mosquitto_want_write(handle) }

    /// Connects and waits for the broker's greeting.
    ///
    /// - Returns: whether the broker still knew the session.
    func connect(_ clock: LinkClock, _ wakeUp: WakeUp) throws(MQTTError) -> Bool {
        let seconds = Int32(clamping: max(5, endpoint.keepAlive.components.seconds))
        let place = "\(endpoint.host):\(endpoint.port)"
        let result = mosquitto_connect_async(
            handle, endpoint.host, Int32(clamping: endpoint.port), seconds)
        guard result == MOSQ_ERR_SUCCESS.rawValue else {
            throw MQTTError(code: .connectFailed, cause: "\(place): \(text(result))")
        }
        setSocketOptions(socket)
        let start = clock.elapsed()
        while greeting == nil {
            if wakeUp.isStopped { throw MQTTError(code: .stopped, cause: "asked to stop") }
            let left = endpoint.connectTimeout - (clock.elapsed() - start)
            guard left > .zero else {
                throw MQTTError(
                    code: .connectFailed,
                    cause: "\(place): no greeting within \(endpoint.connectTimeout)")
            }
            let ready = wakeUp.wait(
                socket: socket, forWriting: wantsToWrite, limit: min(left, .seconds(1)))
            let failure = ready.isReadable || ready.isWritable ? socketError(socket) : 0
            if failure != 0 {
                throw MQTTError(code: .connectFailed, cause: "\(place): \(systemText(failure))")
            }
            if ready.isWritable { try write() }
            if ready.isReadable {
                do throws(MQTTError) {
                    try read()
                } catch {
                    // A refusal is a greeting too, and says more than that the connection is gone.
                    if greeting == nil { throw error }
                }
            }
        }
        guard let greeting, greeting.result == 0 else {
            let words = String(cString: mosquitto_connack_string(self.greeting?.result ?? -1))
            throw MQTTError(code: .refused, cause: "\(place): \(words)")
        }
        return greeting.sessionPresent
    }

    /// Reads about one packet from the socket; returns also when there is none.
    func read() throws(MQTTError) { try check(mosquitto_loop_read(handle, 1)) }

    /// Sends what is queued, acknowledgements included, until the socket takes no more.
    func write() throws(MQTTError) { try check(mosquitto_loop_write(handle, 1)) }

    /// Keeps the connection alive; queues a ping when it is due.
    func tick() throws(MQTTError) { try check(mosquitto_loop_misc(handle)) }

    /// Queues a subscription.
    func subscribe(_ filter: String, qos: Int) throws(MQTTError) {
        var messageID: Int32 = 0
        try check(mosquitto_subscribe(handle, &messageID, filter, Int32(qos)))
        subscriptions[messageID] = filter
    }

    /// The filters that the broker has refused since the last call.
    func takeRefusals() -> [String] {
        defer { refusals = [] }
        return refusals
    }

    /// Queues a message with QoS 1 and returns its packet identifier.
    func publish(_ topic: String, _ payload: [UInt8]) throws(MQTTError) -> Int32 {
        var messageID: Int32 = 0
        let result = payload.withUnsafeBytes {
            mosquitto_publish(
                handle, &messageID, topic, Int32(clamping: $0.count), $0.baseAddress, 1, false)
        }
        switch result {
        case MOSQ_ERR_PAYLOAD_SIZE.rawValue, MOSQ_ERR_OVERSIZE_PACKET.rawValue:
            throw MQTTError(code: .oversize, cause: "\(payload.count) bytes: \(text(result))")
        case MOSQ_ERR_INVAL.rawValue, MOSQ_ERR_MALFORMED_UTF8.rawValue:
            throw MQTTError(code: .invalid, cause: "the topic '\(topic)': \(text(result))")
        default: try check(result)
        }
        return messageID
    }

    /// Sends what is queued and takes leave of the broker.
    func disconnect() {
        mosquitto_disconnect(handle)
        mosquitto_loop_write(handle, 1)
        hangUp()
    }

    /// Ends the connection and sends nothing more: what was not acknowledged comes again.
    ///
    /// What was acknowledged before must reach the broker. Closing a socket with unread bytes in it
    /// resets the connection, and the reset throws away what the broker has not read yet; so this
    /// side falls silent, and the broker is heard out until it hangs up too.
    func hangUp() {
        let socket = socket
        guard socket >= 0, shutdown(socket, Int32(SHUT_WR)) == 0 else { return }
        withUnsafeTemporaryAllocation(byteCount: 64 * 1024, alignment: 1) { buffer in
            // The bound is for a broker that goes on sending, or hangs.
            for _ in 0..<64 {
                var entry = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
                guard poll(&entry, 1, Self.patience) > 0,
                    recv(socket, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT)) > 0
                else { return }
            }
        }
    }

    private func check(_ result: Int32) throws(MQTTError) {
        guard result != MOSQ_ERR_SUCCESS.rawValue else { return }
        throw MQTTError(
            code: .disconnected, cause: "\(endpoint.host):\(endpoint.port): \(text(result))")
    }

    private func text(_ result: Int32) -> String {
        result == MOSQ_ERR_ERRNO.rawValue
            ? systemText(errno) : String(cString: mosquitto_strerror(result))
    }
}
