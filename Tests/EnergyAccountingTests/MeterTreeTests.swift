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
        #expect(tree["office"]?.carrier == .heat)
        #expect(tree["other"]?.carrier == .electricity)
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
            - { id: rest, parent: main, formula: main -plant }
            - { id: hut, carrier: electrcity, counter: m6.energy, colour: red }
            - { parent: main }
            - nonsense
            """)
        let expected = [
            "site.yaml:2:9: the meter 'main' stands twice; the first is at site.yaml:1:9",
            "site.yaml:3:24: no meter has the id 'mian'; did you mean 'main'?",
            "site.yaml:4:9: 'Büro' is not a name",
            "site.yaml:5:24: 'm5' is not a series",
            "site.yaml:6:38: the formula 'main -plant' cannot be read: a sign is expected before '-plant'",
            "site.yaml:7:23: 'electrcity' is not accepted here; did you mean 'electricity'?",
            "site.yaml:7:55: unknown key 'colour'",
            "site.yaml:8:3: 'id' is missing",
            "site.yaml:8:3: 'counter' is missing; add 'counter: device.point', or 'formula'",
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

    @Test("reads what a meter is for, and a formula, a share and people's entries in its place")
    func rich() throws {
        let (tree, faults) = try parse(
            """
            - { id: main, title: { en: Main, zh: 总表 }, counter: m1.e, limit: 630 kW, accuracy: 0.5 }
            - { id: plant, parent: main, zone: plant, machine: crane, organisation: [a, b, c, d], counter: m2.e }
            - { id: pv, role: generation, counter: m3.e }
            - { id: rest, parent: main, formula: main - plant - 0.25 * pv }
            - { id: water, carrier: reclaimed-water, counter: w.v, limit: 20 m3/h }
            - { id: fuel, carrier: diesel, entries: true }
            """)
        #expect(faults == [])
        #expect(tree["main"]?.title == LocalizedText(en: "Main", zh: "总表"))
        #expect(tree["main"]?.limit == Exact(630) && tree["main"]?.accuracy == Exact(1, over: 2))
        #expect(tree["plant"]?.zone == "plant" && tree["plant"]?.machine == "crane")
        #expect(tree["plant"]?.organisation == ["a", "b", "c", "d"])
        #expect(tree["pv"]?.role == .generation)
        #expect(tree["fuel"]?.source == .entries && tree["fuel"]?.carrier.unit == "L")
        guard case .formula(let formula)? = tree["rest"]?.source else {
            Issue.record("no formula")
            return
        }
        #expect(formula.text == "main - plant - 1/4 * pv")
        #expect(tree.inTreeOrder.map(\.id) == ["main", "plant", "rest", "pv", "water", "fuel"])
        #expect(tree.depth(of: "rest") == 1 && tree.depth(of: "pv") == 0)
        #expect(tree.carriers == [.electricity, .reclaimedWater, .diesel])
    }

    @Test(
        "refuses what cannot be added up, with its place",
        arguments: [
            ("formula: main - b", "no meter has the id 'b'"),
            ("formula: a + main", "a meter cannot be part of itself: a of a"),
            ("formula: c", "a meter cannot be part of itself: a of c of a"),
            ("formula: main + + c", "a meter is expected before '+'"),
            ("formula: main -", "it ends before a meter"),
            ("formula: 2 3 * main", "two numbers follow each other"),
            ("formula: '* main'", "a number is expected before '*'"),
            ("formula: main + water", "'a' is in kWh, 'water' in m3"),
            ("share: { of: main, by: area, part: 300 m2, whole: 200 m2 }", "a share lies between"),
            (
                "share: { of: main, by: area, part: 300, whole: 200 m2 }",
                "'300' is not a number of m2"
            ),
            ("share: { of: main, by: people, part: 1, whole: 0 }", "a share lies between"),
            ("share: { of: main, by: weight, part: 1, whole: 2 }", "'weight' is not accepted here"),
            ("counter: m.e, formula: main", "'counter' and 'formula' stand together"),
            ("entries: false", "'entries' says 'true', or is left out"),
            ("parent: water, counter: m.e, carrier: electricity", "its parent 'water' water"),
            ("counter: m.e, carrier: diesel", "no counter counts diesel"),
            ("counter: m.e, limit: 630 kVA", "'630 kVA' is not a number of kW"),
            ("counter: m.e, accuracy: 20", "a per cent between 0 and 10"),
            ("counter: m.e, organisation: [a, b, c, d, e]", "at most 4 levels"),
        ])
    func refuses(rest: String, message: String) throws {
        let (tree, faults) = try parse(
            """
            - { id: main, counter: m1.e }
            - { id: water, carrier: water, counter: w.v }
            - { id: a, \(rest) }
            - { id: c, formula: a }
            """)
        #expect(
            faults.contains { $0.contains(message) && $0.hasPrefix("site.yaml:3") }, "\(faults)")
        // Whatever was refused, every meter can be added up.
        for meter in tree.meters { #expect(tree.parts(of: meter.id).count <= 4) }
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
