import TestSeeds
import Testing

@testable import LocatedText

@Suite("MappingReader and Spelling")
struct MappingReaderTests {
    @Test("ten faults of one file come together, in order of place, each with its remedy")
    func tenFaults() throws {
        let node = try LocatedNode.parse(
            """
            stie: hz
            id: [1]
            timezone: Asia/Shanghai
            every: 15m
            wait: soon
            area: 103000
            unit: one
            enabled: yes
            phase: constructoin
            size: 8 GB
            devices: none
            """, file: "site.yaml")
        let faults = FaultCollector()
        var reader = MappingReader(node, faults)
        _ = reader.optional("size")?.byteCount(faults)
        _ = reader.required("site")?.string(faults)
        _ = reader.required("id")?.string(faults)
        _ = reader.required("timezone")?.string(faults)
        _ = reader.optional("every")?.duration(faults)
        _ = reader.optional("wait")?.duration(faults)
        _ = reader.optional("area")?.quantity(faults)
        _ = reader.optional("unit")?.int(faults)
        _ = reader.optional("enabled")?.bool(faults)
        _ = reader.optional("phase")?.word([("construction", 1), ("operation", 2)], faults)
        _ = reader.optional("devices")?.list(faults)
        reader.finish()
        let thrown = try #require(throws: Faults.self) { try faults.throwIfAny() }
        #expect(
            thrown.description == """
                site.yaml:1:1: 'site' is missing; add 'site: …'
                site.yaml:1:1: unknown key 'stie'; did you mean 'site'?
                site.yaml:2:5: a text is expected, not a list
                site.yaml:4:8: '15m' is not a duration: 'm' could be minutes or months; write '15min' or '15month'
                site.yaml:5:7: 'soon' is not a duration; a number and one of ms, s, min, h, d, month, y, for example '15min'
                site.yaml:6:7: '103000' is not a quantity; a number and its unit, '103000 m2'
                site.yaml:7:7: a whole number is expected, not 'one'
                site.yaml:8:10: true or false is expected, not 'yes'
                site.yaml:9:8: 'constructoin' is not accepted here; did you mean 'construction'?
                site.yaml:10:7: 'GB' is not a size; one of B, KiB, MiB, GiB, TiB
                site.yaml:11:10: a list is expected, not 'none'
                """)
    }

    @Test("a null value counts as absent, and still as a known key")
    func null() throws {
        let faults = FaultCollector()
        let node = try LocatedNode.parse("a:\nb: ~\nc: ''\n", file: "f")
        var reader = MappingReader(node, faults)
        #expect(reader.optional("a") == nil && reader.has("a"))
        #expect(reader.optional("b") == nil)
        #expect(reader.optional("c")?.scalar == "")
        #expect(!reader.has("d"))
        reader.finish()
        #expect(faults.isEmpty)
        #expect(reader.required("a") == nil)
        #expect(faults.faults.map(\.message) == ["'a' is missing"])
    }

    @Test("an unknown key far from every known one is answered with the list of them")
    func farKey() throws {
        let faults = FaultCollector()
        let node = try LocatedNode.parse("zzzzzz: 1", file: "f")
        var reader = MappingReader(node, faults)
        _ = reader.optional("unit")
        _ = reader.optional("id")
        reader.finish()
        #expect(faults.faults.first?.remedy == "known here: id, unit")
        #expect(faults.faults.first?.location == Location(file: "f", line: 1, column: 1))
    }

    @Test("what is no mapping is one fault and reads as empty")
    func noMapping() throws {
        let faults = FaultCollector()
        let node = try LocatedNode.parse("- 1", file: "f")
        var reader = MappingReader(node, faults)
        #expect(reader.optional("a") == nil)
        reader.finish()
        #expect(faults.faults.map(\.message) == ["a mapping is expected, not a list"])
    }

    @Test(
        "the nearest spelling forgives an edit, a swap and the case",
        arguments: [
            ("retenton", "retention"), ("Retention", "retention"), ("reteniton", "retention"),
            ("retentions", "retention"), ("untis", nil), ("uint", "unit"), ("x", nil),
            ("colour", nil),
            ("", nil),
        ] as [(String, String?)])
    func nearest(word: String, expected: String?) {
        #expect(Spelling.nearest(to: word, among: ["retention", "unit", "directory"]) == expected)
    }

    @Test("a distance is symmetric and zero only between equal words")
    func distance() {
        var random = SeededGenerator(73)
        func word() -> String {
            String(
                (0..<Int.random(in: 0...6, using: &random)).map { _ in
                    "abc".randomElement(using: &random) ?? "a"
                })
        }
        for _ in 0..<2000 {
            let (a, b) = (word(), word())
            #expect(Spelling.distance(a, b) == Spelling.distance(b, a))
            #expect((Spelling.distance(a, b) == 0) == (a == b))
            #expect(Spelling.distance(a, b) <= max(a.count, b.count))
        }
    }
}
