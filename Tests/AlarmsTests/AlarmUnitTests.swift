import Telemetry
import Testing

@testable import Alarms

@Suite("A limit in another unit")
struct AlarmUnitTests {
    private static let units = Dictionary(
        uniqueKeysWithValues: [
            ("t", "mass", 1000.0, 0.0), ("kg", "mass", 1, 0), ("%", "ratio", 0.01, 0),
            ("1", "ratio", 1, 0), ("degF", "temperature", 5.0 / 9, -160.0 / 9),
            ("Cel", "temperature", 1, 0),
        ].map { (symbol, dimension, factor, offset) in
            (
                symbol,
                Unit(
                    symbol: symbol, ucum: symbol, dimension: Dimension(dimension), factor: factor,
                    offset: offset)
            )
        })

    private func machine(_ when: String, unit: String) throws -> AlarmMachine {
        AlarmMachine(
            rules: [try parseRule(when)],
            site: AlarmSite(groups: [dustGroup(unit: unit)], units: Self.units))
    }

    @Test("is converted for the judgement, and evidence speaks as the rule does")
    func converted() throws {
        var machine = try machine("input: reading, above: 90 %, clear: 85 %", unit: "1")
        #expect(machine.handle(scan(0, 0.9)).isEmpty)
        let opened = try #require(machine.handle(scan(10, 0.925)).first)
        #expect((opened.evidence.value, opened.evidence.unit) == (92.5, "%"))
        #expect(opened.evidence.limit == 90)
        #expect(machine.handle(scan(20, 0.86)).isEmpty)
        #expect(machine.handle(scan(30, 0.85)).map(\.to) == [.returnedUnacknowledged])
        let line = try #require(machine.limitLines(for: SeriesID("dust-north.pm10")!).first)
        #expect((line.above, line.unit) == (0.9, "1"))
        var load = try self.machine("input: reading, above: 5.2 t", unit: "kg")
        #expect(load.handle(scan(0, 5200)).isEmpty)
        #expect(load.handle(scan(1, 5201)).first?.evidence.value == 5.201)
        var warm = try self.machine("input: reading, above: 158 degF", unit: "Cel")
        #expect(warm.handle(scan(0, 69.9)).isEmpty)
        #expect(warm.handle(scan(1, 70.1)).count == 1)
    }

    @Test("of another dimension does not fit")
    func foreign() throws {
        #expect(try machine("input: reading, above: 5 t", unit: "1").bindingFaults.count == 1)
        #expect(try machine("input: reading, above: 5 ton", unit: "kg").bindingFaults.count == 1)
    }
}
