import Foundation
import Telemetry
import TestPeers
import Testing

/// Robots of three messengers that count how often they are asked, and silence who asks too often.
@Suite("A storm for the robots of messengers", .serialized)
struct RobotRateTests {
    private static let rules =
        "format: alarm-rules/1\nrules:\n"
        + (1...24).map { number in
            """
              - { alarm: rule_\(number), title: { en: "Rule \(number)", zh: "规则\(number)" },
                  severity: critical, source: the test, status: project,
                  when: { point: alarm_moment, is: [alarm, warning] } }

            """
        }.joined()

    @Test(
        "is told whole, and no faster than each of them allows", .timeLimit(.minutes(5)))
    func storm() async throws {
        try await withTemporaryFolder { folder in
            try await withBroker { broker in
                try await withPythonPeer("alarm_receiver.py") { port in
                    let receiver = Receiver(port: port)
                    let site = try Self.site(folder, broker: broker.port, receiver: port)
                    let ended = try await withDaemon(try site.write(), port: site.apiPort) { _ in
                        try await Self.raise(broker)
                        // 18 of 24 go in the first minute, the others in the next.
                        for name in ["dingtalk", "wecom", "feishu"] {
                            try await eventually("\(name) hears of all", within: .seconds(150)) {
                                try await receiver.arrivals(name).count == 24
                            }
                        }
                    }
                    #expect(ended.status == .exited(0))
                    #expect(try await receiver.tooFast().isEmpty)
                    #expect(try await receiver.refused().isEmpty)
                }
            }
        }
    }

    private static func site(_ folder: String, broker: Int, receiver: Int) throws -> TestSite {
        try rules.write(toFile: folder + "/rules.yaml", atomically: true, encoding: .utf8)
        for (name, text) in [
            ("secret", "the-secret"),
            ("dingtalk", "http://127.0.0.1:\(receiver)/dingtalk/send?access_token=a"),
            ("wecom", "http://127.0.0.1:\(receiver)/wecom/send?key=the-key"),
            ("feishu", "http://127.0.0.1:\(receiver)/feishu/hook"),
        ] {
            try text.write(toFile: "\(folder)/\(name).txt", atomically: true, encoding: .utf8)
        }
        var site = try TestSite(folder: folder)
        site.links = [TestSite.craneLink(port: broker, window: 1)]
        site.ruleFiles = ["rules.yaml"]
        // Each change by itself, which no person would want.
        site.more = """
            feeds:
              - { id: ding, dingtalk: { file: dingtalk.txt }, secret: { file: secret.txt },
                  audience: programs }
              - { id: wecom, wecom: { file: wecom.txt }, audience: programs }
              - { id: feishu, feishu: { file: feishu.txt }, secret: { file: secret.txt },
                  audience: programs }
            """
        return site
    }

    private static func raise(_ broker: Broker) async throws {
        for moment in ["0", "2"] {
            let now = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
            try await broker.publish(
                "BIM/Sets/zhgd/DEYE/TC0001/RealtimeDataCrane",
                craneMessage(kilograms: 1000, at: now).replacing(
                    "\"MomentAlarm\":\"0\"", with: "\"MomentAlarm\":\"\(moment)\""))
            // The device's clock has seconds: two messages of one second are one instant.
            try await Task.sleep(for: .milliseconds(1100))
        }
    }
}
