import DeviceProfiles
import SparkplugWire
import Telemetry
import TestSeeds
import Testing

@Suite("Sparkplug B")
struct SparkplugTests {
    private let instant: UInt64 = 1_715_313_600_000

    static func bytes(_ hex: String) -> [UInt8] {
        let digits = Array(hex.filter { !$0.isWhitespace })
        return stride(from: 0, to: digits.count, by: 2).compactMap {
            UInt8(String(digits[$0...($0 + 1)]), radix: 16)
        }
    }

    // The vectors of docs/formats/device-profile.md, in hexadecimal.
    static let death = "0880cca185f63112120a0562645365711880cca185f63120045800"
    static let birth =
        "0880cca185f63112120a0562645365711880cca185f6312004580012210a144e6f646520436f6e74726f6c2f52"
        + "6562697274681880cca185f631200b70001800"
    static let data = "0880cca185f63112180a04504d31301880cca185f631200a690000000000005c401801"

    @Test("a message of 30,000 metrics, each with a time of its own, is read in order at once")
    func manyMoments() {
        let metrics = (0..<30_000).map { index in
            SparkplugPayload.Metric(
                name: "a", timestamp: instant + UInt64(index ^ 1), datatype: 10,
                value: .double(Double(index)))
        }
        let bytes = SparkplugPayload(timestamp: instant, metrics: metrics).bytes
        var effects: [SparkplugSession.Effect] = []
        var session = SparkplugSession()
        let took = ProcessorTime.of {
            effects = session.take(topic: "spBv1.0/G/NBIRTH/N", payload: bytes)
        }
        guard case .metrics(_, _, let moments)? = effects.last else {
            Issue.record("no metrics in \(effects)")
            return
        }
        #expect(
            moments.map { $0.time?.milliseconds ?? 0 } == (0..<30_000).map { Int64(instant) + $0 })
        #expect(took < .milliseconds(500), "\(took)")
    }

    @Test("the vectors are read and written byte for byte")
    func vectors() throws {
        let bdSeq = SparkplugPayload.Metric(
            name: "bdSeq", timestamp: instant, datatype: 4, value: .long(0))
        let rebirth = SparkplugPayload.Metric(
            name: "Node Control/Rebirth", timestamp: instant, datatype: 11, value: .boolean(false))
        let dust = SparkplugPayload.Metric(
            name: "PM10", timestamp: instant, datatype: 10, value: .double(112))
        for (hex, payload) in [
            (Self.death, SparkplugPayload(timestamp: instant, metrics: [bdSeq])),
            (
                Self.birth,
                SparkplugPayload(timestamp: instant, metrics: [bdSeq, rebirth], sequence: 0)
            ),
            (Self.data, SparkplugPayload(timestamp: instant, metrics: [dust], sequence: 1)),
        ] {
            #expect(try SparkplugPayload(Self.bytes(hex)) == payload)
            #expect(payload.bytes == Self.bytes(hex))
        }
    }

    private func binding(_ key: String = "G/N/D") throws -> MQTTBinding {
        let profile = try Shipped.profile(
            """
            protocol: mqtt
            payload: sparkplug-b
            points:
              pm10: {at: metric/PM10, unit: ug/m3}
              air_temperature: {at: metric/Air/T, unit: Cel, scale: 0.1}
              device_status: {at: metric/ok, values: {"true": ok, "false": fault}}
            tests:
              - name: born, then one value
                given:
                  before: [{topic: spBv1.0/G/NBIRTH/N, payload: "\(Self.birth)"}]
                  topic: spBv1.0/G/DDATA/N/D
                  payload: "\(Self.data)"
                expect: {pm10: 112, air_temperature: null}
                time: "2024-05-10T04:00:00Z"
            """)
        #expect(profile.selfTest().isEmpty, "\(profile.selfTest())")
        return try MQTTBinding(
            profile: profile, interface: "it", device: DeviceID("d"), key: key)
    }

    @Test("a profile needs no topic; the key names group, node and device")
    func keys() throws {
        let one = try binding()
        #expect(one.topicFilter == "spBv1.0/G/+/N/#")
        #expect(one.matches(topic: "spBv1.0/G/NDEATH/N"))
        #expect(one.matches(topic: "spBv1.0/G/DDATA/N/D"))
        #expect(!one.matches(topic: "spBv1.0/G/DDATA/M/D"))
        for bad in ["G", "G/N/D/E", "G//D", "G/+/D", ""] {
            #expect(throws: BindingError.self, "\(bad)") { try binding(bad) }
        }
    }

    private func metric(
        _ name: String?, _ value: SparkplugPayload.Value?, alias: UInt64? = nil,
        type: UInt32? = nil,
        at time: UInt64? = nil
    ) -> SparkplugPayload.Metric {
        .init(name: name, alias: alias, timestamp: time, datatype: type, value: value)
    }

    private func message(
        _ metrics: [SparkplugPayload.Metric], _ sequence: UInt64?
    ) -> [UInt8] {
        SparkplugPayload(timestamp: instant, metrics: metrics, sequence: sequence).bytes
    }

    /// What an effect is, in a word.
    private func words(_ effects: [SparkplugSession.Effect]) -> [String] {
        effects.map {
            switch $0 {
            case .metrics(let address, let isBirth, let moments):
                "\(isBirth ? "birth" : "data") \(address.key) \(moments.flatMap(\.metrics).map { $0.name ?? "" })"
            case .died(let address): "died \(address.key)"
            case .gap(let address, _): "gap \(address.key)"
            case .needsBirth(let address, _): "birth? \(address.key)"
            case .refused(let reason, _): "refused \(reason.word)"
            }
        }
    }

    @Test("births explain aliases; the sequence is watched over all devices of a node, and wraps")
    func session() throws {
        var session = SparkplugSession()
        let bdSeq = metric("bdSeq", .long(3), type: 4)
        func take(_ kind: String, _ payload: [UInt8]) -> [String] {
            words(session.take(topic: "spBv1.0/G/\(kind)", payload: payload))
        }
        #expect(take("DDATA/N/D", message([metric(nil, .int(1), alias: 7)], 9)) == ["birth? G/N"])
        #expect(
            take("NBIRTH/N", message([bdSeq, metric("up", .boolean(true), alias: 1)], 0))
                == ["died G/N", "birth G/N [\"bdSeq\", \"up\"]"])
        #expect(
            take("DBIRTH/N/D", message([metric("PM10", .double(1), alias: 7, type: 10)], 1))
                == ["birth G/N/D [\"PM10\"]"])
        #expect(
            take("DDATA/N/D", message([metric(nil, .double(2), alias: 7)], 2))
                == ["data G/N/D [\"PM10\"]"])
        #expect(
            take("NDATA/N", message([metric(nil, .boolean(false), alias: 1)], 3)) == [
                "data G/N [\"up\"]"
            ])
        // 4 is missing.
        #expect(
            take("DDATA/N/D", message([metric(nil, .double(2), alias: 7)], 5))
                == ["gap G/N", "birth? G/N", "data G/N/D [\"PM10\"]"])
        #expect(
            take("DDATA/N/D", message([metric(nil, .double(2), alias: 99)], 6)) == ["birth? G/N"])
        for number in 7...255 {
            _ = take("NDATA/N", message([metric("up", .boolean(true))], UInt64(number)))
        }
        #expect(
            take("NDATA/N", message([metric("up", .boolean(true))], 0)) == ["data G/N [\"up\"]"])
        #expect(take("DDEATH/N/D", message([], 1)) == ["died G/N/D"])
        // A will of an earlier life says nothing of this one.
        #expect(take("NDEATH/N", message([metric("bdSeq", .long(2), type: 4)], nil)) == [])
        #expect(take("NDEATH/N", message([bdSeq], nil)) == ["died G/N"])
        #expect(take("NCMD/N", message([], nil)) == [])
        #expect(take("DDATA/N/D", [0xFF, 0x01]) == ["refused malformed"])
        // A birth that was asked for does not take the devices away.
        _ = take("NBIRTH/N", message([bdSeq], 0))
        #expect(take("NBIRTH/N", message([bdSeq], 0)) == ["birth G/N [\"bdSeq\"]"])
    }

    @Test("a node with endless devices is read on, and only so many of them are remembered")
    func endlessDevices() {
        var session = SparkplugSession()
        _ = session.take(topic: "spBv1.0/G/NBIRTH/N", payload: message([], 0))
        for number in 0..<5000 {
            let effects = session.take(
                topic: "spBv1.0/G/DBIRTH/N/D\(number)", payload: message([], nil))
            #expect(words(effects) == ["birth G/N/D\(number) []"])
        }
        func data(_ device: String) -> [String] {
            words(
                session.take(
                    topic: "spBv1.0/G/DDATA/N/\(device)",
                    payload: message([metric("T", .double(1), type: 10)], nil)))
        }
        #expect(data("D0") == ["data G/N/D0 [\"T\"]"])
        #expect(data("D4999") == ["birth? G/N", "data G/N/D4999 [\"T\"]"])
        // Who goes makes room.
        _ = session.take(topic: "spBv1.0/G/DDEATH/N/D0", payload: message([], nil))
        _ = session.take(topic: "spBv1.0/G/DBIRTH/N/D4999", payload: message([], nil))
        #expect(data("D4999") == ["data G/N/D4999 [\"T\"]"])
    }

    @Test("integers come as the bits of their type; null is no value")
    func types() throws {
        let one = try binding()
        func temperature(_ value: SparkplugPayload.Value?, _ type: UInt32?, isNull: Bool = false)
            -> Reading
        {
            var metric = metric("Air/T", value, type: type)
            metric.isNull = isNull
            var row = one.emptyRow(.absent)
            #expect(one.apply([metric], to: &row))
            return row[0]
        }
        #expect(temperature(.int(0xFFFF_FFF6), 3) == .number(-1))
        #expect(temperature(.int(0xFFF6), 2) == .number(-1))
        #expect(temperature(.int(0xF6), 1) == .number(-1))
        #expect(temperature(.int(0xF6), 5) == .number(24.6))
        #expect(temperature(.long(UInt64(bitPattern: -10)), 4) == .number(-1))
        #expect(temperature(.long(UInt64.max), 8) == .number(1_844_674_407_370_955_161.5))
        // A float's own decimal, not the double's that it happens to be nearest to.
        #expect(temperature(.float(112.1), 9) == .number(11.21))
        #expect(temperature(.double(.nan), 10) == .bad(.invalid))
        #expect(temperature(.double(1), 10, isNull: true) == .bad(.absent))
        #expect(temperature(nil, 10) == .bad(.absent))
        #expect(temperature(.string("12.5"), 12) == .number(1.25))
        #expect(temperature(.boolean(true), 11) == .bad(.invalid))
        #expect(temperature(.bytes([1]), 17) == .bad(.invalid))
        var row = one.emptyRow(.absent)
        _ = one.apply([metric("ok", .boolean(false), type: 11)], to: &row)
        #expect(row[1] == .text("fault"))
    }

    @Test("random and mutated payloads never trap")
    func fuzz() {
        var random = SeededGenerator(seed: 5)
        var session = SparkplugSession()
        let kinds = ["NBIRTH/N", "DBIRTH/N/D", "DDATA/N/D", "NDATA/N", "NDEATH/N", "DDEATH/N/D"]
        let samples = [Self.death, Self.birth, Self.data].map(Self.bytes)
        var read = 0
        for round in 0..<30_000 {
            var bytes = samples[round % 3]
            for _ in 0..<Int.random(in: 0...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            if round % 7 == 0 { bytes.removeLast(Int.random(in: 0...bytes.count, using: &random)) }
            let kind = kinds[Int.random(in: 0..<6, using: &random)]
            let effects = session.take(topic: "spBv1.0/G/\(kind)", payload: bytes)
            if effects.contains(where: { if case .metrics = $0 { true } else { false } }) {
                read += 1
            }
        }
        #expect(read > 1000)
    }
}
