import GRDB
import Telemetry
import TestSeeds
import Testing

@testable import Store

@Suite("Packed quarters")
struct PackedRollupsTests {
    private static let day = Timestamp(milliseconds: RollupPack.day(Site.start.milliseconds))
    private static let quarter = Duration.seconds(900)

    private struct Key: Hashable { var series: Int, start: Timestamp }

    /// A rollup as the fold makes them: sums and increases are decimals, now and then not.
    private static func record(
        _ series: Int, _ slot: Int, revision: Int, _ random: inout SeededGenerator
    ) -> RollupRecord {
        let start = day + quarter * slot
        var rollup = Rollup(
            count: Int.random(in: 0...90, using: &random),
            bad: Int.random(in: 0...3, using: &random),
            expected: Bool.random(using: &random) ? 90 : nil)
        if rollup.count > 0, series % 5 != 0 {
            let scale = [1.0, 10, 1_000][series % 3]
            var values = (0..<3).map { _ in
                (Double(Int.random(in: -5_000...500_000, using: &random)) / scale)
            }
            if Int.random(in: 0..<20, using: &random) == 0 {
                values[0] = Double(bitPattern: random.next() & 0x7FDF_FFFF_FFFF_FFFF)
            }
            for value in values { rollup.sum.add(value) }
            rollup.minimum = values.min()
            rollup.maximum = values.max()
            rollup.first = .init(time: start, value: values[0])
            rollup.last = .init(time: start, value: values[2])
        }
        if series % 2 == 0, Bool.random(using: &random) {
            rollup.increase = ScaledInteger(
                mantissa: Int128(Int.random(in: 0...100_000, using: &random)), exponent: 3)
            rollup.isEstimated = Bool.random(using: &random)
        }
        return RollupRecord(
            series: series, bucket: Bucket(.quarterHour, containing: start, calendar: .utc),
            rollup: rollup, revision: revision)
    }

    private static let series = [1, 2, 5, 63, 64, 65, 127, 128, 300]

    private func pack(_ store: Store, _ now: Timestamp) async throws -> Int {
        store.judge(at: now)
        let policy = HousekeepingPolicy(rawRetention: .seconds(9_999 * 86_400))
        var packed = 0
        var report = HousekeepingReport()
        repeat {
            report = try await store.writer.housekeeping(
                clock: Site.clock(now + .seconds(9_999 * 86_400)), policy: policy)
            packed += report.packedRollups
        } while report.hasMore
        return packed
    }

    private func rowsLeft(_ store: Store) async throws -> Int {
        try await store.reader.read("count") {
            try Int.fetchOne($0, sql: "SELECT count(*) FROM rollup") ?? -1
        }
    }

    private func everything(_ store: Store) async throws -> [[RollupRecord]] {
        var all: [[RollupRecord]] = []
        for series in Self.series {
            all.append(
                try await store.reader.rollups(
                    series: series, resolution: .quarterHour, from: Self.day - .seconds(1),
                    to: Self.day + .seconds(99 * 86_400)))
        }
        return all
    }

    @Test("readers see the same before and after packing, after corrections and after a merge")
    func sameForReaders() async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        let site = Site()
        let store = try site.open(.process)
        let slots = 96 * 36
        var model: [Key: RollupRecord] = [:]
        for series in Self.series {
            for slot in 0..<slots where Int.random(in: 0..<9, using: &random) > 0 {
                let record = Self.record(series, slot, revision: 0, &random)
                model[Key(series: series, start: record.bucket.start)] = record
            }
        }
        try await store.writer.apply(EvaluationEffects(rollups: Array(model.values)))
        let before = try await everything(store)
        #expect(before.reduce(0) { $0 + $1.count } == model.count)
        var now = Self.day + .seconds(36 * 86_400)
        let packed = try await pack(store, now)
        let fresh = model.keys.filter { $0.start >= now - .seconds(48 * 3_600) }.count
        #expect(packed == model.count - fresh)
        #expect(try await rowsLeft(store) == fresh)
        #expect(try await everything(store) == before, "seed \(seed)")

