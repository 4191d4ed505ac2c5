import TestSeeds
import Testing

@testable import Frames

@Suite("HJ 212 packets")
struct HJ212PacketTests {
    /// The one packet of a text with its line end.
    private func packet(
        _ text: String, _ rules: HJ212Stream.Rules = .init()
    ) throws -> HJ212Stream.Received {
        var stream = HJ212Stream(rules)
        let events = stream.append(Array((text + "\r\n").utf8))
        #expect(events.count == 1)
        guard case .packet(let received) = try #require(events.first) else {
            throw Refused(event: events[0])
        }
        return received
    }

    struct Refused: Error { var event: HJ212Stream.Event }

    @Test("every public packet is read", arguments: HJ212Vectors.good)
    func publicPackets(text: String) throws {
        let received = try packet(text)
        let packet = received.packet
        #expect(text.contains("CN=\(packet.cn);"))
        #expect(text.contains("MN=\(packet.mn);"))
        #expect(packet.qn.map { text.contains("QN=\($0);") } ?? !text.contains("QN="))
        for field in packet.items.joined() {
            #expect(text.contains("\(field.name)=\(field.value)"))
        }
    }

    @Test("check values of annex A")
    func checkValues() {
        func crc(_ text: String) -> UInt16 { HJ212Packet.Checksum.hj212(Array(text.utf8)[...]) }
        #expect(crc("") == 0xFFFF)
        #expect(crc("A") == 0x7080)
        #expect(crc("123456789") == 0x2F80)
    }

    @Test("the checksum of annex A has only 256 values")
    func fewChecksums() {
        var random = SeededGenerator(11)
        var seen: Set<UInt16> = []
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 1...60, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            seen.insert(HJ212Packet.Checksum.hj212(bytes[...]))
        }
        #expect(seen.count == 256)
        #expect(seen.allSatisfy { [0, 1, 0x40, 0x41, 0x80, 0x81, 0xC0, 0xC1].contains($0 & 0xFF) })
    }

    @Test("the Modbus dialect is read where it is asked for, and only there")
    func dialect() throws {
        for vector in HJ212Vectors.modbusDialect {
            let bytes = Array(vector.segment.utf8)[...]
            #expect(HJ212Packet.Checksum.modbus(bytes) == vector.modbus)
            #expect(HJ212Packet.Checksum.hj212(bytes) == vector.standard)
            let frame = HJ212Packet.framed(Array(bytes), .modbus)
            var strict = HJ212Stream()
            let events = strict.append(frame)
            guard case .refused(let refusal) = try #require(events.first) else {
                Issue.record("accepted: \(events)")
                continue
            }
            #expect(refusal.reason == .checksum)
            var open = HJ212Stream(.init(checksums: [.hj212, .modbus]))
            guard case .packet(let received) = try #require(open.append(frame).first) else {
                Issue.record("refused")
                continue
            }
            #expect(received.checksum == .modbus)
        }
    }

    @Test("an edited packet does not pass")
    func edited() {
        for text in HJ212Vectors.good {
            var bytes = Array((text + "\r\n").utf8)
            // The first digit of a value, as somebody would edit it in a forum post.
            guard let index = bytes.lastIndex(of: 0x3D), bytes[index + 1] &- 0x30 < 9 else {
                continue
            }
            bytes[index + 1] += 1
            var stream = HJ212Stream()
            for event in stream.append(bytes) {
                if case .packet = event { Issue.record("accepted: \(text)") }
            }
        }
    }

    @Test("what is written is read back")
    func roundTrip() throws {
        let packet = HJ212Packet(
            qn: "20261121080501000", st: "39", cn: "2011", pw: "123456", mn: "EXAMPLE1", flag: 7,
            pnum: 2, pno: 1,
            items: [
                [.init("DataTime", "20261121080500")],
                [.init("a34004-Rtd", "45.0"), .init("a34004-Flag", "N")],
            ])
        let text = String(decoding: try #require(packet.encoded()), as: UTF8.self)
        #expect(try self.packet(text).packet == packet)
        #expect(text.contains(";Flag=7;PNUM=2;PNO=1;CP=&&DataTime=20261121080500;a34004-Rtd=45.0,"))
    }

    @Test("the acknowledgement is that of the standard's example")
    func acknowledgement() throws {
        let upload = try packet(HJ212Vectors.good[0]).packet
        var data = upload
        data.qn = "20160801085857223"
        data.pw = "123456"
        let answer = try #require(data.acknowledgement(cn: "9014").encoded())
        #expect(
            String(decoding: answer, as: UTF8.self)
                == "##0087QN=20160801085857223;ST=91;CN=9014;PW=123456;MN=010000A8900016F000169DC0;"
                + "Flag=4;CP=&&&&3240\r\n")
    }

    @Test("separators inside a value and overlong packets are not written")
    func unwritable() {
        var packet = HJ212Packet(
            qn: nil, st: "22", cn: "2011", pw: nil, mn: "A", flag: 4, items: [[.init("x", "1;2")]])
        #expect(packet.segment == nil)
        packet.items = [[.init("x", String(repeating: "9", count: 1100))]]
        #expect(packet.encoded() == nil)
        packet.items = [[.init("x", "1")]]
        packet.mn = "A&&"
        #expect(packet.segment == nil)
        packet.mn = "A"
        packet.pw = "1;2"
        #expect(packet.segment == nil)
    }

    @Test("limits and the order of part numbers are the layout's")
    func layouts() throws {
        var packet = HJ212Packet(
            qn: "20261121080501000", st: "39", cn: "2011", pw: "123456", mn: "EXAMPLE1", flag: 7,
            pnum: 2, pno: 1, items: [[.init("a34004-Rtd", "45.0")]])
        let text = String(
            decoding: try #require(packet.encoded(layout: .init(isPartFirst: true))),
            as: UTF8.self)
        #expect(text.contains(";Flag=7;PNO=1;PNUM=2;CP=&&a34004-Rtd=45.0&&"))
        #expect(try self.packet(text).packet == packet)
        let (segment, area) = (
            try #require(packet.segment).count, "CP=&&a34004-Rtd=45.0&&".utf8.count
        )
        #expect(packet.segment(.init(longestSegment: segment)) != nil)
        #expect(packet.segment(.init(longestSegment: segment - 1)) == nil)
        #expect(packet.segment(.init(longestArea: area)) != nil)
        #expect(packet.segment(.init(longestArea: area - 1)) == nil)
        // Vendors exceed the standard's 1024 bytes, but four digits end at 9999.
        packet.items = [[.init("x", String(repeating: "9", count: 2000))]]
        let long = HJ212Packet.Layout(longestSegment: 4096, longestArea: 4096)
        #expect(packet.encoded() == nil)
        #expect(packet.encoded(layout: long) != nil)
        packet.items = [[.init("x", String(repeating: "9", count: 10_000))]]
        #expect(
            packet.encoded(layout: .init(longestSegment: .max, longestArea: .max)) == nil)
    }

    @Test(
        "what the standard itself gets wrong is read",
        arguments: [
            "QN=1;ST=32;CN=2011;PW=1;MN=A;Flag=5CP=&&x=1&&",
            "QN=1,ST=32;CN=2011;PW=1;MN=A;Flag=5;CP=&& x=1 &&",
            "ST=32;CN=2011;PW=1;MN=A;CP=&&x=1;&&",
            "QN=1;ST=32;CN=2011;PW=1;MN=A;Flag=5;Foo=7;CP=&&;;x=1,,&&",
            "QN=1;ST=32;CN=2011;PW=1;MN=A;Flag=5;CP=&&y=2,x=1;x=1&&",
            "QN=1;XCP=1;ST=32;CN=2011;PW=aCP=b;MN=A;Flag=5;CP=&&x=1&&",
        ])
    func tolerance(segment: String) throws {
        let packet = try #require(HJ212Packet.parse(segment: Array(segment.utf8)[...]))
        #expect(packet.cn == "2011" && packet.mn == "A")
        #expect(packet.value("x") == .one("1"))
        #expect(packet.flag == (segment.contains("Flag") ? 5 : nil))
    }

    @Test(
        "what cannot be understood is refused",
        arguments: [
            "", "CP=&&&&", "QN=1;MN=A;CP=&&x=1&&", "CN=2011;MN=A;CP=&&", "CN=2011;MN=A;CP=x&&",
            "CN=2011;MN=A", "CN=2011;CN=2051;MN=A;CP=&&&&", "CN=2011;MN=A;MN=B;CP=&&&&",
        ])
    func refused(segment: String) {
        #expect(HJ212Packet.parse(segment: Array(segment.utf8)[...]) == nil)
    }

    @Test("a name that stands there twice with two values has none")
    func duplicates() throws {
        let text = try #require(HJ212Vectors.good.first { $0.hasSuffix("0440") })
        let packet = try packet(text).packet
        #expect(packet.value("w00000-Avg") == .ambiguous)
        #expect(packet.value("w00000-Cou") == .one("237.91"))
        #expect(packet.value("w00001-Cou") == .absent)
    }
}
