import DeviceProfiles
import Telemetry
import TestSeeds
import Testing

@Suite("Payloads of several forms")
struct PayloadFormatTests {
    private let noon = Timestamp(milliseconds: 1_795_219_500_000)

    private func binding(_ interface: String, key: String = "K") throws -> MQTTBinding {
        try MQTTBinding(
            profile: try Shipped.profile(interface), interface: "it", device: DeviceID("d"),
            key: key)
    }

    /// A profile with two points, and how it begins.
    private func head(_ payload: String, temperature: String, status: String, _ more: String = "")
        -> String
    {
        """
        protocol: mqtt
        subscribe: "a/{device}"
        payload: \(payload)
        device_key: "{device}"
        time: {format: arrival}
        \(more)
        points:
          air_temperature: {at: \(temperature), unit: Cel}
          device_status: {at: \(status), values: {"ok": ok, "1": fault}}
        tests: [{name: one, given: {topic: a/K, payload: "1"}, expect: {}}]
        """
    }

    private func row(_ binding: MQTTBinding, _ text: String) -> [Reading]? {
        guard
            case .scan(_, _, let row, _) = binding.decode(
                topic: "a/K", payload: Array(text.utf8), arrival: noon)
        else { return nil }
        return row
    }

    @Test(
        "a payload that is one number or word",
        arguments: [
            ("21.5", Reading.number(21.5)), ("  -3e1\r\n", .number(-30)),
            ("\"21.5\"", .bad(.invalid)), ("21,5", .bad(.invalid)), ("NaN", .bad(.invalid)),
            ("21.5 C", .bad(.invalid)),
        ])
    func text(payload: String, expected: Reading) throws {
        let one = try binding(
            """
            protocol: mqtt
            subscribe: "a/{device}"
            payload: text
            device_key: "{device}"
            time: {format: arrival}
            points: {air_temperature: {at: payload, unit: Cel}}
            tests: [{name: one, given: {topic: a/K, payload: "1"}, expect: {}}]
            """)
        #expect(row(one, payload) == [expected])
        #expect(row(one, " ") == nil && row(one, "1\u{0}") == nil)
        #expect(
            one.payload([PointKey("air_temperature"): .number(21.5)], at: noon)
                == Array("21.5".utf8))
    }

    @Test(
        "bits are read from the digits, not from a number that was rounded",
        arguments: [
            ("9223372036854775809", Reading.text("fault")),
            ("9007199254740993", .text("fault")), ("9007199254740992", .text("ok")),
            ("1e3", .text("ok")), ("1", .text("fault")), ("18446744073709551616", .bad(.invalid)),
            ("9007199254740993.0", .bad(.invalid)), ("-1", .bad(.invalid)),
        ])
    func bits(payload: String, expected: Reading) throws {
        let one = try binding(
            """
            protocol: mqtt
            subscribe: "a/{device}"
            payload: text
            device_key: "{device}"
            time: {format: arrival}
            points: {device_status: {at: payload, bits: [0, 0], values: {"0": ok, "1": fault}}}
            tests: [{name: one, given: {topic: a/K, payload: "1"}, expect: {}}]
            """)
        #expect(row(one, payload) == [expected])
    }

    @Test(
        "fields by name",
        arguments: [
            ("temp=21.5,st=ok", [Reading.number(21.5), .text("ok")]),
            (" temp = 21.5 ; st = 1 \n", [.number(21.5), .text("fault")]),
            ("x=1,st=ok,temp=", [.bad(.absent), .text("ok")]),
            ("temp=1,temp=2,st=ok", [.bad(.invalid), .text("ok")]),
            ("temp=a=b,st=9", [.bad(.invalid), .bad(.unknownCode)]),
            ("noise,temp=2", [.number(2), .bad(.absent)]),
        ])
    func pairs(payload: String, expected: [Reading]) throws {
        let one = try binding(head("kv", temperature: "key/temp", status: "key/st"))
        #expect(row(one, payload) == expected)
        #expect(row(one, "garbage") == nil && row(one, "") == nil)
    }

    @Test("the separators are the profile's")
    func separators() throws {
        let one = try binding(
            head(
                "kv", temperature: "key/temp", status: "key/st",
                "separators: {field: \"|\", value: \":\"}"))
        #expect(row(one, "temp:21.5|st:ok") == [.number(21.5), .text("ok")])
        #expect(row(one, "temp=21.5,st=ok") == nil)
        let columns = try binding(
            head("csv", temperature: "column/0", status: "column/2", "separators: {field: \";\"}"))
        #expect(row(columns, "21.5;x;ok") == [.number(21.5), .text("ok")])
    }

    @Test(
        "fields by number",
        arguments: [
            ("21.5,x,ok", [Reading.number(21.5), .text("ok")]),
            ("\"21.5\" , \"a,b\",\"ok\"", [.number(21.5), .text("ok")]),
            (",,ok", [.bad(.absent), .text("ok")]), ("21.5", [.number(21.5), .bad(.absent)]),
            ("21.5,x,", [.number(21.5), .bad(.absent)]),
            ("\n21.5,x,1\r\n", [.number(21.5), .text("fault")]),
        ])
    func columns(payload: String, expected: [Reading]) throws {
        let one = try binding(head("csv", temperature: "column/0", status: "column/2"))
        #expect(row(one, payload) == expected)
        for bad in ["", "\n\n", "\"21.5,x,ok", "\"1\"2,x,ok"] {
            #expect(row(one, bad) == nil, "\(bad)")
        }
    }

    @Test("each line of a table is a scan with its own time")
    func lines() throws {
        let one = try binding(
            """
            protocol: mqtt
            subscribe: "a/{device}"
            payload: csv
            device_key: "{device}"
            time: {at: column/0, format: epoch-s}
            points: {air_temperature: {at: column/1, unit: Cel}}
            tests: [{name: one, given: {topic: a/K, payload: "1"}, expect: {}}]
            """)
        let payload = Array("1795219500,20\n1795219510,21\n1795219520,22\n".utf8)
        #expect(
            scans(one, payload).map(\.time.milliseconds)
                == [0, 10_000, 20_000].map { noon.milliseconds + $0 })
        #expect(scans(one, payload).map(\.row) == [[.number(20)], [.number(21)], [.number(22)]])
    }

    private func scans(
        _ binding: MQTTBinding, _ payload: [UInt8]
    ) -> [(key: String?, time: Timestamp, row: [Reading])] {
        guard case .records(let records) = binding.open(payload) else { return [] }
        return records.compactMap { record in
            guard
                case .scan(let time, _, let row, _) = binding.decode(
                    record, payload: payload, arrival: noon)
            else { return nil }
            return (record.key, time, row)
        }
    }

    private let batch = """
        protocol: mqtt
        subscribe: "gw/+/data"
        payload: json
        each: $.devices
        samples: "@.values"
        device_key: "@.id"
        select: {$.type: [live, 7], "@.kind": th}
        time: {at: "@.t", format: epoch-ms}
        points: {air_temperature: {at: "@.v[0]", unit: Cel}, relative_humidity: {at: $.h, unit: "%RH"}}
        tests: [{name: one, given: {topic: a/K, payload: "1"}, expect: {}}]
        """

    @Test("a gateway's batch: devices in a list, each with samples and their times, in order")
    func batches() throws {
        let one = try binding(batch)
        let text = """
            {"type":7,"h":40,"devices":[
              {"id":"A","kind":"th","values":[{"t":1795219500000,"v":[1]},{"t":1795219501000,"v":[2]}]},
              {"id":"B","kind":"other","values":[{"t":1795219500000,"v":[3]}]},
              {"id":5,"kind":"th","values":[{"v":["4"],"t":1795219502000}]},
              {"kind":"th","values":[{"t":1795219500000,"v":[9]}]},
              {"id":"E","kind":"th","values":[]}, {"id":"F","kind":"th"}]}
            """
        let found = scans(one, Array(text.utf8))
        #expect(found.map(\.key) == ["A", "A", "5", nil])
        #expect(found.map(\.row[0]) == [.number(1), .number(2), .number(4), .number(9)])
        #expect(found.allSatisfy { $0.row[1] == .number(0.4) || $0.row[1] == .number(40) })
        #expect(
            found.map(\.time.milliseconds).prefix(2) == [
                noon.milliseconds, noon.milliseconds + 1000,
            ])
        // Not selected is not refused.
        guard case .records(let none) = one.open(Array("{\"type\":\"history\"}".utf8)) else {
            Issue.record("a message of another type is refused")
            return
        }
        #expect(none.isEmpty)
    }

    @Test("an object of devices by name, and a message that is itself a list")
    func shapes() throws {
        let named = try binding(
            """
            protocol: mqtt
            subscribe: v1/gateway/telemetry
            payload: json
            each: $
            samples: "@"
            device_key: "{name}"
            time: {at: "@.ts", format: epoch-ms}
            points: {air_temperature: {at: "@.values.temperature", unit: Cel}}
            tests: [{name: one, given: {topic: a/K, payload: "1"}, expect: {}}]
            """)
        let text =
            #"{"Device A":[{"ts":1795219500000,"values":{"temperature":42}}],"B\u0021":[{"ts":1795219500000,"values":{"temperature":1}},{"ts":1795219501000,"values":{}}]}"#
        let found = scans(named, Array(text.utf8))
        #expect(found.map(\.key) == ["Device A", "B!", "B!"])
        #expect(found.map(\.row) == [[.number(42)], [.number(1)], [.bad(.absent)]])
        let list = try binding(
            """
            protocol: mqtt
            subscribe: list
            payload: json
            each: $
            device_key: "@.id"
            time: {format: arrival}
            points: {air_temperature: {at: "@.t", unit: Cel}}
            tests: [{name: one, given: {topic: a/K, payload: "1"}, expect: {}}]
            """)
        #expect(
            scans(list, Array(#" [{"id":"x","t":1},{"t":2,"id":"y"}] "#.utf8)).map(\.key) == [
                "x", "y",
            ])
        let made = list.payload([PointKey("air_temperature"): .number(3)], at: noon)
        #expect(scans(list, made).map(\.key) == ["K"] && scans(list, made)[0].row == [.number(3)])
        let made2 = try binding(batch).payload([PointKey("air_temperature"): .number(3)], at: noon)
        #expect(scans(try binding(batch), made2).map(\.key) == ["K"])
    }

    @Test(
        "mistakes in the form are told",
        arguments: [
            ("payload: kv\nat: $.a", "key/temp"), ("payload: json\nat: \"@.a\"", "'each'"),
            ("payload: text\nat: column/1", "'payload'"),
            ("payload: csv\nat: column/300", "column/0"),
            ("payload: json\nat: $.a\nseparators: {field: \",\"}", "only 'kv' and 'csv'"),
            ("payload: kv\nat: key/a\nseparators: {field: \"=\"}", "in common"),
            ("payload: csv\nat: column/0\neach: $.a", "only JSON has lists"),
            ("payload: xml\nat: $.a", "one of"),
        ])
    func mistakes(lines: String, words: String) throws {
        var more = lines.split(separator: "\n").map(String.init)
        let at = more.remove(at: 1).dropFirst(4)
        let text = Shipped.wrap(
            """
            protocol: mqtt
            subscribe: "a/{device}"
            device_key: "{device}"
            \(more.joined(separator: "\n"))
            time: {format: arrival}
            points: {air_temperature: {at: \(at), unit: Cel}}
            tests: [{name: one, given: {topic: a/K, payload: "1"}, expect: {}}]
            """)
        let faults = try Shipped.faults(text)
        #expect(faults.contains { "\($0)".contains(words) }, "\(faults)")
    }

    @Test("random and mutated payloads of every form are read or refused")
    func fuzz() throws {
        let bindings = [
            try binding(batch), try binding(head("kv", temperature: "key/temp", status: "key/st")),
            try binding(head("csv", temperature: "column/0", status: "column/2")),
        ]
        let samples = [
            #"{"type":"live","h":1,"devices":[{"id":"A","kind":"th","values":[{"t":1,"v":[1]}]}]}"#,
            "temp=21.5,st=ok;x=\"", "21.5,\"x\",ok\n1,2,3\r\n",
        ].map { Array($0.utf8) }
        var random = SeededGenerator(seed: 77)
        for round in 0..<30_000 {
            var bytes = samples[round % 3]
            for _ in 0..<Int.random(in: 0...5, using: &random) where !bytes.isEmpty {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                if Bool.random(using: &random) {
                    bytes[index] = UInt8.random(in: 0...255, using: &random)
                } else {
                    bytes.remove(at: index)
                }
            }
            for found in scans(bindings[round % 3], bytes) { #expect(found.row.count == 2) }
        }
    }
}
