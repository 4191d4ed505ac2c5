import Foundation
import Subprocess
import TestPeers
import Testing

@Suite("check --uplink", .serialized)
struct CheckUplinkTests {
    private static let mn = "010000A8900016F000169DC0"
    private static let secrets = [
        "pw": "123456", "secret": "IJKLMNOPQRSTUVWX", "key": "0102030405060708090A0B0C0D0E0F10",
        "token": "t0ken", "sign": "s3cret",
    ]

    /// Writes a site whose uplinks lead to these ports, and returns its path.
    private static func site(
        _ folder: String, dust: Int, energy: Int, hook: Int, broker: Int
    ) throws -> String {
        for (name, text) in secrets {
            try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
        }
        let text = """
            site: { id: s, name: 试, timezone: Asia/Shanghai, phase: construction }
            data: { directory: \(folder)/data }
            links:
              - id: line
                modbus: tcp://127.0.0.1:502
                devices:
                  - { id: meter-1, profile: eastron/sdm630, unit: 1 }
                  - { id: dust-1, profile: renke/louvre-500, unit: 21 }
            uplinks:
              - id: dust
                hj212: tcp://127.0.0.1:\(dust)
                password: { file: \(folder)/pw }
                factors: \(packageRoot)/Config/uplinks/hj212-factors.yaml
                particulates: mg/m3
                stations: [ { mn: "\(mn)", devices: [dust-1] } ]
              - id: energy
                building_energy: tcp://127.0.0.1:\(energy)
                building: 330302D110
                gateway: "01"
                secret: { file: \(folder)/secret }
                key: { file: \(folder)/key }
                initial_vector: { file: \(folder)/key }
                meters:
                  - { meter: "01", series: meter-1.active_energy.import.total, code: "01000" }
              - id: hook
                http: http://127.0.0.1:\(hook)/in
                token: { file: \(folder)/token }
                signing_secret: { file: \(folder)/sign }
                gzip: true
              - { id: plain, mqtt: "mqtt://127.0.0.1:\(broker)", topic: site/s }
              - { id: board, mqtt: "mqtt://127.0.0.1:\(broker)", format: thingsboard }
              - { id: gone, mqtt: "mqtt://127.0.0.1:\(try freePort())", format: thingsboard }
            """
        let path = folder + "/site.yaml"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    @Test("talks to each platform, shows what is said without its secrets, and tells no reading")
    func conversations() async throws {
        try await withTemporaryFolder { folder in
            try await withBroker { broker in
                try await withJudgingPlatform(
                    "hj212_host.py", ["--pw", "123456", "--mn", Self.mn, "--st", "39"]
                ) { dust in
                    try await withJudgingPlatform(
                        "energy_station.py", ["--building", "330302D110", "--gateway", "01"]
                    ) { energy in
                        try await withJudgingPlatform(
                            "webhook_platform.py", ["--token", "t0ken", "--hmac-secret", "s3cret"]
                        ) { hook in
                            let path = try Self.site(
                                folder, dust: dust.port, energy: energy.port, hook: hook.port,
                                broker: broker.port)
                            try await Self.check(path)
                            #expect(try await dust.list("ledger").isEmpty)
                            #expect(try await energy.list("ledger").isEmpty)
                            let items = try await hook.list("ledger")
                            #expect(items.map { $0["kind"] as? String } == ["trial/check"])
                            for platform in [dust, energy, hook] {
                                #expect(try await platform.list("refused").isEmpty)
                            }
                        }
                    }
                }
            }
        }
    }

    private static func check(_ path: String) async throws {
        for (uplink, words, code) in [
            ("dust", "CN=9013", 0), ("energy", "the platform answers", 0),
            ("hook", "the platform took the test item", 0), ("plain", "PUBACK", 0),
            ("board", "the platform answers", 0), ("gone", "cannot be told anything", 69),
            ("nobody", "is no uplink of this site", 65),
        ] {
            let (status, output, error) = try await Program.run([
                "check", path, "--uplink", uplink, "--share", packageRoot,
            ])
            let text = output + error
            #expect(status == .exited(Int32(code)), "\(uplink): \(text)")
            #expect(text.contains(words), "\(uplink): \(text)")
            for secret in secrets.values { #expect(!text.contains(secret), "\(uplink): \(text)") }
        }
    }
}
