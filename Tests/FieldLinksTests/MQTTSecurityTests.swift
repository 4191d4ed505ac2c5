import FieldLinks
import Foundation
import TestPeers
import Testing

@Suite("Encrypted and authenticated, with a real broker", .serialized)
struct MQTTSecurityTests {
    private func options() -> MQTTLink.Options {
        var options = MQTTLink.Options()
        options.reconnect = quickly
        return options
    }

    private func endpoint(
        _ port: Int, host: String = "127.0.0.1", authority: String?,
        client: Certificates.Pair? = nil
    ) -> MQTTEndpoint {
        var endpoint = MQTTEndpoint(host: host, port: port, clientID: "plumbline-test")
        endpoint.tls = .init(
            authority: authority, certificate: client?.certificate, key: client?.key)
        return endpoint
    }

    /// Runs a broker with TLS and gives the first event of a link to it.
    private func firstEvent(
        _ certificates: Certificates, _ pair: Certificates.Pair, _ folder: String,
        asksForCertificates: Bool = false, _ endpoint: @Sendable (Int) -> MQTTEndpoint
    ) async throws -> MQTTLinkEvent? {
        let port = try freePort()
        let endpoint = endpoint(port)
        let options = options()
        return try await withBroker(
            folder: folder,
            lines: certificates.listener(port, pair, asksForCertificates: asksForCertificates)
        ) { _ in
            let log = MessageLog()
            let link = try MQTTLink(
                endpoint, subscriptions: [.init(filter: "t/#")], options: options,
                clock: LinkClock(ContinuousClock()), onEvent: log.note)
            try await whileRunning(link, log.take) {
                try await eventually("a word", within: .seconds(15)) { !log.events.isEmpty }
            }
            return log.events.first
        }
    }

    private func refusal(_ event: MQTTLinkEvent?) -> MQTTError? {
        if case .disconnected(let error)? = event { error } else { nil }
    }

