import TestSeeds
import Testing

@testable import LocatedText

@Suite("LocatedNode")
struct LocatedNodeTests {
    private func parse(_ text: String) throws(Faults) -> LocatedNode {
        try LocatedNode.parse(text, file: "site.yaml")
    }

    private func faults(_ text: String) throws -> [Fault] {
        try #require(throws: Faults.self) { try parse(text) }.all
    }

    @Test("every key and value knows its line and column")
    func positions() throws {
        let node = try parse(
            """
            # a comment
            site:
              id: hz
              name: 钱塘
            links:
              - id: bus
                devices: [ { id: a, unit: 1 }, { id: b } ]
            """)
        let collector = FaultCollector()
        let entries = node.entries(collector)
        #expect(entries.map(\.key) == ["site", "links"])
        #expect(entries.map(\.keyLocation.line) == [2, 5])
        let name = entries[0].value.entries(collector)[1]
        #expect(name.keyLocation == Location(file: "site.yaml", line: 4, column: 3))
        #expect(name.value.location == Location(file: "site.yaml", line: 4, column: 9))
        #expect(name.value.scalar == "钱塘")
        let link = entries[1].value.list(collector)[0].entries(collector)
        let devices = link[1].value.list(collector)
        #expect(devices[0].location.description == "site.yaml:7:16")
        #expect(devices[1].location.description == "site.yaml:7:36")
        #expect(devices[1].entries(collector)[0].value.location.column == 42)
        #expect(collector.isEmpty)
    }

