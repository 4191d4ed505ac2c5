import FieldLinks
import Foundation
import LocatedText
import Testing

@testable import Gateway

@Suite("The keys of a broker")
struct MQTTConfigurationTests {
    private func parse(_ link: String) throws -> (SiteConfiguration.MQTT?, String) {
        let text = """
            site: { id: s, name: s, timezone: UTC }
            data: { directory: /tmp/none }
            links:
              - id: broker
            \(link.split(separator: "\n").map { "    " + $0 }.joined(separator: "\n"))
                devices: []
            """
        let faults = FaultCollector()
        let site = SiteConfiguration.parse(text, file: "/etc/it/site.yaml", faults: faults) { _ in
            ""
        }
        var found: SiteConfiguration.MQTT?
        if case .mqtt(let mqtt)? = site?.links.first?.transport { found = mqtt }
        do throws(Faults) {
            try faults.throwIfAny()
            return (found, "")
        } catch {
            return (found, error.description)
        }
    }

    @Test("everything that can be said is read")
    func everything() throws {
        let (found, faults) = try parse(
            """
            mqtt: mqtts://broker.example
            version: 5
            tls: { ca: ca.pem, certificate: /etc/tls/me.pem, key: keys/me.key }
            user: site-7
            password: { credential: broker }
            client_id: gw-a
            keep_alive: 2min
            share: gateways
            window: 300
            max_message: 64 KiB
            probe: 30 s
            rebirth: true
            """)
        #expect(faults == "")
        let mqtt = try #require(found)
        #expect(mqtt.broker.endpoint == .init(host: "broker.example", port: 8883))
        #expect(mqtt.broker.version == .v5)
        #expect(
            mqtt.broker.tls
                == .init(
                    authority: "/etc/it/ca.pem", certificate: "/etc/tls/me.pem",
                    key: "/etc/it/keys/me.key"))
        #expect(mqtt.broker.user == "site-7" && mqtt.broker.password == .credential("broker"))
        #expect(mqtt.broker.clientID == "gw-a" && mqtt.broker.keepAlive == .seconds(120))
        #expect(mqtt.share == "gateways" && mqtt.window == 300 && mqtt.maximumMessage == 65_536)
        #expect(mqtt.probe == .seconds(30) && mqtt.rebirth)
    }

    @Test("what is not said has defaults that are safe")
    func defaults() throws {
        let (found, faults) = try parse("mqtt: mqtt://127.0.0.1")
        #expect(faults == "")
        let mqtt = try #require(found)
        #expect(mqtt.broker.endpoint.port == 1883 && mqtt.broker.version == .v311)
        #expect(mqtt.broker.tls == nil && mqtt.share == nil && mqtt.window == 20)
        #expect(mqtt.probe == .seconds(60) && !mqtt.rebirth)
    }

    @Test(
        "mistakes are told with their line and what to do",
        arguments: [
            ("mqtt: mqtt://h\npassword: s3cret\nuser: u", "site.yaml:6", "credential: NAME"),
            ("mqtt: mqtt://h\npassword: { file: /a }", "site.yaml:6", "without a 'user'"),
            ("mqtt: mqtt://h\nuser: u\npassword: { file: /a, credential: b }", ":7", "one place"),
            ("mqtt: mqtt://h\ntls: { ca: a }", "site.yaml:6", "mqtts://HOST:8883"),
            ("mqtt: mqtts://h\ntls: { certificate: a }", "site.yaml:6", "key: …"),
            ("mqtt: mqtts://h\ntls: { ca: a, insecure: true }", ":6", "always verified"),
            ("mqtt: mqtt://h\nversion: 3.1", "site.yaml:6", "3.1.1"),
            ("mqtt: mqtt://h\nversion: 4", "site.yaml:6", "did you mean '5'"),
            ("mqtt: mqtt://h\nshare: a/b", "site.yaml:6", "shared subscription"),
            ("mqtt: mqtt://h\nkeep_alive: 5 s", "site.yaml:6", "between 30 s and 1 h"),
            ("mqtt: mqtt://h\nprobe: 1 s", "site.yaml:6", "'off'"),
            ("mqtt: mqtt://h\nmax_message: 1 GiB", "site.yaml:6", "256 KiB"),
            ("mqtt: mqtt://h\nclient_id: a/b", "site.yaml:6", "client_id"),
            ("modbus: tcp://h\nshare: a", "site.yaml:6", "belongs to a link with 'mqtt"),
        ])
    func mistakes(link: String, place: String, words: String) throws {
        let (_, faults) = try parse(link)
        #expect(faults.contains(place) && faults.contains(words), "\(faults)")
        #expect(!faults.contains("s3cret"), "a message repeats the password")
    }

    @Test("a password is read from a file or a credential, and what is wrong with it is told")
    func secrets() throws {
        let folder = NSTemporaryDirectory() + "plumbline-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try "word\n".write(toFile: folder + "/good", atomically: true, encoding: .utf8)
        try "a\nb\n".write(toFile: folder + "/two", atomically: true, encoding: .utf8)
        let place = Location(file: "site.yaml", line: 7, column: 3)
        let systemd = ["CREDENTIALS_DIRECTORY": folder]
        #expect(try Secret.file(folder + "/good").read(place) == "word")
        #expect(try Secret.credential("good").read(place, environment: systemd) == "word")
        for (secret, environment) in [
            (Secret.file(folder + "/none"), [:]), (.file(folder + "/two"), [:]),
            (.credential("none"), systemd), (.credential("good"), [:]),
        ] {
            #expect {
                try secret.read(place, environment: environment)
            } throws: { error in
                "\(error)".contains("site.yaml:7:3")
            }
        }
    }
}
