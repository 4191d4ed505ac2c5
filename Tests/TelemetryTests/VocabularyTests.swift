import Foundation
import TestSeeds
import Testing

@testable import Telemetry

@Suite("Units, identities and values")
struct VocabularyTests {
    private func unit(_ factor: Double, _ offset: Double = 0) -> Telemetry.Unit {
        Telemetry.Unit(
            symbol: "x", ucum: "x", dimension: Dimension("test"), factor: factor, offset: offset)
    }

    @Test("a conversion by a power of ten keeps exact decimals")
    func exactConversion() throws {
        var random = SeededGenerator(61)
        for places in [1, 2, 3, 6] {
            let small = unit(try #require(Double("1e-\(places)")))
            for _ in 0..<2000 {
                let mantissa = Int.random(in: -9_999_999...9_999_999, using: &random)
                let value = Double(mantissa) / 10
                let expected = try #require(Double("\(mantissa)e-\(places + 1)"))
                #expect(small.canonical(value) == expected)
                #expect(small.fromCanonical(expected) == value)
                #expect(unit((1 / small.factor).rounded()).canonical(expected) == value)
            }
        }
        #expect(unit(0.001).canonical(416.9) == 0.4169)
        #expect(unit(1000).canonical(0.4169) == 416.9)
        #expect(unit(1).canonical(0.1) == 0.1)
    }

    @Test("a conversion and its inverse give the value back to a unit in the last place")
    func inverse() {
        var random = SeededGenerator(62)
        let units = [
            unit(1), unit(0.001), unit(1000), unit(3600), unit(1 / 3.6), unit(1, 273.15),
            unit(5.0 / 9, 255.372),
        ]
        for unit in units {
            for _ in 0..<500 {
                let value = random.decimal()
                let back = unit.fromCanonical(unit.canonical(value))
                #expect(abs(back - value) <= 4 * max(value.magnitude, 512).ulp, "\(unit.factor)")
            }
        }
        #expect(unit(1, 273.15).canonical(20) == 293.15)
    }

    @Test("a series id is device, dot, point, and only the first dot divides")
    func seriesID() throws {
        let id = try #require(SeriesID("meter-main.active_energy.import.total"))
        #expect(id.device.text == "meter-main")
        #expect(id.point.text == "active_energy.import.total")
        #expect(id.point.quantity == "active_energy")
        #expect(id.description == "meter-main.active_energy.import.total")
        for text in ["", ".", "device", "device.", ".point"] { #expect(SeriesID(text) == nil) }
    }

    @Test("a bad reading has no value, and its reason has a word and a number of its own")
    func badReasons() {
        #expect(Set(BadReason.allCases.map(\.word)).count == BadReason.allCases.count)
        for reason in BadReason.allCases {
            let reading = Reading.bad(reason)
            #expect(reading.value == nil && reading.number == nil && !reading.isGood)
            #expect(reading.qualityWord == reason.word)
        }
        #expect(Reading.number(0).isGood && Reading.number(0).number == 0)
        #expect(Reading.text("x").isGood && Reading.text("x").number == nil)
        // Stored numbers: a change here breaks every file in the field.
        #expect(BadReason.allCases.map(\.rawValue) == Array(1...12))
    }

    @Test("keys are equal for every revision of an item, and for every state of an alarm")
    func keys() throws {
        let bucket = Bucket(
            .quarterHour, containing: try time("2026-11-21T00:20:00Z"), calendar: .utc)
        var item = UplinkItem(
            site: SiteID("hz"), scope: "m/rs485/fast", device: DeviceID("m"), bucket: bucket,
            revision: 0, entries: [])
        let key = item.idempotencyKey
        #expect(key == "hz|rollup/15min|m/rs485/fast|2026-11-21T00:15:00Z")
        item.revision = 3
        #expect(item.idempotencyKey == key)
        #expect(AlarmState.allCases.filter(\.isOpen).count == 4)
    }

    @Test("values survive their coding")
    func coding() throws {
        var random = SeededGenerator(63)
        var rollup = Rollup(expected: 4)
        for step in 0..<9 {
            rollup.add(.number(random.decimal()), at: Timestamp(milliseconds: Int64(step)))
        }
        rollup.add(.number(.pi), at: Timestamp(milliseconds: 10))
        rollup.increase = ScaledInteger(mantissa: 1 << 100, exponent: 9)
        let data = try JSONEncoder().encode(rollup)
        #expect(try JSONDecoder().decode(Rollup.self, from: data) == rollup)
    }
}