    @Test("a quoted number is a text, a plain one a number")
    func quoting() throws {
        let collector = FaultCollector()
        let list = try parse(#"[ 7, "7", '7', 0x1F, 1.5, true, "true", ~, null, "" ]"#).list(
            collector)
        #expect(list[0].int(collector) == 7 && list[3].int(collector) == 31)
        #expect(list[4].double(collector) == 1.5 && list[3].double(collector) == 31)
        #expect(list[5].bool(collector) == true)
        #expect(list[7].isNull && list[8].isNull && !list[9].isNull)
        #expect(collector.isEmpty)
        #expect(list[1].int(collector) == nil && list[2].double(collector) == nil)
        #expect(list[6].bool(collector) == nil)
        #expect(collector.faults.count == 3)
        #expect(
            collector.faults[0].description == "site.yaml:1:6: a whole number is expected, not '7'")
    }

    @Test(
        "a number is finite and whole where it must be",
        arguments: ["nan", "inf", "-infinity", "1e999", "", "1,5", "٣", "0x", "1 2", "yes"])
    func noNumber(text: String) {
        let node = LocatedNode(
            content: .scalar(text, isQuoted: false),
            location: Location(file: "f", line: 1, column: 1))
        let collector = FaultCollector()
        #expect(node.double(collector) == nil && node.int(collector) == nil)
        #expect(node.bool(collector) == nil)
        #expect(collector.faults.count == 3)
    }

    @Test("anchors, aliases and tags are refused where they stand")
    func subset() throws {
        let found = try faults(
            """
            a: &x 1
            b: *x
            c: !vendor 5
            d: !!int 5
            e: !!binary aGk=
            """)
        #expect(found.map(\.location.line) == [1, 1, 3, 4, 5])
        #expect(found[0].message.contains("anchors") && found[0].remedy != nil)
        #expect(found[2].message.contains("tags"))
        #expect(try faults("a: *nowhere").count == 1)
    }

    @Test("aliases of aliases do not expand")
    func laughs() throws {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...30 {
            let previous = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(previous)]\n"
        }
        #expect(try faults(text).map(\.location.line) == [3])
        // As a key they would be compared before anybody could refuse them.
        let key = try faults(text + "? *a30\n: 1\n? *a30\n: 2\n")
        #expect(key.count == 1 && key[0].message.contains("aliases"))
    }

    @Test("stars in words, patterns and a few in comments are no aliases")
    func stars() throws {
        let words = Array(repeating: "2*3 a*b $.x[*].y \"**\" * item", count: 20)
        let text = "# " + Array(repeating: "*word*", count: 16).joined(separator: " ")
        let whole = text + "\na: |\n  " + words.joined(separator: "\n  ") + "\n"
        #expect(throws: Never.self) { try LocatedNode.parse(whole, file: "f.yaml") }
    }

    @Test("a key that stands twice, two documents, a bare tab and broken YAML are one clear fault")
    func syntax() throws {
        let twice = try faults("a: 1\nb: 2\na: 3\n")
        #expect(twice.count == 1 && twice[0].message.contains("'a'"))
        for text in ["a: [1, 2", "a: 1\n b: 2", "---\na: 1\n---\nb: 2", "a: \"x", "\t- x", "%"] {
            let found = try faults(text)
            #expect(found.count == 1, "\(text)")
            #expect(found[0].location.file == "site.yaml" && found[0].location.line >= 1)
        }
        #expect(try faults("")[0].message == "the file is empty")
        #expect(try faults("# only a comment\n")[0].message == "the file is empty")
    }

    @Test("deep nesting is a fault, not an exhausted stack")
    func deep() throws {
        let levels = try parse(
            String(repeating: "[", count: 60) + String(repeating: "]", count: 60))
        if case .sequence = levels.content {} else { Issue.record("60 levels are allowed") }
        for depth in [70, 999, 5000, 200_000] {
            let flow = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
            #expect(try !faults(flow).isEmpty)
            #expect(try !faults(String(repeating: "{a: ", count: depth)).isEmpty)
            let block = String(repeating: "- ", count: depth) + "x"
            #expect(try !faults(block).isEmpty)
        }
    }

    @Test("no bytes at all make the reader trap")
    func fuzz() {
        var random = SeededGenerator(71)
        let pieces = [
            "a", "b:", ": ", "- ", "\n", "\n  ", "[", "]", "{", "}", ",", "\"", "'", "#", "&a ",
            "*a", "!t ", "|", ">", "%", "@", "`", "\t", "\r\n", "---\n", "...", "? ", "<<: ", "~",
            "15m", "1e9", "0x", "\u{0}", "\u{feff}", "钱", "\u{85}", "\\u12", "\u{1F3D7}", "-",
        ]
        var read = 0
        for _ in 0..<30_000 {
            let text = (0..<Int.random(in: 0...24, using: &random))
                .map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            do {
                let node = try parse(text)
                read += 1
                visit(node)
            } catch {
                #expect(!error.all.isEmpty)
                for fault in error.all {
                    #expect(fault.location.line >= 1 && fault.location.column >= 0, "\(text)")
                }
            }
        }
        #expect(read > 100)
    }

    @Test("damaged bytes of a real file are read or refused")
    func damage() {
        var random = SeededGenerator(72)
        let original = Array(
            "site:\n  id: hz\n  floor_area: 103000 m2\nlinks:\n  - { id: b, every: 15min }\n".utf8)
        for _ in 0..<10_000 {
            var bytes = original
            for _ in 0...Int.random(in: 0...3, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
                    in: .min ... .max, using: &random)
            }
            if let node = try? parse(String(decoding: bytes, as: UTF8.self)) { visit(node) }
        }
    }

    /// Reads a node as everything it could be.
    private func visit(_ node: LocatedNode) {
        let collector = FaultCollector()
        _ = node.int(collector)
        _ = node.double(collector)
        _ = node.bool(collector)
        _ = node.duration(collector)
        _ = node.quantity(collector)
        _ = node.byteCount(collector)
        _ = node.word([("construction", 1)], collector)
        switch node.content {
        case .scalar: break
        case .sequence(let nodes): nodes.forEach(visit)
        case .mapping(let entries):
            MappingReader(node, collector).finish()
            entries.map(\.value).forEach(visit)
        }
    }
}
