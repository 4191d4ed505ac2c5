import Foundation
import GRDB
import Telemetry
import TestSeeds
import Testing

@testable import Store

@Suite("The journal")
struct JournalTests {
    let site = Site()

    @Test("scans come in one order, whatever the order of the commits")
    func order() async throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        let store = try site.open(.process)
        let groups = try await store.writer.register([Site.group("a"), Site.group("b")])
        var all: [(row: Int64, scan: Scan)] = []
        for _ in 0..<150 {
            // Rows of a second, and rows that span hours as a device's backlog does.
            let base = Int64.random(in: 0..<20_000, using: &random)
            let width = Bool.random(using: &random) ? Int64(2) : 9_000
            let scans = (0..<Int.random(in: 0...6, using: &random)).map { _ in
                Site.scan(
                    groups[Int.random(in: 0...1, using: &random)],
                    at: base + Int64.random(in: 0..<width, using: &random),
                    Double(all.count), sequence: UInt16.random(in: 0...2, using: &random))
            }
            let row = try await store.writer.commit(Site.batch(scans))
            all += scans.map { (row, $0) }
        }
        for round in 0..<60 {
            let group = groups[round % 2]
            let from = Int64.random(in: -100..<25_000, using: &random)
            let to = from + Int64.random(in: 0..<8_000, using: &random)
            let upTo = Int64.random(in: 0...150, using: &random)
            let limit = round % 3 == 0 ? Int.random(in: 1...20, using: &random) : 100_000
            let wanted = all.filter { row, scan in
                scan.group == group.id && row <= upTo
                    && (Site.start + .seconds(from)..<Site.start + .seconds(to)).contains(scan.time)
            }.map(\.scan)
            let found = try await store.reader.scans(
                group: group.id, from: Site.start + .seconds(from), to: Site.start + .seconds(to),
                upTo: upTo, limit: limit)
            let ordered = Scan.inOrder(wanted)
            #expect(found == Array(ordered.prefix(limit)), "seed \(seed), round \(round)")

            let before = Site.start + .seconds(to)
            let last = try await store.reader.lastScans(
                group: group.id, before: before, limit: 3, upTo: upTo)
            let expected = Scan.inOrder(
                all.filter { row, scan in
                    scan.group == group.id && row <= upTo && scan.time < before
                }.map(\.scan)
            ).suffix(3)
            #expect(last == Array(expected), "seed \(seed), round \(round)")
        }
        try store.close()
    }

    @Test("a device that has been silent for long is found, also after a start")
    func silent() async throws {
        var store = try site.open(.process)
        let groups = try await store.writer.register([Site.group("old"), Site.group("new")])
        try await store.writer.commit(Site.batch([Site.scan(groups[0], at: 0, 5)])).discard()
        let day: Int64 = 86_400
        for index in 0..<(2_005) {
            try await store.writer.commit(
                Site.batch([Site.scan(groups[1], at: day + Int64(index) * 60)])
            ).discard()
        }
        let far = Timestamp(milliseconds: .max)
        #expect(
            try await store.reader.lastScans(group: groups[0].id, before: far, limit: 1).count == 1)
        try store.close()
        store = try site.open(.process)
        #expect(store.reader.latest()[groups[0].series[0].number]?.reading == .number(5))
        let last = try await store.reader.lastScans(group: groups[0].id, before: far, limit: 1)
        #expect(last.map(\.readings.first) == [.number(5)])
        try store.close()
    }

    @Test("scansAt finds the scans of exactly one instant")
    func instant() async throws {
        let store = try site.open(.process)
        let group = try await store.writer.register([Site.group()])[0]
        let scans = [
            Site.scan(group, at: 9), Site.scan(group, at: 10, 1, sequence: 1),
            Site.scan(group, at: 10, 2, sequence: 0), Site.scan(group, at: 11),
        ]
        try await store.writer.commit(Site.batch(scans)).discard()
        let found = try await store.reader.scansAt(
            group: group.id, time: Site.start + .seconds(10))
        // Their order is that of what they say, however they came.
        #expect(found == Scan.inOrder([scans[2], scans[1]]))
        #expect(found.map(\.readings) == [scans[1].readings, scans[2].readings])
        try store.close()
    }

    @Test("answers are paged by rows and by bytes, and nothing is lost between pages")
    func paging() async throws {
        let store = try site.open(.process)
        let group = try await store.writer.register([Site.group()])[0]
        for index in 0..<50 {
            try await store.writer.commit(Site.batch([Site.scan(group, at: Int64(index))]))
                .discard()
        }
        var seen: [Int64] = []
        while true {
            let page = try await store.reader.journal(
                after: seen.last ?? 0, maximumRows: seen.count % 2 == 0 ? 7 : 100, maximumBytes: 90)
            if page.isEmpty { break }
            #expect(page.count < 7)
            seen += page.map(\.sequence)
        }
        #expect(seen == Array(1...50))
        try store.close()
    }

    @Test("a damaged row is skipped and counted once, and what lies around it is read")
    func damage() async throws {
        var store = try site.open()
        let group = try await store.writer.register([Site.group()])[0]
        for index in 0..<10 {
            try await store.writer.commit(
                Site.batch([Site.scan(group, at: Int64(index) * 10, Double(index))])
            ).discard()
        }
        try store.close()
        try site.meddle("UPDATE journal SET scans = x'0102030405' WHERE seq IN (4, 10)")
        try site.meddle("UPDATE journal SET scans = x'' WHERE seq = 5")
        try site.meddle("UPDATE journal SET deliveries = x'ff' WHERE seq = 6")

        store = try site.open()
        // A page that holds nothing but damage does not look like the end.
        let rows = try await store.reader.journal(after: 3, maximumRows: 1)
        #expect(rows.map(\.sequence) == [6])
        let sound: [Int64] = [1, 2, 3, 6, 7, 8, 9]
        for _ in 0..<2 {
            #expect(try await store.reader.journal(after: 0).map(\.sequence) == sound)
            let scans = try await store.reader.scans(
                group: group.id, from: Site.start, to: Site.start + .seconds(100))
            #expect(scans.count == sound.count)
        }
        #expect(store.reader.damagedRows().map(\.sequence) == [4, 5, 6, 10])
        #expect(try await store.reader.statistics().damagedRows == 4)
        #expect(store.reader.latest()[group.series[0].number]?.reading == .number(8))
        let next = try await store.writer.commit(Site.batch([Site.scan(group, at: 100)]))
        #expect(next == 11)
        try store.close()
    }

    @Test("the latest reading is the newest by time, and remembers the last good value")
    func latest() async throws {
        let store = try site.open()
        let group = try await store.writer.register([Site.group()])[0]
        let number = group.series[0].number
        try await store.writer.commit(Site.batch([Site.scan(group, at: 20, 2)])).discard()
        try await store.writer.commit(Site.batch([Site.scan(group, at: 10, 1)])).discard()
        #expect(store.reader.latest()[number]?.reading == .number(2))
        var dead = Site.scan(group, at: 30)
        dead.readings = Array(repeating: .bad(.timeout), count: 3)
        try await store.writer.commit(Site.batch([dead])).discard()
        let latest = try #require(store.reader.latest()[number])
        #expect(latest.reading == .bad(.timeout))
        #expect(latest.time == Site.start + .seconds(30))
        #expect(latest.goodTime == Site.start + .seconds(20))
        #expect(latest.goodValue == .number(2))
        try store.close()
    }

    @Test("readers read whole commits, in order, while the writer goes on")
    func concurrent() async throws {
        let store = try site.open(.process)
        let group = try await store.writer.register([Site.group()])[0]
        let rows: Int64 = 300
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                for index in 0..<rows {
                    let pair = [
                        Site.scan(group, at: index, Double(index)),
                        Site.scan(group, at: index, Double(index) + 0.5, sequence: 1),
                    ]
                    try await store.writer.commit(Site.batch(pair)).discard()
                }
            }
            for _ in 0..<4 {
                tasks.addTask {
                    var seen: Int64 = 0
                    while seen < rows {
                        let newest = await store.reader.waitForCommit(after: seen)
                        #expect(newest > seen)
                        let page = try await store.reader.journal(after: seen)
                        // What was announced can be read.
                        #expect(page.first?.sequence == seen + 1)
                        #expect(page.allSatisfy { $0.scans.count == 2 })
                        seen = page.last?.sequence ?? seen
                    }
                }
            }
            tasks.addTask {
                for _ in 0..<50 {
                    let scans = try await store.reader.scans(
                        group: group.id, from: Site.start, to: Site.start + .seconds(rows))
                    #expect(scans.count % 2 == 0)
                }
            }
            try await tasks.waitForAll()
        }
        try store.close()
    }

    @Test("a waiter is released by a commit, by cancellation and by closing")
    func waiters() async throws {
        let store = try site.open(.process)
        let group = try await store.writer.register([Site.group()])[0]
        async let woken = store.reader.waitForCommit(after: 0)
        try await store.writer.commit(Site.batch([Site.scan(group, at: 0)])).discard()
        #expect(await woken == 1)
        let cancelled = Task { await store.reader.waitForCommit(after: 1) }
        cancelled.cancel()
        #expect(await cancelled.value == 1)
        var stream = store.reader.commits().makeAsyncIterator()
        try await store.writer.commit(Site.batch([Site.scan(group, at: 1)])).discard()
        try await store.writer.commit(Site.batch([Site.scan(group, at: 2)])).discard()
        #expect(await stream.next() == 3)
        async let closed = store.reader.waitForCommit(after: 3)
        try store.close()
        #expect(await closed == 3)
        #expect(await stream.next() == nil)
    }
}
