import DeviceProfiles
import Telemetry
import Testing

@Suite("Messages")
struct MQTTBindingTests {
    private let noon = Timestamp(milliseconds: 1_795_219_500_000)

    private func crane() throws -> MQTTBinding {
        try MQTTBinding(
            profile: try #require(try Shipped.library()["deye/tower-crane-mqtt"]),
            interface: "mqtt", device: DeviceID("crane-2"), key: "TC0001")
    }

    private func decode(
        _ json: String, topic: String = "BIM/Sets/zhgd/DEYE/TC0001/RealtimeDataCrane",
        arrival: Timestamp? = nil
    ) throws -> MQTTDecoding {
        try crane().decode(topic: topic, payload: Array(json.utf8), arrival: arrival ?? noon)
    }

    private func reading(_ json: String, _ key: String) throws -> Reading {
        let crane = try crane()
        let text = "{\"HxzId\":\"TC0001\",\"RTime\":\"2026-11-21 08:05:00\",\(json)}"
        let decoded = try decode(text)
        guard case .scan(_, _, let row, _) = decoded else {
            Issue.record("\(decoded)")
            return .bad(.malformed)
        }
        let index = try #require(
            crane.group.series.firstIndex { $0.id.point == PointKey(key) })
        return row[index]
    }

    @Test("the group is the topic pattern, with the period of the profile and no personal data")
    func group() throws {
        let crane = try crane()
        #expect(crane.group.name == "BIM/Sets/zhgd/DEYE/{device}/RealtimeDataCrane")
        #expect(crane.topicFilter == "BIM/Sets/zhgd/DEYE/TC0001/RealtimeDataCrane")
        #expect(crane.topic() == crane.topicFilter)
        #expect(crane.group.period == .seconds(5))
        #expect(!crane.group.isPolled)
        #expect(crane.qos == 1)
        #expect(!crane.group.series.contains { $0.id.point == PointKey("operator_id") })
        #expect(crane.group.series.contains { $0.isUrgent })
    }

    @Test("only this device's topic matches")
    func topics() throws {
        let crane = try crane()
        #expect(crane.matches(topic: "BIM/Sets/zhgd/DEYE/TC0001/RealtimeDataCrane"))
        for other in [
            "", "/", "BIM", "BIM/Sets/zhgd/DEYE/TC0001",
            "BIM/Sets/zhgd/DEYE/TC0002/RealtimeDataCrane",
            "BIM/Sets/zhgd/DEYE/TC0001/RealtimeDataCrane/x",
            "BIM/Sets/zhgd/DEYE/TC0001/RealtimeDataCrane/",
        ] { #expect(!crane.matches(topic: other), "\(other)") }
        guard case .refused(.foreignAnswer, _) = try decode("{}", topic: "x/y") else {
            Issue.record("an unknown topic was read")
            return
        }
    }

    @Test("wildcards of the pattern match one level, or the rest")
    func wildcards() throws {
        func binding(_ pattern: String) throws -> MQTTBinding {
            let profile = try Shipped.profile(
                """
                protocol: mqtt
                subscribe: "\(pattern)"
                payload: json
                device_key: "{device}"
                time: {format: arrival}
                points: {pm10: {at: $.v, unit: ug/m3}}
                tests: [{name: one, given: {topic: a/b/K/c, payload: {v: 1}}, expect: {}}]
                """)
            return try MQTTBinding(
                profile: profile, interface: "it", device: DeviceID("d"), key: "K")
        }
        let plus = try binding("a/+/{device}/c")
        #expect(plus.topicFilter == "a/+/K/c")
        #expect(plus.matches(topic: "a/x/K/c") && plus.matches(topic: "a//K/c"))
        #expect(!plus.matches(topic: "a/x/y/K/c"))
        #expect(plus.matches(topic: plus.topic()))
        let hash = try binding("a/{device}/#")
        #expect(hash.matches(topic: "a/K") && hash.matches(topic: "a/K/b/c"))
        #expect(!hash.matches(topic: "a/L/b"))
        guard
            case .scan(noon, [], [.number(7)], false) = plus.decode(
                topic: "a/x/K/c", payload: Array("{\"v\":7}".utf8), arrival: noon)
        else {
            Issue.record("a message without a time bears its arrival")
            return
        }
    }

    @Test(
        "a field is absent, invalid, out of range or unknown, and never zero",
        arguments: [
            ("\"Weight\":3.25", Reading.number(3250)), ("\"Weight\":\"3.25\"", .number(3250)),
            ("\"Weight\":\"+3.25e0\"", .number(3250)), ("\"Weight\":-0", .number(0)),
            ("\"weight\":3", .bad(.absent)), ("\"Weight\":null", .bad(.absent)),
            ("\"Weight\":\"\"", .bad(.invalid)), ("\"Weight\":\"--\"", .bad(.invalid)),
            ("\"Weight\":\"3,25\"", .bad(.invalid)), ("\"Weight\":\"3.25 t\"", .bad(.invalid)),
            ("\"Weight\":\"NaN\"", .bad(.invalid)), ("\"Weight\":\"inf\"", .bad(.invalid)),
            ("\"Weight\":\"0x10\"", .bad(.invalid)), ("\"Weight\":true", .bad(.invalid)),
            ("\"Weight\":[3]", .bad(.invalid)), ("\"Weight\":{\"v\":3}", .bad(.invalid)),
            ("\"Weight\":1e400", .bad(.invalid)), ("\"Weight\":100.01", .bad(.outOfRange)),
            ("\"Weight\":-1", .bad(.outOfRange)),
            ("\"Weight\":1,\"Weight\":2", .bad(.invalid)),
            ("\"\\u0057eight\":3.25", .number(3250)),
        ])
    func fields(json: String, expected: Reading) throws {
        #expect(try reading(json, "load_mass") == expected)
    }

    @Test(
        "states come as text or number; what is not listed is unknown",
        arguments: [
            ("\"WorkStatus\":\"1\"", Reading.text("jacking")),
            ("\"WorkStatus\":1", .text("jacking")),
            ("\"WorkStatus\":1.0", .text("jacking")), ("\"WorkStatus\":7", .bad(.unknownCode)),
            ("\"WorkStatus\":\"\"", .bad(.unknownCode)),
            ("\"WorkStatus\":true", .bad(.unknownCode)),
            ("\"WorkStatus\":null", .bad(.absent)),
        ])
    func states(json: String, expected: Reading) throws {
        #expect(try reading(json, "work_status") == expected)
    }

    @Test(
        "what is not JSON is refused as malformed with the byte",
        arguments: [
            "", " ", "{", "}", "{\"a\":1", "{\"a\" 1}", "{\"a\":1,}", "[1,]", "{a:1}", "{\"a\":01}",
            "{\"a\":1.}", "{\"a\":.5}", "{\"a\":+1}", "{\"a\":1e}", "{\"a\":-}", "{\"a\":nul}",
            "{\"a\":tru}", "{\"a\":\"x}", "{\"a\":\"\\x\"}", "{\"a\":\"\\u12G4\"}",
            "{\"a\":\"\u{1}\"}",
            "{} x", "{}{}", "NaN", "'a'",
            String(repeating: "[", count: 100_000),
            String(repeating: "{\"a\":", count: 100),
        ])
    func malformed(json: String) throws {
        guard case .refused(.malformed, let detail) = try decode(json) else {
            Issue.record("read: \(json.prefix(40))")
            return
        }
        #expect(detail.contains("at byte"))
    }

    @Test("a payload of a megabyte is refused, and nested 64 deep is the limit")
    func limits() throws {
        let big = "{\"a\":\"" + String(repeating: "x", count: 1_000_000) + "\"}"
        guard case .refused(.malformed, let detail) = try decode(big) else {
            Issue.record("a megabyte was read")
            return
        }
        #expect(detail.contains("1000008 bytes"))
        let deep = { (n: Int) in
            String(repeating: "[", count: n) + String(repeating: "]", count: n)
        }
        #expect(try reading("\"x\":\(deep(63)),\"Weight\":1", "load_mass") == .number(1000))
        guard case .refused(.malformed, _) = try decode("{\"x\":\(deep(64))}") else {
            Issue.record("65 levels were read")
            return
        }
    }

    @Test("a payload with another device's id is refused, as is one without any")
    func agreement() throws {
        for json in ["{\"HxzId\":\"TC0002\"}", "{}", "{\"HxzId\":null}", "{\"HxzId\":[]}"] {
            guard case .refused(.foreignAnswer, let detail) = try decode(json) else {
                Issue.record("read: \(json)")
                continue
            }
            #expect(detail.contains("$.HxzId"))
        }
    }

    @Test("the device's time is believed near the arrival; else the arrival stands and says so")
    func times() throws {
        func time(_ text: String) throws -> MQTTDecoding {
            try decode("{\"HxzId\":\"TC0001\",\"RTime\":\(text)}")
        }
        let near = noon - .seconds(299)
        guard case .scan(near, [], _, true) = try time("\"2026-11-21 08:00:01\"") else {
            Issue.record("a time within the skew")
            return
        }
        for bad in [
            "\"2026-11-21 07:59:59\"", "\"2026-11-21 08:10:01\"", "\"2026-02-30 08:05:00\"",
            "\"2026-11-21T08:05:00\"", "\"2026-11-21 8:05:00\"", "\"\"", "null", "12", "{}",
            "\"0000-00-00 00:00:00\"", "\"9999-12-31 23:59:59\"",
        ] {
            guard case .scan(noon, .arrivalTime, _, false) = try time(bad) else {
                Issue.record("\(bad) was believed")
                continue
            }
        }
    }

    @Test("a profile may refuse a message whose time is not believed")
    func strictTimes() throws {
        func binding(_ time: String) throws -> MQTTBinding {
            let profile = try Shipped.profile(
                """
                \(Shipped.mqttHead)
                time: {at: $.t, \(time), max_skew: 1min, else: reject}
                points: {pm10: {at: $.v, unit: ug/m3}}
                tests: [{name: one, given: {topic: station/K/realtime, payload: {v: 1}}, expect: {}}]
                """)
            return try MQTTBinding(
                profile: profile, interface: "it", device: DeviceID("d"), key: "K")
        }
        for (format, good) in [
            ("format: epoch-s", "1795219500"), ("format: epoch-s", "\"1795219500\""),
            ("format: epoch-ms", "1795219500000"),
            ("format: rfc3339", "\"2026-11-21T00:05:00Z\""),
            ("format: rfc3339", "\"2026-11-21T08:05:00.000+08:00\""),
            ("format: yyyyMMddHHmmss, zone: \"+08:00\"", "\"20261121080500\""),
            (
                "format: \"yyyy-MM-ddTHH:mm:ss.SSS\", zone: \"+00:00\"",
                "\"2026-11-21T00:05:00.000\""
            ),
        ] {
            let binding = try binding(format)
            func decode(_ t: String) -> MQTTDecoding {
                binding.decode(
                    topic: "station/K/realtime", payload: Array("{\"t\":\(t),\"v\":3}".utf8),
                    arrival: noon)
            }
            #expect(
                decode(good)
                    == .scan(time: noon, flags: [], readings: [.number(3)], hasDeviceTime: true),
                "\(format)")
            guard case .refused(.absent, _) = decode("null"),
                case .refused(.invalid, _) = decode("\"soon\""),
                case .refused(.invalid, _) = decode("1e300")
            else {
                Issue.record("\(format) took a bad time")
                continue
            }
            let sent = binding.payload([PointKey("pm10"): .number(3)], at: noon)
            #expect(
                binding.decode(topic: "station/K/realtime", payload: sent, arrival: noon)
                    == decode(good))
        }
        guard
            case .refused(.stale, let detail) = try binding("format: epoch-s").decode(
                topic: "station/K/realtime", payload: Array("{\"t\":1795219400,\"v\":3}".utf8),
                arrival: noon)
        else {
            Issue.record("a message of 100 s ago was read")
            return
        }
        #expect(detail.contains("2026-11-21T00:03:20Z"))
    }
}
