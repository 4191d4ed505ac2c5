import GRDB
import Telemetry
import Testing

@testable import Store

@Suite("The write-ahead log")
struct LogLengthTests {
    private let site = Site()
    private var size: Int64 { StoreFile.size(site.path + "-wal") }
    /// What the log may come to, with the last commit and its frame heads.
    private static let most = Int64(LogLength.longest + 100) * 4200

    /// The ways in which something is committed; a few pages each time.
    enum Way: String, CaseIterable, Sendable { case journal, effects, audit }

    private func commit(
        _ way: Way, _ index: Int64, _ group: ScanGroup, _ store: Store
    ) async throws {
        switch way {
        case .journal:
            let scans = (0..<200 as Range<Int64>).map { Site.scan(group, at: index * 200 + $0) }
            try await store.writer.commit(Site.batch(scans)).discard()
        case .effects:
            let state = [UInt8](repeating: UInt8(index % 251), count: 16_000)
            try await store.writer.apply(
                EvaluationEffects(
                    checkpoint: EvaluationCheckpoint(version: 1, cursor: 0, state: state)))
        case .audit:
            _ = try await store.writer.appendAudit(
                actor: "the test", action: "filled", detail: String(repeating: "x", count: 16_000),
                at: Site.start)
        }
    }

    @Test("is moved into the file when it is long, whoever has made it so", arguments: Way.allCases)
    func moved(way: Way) async throws {
        let store = try site.open(.process)
        let group = try await store.writer.register([Site.group()])[0]
        for index in 0..<1500 as Range<Int64> {
            try await commit(way, index, group, store)
            if size > Self.most { break }
        }
        #expect(size > Self.most / 2, "it was never long")
        #expect(size <= Self.most)
        try store.close()
    }

    @Test("fits into what the ballast gives back, with a large commit behind it")
    func ballast() { #expect(Self.most < Ballast.largest * 3 / 4) }

    @Test("that is long is told, and moved by whoever keeps house before the writer has to")
    func told() async throws {
        let store = try site.open(.process)
        let group = try await store.writer.register([Site.group()])[0]
        var moves = 0
        for index in 0..<1500 as Range<Int64> {
            let seen = store.reader.longLogCount
            try await commit(.effects, index, group, store)
            if store.reader.longLogCount == seen { continue }
            await store.reader.waitForLongLog(after: seen)
            await store.writer.moveLongLog()
            moves += 1
            // Moved: the next commit finds a short one and has nothing to tell.
            let after = store.reader.longLogCount
            try await commit(.effects, index, group, store)
            #expect(store.reader.longLogCount == after)
        }
        #expect(moves > 2)
        #expect(size < Int64(LogLength.long + 100) * 4200)
        try store.close()
    }

    @Test("grows while somebody reads the past, and is moved once they have ended")
    func readers() async throws {
        let store = try site.open(.process)
        let group = try await store.writer.register([Site.group()])[0]
        try await commit(.audit, 0, group, store)
        let other = try DatabasePool(path: site.path)
        let snapshot = try other.makeSnapshot()
        #expect(try await snapshot.read { try Int.fetchOne($0, sql: "SELECT 1") } == 1)
        var count: Int64 = 0
        while size < 2 * Self.most, count < 5000 {
            count += 1
            try await commit(.audit, count, group, store)
        }
        #expect(size >= 2 * Self.most)
        try snapshot.close()
        try other.close()
        let grown = size
        for index in 0..<Int64(1000) { try await commit(.audit, index, group, store) }
        #expect(size <= grown + 100_000, "nothing was moved")
        #expect(try await store.reader.audit(after: count + 1000).count == 1)
        try store.close()
    }
}