    @Test(
        "messages arrive over TLS, also many in one record, and are acknowledged after the commit")
    func delivers() async throws {
        try await withTemporaryFolder { folder in
            let certificates = try await Certificates(in: folder)
            let port = try freePort()
            let endpoint = endpoint(port, authority: certificates.authority)
            let options = options()
            try await withBroker(
                folder: folder, lines: certificates.listener(port, certificates.server)
            ) { broker in
                let log = MessageLog()
                let link = try MQTTLink(
                    endpoint, subscriptions: [.init(filter: "t/#")], options: options,
                    clock: LinkClock(ContinuousClock()), onEvent: log.note)
                try await whileRunning(link, log.take) {
                    try await broker.publish("t/ready", "ready", retain: true)
                    try await eventually("the subscription") { log.payloads.contains("ready") }
                    try await broker.publish("t/a", lines: (0..<1000).map { "\($0)" })
                    try await eventually("all") { log.payloads.contains("999") }
                }
                let live = log.messages.filter { $0.topic == "t/a" }
                #expect(
                    live.map { String(decoding: $0.payload, as: UTF8.self) }
                        == (0..<1000).map { "\($0)" })
                // A second connection finds nothing left over: all was acknowledged.
                let again = MessageLog()
                let successor = try MQTTLink(
                    endpoint, subscriptions: [.init(filter: "t/#")], options: options,
                    clock: LinkClock(ContinuousClock()), onEvent: again.note)
                try await whileRunning(successor, again.take) {
                    try await broker.publish("t/last", "last")
                    try await eventually("the last") { again.payloads.contains("last") }
                }
                let repeated = again.messages.filter { $0.topic == "t/a" }
                #expect(
                    repeated.isEmpty,
                    "\(repeated.count) again, from \(repeated.first?.payload ?? [])")
                #expect(again.events.first == .connected(sessionPresent: true))
            }
        }
    }

    @Test("a client's certificate opens a broker that asks for one; without it nothing does")
    func mutual() async throws {
        try await withTemporaryFolder { folder in
            let certificates = try await Certificates(in: folder)
            let known = try await firstEvent(
                certificates, certificates.server, folder, asksForCertificates: true
            ) {
                endpoint($0, authority: certificates.authority, client: certificates.client)
            }
            #expect(known == .connected(sessionPresent: false))
            let unknown = try await firstEvent(
                certificates, certificates.server, folder, asksForCertificates: true
            ) {
                endpoint($0, authority: certificates.authority)
            }
            let error = try #require(refusal(unknown))
            // How the broker says it depends on the moment: an alert, or the end of the connection.
            #expect(
                [.untrusted, .disconnected, .connectFailed].contains(error.code), "\(error)")
        }
    }

    @Test(
        "a broker that cannot prove who it is gets no word, and the log says what to look at",
        arguments: ["authority", "expired", "stranger", "system", "missing file"])
    func untrusted(fault: String) async throws {
        try await withTemporaryFolder { folder in
            let certificates = try await Certificates(in: folder)
            let pair =
                switch fault {
                case "expired": certificates.expired
                case "stranger": certificates.stranger
                default: certificates.server
                }
            let authority: String? =
                switch fault {
                case "authority": certificates.otherAuthority
                case "system": nil
                case "missing file": folder + "/none.pem"
                default: certificates.authority
                }
            let event = try await firstEvent(certificates, pair, folder) {
                endpoint($0, authority: authority)
            }
            let error = try #require(refusal(event), "\(String(describing: event))")
            #expect(error.code == .untrusted, "\(error)")
            #expect(error.cause.contains(fault == "missing file" ? "none.pem" : "certificate"))
        }
    }

    @Test("without TLS on the other side the handshake fails with a word and does not spin")
    func plainBroker() async throws {
        try await withBroker { broker in
            let log = MessageLog()
            var endpoint = endpoint(broker.port, authority: nil)
            endpoint.connectTimeout = .seconds(2)
            let link = try MQTTLink(
                endpoint, subscriptions: [.init(filter: "t/#")], options: options(),
                clock: LinkClock(ContinuousClock()), onEvent: log.note)
            try await whileRunning(link, log.take) {
                try await eventually("a word") { !log.events.isEmpty }
            }
            #expect(refusal(log.events.first) != nil)
        }
    }

    @Test(
        "the right password opens, a wrong one is refused with the broker's words and is not repeated",
        arguments: MQTTEndpoint.Version.allCases)
    func passwords(version: MQTTEndpoint.Version) async throws {
        try await withTemporaryFolder { folder in
            // Plain text; the broker hashes it itself at the start.
            try "gateway:right-word\n"
                .write(toFile: folder + "/users", atomically: true, encoding: .utf8)
            try await hashPasswords(folder + "/users")
            try await withBroker(
                folder: folder, lines: ["allow_anonymous false", "password_file \(folder)/users"]
            ) { broker in
                for (word, isRight) in [("right-word", true), ("wrong-word", false)] {
                    let log = MessageLog()
                    var endpoint = MQTTEndpoint(
                        host: "127.0.0.1", port: broker.port, clientID: "plumbline-test",
                        credentials: .init(userName: "gateway", password: word))
                    endpoint.version = version
                    #expect(
                        !"\(endpoint)".contains(word), "a text of the endpoint shows the password")
                    var shown = ""
                    dump(endpoint, to: &shown)
                    #expect(!shown.contains(word), "a dump of the endpoint shows the password")
                    let link = try MQTTLink(
                        endpoint, subscriptions: [.init(filter: "t/#")], options: options(),
                        clock: LinkClock(ContinuousClock()), onEvent: log.note)
                    try await whileRunning(link, log.take) {
                        try await eventually("a word") { !log.events.isEmpty }
                    }
                    if isRight {
                        #expect(log.events.first == .connected(sessionPresent: false))
                    } else {
                        let error = try #require(refusal(log.events.first))
                        #expect(error.code == .refused)
                        #expect(error.cause.contains("'password'") && !error.cause.contains(word))
                    }
                }
            }
        }
    }
}