        // Corrections: the same revision is refused, a higher one wins, a new quarter is added.
        var late: [RollupRecord] = []
        for _ in 0..<400 {
            let series = Self.series.randomElement(using: &random) ?? 1
            let slot = Int.random(in: 0..<slots, using: &random)
            let revision = Int.random(in: 0...2, using: &random)
            let record = Self.record(series, slot, revision: revision, &random)
            let key = Key(series: series, start: record.bucket.start)
            if let old = model[key], old.revision >= revision {} else { model[key] = record }
            late.append(record)
        }
        try await store.writer.apply(EvaluationEffects(rollups: late))
        try await check(store, model, seed, &random)
        // Within the same day packs are left alone; a day later the corrections are merged.
        #expect(try await pack(store, now) == 0)
        try await check(store, model, seed, &random)
        now = now + .seconds(3 * 86_400)
        #expect(try await pack(store, now) > 0)
        #expect(try await rowsLeft(store) == 0)
        try await check(store, model, seed, &random)
        let again = late.map { record in
            var record = record
            record.rollup.count += 1
            return record
        }
        .filter {
            (model[Key(series: $0.series, start: $0.bucket.start)]?.revision ?? -1) >= $0.revision
        }
        try await store.writer.apply(EvaluationEffects(rollups: again))
        #expect(try await rowsLeft(store) == 0, "what is packed gives way to no lower revision")
        try store.close()
    }

    /// Compares what readers see with a dictionary, over random ranges and limits.
    private func check(
        _ store: Store, _ model: [Key: RollupRecord], _ seed: UInt64,
        _ random: inout SeededGenerator
    ) async throws {
        for _ in 0..<60 {
            let series = Self.series.randomElement(using: &random) ?? 1
            let from = Self.day + .seconds(Int64.random(in: -900...(36 * 86_400), using: &random))
            let to = from + .seconds(Int64.random(in: 0...(36 * 86_400), using: &random))
            let limit = [1, 7, 100, 50_000].randomElement(using: &random) ?? 1
            let wanted = model.values.filter {
                $0.series == series && $0.bucket.start >= from && $0.bucket.start < to
            }
            .sorted { $0.bucket < $1.bucket }.prefix(limit).map(Stored.init)
            let found = try await store.reader.rollups(
                series: series, resolution: .quarterHour, from: from, to: to, limit: limit)
            #expect(found.map(Stored.init) == wanted, "seed \(seed), series \(series)")
        }
    }

    /// What of a record reaches the file, bit by bit.
    private struct Stored: Hashable {
        var numbers: [UInt64?]
        var counts: [Int?]
        init(_ record: RollupRecord) {
            let rollup = record.rollup
            numbers = [
                rollup.first == nil ? nil : rollup.sum.value, rollup.minimum, rollup.maximum,
                rollup.first?.value, rollup.last?.value,
                rollup.increase.flatMap { ScaledInteger(rounding: $0.double)?.double },
            ].map { $0?.bitPattern }
            counts = [
                record.series, Int(record.bucket.start.milliseconds), rollup.count, rollup.bad,
                rollup.expected, rollup.isEstimated ? 1 : 0, record.revision,
            ]
        }
    }

    @Test("a group's quarter comes from pack and rows alike")
    func group() async throws {
        let site = Site()
        let store = try site.open(.process)
        let group = try await store.writer.register([Site.group()])[0]
        var random = SeededGenerator(seed: 7)
        let records = group.series.map { Self.record($0.number, 30, revision: 1, &random) }
        try await store.writer.apply(EvaluationEffects(rollups: records))
        let start = records[0].bucket.start
        let before = try await store.reader.rollups(
            group: group.id, start: start, resolution: .quarterHour)
        #expect(before.count == 3)
        #expect(try await pack(store, Self.day + .seconds(4 * 86_400)) == 3)
        let packed = try await store.reader.rollups(
            group: group.id, start: start, resolution: .quarterHour)
        #expect(packed == before)
        let correction = Self.record(group.series[1].number, 30, revision: 2, &random)
        try await store.writer.apply(EvaluationEffects(rollups: [correction]))
        let after = try await store.reader.rollups(
            group: group.id, start: start, resolution: .quarterHour)
        #expect(after.map(\.revision) == [1, 2, 1])
        #expect(after[0] == before[0] && after[2] == before[2])
        try store.close()
    }

    @Test("a pack gives back the same bits, -0.0, infinities and what is absent included")
    func bits() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        let odd: [Double?] = [
            nil, 0, -0.0, .infinity, -.infinity, .leastNonzeroMagnitude, 0.1, 1e300, -17.25,
            9_007_199_254_740_994, 123_456_789.123,
        ]
        for round in 0..<300 {
            var rows: [RollupRow] = []
            for series in 128..<(128 + Int.random(in: 1...64, using: &random)) {
                for slot in 0..<96 where Int.random(in: 0..<4, using: &random) > 0 {
                    func pick() -> Double? {
                        round % 2 == 0
                            ? odd.randomElement(using: &random) ?? nil
                            : Double(Int.random(in: 0...9_999, using: &random)) / 100
                    }
                    rows.append(
                        RollupRow(
                            series: series,
                            start: Self.day.milliseconds + Int64(slot) * 900_000,
                            count: Int.random(in: 0...900, using: &random), bad: 0,
                            expected: Bool.random(using: &random) ? 900 : nil, sum: pick(),
                            minimum: pick(), maximum: pick(), first: pick(), last: pick(),
                            increase: pick(), isEstimated: Bool.random(using: &random),
                            revision: Int.random(in: 0...3, using: &random)))
                }
            }
            let pack = try RollupPack(
                RollupPack.encode(rows.shuffled(using: &random)), day: Self.day.milliseconds,
                block: 2)
            var back: [RollupRow] = []
            for series in pack.series { back += try pack.rows(of: series) }
            #expect(back.map(bitwise) == rows.map(bitwise), "seed \(seed), round \(round)")
        }
    }

    private func bitwise(_ row: RollupRow) -> [UInt64?] {
        [row.sum, row.minimum, row.maximum, row.first, row.last, row.increase].map {
            $0?.bitPattern
        }
            + [
                row.series, Int(row.start), row.count, row.bad, row.expected, row.revision,
                row.isEstimated ? 1 : 0,
            ].map { $0.map { UInt64(bitPattern: Int64($0)) } }
    }

    @Test("every flipped byte is found, costs only its pack or its series, and traps nowhere")
    func damage() async throws {
        var random = SeededGenerator(seed: 3)
        let rows = [64, 70, 99].flatMap { series in
            (0..<96).map { slot -> RollupRow in
                let record = Self.record(series, slot, revision: 0, &random)
                return RollupRow(
                    series: series, start: record.bucket.start.milliseconds,
                    count: record.rollup.count, bad: 0, expected: nil,
                    sum: record.rollup.sum.value, minimum: record.rollup.minimum,
                    maximum: record.rollup.maximum, first: nil, last: nil, increase: nil,
                    isEstimated: false, revision: 0)
            }
        }
        let blob = RollupPack.encode(rows)
        for index in blob.indices {
            var bytes = blob
            bytes[index] ^= UInt8.random(in: 1...255, using: &random)
            var isFound = false
            if let pack = try? RollupPack(bytes, day: Self.day.milliseconds, block: 1) {
                for series in [64, 70, 99] {
                    guard let found = try? pack.rows(of: series) else {
                        isFound = true
                        continue
                    }
                    #expect(found.map(bitwise) == rows.filter { $0.series == series }.map(bitwise))
                }
            } else {
                isFound = true
            }
            #expect(isFound, "byte \(index)")
        }
        for length in 0..<blob.count {
            let cut = Array(blob.prefix(length))
            #expect((try? RollupPack(cut, day: Self.day.milliseconds, block: 1)) == nil)
        }
    }

    @Test("a damaged pack is counted, its day is missing, and later corrections are kept as rows")
    func damagedPack() async throws {
        let site = Site()
        var store = try site.open(.process)
        var random = SeededGenerator(seed: 11)
        let records = (0..<192).map { Self.record(1, $0, revision: 0, &random) }
        try await store.writer.apply(EvaluationEffects(rollups: records))
        #expect(try await pack(store, Self.day + .seconds(9 * 86_400)) == 192)
        try store.close()
        try site.meddle("UPDATE rollup_pack SET data = x'0102' WHERE id = 1")
        store = try site.open(.process)
        let found = try await store.reader.rollups(
            series: 1, resolution: .quarterHour, from: Self.day,
            to: Self.day + .seconds(9 * 86_400))
        #expect(found.count == 96)
        #expect(try await store.reader.statistics().damagedPacks == 1)
        let correction = Self.record(1, 5, revision: 1, &random)
        try await store.writer.apply(EvaluationEffects(rollups: [correction]))
        #expect(try await pack(store, Self.day + .seconds(19 * 86_400)) == 0)
        #expect(try await rowsLeft(store) == 1)
        try store.close()
    }

    @Test("packed days go by age as a whole, and every quarter in them is counted")
    func age() async throws {
        let site = Site()
        let store = try site.open(.process)
        var random = SeededGenerator(seed: 12)
        let records = (0..<960).map { Self.record(1, $0, revision: 0, &random) }
        try await store.writer.apply(EvaluationEffects(rollups: records))
        _ = try await pack(store, Self.day + .seconds(20 * 86_400))
        store.judge(at: Self.day + .seconds(20 * 86_400 + 3_600))
        let report = try await store.writer.housekeeping(
            clock: Site.clock(Self.day + .seconds(99 * 86_400)),
            policy: HousekeepingPolicy(
                rawRetention: .zero, rollupRetention: [.quarterHour: .seconds(15 * 86_400)]))
        #expect(
            report.removed == [
                Removal(
                    .quarterHour, .age, items: 480, first: Self.day,
                    last: Self.day + .seconds(5 * 86_400))
            ])
        try store.close()
    }

    @Test("what a packed quarter and a row cost, and how long the writer is held for one step")
    func cost() async throws {
        let site = Site()
        let store = try site.open(.process)
        var random = SeededGenerator(seed: 5)
        var records: [RollupRecord] = []
        for series in 64..<128 {
            var level = Double.random(in: 10...400, using: &random)
            var counter = 0
            for slot in 0..<96 {
                let start = Self.day + Self.quarter * slot
                var rollup = Rollup(expected: 60)
                level += Double.random(in: -2...2, using: &random)
                for _ in 0..<60 {
                    let value = (level + Double.random(in: -1...1, using: &random)) * 10
                    rollup.add(.number(value.rounded() / 10), at: start)
                }
                if series % 4 == 0 {
                    counter = Int.random(in: 0...400, using: &random)
                    rollup.increase = ScaledInteger(mantissa: Int128(counter), exponent: 2)
                }
                records.append(
                    RollupRecord(
                        series: series,
                        bucket: Bucket(.quarterHour, containing: start, calendar: .utc),
                        rollup: rollup, revision: 0))
            }
        }
        try await store.writer.apply(EvaluationEffects(rollups: records))
        let row = try await pages("rollup", store)
        let cutoff = Self.day + .seconds(86_400)
        let plan = try await store.reader.read("plan") { db in
            try PackedRollups.plan(
                from: PackedRollups.Place(), before: cutoff, merges: true, db)
        }
        let planned = try #require(plan.pack)
        #expect(planned.rows == records.count)
        let time = try await ContinuousClock().measure {
            try await store.writer.write("pack") { try PackedRollups.write(planned, $0) }
        }
        let pack = try await pages("rollup_pack", store)
        let perRow = Double(row) / Double(records.count)
        let perPacked = Double(pack) / Double(records.count)
        print(
            "a row \(perRow) B, packed \(perPacked) B, page slack included;",
            "the writer was held \(time)")
        #expect(perRow <= 90 && perPacked <= 15)
        try store.close()
    }

    /// The bytes of the pages of a table.
    private func pages(_ table: String, _ store: Store) async throws -> Int {
        try await store.reader.read("measure \(table)") {
            try Int.fetchOne(
                $0, sql: "SELECT sum(pgsize) FROM dbstat WHERE name = ?", arguments: [table]) ?? 0
        }
    }
}
