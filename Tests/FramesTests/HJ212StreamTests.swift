import TestSeeds
import Testing

@testable import Frames

@Suite("HJ 212 streams")
struct HJ212StreamTests {
    private func packets(_ events: [HJ212Stream.Event]) -> [String] {
        events.compactMap {
            guard case .packet(let received) = $0 else { return nil }
            return String(decoding: received.segment, as: UTF8.self)
        }
    }

    private func segment(_ text: String) -> String { String(text.dropFirst(6).dropLast(4)) }

    @Test("heads that all end in the same place cost their checksums once, not with every byte")
    func hostileHeads() {
        // One that waits for its end, and behind it hundreds whose ends are there and are wrong.
        let end = 3900
        var bytes = Array("##4000QN=".utf8)
        while bytes.count < end - 20 {
            bytes += Array("##\(String("\(10_000 + end - bytes.count - 6)".dropFirst()))QN=".utf8)
        }
        bytes += Array(repeating: 0x78, count: end - 2 - bytes.count) + Array("&&0001".utf8)
        var stream = HJ212Stream()
        let took = ProcessorTime.of {
            #expect(stream.append(bytes) == [])
            for _ in 0..<100 { #expect(stream.append([0x78]) == []) }
        }
        #expect(took < .milliseconds(300), "\(took)")
    }

    @Test("every cut at every byte gives the same packets")
    func everyCut() {
        let texts = [0, 2, 6, 7].map { HJ212Vectors.good[$0] }
        let bytes = Array(
            ("noise#" + texts[0] + "\r\n" + texts[1] + texts[2] + "\n##00" + texts[3] + "\r\n").utf8
        )
        let expected = texts.map(segment)
        for cut in 0...bytes.count {
            var stream = HJ212Stream()
            let events = stream.append(bytes[..<cut]) + stream.append(bytes[cut...])
            #expect(packets(events) == expected, "cut at \(cut)")
        }
        var stream = HJ212Stream()
        let events = bytes.flatMap { stream.append([$0]) }
        #expect(packets(events) == expected)
        #expect(stream.skipped == 10)
    }

    @Test("a head that claims too much does not hold up the packet behind it")
    func greedyHead() {
        let text = HJ212Vectors.good[2]
        var stream = HJ212Stream()
        let events = stream.append(Array(("##4000QN=1;" + text + "\r\n").utf8))
        #expect(packets(events) == [segment(text)])
    }

    private func reasons(_ events: [HJ212Stream.Event]) -> [HJ212Stream.Refusal.Reason] {
        var reasons: [HJ212Stream.Refusal.Reason] = []
        for case .refused(let refusal) in events { reasons.append(refusal.reason) }
        return reasons
    }

    @Test("a packet whose length is wrong is told, however it is wrong and cut")
    func wrongLengths() throws {
        let good = HJ212Vectors.good[2]
        let text = try #require(HJ212Vectors.good.first { $0.hasSuffix("06C0") })
        for length in ["0916", "4000", "0O16", "O116", "011"] {
            let bytes = Array("##\(length)\(text.dropFirst(6))\r\n\(good)\r\n".utf8)
            for cut in [0, 1, 5, 7, 8, 40, bytes.count - 3] {
                var stream = HJ212Stream()
                let events = stream.append(bytes[..<cut]) + stream.append(bytes[cut...])
                #expect(packets(events) == [segment(good)])
                #expect(reasons(events) == [.length], "\(length), cut at \(cut)")
            }
        }
    }

    @Test("bytes that belong to nothing are told once, before the packet or at the end")
    func dirt() {
        let good = HJ212Vectors.good[2] + "\r\n"
        var stream = HJ212Stream()
        #expect(stream.append(Array("GET / HTTP/1.1\r\n\r\n".utf8)).isEmpty)
        let events = stream.append(Array(("##12" + good).utf8))
        guard case .refused(let refusal)? = events.first, events.count == 2 else {
            Issue.record("\(events)")
            return
        }
        #expect(refusal.reason == .malformed)
        #expect(refusal.detail.contains("18 bytes"))
        #expect(stream.end() == nil)
        #expect(reasons(stream.append(Array((good + "\r\n" + good).utf8))) == [])
        // What a refusal has told is not told again.
        #expect(reasons(stream.append(Array(("##0009CN=2011;&&0000" + good).utf8))) == [.length])
        _ = stream.append(Array("noise".utf8))
        #expect(stream.end().map { reasons([$0]) } == [.malformed])
        #expect(stream.end() == nil)
    }

    @Test("a CRC in lower case, or without its leading zeros, is a CRC")
    func looseChecksums() throws {
        let text = try #require(HJ212Vectors.good.first { $0.hasSuffix("06C0") })
        for end in ["06c0\r\n", "6C0\r\n", "6c0\n", "06C0"] {
            var stream = HJ212Stream()
            #expect(packets(stream.append(Array((text.dropLast(4) + end).utf8))).count == 1)
        }
        for end in ["6C0", "6C0 \r\n", "06C1\r\n", "\r\n"] {
            var stream = HJ212Stream()
            #expect(packets(stream.append(Array((text.dropLast(4) + end).utf8))).isEmpty)
        }
    }

    @Test("garbage is counted, evidence is kept, and nothing piles up")
    func garbage() {
        var stream = HJ212Stream()
        #expect(stream.append(Array("GET / HTTP/1.1\r\n\r\n".utf8)).isEmpty)
        #expect(stream.skipped == 14)
        #expect(stream.waiting == 0)
        let refusals = stream.append(Array("##9999QN=1;##0009CN=2011;&&0000".utf8))
        var reasons: [HJ212Stream.Refusal.Reason] = []
        for case .refused(let refusal) in refusals { reasons.append(refusal.reason) }
        #expect(reasons == [.oversized, .length])
        for _ in 0..<2000 { _ = stream.append(Array("##4096QN=".utf8)) }
        #expect(stream.waiting <= 4096 + 16)
    }

    @Test("no input traps, and nothing without its checksum is believed")
    func fuzz() {
        var random = SeededGenerator(212)
        let good = HJ212Vectors.good.map { Array(($0 + "\r\n").utf8) }
        let known = Set(HJ212Vectors.good.map(segment))
        var collisions = 0
        var trials = 0
        for _ in 0..<6000 {
            var bytes = good.randomElement(using: &random) ?? []
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 1: bytes[index] = UInt8.random(in: 0...255, using: &random)
                case 2: bytes.remove(at: index)
                default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: index)
                }
            }
            var stream = HJ212Stream()
            let cut = Int.random(in: 0...bytes.count, using: &random)
            let events = stream.append(bytes[..<cut]) + stream.append(bytes[cut...])
            trials += 1
            for event in events {
                guard case .packet(let received) = event else { continue }
                let text = String(decoding: received.segment, as: UTF8.self)
                if known.contains(text) { continue }
                // A checksum with 256 values cannot see everything; what passes must be one.
                collisions += 1
                let crc = HJ212Packet.Checksum.hj212(received.segment[...])
                let hex = String(crc, radix: 16)
                #expect(
                    String(decoding: bytes, as: UTF8.self).lowercased().contains("&&")
                        && String(decoding: bytes, as: UTF8.self).lowercased().contains(hex))
            }
        }
        #expect(collisions < trials / 50, "\(collisions) of \(trials)")
    }

    @Test("a packet with one bit flipped is never another packet, but for collisions")
    func bitFlips() throws {
        let bytes = Array(
            (try #require(HJ212Vectors.good.first { $0.hasSuffix("6AC0") }) + "\r\n").utf8)
        let original = segment(String(decoding: bytes.dropLast(2), as: UTF8.self))
        var collisions = 0
        for index in bytes.indices {
            for bit in 0..<8 {
                var flipped = bytes
                flipped[index] ^= 1 << bit
                var stream = HJ212Stream()
                for text in packets(stream.append(flipped)) where text != original {
                    collisions += 1
                }
            }
        }
        #expect(collisions == 0)
    }
}
