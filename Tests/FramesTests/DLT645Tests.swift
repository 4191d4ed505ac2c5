import TestSeeds
import Testing

@testable import Frames

/// Bytes written as pairs of hexadecimal digits.
func hex(_ text: String) -> [UInt8] {
    text.split(separator: " ").compactMap { UInt8($0, radix: 16) }
}

@Suite("DL/T 645-2007")
struct DLT645Tests {
    static let meter = DLT645Address("123456789012") ?? .wildcard
    static let energy = DLT645Request(.read(0x0001_0000), of: meter)
    static let reply = hex("68 12 90 78 56 34 12 68 91 08 33 33 34 33 AB 89 67 45 CC 16")

    private func found(
        _ text: String, _ request: DLT645Request = energy
    ) -> DLT645Request.Answer? {
        guard case .found(let answer) = DLT645Request.search(hex(text), for: request) else {
            return nil
        }
        return answer
    }

    @Test("the requests are those of public drivers")
    func requests() throws {
        #expect(
            DLT645Request(.read(0x0001_0000), of: .wildcard).bytes(preamble: 0)
                == hex("68 AA AA AA AA AA AA 68 11 04 33 33 34 33 AE 16"))
        #expect(
            DLT645Request(.read(0), of: .wildcard).bytes(preamble: 0)
                == hex("68 AA AA AA AA AA AA 68 11 04 33 33 33 33 AD 16"))
        #expect(
            Self.energy.bytes()
                == hex("FE FE FE FE 68 12 90 78 56 34 12 68 11 04 33 33 34 33 68 16"))
        #expect(
            DLT645Request(.readAddress, of: .wildcard).bytes(preamble: 0)
                == hex("68 AA AA AA AA AA AA 68 13 00 DF 16"))
        #expect(
            DLT645Request(.read(0x0201_0100), of: Self.meter).bytes(preamble: 0)
                == hex("68 12 90 78 56 34 12 68 11 04 33 34 34 35 6B 16"))
        #expect(
            DLT645Request(.read(0x0203_0000), of: Self.meter).bytes(preamble: 0)
                == hex("68 12 90 78 56 34 12 68 11 04 33 33 36 35 6C 16"))
    }

    @Test("the answers are those of public captures")
    func answers() throws {
        #expect(
            found("68 12 90 78 56 34 12 68 91 08 33 33 34 33 AB 89 67 45 CC 16")
                == .data(hex("78 56 34 12"), hasMore: false))
        #expect(
            found("68 12 90 78 56 34 12 68 D1 01 39 91 16") == .refused(errorWord: 6))
        let other = try #require(DLT645Address("000010604867"))
        #expect(
            found(
                "FE FE FE FE 68 67 48 60 10 00 00 68 91 08 33 33 34 33 33 33 33 33 21 16",
                .init(.read(0x0001_0000), of: other)) == .data([0, 0, 0, 0], hasMore: false))
        let ones = try #require(DLT645Address("111111111111"))
        #expect(
            found(
                "68 11 11 11 11 11 11 68 91 08 33 33 33 33 68 39 33 33 A2 16",
                .init(.read(0), of: ones)) == .data(hex("35 06 00 00"), hasMore: false))
        #expect(
            found(
                "68 12 90 78 56 34 12 68 91 06 33 34 34 35 38 56 7B 16",
                .init(.read(0x0201_0100), of: Self.meter))
                == .data(hex("05 23"), hasMore: false))
        #expect(
            found(
                "68 12 90 78 56 34 12 68 91 07 33 33 36 35 78 56 B4 71 16",
                .init(.read(0x0203_0000), of: Self.meter))
                == .data(hex("45 23 81"), hasMore: false))
    }

    @Test("a wrong checksum, another meter, another item and the 1997 edition are no answer")
    func foreign() throws {
        #expect(found("68 12 90 78 56 34 12 68 91 08 33 33 34 33 AB 89 67 45 CD 16") == nil)
        let ones = try #require(DLT645Address("111111111111"))
        for frame in [
            Self.energy.reply(.data([1, 2, 3, 4], hasMore: false), from: ones),
            DLT645Request(.read(0), of: Self.meter)
                .reply(.data([1, 2, 3, 4], hasMore: false), from: Self.meter),
            hex("68 12 90 78 56 34 12 68 81 06 43 C3 33 33 34 33 E0 16"),
            hex("68 12 90 78 56 34 12 68 01 02 43 C3 8F 16"),
            hex("68 99 99 99 99 99 99 68 08 00 6E 16"),
        ] {
            guard case .incomplete = DLT645Request.search(frame, for: Self.energy) else {
                Issue.record("\(frame) was believed")
                continue
            }
            // The right answer behind it is found.
            guard
                case .found(.data(let data, false)) =
                    DLT645Request.search(frame + Self.reply, for: Self.energy)
            else {
                Issue.record("nothing was found behind \(frame)")
                continue
            }
            #expect(data == hex("78 56 34 12"))
        }
    }

    @Test("echo, preambles, noise and every cut")
    func everyCut() {
        let bytes =
            Self.energy.bytes() + hex("68 00 FE FE 68") + hex("FE FE FE") + Self.reply
        for cut in 0..<bytes.count {
            guard case .incomplete = DLT645Request.search(Array(bytes[..<cut]), for: Self.energy)
            else {
                Issue.record("found at \(cut)")
                continue
            }
        }
        guard case .found(.data(let data, false)) = DLT645Request.search(bytes, for: Self.energy)
        else {
            Issue.record("not found")
            return
        }
        #expect(data == hex("78 56 34 12"))
    }

    @Test("an answer that goes on says so, and the next frame is known by its number")
    func more() {
        let first = Self.energy.reply(.data([1, 2], hasMore: true), from: Self.meter)
        guard
            case .found(.data([1, 2], hasMore: true)) =
                DLT645Request.search(first, for: Self.energy)
        else {
            Issue.record("the flag is lost")
            return
        }
        let next = DLT645Request(.readOn(0x0001_0000, sequence: 2), of: Self.meter)
        let answer = next.reply(.data([3, 4], hasMore: false), from: Self.meter)
        guard case .found(.data([3, 4], hasMore: false)) = DLT645Request.search(answer, for: next)
        else {
            Issue.record("the second frame is not found")
            return
        }
        let wrong = DLT645Request(.readOn(0x0001_0000, sequence: 1), of: Self.meter)
        guard case .incomplete = DLT645Request.search(answer, for: wrong) else {
            Issue.record("another number was believed")
            return
        }
    }

    @Test("nothing but reading leaves the gateway")
    func readOnly() {
        let questions: [DLT645Request.Question] = [
            .read(0x0400_0101), .readOn(0x0400_0101, sequence: 1), .readAddress,
        ]
        for question in questions {
            let bytes = DLT645Request(question, of: Self.meter).bytes(preamble: 0)
            #expect([0x11, 0x12, 0x13].contains(bytes[8]))
        }
    }

    @Test("a simulated meter understands the question")
    func question() {
        #expect(DLT645Request.question(in: Self.energy.bytes()) == Self.energy)
        #expect(DLT645Request.question(in: Self.reply) == nil)
        #expect(
            Self.energy.reply(.data(hex("78 56 34 12"), hasMore: false), from: Self.meter)
                == Self.reply)
    }

    @Test("addresses are twelve digits")
    func addresses() {
        #expect(DLT645Address("12345678901") == nil)
        #expect(DLT645Address("12345678901A") == nil)
        #expect(DLT645Address("000000000001")?.bytes == [1, 0, 0, 0, 0, 0])
        #expect(Self.meter.description == "123456789012")
    }

    @Test("one flipped bit is never another value, two are one only by collision")
    func bitFlips() {
        var collisions = 0
        var accepted = 0
        let bits = Self.reply.count * 8
        for a in 0..<bits {
            for b in a..<bits {
                var bytes = Self.reply
                bytes[a / 8] ^= 1 << UInt8(a % 8)
                if b != a { bytes[b / 8] ^= 1 << UInt8(b % 8) }
                guard case .found(let answer) = DLT645Request.search(bytes, for: Self.energy),
                    answer != .data(hex("78 56 34 12"), hasMore: false)
                else { continue }
                accepted += 1
                if a == b {
                    Issue.record("bit \(a) makes \(answer)")
                } else {
                    // The sum is right because two changes of one weight cancel.
                    #expect(bytes[..<(bytes.count - 2)].reduce(0, &+) == bytes[bytes.count - 2])
                    collisions += 1
                }
            }
        }
        #expect(accepted == collisions && collisions < bits * bits / 2 / 50, "\(collisions)")
    }

    @Test("no input traps")
    func fuzz() {
        var random = SeededGenerator(645)
        let good = [Self.energy.bytes(), Self.reply]
        for _ in 0..<20_000 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                bytes += good.randomElement(using: &random) ?? []
                bytes += (0..<Int.random(in: 0...9, using: &random)).map { _ in
                    [0x68, 0x16, 0xFE, .random(in: 0...255, using: &random)]
                        .randomElement(using: &random) ?? 0
                }
            }
            if !bytes.isEmpty, Bool.random(using: &random) {
                bytes.removeSubrange(
                    Int.random(in: 0..<bytes.count, using: &random)..<bytes.count)
            }
            _ = DLT645Request.search(bytes, for: Self.energy)
            _ = DLT645Request.question(in: bytes)
        }
    }
}
