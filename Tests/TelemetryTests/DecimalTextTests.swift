import Telemetry
import TestSeeds
import Testing

@Suite("A number with fixed digits")
struct DecimalTextTests {
    @Test(
        "is rounded half to even as the decimal that it is",
        arguments: [
            (2.675, 2, "2.68"), (2.665, 2, "2.66"), (0.5, 0, "0"), (1.5, 0, "2"), (2.5, 0, "2"),
            (-0.125, 2, "-0.12"), (-2.5, 0, "-2"), (0.217, 3, "0.217"), (1, 3, "1.000"),
            (0.0004, 3, "0.000"), (71_204.8, 1, "71204.8"), (-0.04, 1, "0.0"),
            (123_456_789.125, 2, "123456789.12"),
        ])
    func rounding(value: Double, places: Int, text: String) {
        #expect(DecimalText.fixed(value, places: places) == text)
    }

    @Test("is nothing where there is no number, or none that fits")
    func none() {
        for value in [Double.nan, .infinity, -.infinity, 1e300, 1e18] {
            #expect(DecimalText.fixed(value, places: 2) == nil)
        }
        #expect(DecimalText.fixed(1e14, places: 9) == nil)
    }

    @Test("has its shortest form without an exponent")
    func shortest() {
        #expect(DecimalText.shortest(0.00001) == "0.00001")
        #expect(DecimalText.shortest(50) == "50")
        #expect(DecimalText.shortest(-1.25) == "-1.25")
        #expect(DecimalText.shortest(.nan) == nil)
        #expect(DecimalText.shortest(1.0 / 3) == "0.3333333333333333")
    }

    @Test("its shortest form reads back as the same number", arguments: 0..<200)
    func readsBack(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let value = Double.random(in: -1e6...1e6, using: &random)
        let text = try #require(DecimalText.shortest(value))
        #expect(Double(text) == value)
    }
}
