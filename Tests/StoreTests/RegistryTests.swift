import Telemetry
import Testing

@testable import Store

@Suite("The registry")
struct RegistryTests {
    let site = Site()

    @Test("numbers are the same after a restart and in any order")
    func stable() async throws {
        let groups = [Site.group("a"), Site.group("b")]
        var store = try site.open()
        let first = try await store.writer.register(groups)
        #expect(Set(first.flatMap { $0.series.map(\.number) }).count == 6)
        #expect(Set(first.map(\.id)).count == 2)
        try store.close()
        store = try site.open()
        let again = try await store.writer.register(groups.reversed())
        #expect(again == first.reversed())
        #expect(try await store.reader.registry().groups == first)
        try store.close()
    }

    @Test("a start that finds the site as it was writes nothing")
    func unchanged() async throws {
        let groups = [Site.group("a"), Site.group("b")]
        var store = try site.open()
        let first = try await store.writer.register(groups)
        try store.close()
        // Every insert and update of the registry's tables fails from here on.
        for table in ["device", "series", "scan_group"] {
            for change in ["INSERT", "UPDATE"] {
                try site.meddle(
                    """
                    CREATE TRIGGER no_\(change)_\(table) BEFORE \(change) ON \(table)
                    BEGIN SELECT RAISE(ABORT, 'written'); END
                    """)
            }
        }
        store = try site.open()
        #expect(try await store.writer.register(groups) == first)
        #expect(try await store.writer.register([groups[1]]) == [first[1]])
        var changed = groups
        changed[1].period = .seconds(20)
        await #expect(throws: StoreError.self) { try await store.writer.register(changed) }
        try store.close()
    }

    @Test("a changed list of columns is a new group, and its series keep their numbers")
    func columns() async throws {
        let store = try site.open()
        let old = try await store.writer.register([Site.group(points: ["power", "voltage"])])[0]
        try await store.writer.commit(Site.batch([Site.scan(old, at: 0, 1)])).discard()
        let new = try await store.writer.register([Site.group(points: ["voltage", "power"])])[0]
        #expect(new.id != old.id)
        #expect(new.series[0].number == old.series[1].number)
        #expect(new.series[1].number == old.series[0].number)
        try await store.writer.commit(Site.batch([Site.scan(new, at: 10, 2)])).discard()
        let registry = try await store.reader.registry()
        #expect(registry.groups == [new])
        #expect(registry.superseded == [old])
        // The samples of both groups are one series.
        let samples = try await store.reader.samples(
            series: old.series[0].id, from: Site.start, to: Site.start + .seconds(60))
        #expect(samples.map(\.reading) == [.number(1), .number(2)])
        #expect(store.reader.latest()[old.series[0].number]?.reading == .number(2))
        // And back again: the old number, not a third.
        let back = try await store.writer.register([Site.group(points: ["power", "voltage"])])[0]
        #expect(back == old)
        try store.close()
    }

    @Test("a changed unit gives the series a new number, and the old samples are not mixed in")
    func units() async throws {
        let store = try site.open()
        let old = try await store.writer.register([Site.group(unit: "kW")])[0]
        try await store.writer.commit(Site.batch([Site.scan(old, at: 0, 1)])).discard()
        let new = try await store.writer.register([Site.group(unit: "W")])[0]
        #expect(new.series[0].number != old.series[0].number)
        #expect(new.series[1].number == old.series[1].number)
        try await store.writer.commit(Site.batch([Site.scan(new, at: 10, 1000)])).discard()
        let samples = try await store.reader.samples(
            series: new.series[0].id, from: Site.start, to: Site.start + .seconds(60))
        #expect(samples.map(\.reading) == [.number(1000)])
        #expect(try await store.reader.registry().series(new.series[0].id)?.unit == "W")
        try store.close()
    }

    @Test("a changed counter policy, period or lateness changes the row, not the numbers")
    func properties() async throws {
        let store = try site.open()
        let old = try await store.writer.register([Site.group()])[0]
        var changed = Site.group()
        changed.series[2].counter = CounterPolicy(modulus: nil, resets: .daily)
        changed.period = nil
        changed.lateness = .seconds(90)
        let new = try await store.writer.register([changed])[0]
        #expect(new.id == old.id)
        #expect(new.series.map(\.number) == old.series.map(\.number))
        #expect(try await store.reader.registry().groups == [new])
        try store.close()
    }

    @Test("a scan that does not fit its group is refused and nothing is written")
    func misfits() async throws {
        let store = try site.open()
        let group = try await store.writer.register([Site.group()])[0]
        var narrow = Site.scan(group, at: 0)
        narrow.readings.removeLast()
        var foreign = Site.scan(group, at: 0)
        foreign.group = ScanGroup.ID(99)
        for scan in [narrow, foreign] {
            let error = await #expect(throws: StoreError.self) {
                try await store.writer.commit(Site.batch([Site.scan(group, at: 0), scan]))
            }
            #expect(error?.code == .invalid)
            #expect(error?.disposition == .skip)
        }
        #expect(store.reader.newestSequence() == 0)
        #expect(try await store.reader.journal(after: 0).isEmpty)
        try store.close()
    }
}

extension Int64 {
    /// Says that a commit's sequence does not matter here.
    func discard() {}
}
