import Telemetry
import TestSeeds
import Testing

@testable import Store

@Suite("The journal's blobs")
struct JournalCodecTests {
    static func value(_ random: inout SeededGenerator) -> Reading {
        switch Int.random(in: 0..<10, using: &random) {
        case 0: .bad(BadReason.allCases.randomElement(using: &random) ?? .absent)
        case 1, 2: .bad(.timeout)
        case 3: .text(["", "hoisting", "起升", "e\u{301}", "\0"].randomElement(using: &random) ?? "")
        case 4: .number(Double(bitPattern: random.next()))
        case 5:
            .number(
                [0, -0.0, .nan, .infinity, -.infinity, .leastNonzeroMagnitude, 0.1 + 0.2, 1e300]
                    .randomElement(using: &random) ?? 0)
        default: .number(Double(Int.random(in: -1_000_000...1_000_000, using: &random)) / 1000)
        }
    }

    static func scans(_ random: inout SeededGenerator) -> [Scan] {
        (0..<Int.random(in: 0...12, using: &random)).map { _ in
            let near = Int64.random(in: 1_790_000_000_000...1_800_000_000_000, using: &random)
            let time =
                Int.random(in: 0..<20, using: &random) == 0
                ? Int64(bitPattern: random.next()) : near
            return Scan(
                group: ScanGroup.ID(Int.random(in: 0...5_000, using: &random)),
                time: Timestamp(milliseconds: time),
                sequence: UInt16.random(in: 0...3, using: &random),
                flags: ScanFlags(rawValue: UInt8.random(in: 0...7, using: &random)),
                readings: (0..<Int.random(in: 0...40, using: &random)).map { _ in value(&random) })
        }
    }

    /// Equal to the last bit: NaN payloads, the sign of zero, the scalars of a text.
    static func bits(_ reading: Reading) -> [UInt64] {
        switch reading {
        case .good(.number(let number)): [1, number.bitPattern]
        case .good(.text(let text)): [2] + text.utf8.map(UInt64.init)
        case .bad(let reason): [3, UInt64(reason.rawValue)]
        }
    }

    static func isSame(_ a: [Scan], _ b: [Scan]) -> Bool {
        a.count == b.count
            && zip(a, b).allSatisfy { a, b in
                a.group == b.group && a.time == b.time && a.sequence == b.sequence
                    && a.flags == b.flags && a.readings.map(bits) == b.readings.map(bits)
            }
    }

    @Test("decoding gives back the scans that were encoded, bit for bit")
    func roundTrip() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        for round in 0..<2_000 {
            let scans = Self.scans(&random)
            let back = try JournalCodec.decode(JournalCodec.encode(scans))
            #expect(Self.isSame(back, scans), "seed \(seed), round \(round)")
        }
    }

    @Test("a damaged blob is refused, never trapped on, and never read as something else")
    func mutated() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        var refused = 0
        for round in 0..<3_000 {
            let scans = Self.scans(&random)
            var bytes = JournalCodec.encode(scans)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                Self.mutate(&bytes, &random)
            }
            do throws(Damage) {
                let back = try JournalCodec.decode(bytes)
                // Two mutations may cancel each other out; CRC-32 lets nothing else through here.
                #expect(Self.isSame(back, scans), "seed \(seed), round \(round)")
            } catch {
                refused += 1
            }
        }
        #expect(refused > 2_000)
    }

    @Test("a damaged blob whose checksum was put right still never traps")
    func mutatedBehindTheChecksum() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        var refused = 0
        for _ in 0..<5_000 {
            var bytes = JournalCodec.encode(Self.scans(&random))
            for _ in 0..<Int.random(in: 1...4, using: &random) { Self.mutate(&bytes, &random) }
            if bytes.count >= 5 {
                bytes[0] = JournalCodec.version
                let checksum = CRC32.checksum(bytes[5...])
                for index in 0..<4 {
                    bytes[1 + index] = UInt8(truncatingIfNeeded: checksum >> (8 * UInt32(index)))
                }
            }
            do throws(Damage) { _ = try JournalCodec.decode(bytes) } catch { refused += 1 }
        }
        #expect(refused > 500, "seed \(seed): only \(refused) of 5000 were refused")
    }

    private static func mutate(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
        guard let index = bytes.indices.randomElement(using: &random) else { return }
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1: bytes[index] = UInt8.random(in: 0...255, using: &random)
        case 2: bytes.removeSubrange(index...)
        default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: index)
        }
    }

    @Test("a count that asks for a gigabyte is refused")
    func greedyCount() {
        // One scan that claims 2^31 bad readings in a run of three bytes.
        var body: [UInt8] = [1, 0, 0, 0]
        body += [0x80, 0x80, 0x80, 0x80, 0x08] + [0x20, 6, 0x80, 0x80, 0x80, 0x80, 0x08]
        let content: [UInt8] = [0, 1, UInt8(body.count)] + body
        let checksum = CRC32.checksum(content[...])
        let bytes = [1] + (0..<4).map { UInt8(truncatingIfNeeded: checksum >> (8 * $0)) } + content
        #expect(throws: Damage.self) { try JournalCodec.decode(bytes) }
    }

    @Test("the bytes of version 1 are these")
    func frozen() throws {
        let scan = Scan(
            group: ScanGroup.ID(3), time: Timestamp(milliseconds: 1000), sequence: 2,
            flags: .backfill,
            readings: [.number(12.5), .text("up"), .bad(.timeout), .bad(.timeout)])
        let bytes = JournalCodec.encode([scan])
        #expect(
            Array(bytes[5...]) == [
                0xD0, 0x0F, 1, 15, 3, 0, 1, 2, 4, 0x01, 0xFA, 0x01, 0x11, 2, 0x75, 0x70, 0x20, 6, 2,
            ])
        #expect(bytes[0] == 1)
    }

    @Test("CRC-32 gives the check value of its standard")
    func checkValue() {
        #expect(CRC32.checksum(Array("123456789".utf8)[...]) == 0xCBF4_3926)
        #expect(CRC32.checksum([]) == 0)
    }

    @Test("delivery marks come back, and damage to them is refused")
    func deliveries() throws {
        let marks = [
            DeliveryMark(link: "broker", messageID: 1, digest: .max),
            DeliveryMark(link: "broker", messageID: 65_535, digest: 0),
            DeliveryMark(link: "第二", messageID: 7, digest: 42),
        ]
        let bytes = try #require(DeliveriesCodec.encode(marks))
        #expect(try DeliveriesCodec.decode(bytes) == marks)
        #expect(DeliveriesCodec.encode([]) == nil)
        #expect(try DeliveriesCodec.decode(nil).isEmpty)
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= 0x10
            #expect(throws: Damage.self) { try DeliveriesCodec.decode(damaged) }
        }
    }
}
