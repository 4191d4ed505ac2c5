import Foundation
import GRDB
import Subprocess
import Telemetry
import Testing

@testable import Store

@Suite("The byte budget")
struct ByteBudgetTests {
    private static let far = Site.clock(Site.start + .seconds(3_650 * 86_400))
    /// Nothing is old enough to go by age.
    private static func policy(_ bytes: Int64?) -> HousekeepingPolicy {
        HousekeepingPolicy(rawRetention: .seconds(99_999 * 86_400), maximumBytes: bytes)
    }

    private func count(_ table: String, _ store: Store) async throws -> Int {
        try await store.reader.read("count") {
            try Int.fetchOne($0, sql: "SELECT count(*) FROM \(table)") ?? -1
        }
    }

    /// Quarters, hours and days of one series over so many days.
    private func rollups(_ days: Int) -> [RollupRecord] {
        [(Resolution.quarterHour, 96), (.hour, 24), (.day, 1)].flatMap { resolution, each in
            (0..<days * each).map { index in
                RollupRecord(
                    series: 1,
                    bucket: Bucket(
                        resolution,
                        containing: Site.start + resolution.nominal * index, calendar: .utc),
                    rollup: Rollup(count: 1), revision: 0)
            }
        }
    }

    @Test("raw goes first and oldest first, then quarters; hours and days never; then it is full")
    func order() async throws {
        let site = Site()
        let store = try site.open(.process)
        let group = try await store.writer.register([Site.group()])[0]
        for day in 0..<40 as Range<Int64> {
            try await store.add(bucketOf: group, day: day, bytes: 250_000)
        }
        try await store.writer.apply(EvaluationEffects(rollups: rollups(40)))
        let ballast = store.reader.shared.room.ballast.bytes
        let hours = try await count("rollup WHERE resolution > 15", store)
        var policy = Self.policy(6_000_000 + ballast)
        policy.rawAcknowledgedUntil = Site.start + .seconds(3 * 86_400)
        store.judge(at: Site.start + .seconds(40 * 86_400))
        var report = HousekeepingReport()
        repeat {
            report = try await store.writer.housekeeping(clock: Self.far, policy: policy)
        } while report.hasMore
        #expect(!report.isFull && report.usedBytes <= 6_000_000 + ballast)
        var left = try await count("bucket", store)
        #expect((15...23).contains(left), "no more went than had to: \(left) buckets are left")
        let oldest = try await store.reader.read("oldest") {
            try Int64.fetchOne($0, sql: "SELECT min(start) FROM bucket") ?? 0
        }
        #expect(oldest == (Site.start + .seconds(Int64(40 - left) * 86_400)).milliseconds)
        var removed = try await store.reader.statistics().removed
        #expect(removed.map(\.items) == [10 * (40 - left)])
        #expect(removed.map(\.owed) == [10 * (40 - left - 3)])
        let quarters = try await store.reader.rollups(
            series: 1, resolution: .quarterHour, from: Site.start,
            to: Site.start + .seconds(99 * 86_400)
        ).count
        #expect(quarters == 40 * 96)

        // A budget that nothing but the file's skeleton fits into.
        repeat {
            report = try await store.writer.housekeeping(
                clock: Self.far, policy: Self.policy(60_000))
        } while report.hasMore
        #expect(report.isFull)
        #expect(store.reader.isFull)
        left = try await count("bucket", store)
        #expect(left == 0)
        #expect(try await count("rollup WHERE resolution > 15", store) == hours)
        removed = try await store.reader.statistics().removed
        #expect(removed.first { $0.kind == .raw }?.items == 400)
        let gone = try #require(removed.first { $0.kind == .quarterHour })
        let kept = try await store.reader.rollups(
            series: 1, resolution: .quarterHour, from: Site.start,
            to: Site.start + .seconds(99 * 86_400))
        #expect(gone.items == 40 * 96 - kept.count)
        #expect(kept.count >= 192, "the newest two days of quarters stay")
        #expect(gone.last.map { $0 <= kept[0].bucket.start } ?? false)
        // With room again, it says so.
        report = try await store.writer.housekeeping(
            clock: Self.far, policy: Self.policy(1 << 30))
        #expect(!report.isFull && !store.reader.isFull)
        try store.close()
    }

