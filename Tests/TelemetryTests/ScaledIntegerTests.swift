import Foundation
import TestSeeds
import Testing

@testable import Telemetry

@Suite("ScaledInteger and ExactSum")
struct ScaledIntegerTests {
    @Test("every decimal of up to nine places and fifteen digits is found and given back exactly")
    func decimals() throws {
        var random = SeededGenerator(31)
        for _ in 0..<20_000 {
            let mantissa = Int64.random(
                in: -999_999_999_999_999...999_999_999_999_999, using: &random)
            let places = Int.random(in: 0...9, using: &random)
            let value = try #require(Double("\(mantissa)e-\(places)"))
            let found = try #require(ScaledInteger(exactly: value), "\(value)")
            #expect(found.double == value)
            // The same decimal, perhaps with fewer places.
            #expect(found.exponent <= places)
            #expect(found.rescaled(to: places).mantissa == Int128(mantissa))
        }
    }

    @Test(
        "the decimal has as few places as possible",
        arguments: [
            (0.1, 1, 1), (230.1, 2301, 1), (1e6, 1_000_000, 0), (-0.25, -25, 2), (0, 0, 0),
            (-0.0, 0, 0), (1e-9, 1, 9), (9_007_199_254_740_991, 9_007_199_254_740_991, 0),
        ] as [(Double, Int128, Int)])
    func fewest(value: Double, mantissa: Int128, exponent: Int) {
        #expect(
            ScaledInteger(exactly: value) == ScaledInteger(mantissa: mantissa, exponent: exponent))
    }

    @Test(
        "what is no short decimal is not taken for one",
        arguments: [
            0.1 + 0.2, 1.0 / 3, 1e-10, 1e16, .infinity, -.infinity, .nan, .pi,
            .leastNonzeroMagnitude,
            .greatestFiniteMagnitude,
        ])
    func notExact(value: Double) { #expect(ScaledInteger(exactly: value) == nil) }

    @Test("rounding takes nine places, and refuses what is not finite or above 10¹⁸")
    func rounding() {
        #expect(ScaledInteger(rounding: 1.0 / 3)?.mantissa == 333_333_333)
        #expect(ScaledInteger(rounding: -1.0 / 3)?.mantissa == -333_333_333)
        #expect(ScaledInteger(rounding: 1e17)?.double == 1e17)
        for value in [Double.nan, .infinity, -.infinity, 1e18, -1e18, 1e300] {
            #expect(ScaledInteger(rounding: value) == nil)
        }
    }

    @Test("the double of a large decimal is the nearest one")
    func nearest() throws {
        var random = SeededGenerator(32)
        for _ in 0..<5000 {
            let mantissa =
                Int128(Int64.random(in: .min ... .max, using: &random))
                * Int128.random(in: 1...100_000_000, using: &random)
            let exponent = Int.random(in: 0...9, using: &random)
            let expected = try #require(Double("\(mantissa)e-\(exponent)"))
            #expect(ScaledInteger(mantissa: mantissa, exponent: exponent).double == expected)
        }
    }

    @Test("a sum of decimals has the same bits in every order and every grouping")
    func order() {
        var random = SeededGenerator(33)
        for _ in 0..<200 {
            var values = (0..<Int.random(in: 1...60, using: &random)).map { _ in random.decimal() }
            var forward = ExactSum()
            for value in values { forward.add(value) }
            values.shuffle(using: &random)
            var shuffled = ExactSum()
            var rest = values[...]
            while !rest.isEmpty {
                let part = rest.prefix(Int.random(in: 1...10, using: &random))
                rest = rest.dropFirst(part.count)
                var group = ExactSum()
                for value in part { group.add(value) }
                shuffled.add(group)
            }
            #expect(shuffled == forward)
            #expect(shuffled.value.bitPattern == forward.value.bitPattern)
        }
    }

    @Test("a sum of decimals is exact where doubles are not")
    func exact() {
        var sum = ExactSum()
        for _ in 0..<10 { sum.add(0.1) }
        #expect(sum.value == 1)
        sum.add(1e15)
        sum.add(-1e15)
        #expect(sum.value == 1)
    }

    @Test("a sum of other doubles is compensated: within one unit of the exact sum")
    func compensated() throws {
        var random = SeededGenerator(34)
        for _ in 0..<100 {
            var sum = ExactSum()
            var reference = Decimal(0)
            for _ in 0..<500 {
                // Products of a short fraction and a power of two: exact as Decimal, and mostly
                // not a decimal of nine places.
                let value = Double(Int.random(in: -9999...9999, using: &random)) / 65_536
                sum.add(value)
                reference += Decimal(Int((value * 65_536).rounded())) / 65_536
            }
            let expected = NSDecimalNumber(decimal: reference).doubleValue
            #expect(abs(sum.value - expected) <= max(expected.magnitude.ulp, 1e-12))
        }
    }

    @Test("what is not finite adds nothing")
    func notFinite() {
        var sum = ExactSum()
        sum.add(1.5)
        for value in [Double.nan, .infinity, -.infinity] { sum.add(value) }
        #expect(sum.value == 1.5)
    }

    @Test("a million of the largest readings do not overflow")
    func large() {
        var sum = ExactSum()
        for _ in 0..<100_000 {
            sum.add(9_007_199_254_740_990.0)
            sum.add(0.000_000_001)
        }
        #expect(sum.value == 9.00719925474099e20)
    }
}
