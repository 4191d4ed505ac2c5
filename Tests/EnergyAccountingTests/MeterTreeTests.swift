import EnergyAccounting
import LocatedText
import Telemetry
import Testing

/// Reads `meters:` from text; the faults come back as lines.
private func parse(_ text: String) throws -> (tree: MeterTree, faults: [String]) {
    let faults = FaultCollector()
    let tree = MeterTree.parse(try LocatedNode.parse(text, file: "site.yaml"), faults: faults)
    return (tree, faults.faults.map(\.description))
}

@Suite("The meter tree")
struct MeterTreeTests {
    @Test("is read as it is written, and a child has its parent's carrier")
    func reads() throws {
        let (tree, faults) = try parse(
            """
            - { id: office, parent: floor, item: lighting-sockets, counter: m3.active_energy.import.total }
            - { id: main, carrier: heat, counter: m1.active_energy.import.total }
            - { id: floor, parent: main, counter: m2.active_energy.import.total }
            - { id: other, counter: m4.active_energy.import.total }
            """)
        #expect(faults == [])
        #expect(tree.meters.map(\.id) == ["office", "main", "floor", "other"])
        #expect(tree.roots.map(\.id) == ["main", "other"])
        #expect(tree.children(of: "main").map(\.id) == ["floor"])
        #expect(tree.children(of: "nothing").isEmpty)
        #expect(tree["office"]?.carrier == "heat")
        #expect(tree["other"]?.carrier == "electricity")
        #expect(tree["office"]?.item == "lighting-sockets")
        #expect(tree["office"]?.counter == SeriesID("m3.active_energy.import.total"))
    }

    @Test("tells every mistake at once, with its place and a remedy")
    func allFaults() throws {
        let (tree, faults) = try parse(
            """
            - { id: main, counter: m1.energy }
            - { id: main, counter: m2.energy }
            - { id: plant, parent: mian, counter: m3.energy }
            - { id: Büro, counter: m4.energy }
            - { id: shed, counter: m5 }
            - { id: rest, parent: main, formula: main - plant }
            - { id: hut, carrier: electrcity, counter: m6.energy, colour: red }
            - { parent: main }
            - nonsense
            """)
        let expected = [
            "site.yaml:2:9: the meter 'main' stands twice; the first is at site.yaml:1:9",
            "site.yaml:3:24: no meter has the id 'mian'; did you mean 'main'?",
            "site.yaml:4:9: 'Büro' is not a name",
            "site.yaml:5:24: 'm5' is not a series",
            "site.yaml:6:38: calculated meters come later",
            "site.yaml:7:23: 'electrcity' is not accepted here; did you mean 'electricity'?",
            "site.yaml:7:55: unknown key 'colour'",
            "site.yaml:8:3: 'id' is missing",
            "site.yaml:8:3: 'counter' is missing",
            "site.yaml:9:3: a mapping is expected",
        ]
        for line in expected {
            #expect(faults.contains { $0.hasPrefix(line) }, "missing: \(line)")
        }
        #expect(tree.meters.map(\.id) == ["main", "plant", "hut"], "\(faults)")
    }

    @Test(
        "refuses a circle, once, and keeps a tree",
        arguments: [
            ("a", "a", "a"), ("b", "a", "a"), ("b", "c", "a"), ("c", "a", "b"),
        ])
    func circles(parents: (String, String, String)) throws {
        let (tree, faults) = try parse(
            """
            - { id: a, parent: \(parents.0), counter: m1.e }
            - { id: b, parent: \(parents.1), counter: m2.e }
            - { id: c, parent: \(parents.2), counter: m3.e }
            """)
        #expect(faults.count == 1, "\(faults)")
        #expect(faults.first?.contains("cannot stand below itself") == true)
        #expect(tree.meters.count == 3)
        // Everything hangs below a root.
        var reached = tree.roots.map(\.id)
        var next = 0
        while next < reached.count {
            reached += tree.children(of: reached[next]).map(\.id)
            next += 1
        }
        #expect(reached.sorted() == ["a", "b", "c"])
    }

    @Test("says which meters name no counter of energy")
    func binding() throws {
        let (tree, _) = try parse(
            """
            - { id: main, counter: m1.active_energy.import.total }
            - { id: typo, counter: m1.active_energy.import.totl }
            - { id: power, counter: m1.active_power.total }
            - { id: water, counter: m1.volume }
            """)
        func series(_ id: String, _ kind: SeriesKind, _ unit: String) throws -> Series {
            Series(id: try #require(SeriesID(id)), kind: kind, unit: unit)
        }
        let faults = tree.bindingFaults(series: [
            try series("m1.active_energy.import.total", .counter, "kWh"),
            try series("m1.active_power.total", .gauge, "kW"),
            try series("m1.volume", .counter, "m3"),
        ])
        #expect(faults.map(\.location.line) == [2, 3, 4])
        #expect(faults.first?.remedy == "did you mean 'm1.active_energy.import.total'?")
        #expect(faults[1].message.contains("not a counter"))
        #expect(faults[2].message.contains("'m3', not 'kWh'"))
    }
}
