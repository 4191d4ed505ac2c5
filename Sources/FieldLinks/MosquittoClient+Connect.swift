import CMosquitto
import Glibc
import Telemetry

/// How a connection comes about: the version, the keys, the greeting.
extension MosquittoClient {
    /// Where Debian keeps the certificates that the system trusts.
    private static let systemAuthorities = "/etc/ssl/certs"

    /// - Throws: `untrusted` when a file cannot be read or is none of its kind.
    func prepareTLS() throws(MQTTError) {
        guard let tls = endpoint.tls else { return }
        let files = [
            ("ca", tls.authority), ("certificate", tls.certificate), ("key", tls.key),
        ]
        for (name, path) in files {
            if let path, access(path, R_OK) != 0 {
                throw MQTTError(
                    code: .untrusted,
                    cause:
                        "tls: the file of '\(name)', \(path), cannot be read: \(systemText(errno))")
            }
        }
        let result = mosquitto_tls_set(
            handle, tls.authority, tls.authority == nil ? Self.systemAuthorities : nil,
            tls.certificate, tls.key, nil)
        // 1: the peer must be verified. No version: 1.2 and above.
        guard result == MOSQ_ERR_SUCCESS.rawValue,
            mosquitto_tls_opts_set(handle, 1, nil, nil) == MOSQ_ERR_SUCCESS.rawValue
        else {
            throw MQTTError(code: .untrusted, cause: "tls: \(text(result))")
        }
    }

    /// - Throws: `invalid` or `oversize`.
    func prepareWill() throws(MQTTError) {
        guard let will = options.will else { return }
        let result = will.payload.withUnsafeBytes {
            mosquitto_will_set(
                handle, will.topic, Int32(clamping: $0.count), $0.baseAddress, Int32(will.qos),
                will.isRetained)
        }
        guard result == MOSQ_ERR_SUCCESS.rawValue else {
            throw MQTTError(
                code: result == MOSQ_ERR_PAYLOAD_SIZE.rawValue ? .oversize : .invalid,
                cause: "the will on '\(will.topic)': \(text(result))")
        }
    }

    func prepareVersion5(_ options: Options) {
        guard endpoint.version == .v5 else { return }
        mosquitto_int_option(handle, MOSQ_OPT_PROTOCOL_VERSION, Int32(MQTT_PROTOCOL_V5))
        mosquitto_int_option(
            handle, MOSQ_OPT_RECEIVE_MAXIMUM, Int32(min(65_535, max(1, options.receiveMaximum))))
        var properties: OpaquePointer?
        if !options.cleanSession {
            mosquitto_property_add_int32(
                &properties, Int32(MQTT_PROP_SESSION_EXPIRY_INTERVAL.rawValue),
                UInt32(clamping: endpoint.sessionExpiry.components.seconds))
        }
        if options.maximumPayload > 0 {
            // The broker does not even send what is far larger; what is a little larger comes and
            // is counted.
            mosquitto_property_add_int32(
                &properties, Int32(MQTT_PROP_MAXIMUM_PACKET_SIZE.rawValue),
                UInt32(clamping: max(1 << 20, 4 * options.maximumPayload)))
        }
        // Only the blocking connect takes properties, and the library keeps them for the other one.
        // With a port that cannot be it does no more than that.
        mosquitto_connect_bind_v5(handle, endpoint.host, -1, 60, nil, properties)
        mosquitto_property_free_all(&properties)
    }

    private func refusalWords(_ code: Int32) -> String {
        let words =
            endpoint.version == .v5
            ? String(cString: mosquitto_reason_string(code))
            : String(cString: mosquitto_connack_string(code))
        switch (endpoint.version, code) {
        case (.v311, 4), (.v311, 5), (.v5, 0x86), (.v5, 0x87):
            return
                "\(words) (\(code)): check 'user' and 'password' of the link and the broker's lists"
        case (.v311, 1), (.v5, 0x84), (.v5, 1):
            return
                "\(words) (\(code)): the broker does not speak MQTT \(endpoint.version.rawValue); "
                + "change 'version'"
        case (.v311, 2), (.v5, 0x85): return "\(words) (\(code)): change 'client_id'"
        default: return "\(words) (\(code))"
        }
    }

    /// What went wrong with the keys, in words that say what to look at; nil when it was not that.
    func tlsError(_ place: String) -> MQTTError? {
        let words = tlsWords.map { $0.split(separator: ":").last.map(String.init) ?? $0 }
        let said = words.map { $0.drop { $0 == " " } } ?? "no further words"
        let hint: String
        if said.contains("certificate verify failed") {
            hint =
                "the broker's certificate is not accepted: check 'ca', the certificate's dates and "
                + "this machine's clock"
        } else if said.contains("host name verification failed") {
            hint = "the broker's certificate is for another host name"
        } else if said.contains("alert") {
            hint =
                "the broker does not accept this client's certificate: check 'certificate' and 'key'"
        } else {
            hint = "no encrypted connection: is this the port for mqtts?"
        }
        return MQTTError(code: .untrusted, cause: "\(place): \(hint) (\(said))")
    }

    /// Connects and waits for the broker's greeting.
    ///
    /// - Returns: whether the broker still knew the session.
    func connect(_ clock: LinkClock, _ wakeUp: WakeUp) throws(MQTTError) -> Bool {
        let seconds = Int32(clamping: max(5, endpoint.keepAlive.components.seconds))
        let place = "\(endpoint.host):\(endpoint.port)"
        let result = mosquitto_connect_async(
            handle, endpoint.host, Int32(clamping: endpoint.port), seconds)
        guard result == MOSQ_ERR_SUCCESS.rawValue else {
            if result == MOSQ_ERR_TLS.rawValue, let error = tlsError(place) { throw error }
            throw MQTTError(code: .connectFailed, cause: "\(place): \(text(result))")
        }
        setSocketOptions(socket)
        let start = clock.elapsed()
        var hasWritten = false
        while greeting == nil {
            if wakeUp.isStopped { throw MQTTError(code: .stopped, cause: "asked to stop") }
            let left = endpoint.connectTimeout - (clock.elapsed() - start)
            guard left > .zero else {
                throw MQTTError(
                    code: .connectFailed,
                    cause: "\(place): no greeting within \(endpoint.connectTimeout)")
            }
            // While keys are exchanged the library wants to write what it cannot send yet, and the
            // socket is always ready for it: look again only after a moment.
            let isHandshaking = endpoint.tls != nil && hasWritten
            let ready = wakeUp.wait(
                socket: socket, forWriting: wantsToWrite && !isHandshaking,
                limit: min(left, isHandshaking ? .milliseconds(20) : .seconds(1)))
            let failure = ready.isReadable || ready.isWritable ? socketError(socket) : 0
            if failure != 0 {
                throw MQTTError(code: .connectFailed, cause: "\(place): \(systemText(failure))")
            }
            do throws(MQTTError) {
                if ready.isReadable { try read() }
                if ready.isWritable || isHandshaking && wantsToWrite {
                    try write()
                    hasWritten = true
                }
            } catch {
                // A refusal is a greeting too, and says more than that the connection is gone.
                if greeting == nil { throw error }
            }
        }
        guard let greeting, greeting.result == 0 else {
            throw MQTTError(
                code: .refused, cause: "\(place): \(refusalWords(self.greeting?.result ?? -1))")
        }
        return greeting.sessionPresent
    }
}
