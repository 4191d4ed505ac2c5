import Foundation
import LocatedText
import Telemetry
import Testing
import UplinkFormats

@Suite("The factor table of HJ 212")
struct HJ212FactorTableTests {
    private static let root = Folder.tests.appending(path: "../..").standardizedFileURL

    private func shipped() throws -> HJ212FactorTable {
        let file = Self.root.appending(path: "Config/uplinks/hj212-factors.yaml")
        let node = try LocatedNode.parse(
            String(contentsOf: file, encoding: .utf8), file: "hj212-factors.yaml")
        let faults = FaultCollector()
        let table = HJ212FactorTable.parse(node, faults)
        try faults.throwIfAny()
        return try #require(table)
    }

    private func faults(_ text: String) throws -> [String] {
        let node = try LocatedNode.parse(text, file: "t.yaml")
        let faults = FaultCollector()
        _ = HJ212FactorTable.parse(node, faults)
        return faults.faults.map(\.description)
    }

    private static let head = """
        format: hj212-factors/1
        particulates:
          unit: mg/m3
          decimals: { mg/m3: 3 }
          warning: { en: a, zh: b }
          source: s
          status: project
        dialects:
          - dialect: "2017"
            factors:

        """

    @Test("that is shipped is read, and every point and unit is one of the vocabulary")
    func vocabulary() throws {
        let table = try shipped()
        let file = Self.root.appending(path: "Devices/vocabulary.yaml")
        let node = try LocatedNode.parse(
            String(contentsOf: file, encoding: .utf8), file: "vocabulary.yaml")
        let faults = FaultCollector()
        func section(_ name: String) -> [String: [LocatedNode.Entry]] {
            let entries = node.entries(faults).first { $0.key == name }?.value.entries(faults) ?? []
            return Dictionary(
                uniqueKeysWithValues: entries.map { ($0.key, $0.value.entries(faults)) })
        }
        func text(_ entries: [LocatedNode.Entry]?, _ key: String) -> String? {
            entries?.first { $0.key == key }?.value.scalar
        }
        let (quantities, units) = (section("quantities"), section("units"))
        #expect(Set(table.dialects.keys) == ["2005", "2017"])
        for factor in table.dialects.values.joined() {
            let quantity = try #require(quantities[factor.point.text], "\(factor.point)")
            let symbols = factor.unit.map { [$0] } ?? Array(table.particulates.decimals.keys)
            for symbol in symbols {
                let unit = try #require(units[symbol], "\(symbol)")
                #expect(text(unit, "dim") == text(quantity, "dim"), "\(factor.point)")
            }
        }
        // The vocabulary names the codes of 2017 as well.
        for factor in table.dialects["2017"] ?? [] {
            #expect(text(quantities[factor.point.text], "hj212") == factor.code)
        }
    }

