import Acquisition
import Telemetry
import Testing

@testable import Gateway
@testable import Store

@Suite("Ingestion")
struct IngestionTests {
    static let start = Timestamp(rfc3339: "2026-11-20T00:00:00Z")!

    /// A device that reports by itself: a gauge, and a state whose change is urgent.
    static let group: ScanGroup = {
        let device = DeviceID("crane")
        func id(_ key: String) -> SeriesID { SeriesID(device: device, point: PointKey(key)) }
        return ScanGroup(
            device: device, interface: "mqtt", name: "t",
            series: [
                Series(id: id("wind.speed"), kind: .gauge, unit: "m/s"),
                Series(id: id("alarm.tilt"), kind: .state, unit: "", isUrgent: true),
            ], period: nil, isPolled: false)
    }()

    static func folded(_ options: Ingestion.Options = .init()) async throws -> FoldedStore {
        try await FoldedStore(groups: [group], start: start, options: options)
    }

    static func scan(
        _ folded: FoldedStore, _ seconds: Double, _ value: Double = 1, state: String = "normal"
    ) -> Scan {
        Scan(
            group: folded.groups[0].id,
            time: start + .milliseconds(Int64(seconds * 1000)),
            readings: [.number(value), .text(state)])
    }

    static func mark(_ id: UInt16) -> DeliveryMark {
        DeliveryMark(link: "broker", messageID: id, digest: UInt64(id))
    }

    @Test("commits when the oldest scan has waited for the interval, not before, and once")
    func interval() async throws {
        let folded = try await Self.folded()
        defer { folded.remove() }
        try await folded.running([folded.ingestion]) { _ in
            let ticket = try await folded.ingestion.admit(
                Admission(scans: [Self.scan(folded, 0)]))
            folded.clock.advance(by: .milliseconds(900))
            _ = try await folded.ingestion.admit(Admission(scans: [Self.scan(folded, 0.9)]))
            try await breathe()
            #expect(folded.store.reader.newestSequence() == 0)
            folded.clock.advance(by: .milliseconds(101))
            #expect(try await ticket.committed() == 1)
            #expect(try await folded.journaled().count == 2)
            folded.clock.advance(by: .seconds(2))
            try await breathe()
            #expect(folded.store.reader.newestSequence() == 1, "nothing came, nothing is written")
        }
    }

    @Test("commits at once at 8,192 readings and when a link holds its window, without spacing")
    func atOnce() async throws {
        let folded = try await Self.folded()
        defer { folded.remove() }
        try await folded.running([folded.ingestion]) { _ in
            let many = (0..<4096).map { Self.scan(folded, Double($0) / 10) }
            let ticket = try await folded.ingestion.admit(Admission(scans: many))
            #expect(try await ticket.committed() == 1)
            for index in 0..<5 {
                let window = try await folded.ingestion.admit(
                    Admission(
                        scans: [Self.scan(folded, 500 + Double(index))],
                        deliveries: [Self.mark(UInt16(index + 1))], holdsWindow: true))
                #expect(try await window.committed() == Int64(2 + index))
            }
            #expect(folded.clock.now.offset == .zero, "no time has passed")
        }
    }

    @Test("what is offered waits for the interval as if admitted; an urgent change does not")
    func offered() async throws {
        let folded = try await Self.folded()
        defer { folded.remove() }
        try await folded.running([folded.ingestion]) { _ in
            #expect(folded.ingestion.offer(Admission(scans: [Self.scan(folded, 0)])))
            folded.clock.advance(by: .milliseconds(900))
            #expect(folded.ingestion.offer(Admission(scans: [Self.scan(folded, 0.9)])))
            try await breathe()
            #expect(folded.store.reader.newestSequence() == 0)
            folded.clock.advance(by: .milliseconds(101))
            _ = await folded.store.reader.waitForCommit(after: 0)
            #expect(try await folded.journaled().count == 2)
            // The loop notes when it has committed: time must not pass before it has.
            try await eventually("the loop rests") { folded.clock.sleepers == 1 }
            folded.clock.advance(by: .milliseconds(500))
            let alarm = Self.scan(folded, 1.5, state: "alarm")
            #expect(folded.ingestion.offer(Admission(scans: [alarm])))
            _ = await folded.store.reader.waitForCommit(after: 1)
            #expect(try await folded.journaled().count == 3)
        }
    }

    @Test("what is offered keeps its place before what is admitted after it, and nothing is lost")
    func offeredFirst() async throws {
        let folded = try await Self.folded()
        defer { folded.remove() }
        try await folded.running([folded.ingestion]) { _ in
            var taken = 0
            while folded.ingestion.offer(
                Admission(scans: [Self.scan(folded, Double(taken) / 10, Double(taken))]))
            {
                taken += 1
                if taken > 20_000 { break }
            }
            let ticket = try await folded.ingestion.admit(
                Admission(scans: [Self.scan(folded, Double(taken) / 10)]))
            folded.clock.advance(by: .seconds(2))
            try await ticket.committed()
            let times = try await folded.journaled().map(\.time)
            #expect(times.count == taken + 1)
            #expect(times == times.sorted())
        }
    }

