import SparkplugWire
import Telemetry
import Testing

@testable import UplinkFormats

private func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

@Suite("A Sparkplug edge node")
struct SparkplugNodeTests {
    @Test("says the public vectors byte for byte: death, birth, one number")
    func vectors() throws {
        var bench = SparkplugBench()
        let will = bench.node.connecting(at: bench.time)
        #expect(will.topic == "spBv1.0/site/NDEATH/gw")
        #expect(will.qos == 1)
        #expect(
            hex(will.payload) == "0880cca185f63112120a0562645365711880cca185f63120045800")
        let births = bench.node.connected(at: bench.time)
        #expect(births.map(\.topic) == ["spBv1.0/site/NBIRTH/gw"])
        #expect(births.map(\.qos) == [0])
        #expect(
            hex(births[0].payload)
                == "0880cca185f63112120a0562645365711880cca185f6312004580012210a144e6f646520436f6e"
                + "74726f6c2f526562697274681880cca185f631200b70001800")
        // The device's birth takes a number of its own; the vector's message is the second one.
        let point = UplinkPoint(name: "PM10")
        let item = rawMinute("dust", "pm10", [.number(112)], point: point)
        guard case .say(let first) = bench.node.tell([item], at: bench.time) else {
            throw Never.waits
        }
        #expect(
            first.map(\.topic) == ["spBv1.0/site/DBIRTH/gw/dust", "spBv1.0/site/DDATA/gw/dust"])
        #expect(
            hex(first[1].payload)
                == "0880cca185f63112180a04504d31301880cca185f631200a690000000000005c401802")
    }

    private enum Never: Error { case waits }

    @Test("names metrics by point and statistic, and units stand in the births alone")
    func names() throws {
        var bench = SparkplugBench()
        _ = try bench.connect()
        var said = try #require(try bench.tell(samples[1].item))
        let birth = said.removeFirst()
        let energy = "active_energy.import.total"
        #expect(
            birth.payload.metrics.map(\.name) == [
                "active_energy.export.total/increase", "active_energy.export.total/last",
                "\(energy)/increase", "\(energy)/last",
            ])
        #expect(
            birth.payload.metrics.map(\.properties)
                == Array(repeating: [SparkplugPayload.Property("engUnit", "kWh")], count: 4))
        let data = try #require(said.first)
        #expect(said.count == 1)
        #expect(data.payload.metrics.allSatisfy { $0.properties.isEmpty && $0.datatype == 10 })
        #expect(data.metric("\(energy)/increase")?.value == .double(0.75))
        #expect(data.metric("\(energy)/last")?.value == .double(71_204.8))
        // Nothing is known of what was fed in: null, no number.
        let export = try #require(data.metric("active_energy.export.total/last"))
        #expect(export.isNull && export.value == nil)
        // The first instant of the period.
        #expect(data.payload.metrics.allSatisfy { $0.timestamp == 1_795_219_200_000 })

        var single = samples[0].item
        single.entries[0].point = UplinkPoint(
            name: "PM10",
            unit: Unit(
                symbol: "mg/m3", ucum: "mg/m3", dimension: Dimension("concentration"), factor: 1000),
            decimals: 3, statistics: [.mean])
        let again = try #require(try bench.tell(single)?.last)
        #expect(again.metric("PM10")?.value == .double(0.151))
        // States have no statistics.
        #expect(!again.payload.metrics.contains { $0.name?.contains("over_limit") ?? true })
    }

    @Test("readings go out at their own times; words as text, what is bad as null")
    func rawReadings() throws {
        var bench = SparkplugBench()
        _ = try bench.connect()
        let said = try #require(try bench.tell(readings))
        #expect(said.map(\.kind) == ["DBIRTH", "DDATA", "DBIRTH", "DDATA"])
        #expect(said.map(\.device) == ["dust-north", "dust-north", "pump-1", "pump-1"])
        let dust = said[1].payload.metrics
        #expect(dust.map(\.value) == [.double(0.14), nil, .double(0.16)])
        #expect(dust.map(\.isNull) == [false, true, false])
        #expect(
            dust.map { Int64($0.timestamp ?? 0) - morning.milliseconds } == [0, 10_000, 20_100])
        // Readings of several points stand in the order of time.
        #expect(
            said[3].payload.metrics.map(\.name)
                == ["volume.ch1", "work_status", "volume.ch1", "work_status"])
        #expect(
            said[3].payload.metrics.map(\.value)
                == [.double(17), .string("idle"), .double(17.25), nil])
        #expect(said[3].metric("work_status")?.datatype == 12)
        #expect(said[2].metric("work_status")?.properties == [])
    }

    @Test("ids that MQTT would misread are escaped, and stay different from each other")
    func escapedIDs() throws {
        let identity = SparkplugIdentity(group: "a/b", node: "+", primaryHost: "#1")
        #expect(
            SparkplugNode(identity).subscriptions
                == ["spBv1.0/a%2Fb/NCMD/%2B", "spBv1.0/STATE/%231"])
        var bench = SparkplugBench()
        _ = try bench.connect()
        let said = try #require(
            try bench.tell(
                rawMinute("p/1", "x", [.number(1)]), rawMinute("p%2F1", "x", [.number(2)])))
        #expect(said.compactMap(\.device) == ["p%2F1", "p%2F1", "p%252F1", "p%252F1"])
    }

    @Test("a metric that turns up later is born with all others before its first value")
    func laterMetrics() throws {
        var bench = SparkplugBench()
        _ = try bench.connect()
        _ = try bench.tell(rawMinute("dust", "pm10", [.number(1), .number(2)]))
        let said = try #require(
            try bench.tell(rawMinute("dust", "pm25", [.number(7), .number(8)], minute: 1)))
        #expect(said.map(\.kind) == ["DBIRTH", "DDATA"])
        // The one as it was last told, the other as it begins.
        #expect(said[0].metric("pm10")?.value == .double(2))
        #expect(said[0].metric("pm25")?.value == .double(7))
        #expect(said[1].payload.metrics.map(\.value) == [.double(7), .double(8)])
        #expect(
            try bench.tell(rawMinute("dust", "pm25", [.number(9)], minute: 2))?.map(\.kind)
                == ["DDATA"])
        // Another unit is another metric to whoever shows it.
        #expect(
            try bench.tell(
                rawMinute("dust", "pm25", [.number(9)], unit: "mg/m3", minute: 3))?.map(\.kind)
                == ["DBIRTH", "DDATA"])
    }

    @Test("the sequence and bdSeq wrap from 255 to 0")
    func wraps() throws {
        var bench = SparkplugBench()
        _ = try bench.connect()
        var numbers: [UInt64?] = []
        for minute in 0..<300 {
            let said = try bench.tell(
                rawMinute("dust", "pm10", [.number(1)], minute: Int64(minute)))
            numbers += (said ?? []).map(\.payload.sequence)
        }
        #expect(numbers == (1...301).map { UInt64($0 % 256) })
        var births: [SparkplugPayload.Value?] = []
        for _ in 0..<256 {
            let (will, said) = try bench.connect()
            #expect(will.payload.sequence == nil)
            #expect(said[0].bdSeq == will.bdSeq)
            births.append(will.bdSeq)
        }
        #expect(births == (1...256).map { .long(UInt64($0 % 256)) })
        var restarted = SparkplugBench(last: 17)
        #expect(try restarted.connect().will.bdSeq == .long(18))
    }

    @Test("a rebirth tells all that is known under the same bdSeq, from 0 on")
    func rebirth() throws {
        var bench = SparkplugBench()
        _ = try bench.connect()
        _ = try bench.connect()
        _ = try bench.tell(
            rawMinute("dust", "pm10", [.number(1), .number(2)]),
            rawMinute("crane", "load", [.number(3), .bad(.timeout)], unit: "t"))
        let said = try bench.rebirth()
        #expect(said.map(\.kind) == ["NBIRTH", "DBIRTH", "DBIRTH"])
        #expect(said.map(\.payload.sequence) == [0, 1, 2])
        #expect(said[0].bdSeq == .long(1))
        #expect(said[1].device == "crane")
        #expect(said[1].metric("load")?.isNull == true)
        #expect(said[2].metric("pm10")?.value == .double(2))
        #expect(said[2].metric("pm10")?.timestamp == 1_715_313_610_000)
        #expect(
            try bench.tell(rawMinute("dust", "pm10", [.number(4)], minute: 1))?
                .map(\.payload.sequence) == [3])
        // One that the broker had kept was meant for another time.
        #expect(try bench.rebirth(isRetained: true).isEmpty)
    }

    @Test("without its host it says nothing, and leaves with its death when the host goes")
    func primaryHost() throws {
        var bench = SparkplugBench(host: "scada")
        let item = rawMinute("dust", "pm10", [.number(1)])
        let (will, births) = try bench.connect()
        #expect(births.isEmpty)
        #expect(try bench.tell(item) == nil)
        #expect(bench.host(false, at: 1000) == .init())
        #expect(try bench.tell(item) == nil)
        #expect(try bench.rebirth().isEmpty)
        // An older word than the newest is none: a will of the host before.
        #expect(bench.host(true, at: 999) == .init())
        #expect(try bench.tell(item) == nil)

        let born = bench.host(true, at: 2000)
        #expect(try SparkplugBench.read(born.publications).map(\.kind) == ["NBIRTH"])
        #expect(try bench.tell(item)?.map(\.kind) == ["DBIRTH", "DDATA"])
        #expect(bench.host(false, at: 1999) == .init())
        #expect(bench.node.isTelling)

        // Its will bears the time of its birth.
        #expect(bench.host(false, at: 2000) == .init(publications: [], leaves: true))
        #expect(!bench.node.isTelling)
        #expect(try bench.tell(item) == nil)
        let death = try SparkplugBench.read(bench.node.leaving(at: bench.time))
        #expect(death.map(\.kind) == ["NDEATH"])
        #expect(death[0].bdSeq == will.bdSeq)
        #expect(bench.node.leaving(at: bench.time).isEmpty)

        // On the next connection the kept word counts, and a host with its clock set right.
        #expect(try bench.connect().births.isEmpty)
        let again = try SparkplugBench.read(bench.host(true, at: 1500).publications)
        #expect(again.map(\.kind) == ["NBIRTH", "DBIRTH"])
        #expect(again[0].bdSeq == .long(1))
    }

    @Test(
        "words of a host that are none change nothing",
        arguments: [
            "", "ONLINE", "{}", #"{"online":true}"#, #"{"timestamp":5}"#,
            #"{"online":"true","timestamp":5}"#, #"{"online":true,"timestamp":-5}"#,
            #"{"online":true,"timestamp":5"#, #"{"online":true,"timestamp":5}}"#,
            #"{"online":false,"online":true,"timestamp":5}"#, #"{"online":true,"timestamp":"5"}"#,
            #"{"online":true,"timestamp":99999999999999999999}"#, #"{"a":"\"#, "{\"online\":",
        ])
    func garbledStates(text: String) throws {
        var bench = SparkplugBench(host: "scada")
        _ = try bench.connect()
        #expect(bench.host(text) == .init())
        #expect(!bench.node.isTelling)
        let more = #" { "timestamp" : 5 , "host\"s" : "a,}\\" , "n" : 1.5E+3 , "online" : true } "#
        #expect(bench.host(more).publications.count == 1)
    }

    @Test("backlog, late values and corrections are historical and do not change what is now")
    func historical() throws {
        var bench = SparkplugBench()
        _ = try bench.connect()
        func told(_ item: UplinkItem) throws -> [Bool] {
            try bench.tell(item)?.last?.payload.metrics.map(\.isHistorical) ?? []
        }
        let old = rawMinute("dust", "pm10", [.number(1)], minute: -9, isBacklog: true)
        let first = try #require(try bench.tell(old))
        // Born as unknown: what lies in the past is no present value.
        #expect(first[0].metric("pm10")?.isNull == true)
        #expect(first[1].payload.metrics.map(\.isHistorical) == [true])
        let minute = rawMinute("dust", "pm10", [.number(2), .number(3)])
        #expect(try told(minute) == [false, false])
        #expect(try told(rawMinute("dust", "pm10", [.number(4)], minute: -1)) == [true])
        var correction = rawMinute("dust", "pm10", [.number(5), .number(6)], revision: 1)
        #expect(try told(correction) == [true, true])
        #expect(try bench.rebirth().last?.metric("pm10")?.value == .double(6))
        // One attempt more after a lost connection is no correction.
        correction.revision = 0
        #expect(try told(correction) == [true, false])
        #expect(
            try told(rawMinute("dust", "pm10", [.number(7)], minute: 1, revision: 2)) == [false])
    }

    @Test("what a host may have missed while it died is told once more, as historical")
    func deadHost() throws {
        var bench = SparkplugBench(host: "scada")
        func minute(_ number: Int64) -> UplinkItem {
            rawMinute("dust", "pm10", [.number(Double(number))], minute: number)
        }
        func values(_ said: [SparkplugBench.Said]?) -> [String] {
            (said ?? []).filter { $0.kind == "DDATA" }.flatMap(\.payload.metrics).map {
                guard case .double(let value) = $0.value else { return "none" }
                return "\(Int(value))\($0.isHistorical ? "h" : "")"
            }
        }
        _ = try bench.connect()
        _ = bench.host(true, at: 1000)
        _ = try bench.tell(minute(1))
        bench.elapsed += .seconds(119)
        _ = try bench.tell(minute(2), minute(3))
        // A host that takes its leave, with a time of its own, has heard everything before.
        _ = bench.host(false, at: 1500)
        _ = try bench.connect()
        _ = bench.host(true, at: 2000)
        #expect(values(try bench.tell(minute(4))) == ["4"])
        bench.node.confirm(at: bench.time)

        // The will bears the time of the birth; the first minute was told long before.
        _ = bench.host(false, at: 2000)
        _ = try bench.connect()
        _ = bench.host(true, at: 3000)
        #expect(values(try bench.tell(minute(5))) == ["2h", "3h", "4h", "5"])
        // Until the broker has taken it; and then not again.
        #expect(values(try bench.tell(minute(5))) == ["2h", "3h", "4h", "5"])
        bench.node.confirm(at: bench.time)
        #expect(values(try bench.tell(minute(6))) == ["6"])
    }

    @Test("without a time of day nothing is said but the will, which then bears none")
    func untrustedTime() throws {
        var bench = SparkplugBench()
        bench.isTrusted = false
        let (will, births) = try bench.connect()
        #expect(will.payload.timestamp == nil && will.metric("bdSeq")?.timestamp == nil)
        #expect(births.isEmpty)
        let item = rawMinute("dust", "pm10", [.number(1)])
        #expect(try bench.tell(item) == nil)
        bench.isTrusted = true
        #expect(try bench.tell(item)?.map(\.kind) == ["NBIRTH", "DBIRTH", "DDATA"])
    }

    @Test("a long period is cut into messages that brokers take")
    func longPeriods() throws {
        var bench = SparkplugBench()
        _ = try bench.connect()
        let long = Array(repeating: Reading.text(String(repeating: "é", count: 20_000)), count: 4)
        let words = try #require(
            try bench.tell(rawMinute("crane", "note", long, kind: .text, unit: "")))
        #expect(words.map(\.payload.metrics.count) == [1, 1, 1, 1, 1])
        let numbers = (0..<1201).map { Reading.number(Double($0)) }
        let said = try #require(try bench.tell(rawMinute("dust", "pm10", numbers)))
        #expect(said.dropFirst().map(\.payload.metrics.count) == [500, 500, 201])
        #expect(
            said.dropFirst().flatMap(\.payload.metrics).map(\.value)
                == (0..<1201).map { .double(Double($0)) })
    }
}