    @Test("says how a point goes out, and the uplink may choose the unit of particulates")
    func points() throws {
        let table = try shipped()
        let units = ["mg/m3": milligramsPerCubicMetre, "kPa": kilopascals]
        func point(_ key: String, _ dialect: String, _ unit: String? = nil) -> UplinkPoint? {
            table.point(PointKey(key), dialect: dialect, particulates: unit) { units[$0] }
        }
        #expect(
            point("pm10", "2017")
                == UplinkPoint(
                    name: "a34002", unit: milligramsPerCubicMetre, decimals: 3,
                    statistics: [.minimum, .mean, .maximum]))
        #expect(
            point("pm10", "2005", "ug/m3")
                == UplinkPoint(
                    name: "107", unit: nil, decimals: 0, statistics: [.minimum, .mean, .maximum]))
        #expect(point("air_pressure", "2017")?.unit == kilopascals)
        #expect(point("wind_direction", "2017")?.statistics.contains(.vectorMean) == true)
        #expect(point("sound_level", "2017")?.statistics.contains { $0.needsSamples } == true)
        #expect(point("active_power.total", "2017") == nil)
        #expect(point("pm10", "1999") == nil)
        #expect(table.isParticulate(PointKey("tsp"), dialect: "2017"))
        #expect(!table.isParticulate(PointKey("wind_speed"), dialect: "2017"))
        #expect(table.particulates.warning.en.contains("1000"))
    }

    @Test("a station that is told by it sends what the standard's packets look like")
    func endToEnd() throws {
        let table = try shipped()
        func entry(_ key: String, _ value: Double) -> UplinkItem.Entry {
            var entry = factor(nil, [value])
            entry.point =
                table.point(PointKey(key), dialect: "2017") { symbol in
                    ["mg/m3": milligramsPerCubicMetre, "kPa": kilopascals][symbol]
                } ?? .asStored
            return entry
        }
        let bench = HJ212Bench(
            hj212Options(), stations: [northStation], at: site("20261121080000"))
        bench.open()
        bench.submit(
            report(
                "2011/1min", from: morning, lasting: .seconds(60),
                [
                    entry("tsp", 217), entry("air_pressure", 101_300), entry("wind_direction", 275),
                    entry("sound_level", 57.9),
                ]))
        #expect(
            bench.sent[0].contains(
                "a34001-Rtd=0.217,a34001-Flag=N;a01006-Rtd=101.300,a01006-Flag=N;"
                    + "a01008-Rtd=275,a01008-Flag=N;LA-Rtd=57.9,LA-Flag=N"))
    }

    @Test("names what is wrong with a line, where, and what to do")
    func wrongLines() throws {
        let lines: [(String, String)] = [
            (
                "- { point: tsp, code: \"a;1\", unit: Cel, decimals: 1, statistics: [mean], source: s, status: verified }",
                "is no factor code; 1 to 24 letters"
            ),
            (
                "- { point: tsp, code: a1, unit: Cel, statistics: [mean], source: s, status: verified }",
                "'decimals' is missing"
            ),
            (
                "- { point: tsp, code: a1, unit: Cel, decimals: 12, statistics: [mean], source: s, status: verified }",
                "decimals lie between 0 and 9"
            ),
            (
                "- { point: tsp, code: a1, unit: particulates, decimals: 1, statistics: [mean], source: s, status: verified }",
                "unknown key 'decimals'"
            ),
            (
                "- { point: tsp, code: a1, unit: Cel, decimals: 1, statistics: [median], source: s, status: verified }",
                "'median' is not accepted here"
            ),
            (
                "- { point: tsp, code: a1, unit: Cel, decimals: 1, statistics: [mean, vector_mean], source: s, status: verified }",
                "cannot stand together"
            ),
            (
                "- { point: tsp, code: a1, unit: Cel, decimals: 1, statistics: [mean], source: s, status: guessed }",
                "'guessed' is not accepted here; one of: verified, secondary, from-memory, project"
            ),
            (
                "- { point: tsp, code: a1, unit: Cel, decimals: 1, statistics: [mean], status: project }",
                "'source' is missing"
            ),
        ]
        for (line, message) in lines {
            let faults = try faults(Self.head + "      " + line + "\n")
            #expect(
                faults.contains { $0.contains(message) && $0.hasPrefix("t.yaml:") }, "\(faults)")
        }
        let good =
            "      - { point: tsp, code: a1, unit: Cel, decimals: 1, statistics: [mean], source: s, status: project }\n"
        #expect(try faults(Self.head + good) == [])
        #expect(try faults(Self.head + good + good).first?.contains("stands twice") == true)
        let same = good.replacing("point: tsp", with: "point: pm10")
        #expect(try faults(Self.head + good + same).first?.contains("another point's") == true)
        #expect(
            try faults(Self.head.replacing("unit: mg/m3", with: "unit: ug/m3") + good).count == 1)
        #expect(
            try faults(Self.head.replacing("hj212-factors/1", with: "hj212-factors/2") + good).count
                == 1)
    }
}