    @Test("commits an urgent change at once, and no more than five times a second")
    func urgent() async throws {
        let folded = try await Self.folded()
        defer { folded.remove() }
        try await folded.running([folded.ingestion]) { _ in
            _ = try await folded.ingestion.admit(Admission(scans: [Self.scan(folded, 0)]))
            folded.clock.advance(by: .milliseconds(500))
            let ticket = try await folded.ingestion.admit(
                Admission(scans: [Self.scan(folded, 0.5, state: "alarm")]))
            #expect(try await ticket.committed() == 1)
            for step in 1...40 {
                folded.clock.advance(by: .milliseconds(50))
                _ = try await folded.ingestion.admit(
                    Admission(
                        scans: [
                            Self.scan(
                                folded, 0.5 + Double(step) / 20,
                                state: step % 2 == 0 ? "alarm" : "normal")
                        ]))
                try await Task.sleep(for: .milliseconds(2))
            }
            // Two seconds of changes every 50 ms.
            let commits = folded.store.reader.newestSequence() - 1
            #expect(commits <= 10)
            #expect(commits >= 3)
        }
    }

    @Test("holds pollers back while the buffer is full and lets them go on after the commit")
    func fullBuffer() async throws {
        var options = Ingestion.Options()
        options.capacity = 8
        let folded = try await Self.folded(options)
        defer { folded.remove() }
        let ingestion = folded.ingestion
        _ = try await ingestion.admit(
            Admission(scans: (0..<4).map { Self.scan(folded, Double($0)) }))
        let late = (0..<3).map { Self.scan(folded, 100 + Double($0)) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for scan in late {
                group.addTask { _ = try await ingestion.admit(Admission(scans: [scan])) }
            }
            try await breathe()
            try await ingestion.commitNow()
            #expect(try await folded.journaled().count == 4, "nobody came in while it was full")
            try await group.waitForAll()
        }
        try await ingestion.commitNow()
        #expect(try await folded.journaled().count == 7)
    }

    @Test("refuses what is later than raw data is kept, or from the future, and counts it")
    func outOfTime() async throws {
        let folded = try await Self.folded()
        defer { folded.remove() }
        let month = -31.0 * 86_400
        try await folded.commit([
            Self.scan(folded, month), Self.scan(folded, 7200), Self.scan(folded, 0),
        ])
        #expect(try await folded.journaled().map(\.time) == [Self.start])
        #expect(folded.counters.values.dropped[.lateBeyondRetention] == 2)
        #expect(folded.counters.values.dropped[.fromTheFuture] == 2)
    }

    @Test(
        "takes what a device with a clock that stands still says only so often, and counts the rest"
    )
    func stuckClock() async throws {
        let folded = try await Self.folded()
        defer { folded.remove() }
        let most = DuplicateFilter.mostAtOneInstant
        for part in 0..<3 {
            try await folded.commit(
                (0..<most / 2).map { Self.scan(folded, 0, Double(part * most / 2 + $0)) })
        }
        #expect(try await folded.journaled().count == most)
        #expect(folded.counters.values.dropped[.stuckClock] == most)
        try await folded.commit([Self.scan(folded, 1, 7)])
        #expect(try await folded.journaled().count == most + 1, "its next instant is taken")
    }

    @Test("refuses a scan told twice, numbers differing ones of one instant, also after a restart")
    func duplicates() async throws {
        let folded = try await Self.folded()
        defer { folded.remove() }
        let (a, b, c) = (
            Self.scan(folded, 5, 1), Self.scan(folded, 5, 2), Self.scan(folded, 5, 3)
        )
        try await folded.commit([a, b, a])
        try await folded.commit([b, Self.scan(folded, 6)])
        try folded.store.close()
        let again = try await FoldedStore(
            groups: [Self.group], start: Self.start, directory: folded.directory)
        defer { again.remove() }
        try await again.commit([b, c, a, Self.scan(again, 4)])
        let scans = try await again.journaled().filter { $0.time == a.time }
        #expect(scans.map(\.sequence) == [0, 1, 2])
        #expect(scans.map(\.readings) == [a, b, c].map(\.readings))
        #expect(folded.counters.values.dropped[.duplicate] == 4)
        #expect(again.counters.values.dropped[.duplicate] == 4)
    }

