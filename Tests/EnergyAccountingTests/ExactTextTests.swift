import EnergyAccounting
import Foundation
import Telemetry
import Testing

@Suite("Exact numbers as texts")
struct ExactTextTests {
    @Test(
        "show as few places as they have, nine at most, or their quotient",
        arguments: [
            ("2.50", "2.5", "5/2"), ("-7", "-7", "-7"), ("0", "0", "0"),
            ("0.000000001", "0.000000001", "1/1000000000"),
            ("0.0000000001", "0.000000000", "1/10000000000"),
        ])
    func plain(written: String, plain: String, quotient: String) throws {
        let value = try #require(Exact(text: written))
        #expect(value.plainText == plain)
        #expect(value.quotientText == quotient)
    }

    @Test("a third has no decimal, and is told as the quotient that it is")
    func third() {
        let third = Exact(1, over: 3)
        #expect(third.plainText == "0.333333333")
        #expect(third.plainPlaces == 9)
        #expect(third.quotientText == "1/3")
        #expect(ScaledInteger(third) == ScaledInteger(mantissa: 333_333_333, exponent: 9))
    }

    @Test(
        "come back from JSON as they were, in lowest terms", arguments: [(7, 1), (-2, 3), (0, 1)])
    func coding(above: Int, below: Int) throws {
        let value = Exact(Int128(above), over: Int128(below))
        let bytes = try JSONEncoder().encode([value])
        #expect(String(decoding: bytes, as: UTF8.self) == "[\"\(above)\\/\(below)\"]")
        #expect(try JSONDecoder().decode([Exact].self, from: bytes) == [value])
        let doubled = Data("[\"\(2 * above)/\(2 * below)\"]".utf8)
        #expect(try JSONDecoder().decode([Exact].self, from: doubled) == [value])
    }

    @Test(
        "are not read from what is no quotient",
        arguments: ["1", "1/0", "1/-2", "a/b", "1/2/3", "", "1.5/2"])
    func refused(text: String) {
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode([Exact].self, from: Data("[\"\(text)\"]".utf8))
        }
    }
}
