import TestSeeds
import Testing

@testable import Frames

@Suite("CJ/T 188")
struct CJT188Tests {
    static let meter = CJT188Address("78330011223344") ?? .wildcard
    static let request = CJT188Request(.read(0x901F), type: 0x10, of: meter)
    /// As published, with the checksum that it should have.
    static let reply = hex(
        "68 10 44 33 22 11 00 33 78 81 16 1F 90 00 00 77 66 55 2C 00 77 66 55 2C "
            + "31 01 22 11 05 15 20 21 84 13 16")

    @Test("the requests are those of public drivers")
    func requests() {
        #expect(
            CJT188Request(.read(0x901F), type: 0x10, of: .wildcard, order: .highFirst, serial: 1)
                .bytes(preamble: 3)
                == hex("FE FE FE 68 10 AA AA AA AA AA AA AA 01 03 90 1F 01 D2 16"))
        #expect(
            CJT188Request(.read(0x901F), type: 0x10, of: .wildcard, serial: 1).bytes(preamble: 0)
                == hex("68 10 AA AA AA AA AA AA AA 01 03 1F 90 01 D2 16"))
        #expect(
            CJT188Request(.readAddress, type: 0x10, of: .wildcard, serial: 2).bytes(preamble: 0)
                == hex("68 10 AA AA AA AA AA AA AA 03 03 0A 81 02 B1 16"))
        #expect(
            Self.request.bytes()
                == hex("FE FE FE FE 68 10 44 33 22 11 00 33 78 01 03 1F 90 00 80 16"))
    }

    @Test("the address of a meter")
    func address() {
        let request = CJT188Request(.readAddress, type: 0x10, of: .wildcard, serial: 2)
        guard
            case .found(.address(let address)) = CJT188Request.search(
                hex("FE FE 68 10 89 67 45 23 01 33 78 83 03 0A 81 A7 34 16"), for: request)
        else {
            Issue.record("no answer")
            return
        }
        #expect(address.description == "78330123456789")
        #expect(CJT188Address("78330123456789") == address)
        #expect(CJT188Address("123456789012") == nil)
    }

    @Test("the published answer is refused as printed and read with the right checksum")
    func answer() {
        var printed = Self.reply
        printed[printed.count - 2] = 0x08
        guard case .incomplete = CJT188Request.search(printed, for: Self.request) else {
            Issue.record("the wrong checksum was believed")
            return
        }
        let bytes = Self.request.bytes() + hex("FE FE FE FE") + Self.reply
        for cut in 0..<bytes.count {
            guard case .incomplete = CJT188Request.search(Array(bytes[..<cut]), for: Self.request)
            else {
                Issue.record("found at \(cut)")
                continue
            }
        }
        guard case .found(.data(let data)) = CJT188Request.search(bytes, for: Self.request) else {
            Issue.record("not found")
            return
        }
        #expect(data.count == 19)
        #expect(data.prefix(5) == [0x00, 0x77, 0x66, 0x55, 0x2C])
    }

    @Test("another order, type, meter or item is no answer; an error is one")
    func foreign() throws {
        func isIncomplete(_ request: CJT188Request, _ bytes: [UInt8] = Self.reply) -> Bool {
            if case .incomplete = CJT188Request.search(bytes, for: request) { true } else { false }
        }
        var other = Self.request
        other.order = .highFirst
        #expect(isIncomplete(other))
        other = Self.request
        other.type = 0x20
        #expect(isIncomplete(other))
        other = Self.request
        other.address = try #require(CJT188Address("78330011223345"))
        #expect(isIncomplete(other))
        other = Self.request
        other.question = .read(0xD120)
        #expect(isIncomplete(other))
        let refusal = Self.request.reply(.refused(status: [1, 0]), from: Self.meter)
        #expect(refusal[9] == 0xC1)
        guard
            case .found(.refused(status: [1, 0])) =
                CJT188Request.search(refusal, for: Self.request)
        else {
            Issue.record("the error is not found")
            return
        }
        #expect(
            CJT188Request.question(in: Self.request.bytes(), order: .lowFirst) == Self.request)
    }

    @Test("one flipped bit is never another value")
    func bitFlips() {
        guard case .found(let good) = CJT188Request.search(Self.reply, for: Self.request) else {
            Issue.record("not found")
            return
        }
        for bit in 0..<(Self.reply.count * 8) {
            var bytes = Self.reply
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            guard case .found(let answer) = CJT188Request.search(bytes, for: Self.request) else {
                continue
            }
            #expect(answer == good, "bit \(bit)")
        }
    }

    @Test("no input traps")
    func fuzz() {
        var random = SeededGenerator(188)
        for _ in 0..<20_000 {
            var bytes = Self.reply + Self.request.bytes() + Self.reply
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(
                    in: 0...255, using: &random)
            }
            bytes.removeSubrange(0..<Int.random(in: 0..<bytes.count, using: &random))
            _ = CJT188Request.search(bytes, for: Self.request)
            _ = CJT188Request.question(in: bytes, order: .highFirst)
        }
    }
}