    @Test(
        "a message that comes twice before its commit is stored once, however long it is",
        arguments: [false, true])
    func repeatedBeforeTheCommit(isPolled: Bool) async throws {
        // Of a polled group less is remembered; what is not is looked up.
        var group = Self.group
        group.isPolled = isPolled
        let folded = try await FoldedStore(groups: [group], start: Self.start)
        defer { folded.remove() }
        let samples = (0..<600).map { Self.scan(folded, Double($0), Double($0)) }
        try await folded.running([folded.ingestion]) { _ in
            // In one batch, then while the first commit may be under way, and after it.
            let ticket = try await folded.ingestion.admit(
                Admission(
                    scans: samples + samples, deliveries: [Self.mark(1), Self.mark(2)],
                    holdsWindow: true))
            let again = try await folded.ingestion.admit(
                Admission(scans: samples, deliveries: [Self.mark(3)], holdsWindow: true))
            try await ticket.committed()
            try await again.committed()
            // New samples that drive those of before out of the memory, and one of these again.
            let end = isPolled ? 620 : 1300
            let last = try await folded.ingestion.admit(
                Admission(
                    scans: (600..<end).map { Self.scan(folded, Double($0)) } + samples.suffix(1),
                    deliveries: [Self.mark(4)], holdsWindow: true))
            try await last.committed()
            #expect(try await folded.journaled().count == end)
            #expect(folded.counters.values.dropped[.duplicate] == 2 * 1201)
        }
    }

    @Test("a commit is never larger than a row of the journal: what has no room waits for the next")
    func fullRow() async throws {
        var options = Ingestion.Options()
        options.readingsPerRow = 100
        let folded = try await Self.folded(options)
        defer { folded.remove() }
        try await folded.running([folded.ingestion]) { _ in
            for batch in 0..<3 {
                let scans = (0..<40).map { Self.scan(folded, Double(40 * batch + $0), 1) }
                if batch < 2 {
                    _ = try await folded.ingestion.admit(
                        Admission(scans: scans, deliveries: [Self.mark(UInt16(batch))]))
                } else {
                    #expect(folded.ingestion.offer(Admission(scans: scans)))
                }
            }
            await #expect(throws: IngestionError.self) {
                _ = try await folded.ingestion.admit(
                    Admission(scans: (200..<251).map { Self.scan(folded, Double($0)) }))
            }
            folded.clock.advance(by: .seconds(2))
            try await breathe()
            folded.clock.advance(by: .seconds(2))
            let last = try await folded.ingestion.admit(Admission(scans: [Self.scan(folded, 300)]))
            folded.clock.advance(by: .seconds(2))
            try await last.committed()
            #expect(try await folded.journaled().count == 121)
            let largest = try await folded.rowSizes().max()
            #expect((40...50).contains(largest ?? 0))
        }
    }

    @Test("the bound of a row is the store's own, and two largest admissions fit into one")
    func boundOfARow() {
        #expect(Ingestion.Options().readingsPerRow == JournalCodec.maximumReadings)
        #expect(2 * Admission.mostReadings <= JournalCodec.maximumReadings)
    }

    @Test("what was offered while the buffer was full is stored before the end")
    func offeredBeforeTheEnd() async throws {
        var options = Ingestion.Options()
        options.capacity = 8
        let folded = try await Self.folded(options)
        defer { folded.remove() }
        try await folded.running([folded.ingestion]) { _ in
            for number in 0..<4 {
                _ = try await folded.ingestion.admit(
                    Admission(scans: [Self.scan(folded, Double(number))]))
            }
            for number in 4..<7 {
                #expect(
                    folded.ingestion.offer(Admission(scans: [Self.scan(folded, Double(number))])))
            }
        }
        #expect(try await folded.journaled().count == 7)
    }

    @Test("writes an empty row when nothing came for ten seconds, so that time passes")
    func idle() async throws {
        let folded = try await Self.folded()
        defer { folded.remove() }
        try await folded.running([folded.ingestion]) { _ in
            try await eventually("the loop sleeps") { folded.clock.sleepers == 1 }
            folded.clock.advance(by: .seconds(9))
            try await breathe()
            #expect(folded.store.reader.newestSequence() == 0)
            folded.clock.advance(by: .seconds(1))
            try await eventually("an idle row") { folded.store.reader.newestSequence() == 1 }
            let row = try #require(try await folded.store.reader.journal(after: 0).first)
            #expect(row.scans.isEmpty)
            #expect(row.clock.wall == Self.start + .seconds(10))
        }
    }

    @Test("commits what is buffered when it is asked to stop")
    func gracefulStop() async throws {
        let folded = try await Self.folded()
        defer { folded.remove() }
        try await folded.running([folded.ingestion]) { _ in
            _ = try await folded.ingestion.admit(Admission(scans: [Self.scan(folded, 0)]))
        }
        #expect(try await folded.journaled().count == 1)
    }

    @Test("ends when its task is cancelled, with what was buffered on the disk")
    func cancelled() async throws {
        let folded = try await Self.folded()
        defer { folded.remove() }
        let ingestion = folded.ingestion
        _ = try await ingestion.admit(Admission(scans: [Self.scan(folded, 0)]))
        let task = Task { try await ingestion.run() }
        try await breathe()
        task.cancel()
        try await task.value
        #expect(try await folded.journaled().count == 1)
    }
}
