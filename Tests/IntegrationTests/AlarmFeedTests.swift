import Foundation
import FoundationNetworking
import Store
import Subprocess
import Telemetry
import TestPeers
import Testing

/// One crane over MQTT, one rule, and every kind of feed; the receiver checks what it is told.
@Suite("Alarms and their feeds", .serialized)
struct AlarmFeedTests {
    private static let rules = """
        format: alarm-rules/1
        rules:
          - alarm: crane_moment
            title: { en: "Moment limit", zh: "力矩报警" }
            module: crane
            severity: critical
            source: the test
            status: project
            when: { point: alarm_moment, is: [alarm, warning] }
          - alarm: crane_load
            title: { en: "Load above 5 t", zh: "超重" }
            module: crane
            severity: warning
            source: the test
            status: project
            when: { point: load_mass, input: reading, above: 5 t }
            unless: [ { point: maintenance, device: site, is: ["on"] } ]
        """

    private static func files(
        _ folder: String, broker: Int, receiver: Int
    ) async throws -> (site: TestSite, token: String, viewer: String) {
        let operate = try await Program.run(["token", "--name", "li.wei", "--role", "operator"])
        let view = try await Program.run(["token", "--name", "eye", "--role", "viewer"])
        func parts(_ text: String) throws -> (String, String) {
            let token = try #require(
                text.split(whereSeparator: \.isWhitespace).first { $0.hasPrefix("plb_") })
            let line = try #require(text.split(separator: "\n").first { $0.contains("sha256:") })
            return (String(token), String(line))
        }
        let (token, line) = try parts(operate.output)
        let (viewer, viewerLine) = try parts(view.output)
        try "format: api-tokens/1\ntokens:\n\(line)\n\(viewerLine)\n"
            .write(toFile: folder + "/tokens.yaml", atomically: true, encoding: .utf8)
        try rules.write(toFile: folder + "/rules.yaml", atomically: true, encoding: .utf8)
        for (name, text) in [
            ("secret", "the-secret"), ("dingtalk", "dingtalk/send?access_token=a"),
            ("wecom", "wecom/send?key=the-key"), ("feishu", "feishu/hook"),
        ] {
            let value = name == "secret" ? text : "http://127.0.0.1:\(receiver)/\(text)"
            try value.write(toFile: "\(folder)/\(name).txt", atomically: true, encoding: .utf8)
        }
        var site = try TestSite(folder: folder)
        site.links = [
            TestSite.craneLink(port: broker, window: 1).replacing(
                "key: TC0001", with: "key: TC0001, area: north")
        ]
        let dead = try freePort()
        site.more = """
            circumstances:
              - { id: maintenance, states: ["off", "on"] }
            instructions: { mqtt: "mqtt://127.0.0.1:\(broker)", topic: plumbline/test-site/instructions }
            feeds:
              - { id: dead, webhook: "http://127.0.0.1:\(dead)/nobody" }
              - { id: hook, webhook: "http://127.0.0.1:\(receiver)/hook", secret: { file: secret.txt } }
              - { id: bus, mqtt: "mqtt://127.0.0.1:\(broker)", topic: plumbline/test-site/alarms }
              - { id: ding, dingtalk: { file: dingtalk.txt }, secret: { file: secret.txt }, group: 1s }
              - { id: wecom, wecom: { file: wecom.txt }, severity: critical, language: en }
              - { id: feishu, feishu: { file: feishu.txt }, secret: { file: secret.txt },
                  modules: [dust] }
            """
        site.ruleFiles = ["rules.yaml"]
        site.tokens = "tokens.yaml"
        return (site, token, viewer)
    }

    private static func say(
        _ broker: Broker, moment: String, kilograms: Int = 1000
    ) async throws {
        let now = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        try await broker.publish(
            "BIM/Sets/zhgd/DEYE/TC0001/RealtimeDataCrane",
            craneMessage(kilograms: kilograms, at: now).replacing(
                "\"MomentAlarm\":\"0\"", with: "\"MomentAlarm\":\"\(moment)\""))
        // The device's clock has seconds: two messages of one second are one instant.
        try await Task.sleep(for: .milliseconds(1100))
    }

    @Test(
        "a crane's pre-alarm reaches every feed that wants it, is acknowledged once and returns",
        .timeLimit(.minutes(5)))
    func everyFeed() async throws {
        try await withTemporaryFolder { folder in
            try await withBroker { broker in
                try await withPythonPeer("alarm_receiver.py") { port in
                    let receiver = Receiver(port: port)
                    let (site, token, viewer) = try await Self.files(
                        folder, broker: broker.port, receiver: port)
                    let ended = try await withDaemon(try site.write(), port: site.apiPort) {
                        try await Self.tell(broker, receiver, $0, token, viewer)
                    }
                    #expect(ended.status == .exited(0))
                    #expect(try await receiver.refused().isEmpty)
                }
            }
        }
    }

    private static func tell(
        _ broker: Broker, _ receiver: Receiver, _ daemon: Daemon, _ token: String,
        _ viewer: String
    ) async throws {
        try await say(broker, moment: "0")
        try await say(broker, moment: "2")
        try await eventually("the webhook hears of the alarm") {
            try await receiver.arrivals("hook").contains { $0.state == "active_unacknowledged" }
        }
        try await eventually("the robots hear of it") {
            let ding = try await receiver.arrivals("dingtalk")
            let wecom = try await receiver.arrivals("wecom")
            return ding.count == 1 && wecom.count == 1
        }
        let list = try await daemon.json("/api/v1/alarms?open=true")
        let alarm = try #require((list["alarms"] as? [[String: Any]])?.first)
        let id = try #require(alarm["id"] as? String)
        #expect((alarm["evidence"] as? [String: Any])?["word"] as? String == "warning")
        let path = try #require(
            "/api/v1/alarms/\(id)".addingPercentEncoding(
                withAllowedCharacters: .alphanumerics.union(.init(charactersIn: "/"))))
        let first = try #require(try await receiver.arrivals("hook").first)
        #expect(first.kind == "change")
        #expect(first.key != nil)

        // Nobody, somebody who may only look, and somebody who may.
        let body = "{\"note\":\"已减载\"}"
        #expect(try await daemon.post(path + "/acknowledge", body, token: nil).status == 401)
        #expect(try await daemon.post(path + "/acknowledge", body, token: "plb_x").status == 401)
        #expect(try await daemon.post(path + "/acknowledge", body, token: viewer).status == 403)
        let done = try await daemon.post(path + "/acknowledge", body, token: token, key: "one")
        #expect(done.status == 200, "\(done.body)")
        #expect(done.body["changes"] as? Int == 1)
        #expect(
            (done.body["alarm"] as? [String: Any])?["state"] as? String == "active_acknowledged")
        let again = try await daemon.post(path + "/acknowledge", body, token: token, key: "one")
        #expect(again.body["changes"] as? Int == 1)
        #expect(again.body["time"] as? String == done.body["time"] as? String)
        let second = try await daemon.post(path + "/acknowledge", body, token: token, key: "two")
        #expect(second.body["changes"] as? Int == 0)

        let deadline = "\"deadline\":\"2030-01-01T00:00:00+08:00\""
        for step in [
            "{\"step\":\"open\",\"owner\":\"王工\",\(deadline)}",
            "{\"step\":\"rectified\",\"note\":\"换了限位器\"}",
            "{\"step\":\"closed\",\"note\":\"照片 17\"}",
        ] {
            let answer = try await daemon.post(path + "/hazard", step, token: token)
            #expect(answer.status == 200, "\(answer.body)")
        }
        try await say(broker, moment: "0")
        try await eventually("the alarm is over") {
            try await receiver.arrivals("hook").last?.state == "normal"
        }
        let whole = try await daemon.json(path)
        #expect((whole["hazard"] as? [String: Any])?["state"] as? String == "closed")
        #expect((whole["instructions"] as? [[String: Any]])?.count == 5)
        let changes = whole["transitions"] as? [[String: Any]] ?? []
        #expect(
            changes.compactMap { $0["to"] as? String }
                == ["active_unacknowledged", "active_acknowledged", "normal"])
        #expect(changes[1]["actor"] as? String == "li.wei")
        #expect(changes[1]["note"] as? String == "已减载")
        #expect(
            try await receiver.arrivals("hook").map(\.state)
                == ["active_unacknowledged", "active_acknowledged", "normal"])

        try await circumstances(broker, receiver, daemon, token)
        try await overMQTT(broker, daemon, token)
        try await others(broker, receiver, daemon, id)
    }

    /// Under maintenance the overload is suppressed; afterwards it is told.
    private static func circumstances(
        _ broker: Broker, _ receiver: Receiver, _ daemon: Daemon, _ token: String
    ) async throws {
        let wrong = try await daemon.post(
            "/api/v1/circumstances/maintenance", "{\"state\":\"maybe\"}", token: token)
        #expect(wrong.status == 400)
        let said = try await daemon.post(
            "/api/v1/circumstances/maintenance", "{\"state\":\"on\"}", token: token)
        #expect(said.status == 200, "\(said.body)")
        try await say(broker, moment: "0", kilograms: 5500)
        try await eventually("the overload is suppressed") {
            try await receiver.arrivals("hook").last?.state == "suppressed"
        }
        _ = try await daemon.post(
            "/api/v1/circumstances/maintenance", "{\"state\":\"off\"}", token: token)
        try await eventually("the overload is told") {
            try await receiver.arrivals("hook").last?.state == "active_unacknowledged"
        }
        let told = try #require(try await receiver.arrivals("hook").last)
        #expect(told.evidence == 5.5)
    }

    /// The overload is acknowledged over MQTT, once although it is said twice.
    private static func overMQTT(_ broker: Broker, _ daemon: Daemon, _ token: String) async throws {
        let list = try await daemon.json("/api/v1/alarms?open=true")
        let load = (list["alarms"] as? [[String: Any]])?.first {
            $0["rule"] as? String == "crane_load"
        }
        let id = try #require(load?["id"] as? String)
        func form(_ token: String) -> String {
            "{\"action\":\"acknowledge\",\"alarm\":\"\(id)\",\"token\":\"\(token)\",\"note\":\"from the tablet\"}"
        }
        async let heard = run(
            .path("/usr/bin/mosquitto_sub"),
            arguments: [
                "-h", "127.0.0.1", "-p", "\(broker.port)",
                "-t", "plumbline/test-site/instructions/done", "-C", "3", "-W", "20",
            ], input: .none, output: .string(limit: 1 << 20), error: .discarded)
        try await Task.sleep(for: .seconds(1))
        for text in [form("plb_nobody"), form(token), form(token)] {
            try await broker.publish("plumbline/test-site/instructions/give", text)
        }
        let lines = try await heard.standardOutput.split(separator: "\n")
        #expect(lines.count == 3, "\(lines)")
        #expect(lines.first?.contains("unknown_token") == true)
        #expect(lines.dropFirst().allSatisfy { $0.contains("\"changes\":1") }, "\(lines)")
        let alarm = try await daemon.json("/api/v1/alarms?open=true")
        let states = (alarm["alarms"] as? [[String: Any]])?.map { $0["state"] as? String }
        #expect(states == ["active_acknowledged"])
    }

    private static func others(
        _ broker: Broker, _ receiver: Receiver, _ daemon: Daemon, _ id: String
    ) async throws {
        // Retained: who subscribes now learns how each alarm stands.
        let result = try await run(
            .path("/usr/bin/mosquitto_sub"),
            arguments: [
                "-h", "127.0.0.1", "-p", "\(broker.port)", "-t",
                "plumbline/test-site/alarms/state/#",
                "-C", "2", "-W", "10", "-v",
            ], input: .none, output: .string(limit: 1 << 20), error: .discarded)
        let retained = result.standardOutput
        #expect(retained.contains("state/crane_moment/crane-1.alarm_moment {"), "\(retained)")
        #expect(retained.contains("\"state\":\"normal\""))
        let atom = String(
            decoding: try await daemon.get("/feed/alarms.atom?lang=en", accept: "*/*"),
            as: UTF8.self)
        #expect(atom.contains("<title>") && atom.contains("Moment limit"), "\(atom)")
        #expect(try await receiver.arrivals("feishu").isEmpty, "it wants dust only")
        let ding = try await receiver.arrivals("dingtalk").first?.text ?? ""
        #expect(ding.contains("力矩报警") && ding.contains("示范") == false, "\(ding)")
        let wecom = try await receiver.arrivals("wecom").first?.text ?? ""
        #expect(wecom.contains("Moment limit"), "\(wecom)")
    }

    @Test(
        "a webhook that is down loses nothing, delays nobody, and kill -9 repeats nothing",
        .timeLimit(.minutes(5)))
    func outage() async throws {
        try await withTemporaryFolder { folder in
            try await withBroker { broker in
                try await withPythonPeer("alarm_receiver.py") { port in
                    let receiver = Receiver(port: port)
                    let (site, _, _) = try await Self.files(
                        folder, broker: broker.port, receiver: port)
                    let arguments = try site.write()
                    try await receiver.answer("hook", 503)
                    _ = try await withDaemon(arguments, port: site.apiPort, end: .kill) { daemon in
                        for moment in ["0", "1", "0", "1"] {
                            try await Self.say(broker, moment: moment)
                        }
                        try await eventually("the robot is told although the webhook is down") {
                            try await receiver.arrivals("wecom").count >= 1
                        }
                        #expect(try await receiver.arrivals("hook").isEmpty)
                    }
                    try await receiver.answer("hook", 200)
                    _ = try await withDaemon(arguments, port: site.apiPort, end: .kill) { _ in
                        try await eventually("the webhook gets all of it", within: .seconds(60)) {
                            try await receiver.arrivals("hook").count >= 3
                        }
                    }
                    _ = try await withDaemon(arguments, port: site.apiPort) { _ in
                        try await Self.say(broker, moment: "0")
                        try await eventually("the last return arrives") {
                            try await receiver.arrivals("hook").count >= 4
                        }
                        try await Task.sleep(for: .seconds(2))
                    }
                    let hook = try await receiver.arrivals("hook")
                    // The changes of one alarm come in their order, those of two as they may.
                    for life in Dictionary(grouping: hook, by: \.alarm).values {
                        #expect(
                            life.map(\.state) == [
                                "active_unacknowledged", "returned_unacknowledged",
                            ])
                    }
                    #expect(hook.count == 4)
                    #expect(Set(hook.compactMap(\.key)).count == 4, "each once by its key")
                    #expect(try await receiver.refused().isEmpty)
                }
            }
        }
    }
}
