import Store
import Telemetry
import Testing

@testable import Gateway

/// A station of two devices that is told of every ten minutes, over stored minutes.
private struct Station {
    static let start = Timestamp(rfc3339: "2026-11-20T08:00:00Z")!

    static func group(_ device: String) -> ScanGroup {
        ScanGroup(
            device: DeviceID(device), interface: "rs485", name: "fast",
            series: [
                Series(
                    id: SeriesID(device: DeviceID(device), point: PointKey("pm10")), kind: .gauge,
                    unit: "ug/m3")
            ], period: .seconds(30), isPolled: true)
    }

    static func selection(sendsCorrections: Bool = true) -> OwedSelection {
        let scopes = ["dust", "wind"].map { group($0).scope }
        return OwedSelection(
            uplink: "city",
            cadences: [
                .init(
                    kind: "2051/10min", base: .minute, span: .seconds(600), gather: .seconds(35))
            ], stations: Dictionary(uniqueKeysWithValues: scopes.map { ($0, ["MN1"]) }),
            hasStations: true, sendsCorrections: sendsCorrections)
    }

    let folded: FoldedStore

    init(sendsCorrections: Bool = true) async throws {
        folded = try await FoldedStore(
            groups: [Self.group("dust"), Self.group("wind")], start: Self.start,
            selections: [Self.selection(sendsCorrections: sendsCorrections)])
    }

    /// A scan of each device every 30 s of the minutes, committed after them.
    func read(_ minutes: Range<Int>, value: Double = 80, device: Int? = nil) async throws {
        var scans: [Scan] = []
        for half in (minutes.lowerBound * 2)..<(minutes.upperBound * 2) {
            for (index, group) in folded.groups.enumerated() where device ?? index == index {
                scans.append(
                    Scan(
                        group: group.id, time: Self.start + .seconds(30 * half),
                        readings: [.number(value)]))
            }
        }
        folded.clock.advance(
            to: max(folded.clock.wall, Self.start + .seconds(60 * minutes.upperBound + 20)))
        try await folded.commit(scans)
        try await folded.pass(.seconds(10))
        try await folded.evaluate()
    }

    func owed(at time: Timestamp) async throws -> [OwedItem] {
        try await folded.store.reader.owedItems(
            uplink: "city", now: time, correctionSpacing: .zero,
            liveSince: Timestamp(milliseconds: 0), live: true, limit: 100)
    }

    func accept(_ item: OwedItem) async throws {
        try await folded.store.writer.settle(
            [Settlement(item, .accepted)], at: folded.clock.wall)
    }
}

@Suite("What a station is owed")
struct OwedItemsTests {
    @Test("is one item for ten minutes of several devices, due when all of them had their time")
    func once() async throws {
        let station = try await Station()
        defer { station.folded.remove() }
        try await station.read(0..<21)
        let due = Station.start + .seconds(600 + 35)
        #expect(try await station.owed(at: due - .milliseconds(1)).isEmpty)
        let first = try await station.owed(at: due)
        #expect(first.map(\.start) == [Station.start])
        #expect(first.map(\.kind) == ["2051/10min"] && first.map(\.scope) == ["MN1"])
        let both = try await station.owed(at: Station.start + .seconds(1235))
        #expect(both.map(\.start) == [Station.start, Station.start + .seconds(600)])
        #expect(both.map(\.revision) == [0, 0])
    }

    @Test("rises by one revision when a part of what was told changes, and not before it was told")
    func correction() async throws {
        let station = try await Station()
        defer { station.folded.remove() }
        // The second device was silent for the first five minutes; they come late, twice.
        try await station.read(0..<12, device: 0)
        try await station.read(5..<12, device: 1)
        let later = Station.start + .seconds(3600)
        let first = try #require(try await station.owed(at: later).first)
        #expect(first.revision == 0)
        try await station.accept(first)
        #expect(try await station.owed(at: later).filter { $0.start == Station.start }.isEmpty)
        try await station.read(0..<5, device: 1)
        let second = try await station.owed(at: later).filter { $0.start == Station.start }
        #expect(second.map(\.revision) == [1])
    }

    @Test("stays as it was told where the platform takes no corrections")
    func noCorrection() async throws {
        let station = try await Station(sendsCorrections: false)
        defer { station.folded.remove() }
        try await station.read(0..<12, device: 0)
        let later = Station.start + .seconds(3600)
        try await station.accept(try #require(try await station.owed(at: later).first))
        try await station.read(0..<12, device: 1)
        #expect(try await station.owed(at: later).filter { $0.start == Station.start }.isEmpty)
    }

    @Test("is not owed again by a fold of the same rows after a restart")
    func replay() async throws {
        let station = try await Station()
        defer { station.folded.remove() }
        try await station.read(0..<12)
        let later = Station.start + .seconds(3600)
        for item in try await station.owed(at: later) { try await station.accept(item) }
        // As after a kill between the rows and the checkpoint: everything is folded once more.
        try station.folded.execute("DELETE FROM evaluation_state; UPDATE cursor SET seq = 0")
        try await station.folded.evaluate()
        #expect(try await station.owed(at: later).isEmpty)
    }
}