    @Test("the ballast is taken at the start, given up on a full disk, and taken again")
    func ballast() async throws {
        let site = Site()
        let store = try site.open(.process)
        let held = store.reader.shared.room.ballast.bytes
        #expect(held >= Ballast.smallest && held <= Ballast.largest)
        let attributes = try FileManager.default.attributesOfItem(
            atPath: site.directory + "/" + Ballast.name)
        #expect(attributes[.size] as? Int64 == held)
        store.reader.shared.room.diskIsFull()
        #expect(store.reader.shared.room.ballast.bytes == 0)
        #expect(store.reader.diskFullCount == 1)
        #expect(await store.reader.waitForFullDisk(after: 0) == 1)
        _ = try await store.writer.housekeeping(clock: Self.far, policy: Self.policy(nil))
        #expect(store.reader.shared.room.ballast.bytes == held)
        try store.close()
    }

    @Test("a file system that is full: the ballast goes, the oldest raw goes, commits go on")
    func fullFileSystem() async throws {
        let mount = NSTemporaryDirectory() + "plumbline-tmpfs-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: mount, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: mount) }
        guard try await run("mount", ["-t", "tmpfs", "-o", "size=48m", "tmpfs", mount]) else {
            print("skipped because a tmpfs can only be mounted by root")
            return
        }
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await fill(mount)) } catch { outcome = .failure(error) }
        #expect(try await run("umount", [mount]))
        try outcome.get()
    }

    private func run(_ program: String, _ arguments: [String]) async throws -> Bool {
        let result = try? await Subprocess.run(
            .name(program), arguments: Arguments(arguments), output: .discarded,
            error: .discarded)
        return result?.terminationStatus == .exited(0)
    }

    private func fill(_ directory: String) async throws {
        let store = try Store.open(StoreOptions(directory: directory), calendar: .utc)
        let group = try await store.writer.register([Site.group()])[0]
        #expect(store.reader.shared.room.ballast.bytes > Ballast.smallest)
        // Nobody keeps house, so the disk fills up.
        var added = 0
        var failure: StoreError?
        while failure == nil, added < 2_000 {
            do {
                try await store.add(bucketOf: group, day: Int64(added), bytes: 100_000)
                added += 1
            } catch {
                failure = error as? StoreError
            }
        }
        #expect(failure?.code == .full && failure?.disposition == .retry)
        #expect(store.reader.shared.room.ballast.bytes == 0, "the ballast was given up")
        #expect(store.reader.diskFullCount == 1)
        var refused = 0
        var removed = 0
        var stored = added
        // Now house is kept while twice the disk's size is written on.
        for round in 0..<1_000 {
            var report = HousekeepingReport()
            repeat {
                report = try await store.writer.housekeeping(
                    clock: Self.far, policy: Self.policy(1 << 30))
                removed += report.count(.raw, .budget)
                #expect(!report.isFull)
            } while report.hasMore
            do {
                try await store.add(bucketOf: group, day: Int64(added + round), bytes: 100_000)
                stored += 1
            } catch let error as StoreError where error.code == .full {
                refused += 1
            }
        }
        #expect(refused == 0, "with housekeeping no commit met a full disk")
        let left = try await count("bucket", store)
        #expect(stored == left + removed / 10, "every bucket is there or counted as removed")
        let statistics = try await store.reader.statistics()
        #expect(statistics.removed.map(\.items) == [removed])
        #expect(statistics.usedBytes <= statistics.budgetBytes)
        print(
            "tmpfs of 48 MiB: \(added) buckets until full, then 1000 more, \(refused) refused,",
            "\(removed / 10) removed, \(left) left, used \(statistics.usedBytes >> 10) KiB",
            "of \(statistics.budgetBytes >> 10), ballast \(statistics.ballastBytes >> 10) KiB")
        try store.close()
    }
}
