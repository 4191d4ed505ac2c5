import GRDB
import Telemetry

extension StoreReader {
    /// The rollups of a series whose buckets begin in `from` ..< `to`, in order of time.
    ///
    /// Minutes that no row holds are folded from samples. Packed quarters and rows are one: where both hold a quarter, the higher revision counts.
    /// - Parameter limit: the earliest so many.
    package func rollups(
        series: Int, resolution: Resolution, from: Timestamp, to: Timestamp, limit: Int = 50_000
    ) async throws(StoreError) -> [RollupRecord] {
        var records: [RollupRecord] = []
        var next: Timestamp? = from
        while let start = next, start < to, records.count < limit {
            let page = try await rollupPage(
                series, resolution, from: start, to: to,
                limit: min(limit - records.count, Self.bucketsPerPage))
            records += page.records
            next = page.next
        }
        guard resolution == .minute else { return records }
        let folded = try await foldedMinutes(
            series: series, from: from, to: to, except: Set(records.map(\.bucket.start)),
            limit: limit)
        if folded.isEmpty { return records }
        return Array((records + folded).sorted { $0.bucket < $1.bucket }.prefix(limit))
    }

    /// Buckets, and packed days, looked up in one transaction.
    private static let bucketsPerPage = 2_000
    private static let packsPerPage = 32

    private func rollupPage(
        _ series: Int, _ resolution: Resolution, from: Timestamp, to: Timestamp, limit: Int
    ) async throws(StoreError) -> (records: [RollupRecord], next: Timestamp?) {
        let (calendar, room) = (shared.calendar, shared.room)
        return try await read("read the \(resolution.rawValue) rollups of series \(series)") { db in
            var packed: [RollupRow] = []
            var end = to.milliseconds
            if resolution == .quarterHour {
                let found = try Self.packed(series, from.milliseconds, end, room, db)
                packed = found.rows
                end = found.end
            }
            let rows = try Self.rows(
                series, resolution, from: from.milliseconds, to: end, limit: limit, calendar, db)
            var next = rows.next ?? (end < to.milliseconds ? end : nil)
            if let place = next { packed.removeAll { $0.start >= place } }
            var merged =
                packed.isEmpty ? rows.found : PackedRollups.overlay(packed, with: rows.found)
            if merged.count > limit {
                next = merged[limit].start
                merged.removeLast(merged.count - limit)
            }
            return (
                merged.map { $0.record(resolution, calendar) },
                next.map(Timestamp.init(milliseconds:))
            )
        }
    }

    /// The packed quarters of a series in `from` ..< `end`; `end` moves closer when there are many
    /// packs. A damaged pack is counted, and what it holds is missing.
    private static func packed(
        _ series: Int, _ from: Int64, _ to: Int64, _ room: StoreRoom, _ db: Database
    ) throws -> (rows: [RollupRow], end: Int64) {
        let block = RollupPack.block(series)
        let cursor = try Row.fetchCursor(
            db.cachedStatement(
                sql: """
                    SELECT id, start, data FROM rollup_pack
                    WHERE resolution = 15 AND start > ? AND start < ? AND block = ?
                    ORDER BY start LIMIT ?
                    """), arguments: [from &- RollupPack.dayLength, to, block, packsPerPage])
        var rows: [RollupRow] = []
        var count = 0
        var end = to
        while let row = try cursor.next() {
            count += 1
            let day: Int64 = row[1]
            if count == packsPerPage { end = min(to, day &+ RollupPack.dayLength) }
            do throws(Damage) {
                let pack = try RollupPack(row.bytes(2), day: day, block: block)
                rows += try pack.rows(of: series).filter { $0.start >= from && $0.start < to }
            } catch {
                room.noteDamage(inPack: row[0])
            }
        }
        return (rows, end)
    }

    /// The key has the bucket before the series, which spares the disk. One series is therefore
    /// read bucket by bucket: a lookup for each, and a jump to the next one that exists at a gap.
    private static func rows(
        _ series: Int, _ resolution: Resolution, from: Int64, to: Int64, limit: Int,
        _ calendar: SiteCalendar, _ db: Database
    ) throws -> (found: [RollupRow], next: Int64?) {
        let code = RollupRows.code(resolution)
        let lookUp = try db.cachedStatement(
            sql: """
                SELECT \(RollupRows.columns) FROM rollup
                WHERE resolution = ? AND start = ? AND series = ?
                """)
        let jump = try db.cachedStatement(
            sql: "SELECT min(start) FROM rollup WHERE resolution = ? AND start >= ?")
        var found: [RollupRow] = []
        var place: Int64? = try Int64.fetchOne(jump, arguments: [code, from])
        for _ in 0..<max(1, limit) {
            guard let start = place, start < to else { return (found, nil) }
            if let row = try Row.fetchOne(lookUp, arguments: [code, start, series]) {
                found.append(RollupRows.row(row))
                let bucket = Bucket(
                    resolution, containing: Timestamp(milliseconds: start), calendar: calendar)
                place = max(start &+ 1, bucket.end.milliseconds)
            } else {
                place = try Int64.fetchOne(jump, arguments: [code, start &+ 1])
            }
        }
        return (found, place.flatMap { $0 < to ? $0 : nil })
    }

    /// The rollups of every series of a group for the bucket that begins at `start`.
    package func rollups(
        group: ScanGroup.ID, start: Timestamp, resolution: Resolution
    ) async throws(StoreError) -> [RollupRecord] {
        guard let group = shared.registry.value.group(group) else { return [] }
        let (calendar, room) = (shared.calendar, shared.room)
        return try await read("read the rollups of group \(group.id)") { db in
            let lookUp = try db.cachedStatement(
                sql: """
                    SELECT \(RollupRows.columns) FROM rollup
                    WHERE resolution = ? AND start = ? AND series = ?
                    """)
            let code = RollupRows.code(resolution)
            var packs = PackedQuarter(start: start.milliseconds, room: room)
            return try group.series.compactMap { series in
                let row = try Row.fetchOne(
                    lookUp, arguments: [code, start.milliseconds, series.number]
                ).map(RollupRows.row)
                let packed =
                    resolution == .quarterHour ? try packs.row(of: series.number, db) : nil
                guard let row else { return packed?.record(resolution, calendar) }
                let newer = packed.map { $0.revision >= row.revision ? $0 : row } ?? row
                return newer.record(resolution, calendar)
            }
        }
    }
}

/// One packed quarter of several series; each pack is read once.
private struct PackedQuarter {
    let start: Int64
    let room: StoreRoom
    private var packs: [Int: RollupPack?] = [:]

    init(start: Int64, room: StoreRoom) {
        self.start = start
        self.room = room
    }

    mutating func row(of series: Int, _ db: Database) throws -> RollupRow? {
        let block = RollupPack.block(series)
        if packs[block] == nil {
            let day = RollupPack.day(start)
            let found = try PackedRollups.load(day: day, block: block, db)
            if let found, case .failure = found.pack { room.noteDamage(inPack: found.id) }
            packs[block] = .some(try? found?.pack.get())
        }
        guard let pack = packs[block] ?? nil else { return nil }
        return (try? pack.rows(of: series))?.first { $0.start == start }
    }
}
