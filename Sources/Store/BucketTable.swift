import BucketCodec
import GRDB
import Telemetry

/// The table `bucket`: sealed columns of one group over `[start, end)`.
///
/// Buckets of one group never overlap. A scan belongs to the bucket whose interval holds its time;
/// where there is none, a new one fills the window as far as its neighbours leave room.
enum BucketTable {
    /// One row as it is stored.
    struct Stored: Sendable {
        var id: Int64
        var start: Int64
        var end: Int64
        var data: [UInt8]
    }

    static func marks(_ db: Database) throws -> [ScanGroup.ID: SealMark] {
        let rows = try Row.fetchAll(
            db, sql: "SELECT number, sealed_seq, sealed_until FROM scan_group WHERE sealed_seq > 0")
        return Dictionary(
            uniqueKeysWithValues: rows.map {
                (ScanGroup.ID($0[0]), SealMark(sequence: $0[1], until: $0[2]))
            })
    }

    static func mark(_ group: ScanGroup.ID, _ mark: SealMark, _ db: Database) throws {
        try db.cachedStatement(
            sql: "UPDATE scan_group SET sealed_seq = ?, sealed_until = ? WHERE number = ?"
        ).execute(arguments: [mark.sequence, mark.until, group.number])
    }

    /// The bytes of a group's newest bucket.
    static func newest(_ group: ScanGroup.ID, _ db: Database) throws -> [UInt8]? {
        try Row.fetchOne(
            db.cachedStatement(
                sql: "SELECT data FROM bucket WHERE scan_group = ? ORDER BY start DESC LIMIT 1"),
            arguments: [group.number]
        )?.bytes(0)
    }

    /// The buckets of a group that have a part of `[from, to)`, in order, at most `limit`.
    static func page(
        _ group: ScanGroup.ID, from: Int64, to: Int64, limit: Int, _ db: Database
    ) throws -> [Stored] {
        let select = try db.cachedStatement(
            sql: """
                SELECT id, start, end, data FROM bucket
                WHERE scan_group = :group AND start < :to AND end > :from AND start >= ifnull(
                    (SELECT max(start) FROM bucket WHERE scan_group = :group AND start <= :from),
                    :from)
                ORDER BY start LIMIT :limit
                """)
        return try Row.fetchAll(
            select, arguments: ["group": group.number, "from": from, "to": to, "limit": limit]
        ).map { Stored(id: $0[0], start: $0[1], end: $0[2], data: $0.bytes(3)) }
    }

    /// Where the first bucket of a group begins that does not begin before `from`.
    static func firstStart(_ group: ScanGroup.ID, from: Int64, _ db: Database) throws -> Int64? {
        try Int64.fetchOne(
            db.cachedStatement(
                sql: "SELECT min(start) FROM bucket WHERE scan_group = ? AND start >= ?"),
            arguments: [group.number, from])
    }

    /// The buckets of a group that begin before `before`, newest first.
    static func pageBackwards(
        _ group: ScanGroup.ID, before: Int64, limit: Int, _ db: Database
    ) throws -> [Stored] {
        let select = try db.cachedStatement(
            sql: """
                SELECT id, start, end, data FROM bucket
                WHERE scan_group = ? AND start < ? ORDER BY start DESC LIMIT ?
                """)
        return try Row.fetchAll(select, arguments: [group.number, before, limit])
            .map { Stored(id: $0[0], start: $0[1], end: $0[2], data: $0.bytes(3)) }
    }

    /// What one step may put into buckets.
    struct Allowance {
        /// Buckets that are written or looked into.
        var buckets: Int
        /// Readings in buckets that are written: another one is begun only below this.
        var readings: Int
    }

    /// Puts scans into buckets, as many as one step may write, and at least one.
    ///
    /// - Parameters:
    ///   - scans: of one group, in order of time.
    ///   - until: where the window that is open now ends for this seal.
    ///   - part: where these scans end when more follow; the last bucket waits for them then. If it
    ///     is all, it ends there, so that they do not have to be merged into it.
    /// - Returns: the time before which every given scan is in a bucket.
    static func put(
        _ scans: [Scan], of group: ScanGroup, until: Int64, part: Int64? = nil,
        most allowance: Allowance, _ db: Database
    ) throws -> Int64 {
        var rest = scans[...]
        var written = 0
        for _ in 0..<allowance.buckets {
            guard let first = rest.first else { return until }
            if written > 0, written >= allowance.readings { break }
            let time = first.time.milliseconds
            let own = try page(group.id, from: time, to: time &+ 1, limit: 1, db).first
            if let own {
                let inside = rest.prefix { $0.time.milliseconds < own.end }
                if part != nil, inside.count == rest.count, rest.count < scans.count { return time }
                let rows = try merge(Array(inside), into: own, of: group, db)
                written += rows * group.series.count
                rest = rest.dropFirst(inside.count)
            } else {
                let range = try room(around: time, of: group, until: until, db)
                var end = cut(rest, range.upperBound)
                let inside = rest.prefix { $0.time.milliseconds < end }
                if let part, inside.count == rest.count {
                    if rest.count < scans.count { return time }
                    end = min(end, part)
                }
                try insertPieces(
                    Scan.inOrder(inside)[...], range.lowerBound, end, of: group, db)
                written += inside.count * group.series.count
                rest = rest.dropFirst(inside.count)
            }
        }
        return rest.first?.time.milliseconds ?? until
    }

    /// The part of the window around `time` that no bucket holds.
    private static func room(
        around time: Int64, of group: ScanGroup, until: Int64, _ db: Database
    ) throws -> Range<Int64> {
        let length = BucketWindow.length(period: group.period)
        let start = BucketWindow.start(of: time, length: length)
        let before = try Int64.fetchOne(
            db,
            sql: """
                SELECT end FROM bucket WHERE scan_group = ? AND start < ? ORDER BY start DESC LIMIT 1
                """, arguments: [group.id.number, time])
        let after = try Int64.fetchOne(
            db, sql: "SELECT min(start) FROM bucket WHERE scan_group = ? AND start > ?",
            arguments: [group.id.number, time])
        let lower = max(start, before ?? start)
        let upper = min(start &+ length, until, after ?? .max)
        return lower..<max(upper, time &+ 1)
    }

    /// Where a bucket ends so that it holds no more rows than it should.
    private static func cut(_ scans: ArraySlice<Scan>, _ end: Int64) -> Int64 {
        let inside = scans.prefix { $0.time.milliseconds < end }
        guard inside.count > BucketWindow.longestBucket, let first = inside.first else {
            return end
        }
        let last = inside[inside.startIndex + BucketWindow.longestBucket].time
        // All scans of one instant stay together.
        return last > first.time ? last.milliseconds : last.milliseconds &+ 1
    }

    /// - Returns: the rows that were decoded and written anew.
    private static func merge(
        _ scans: [Scan], into own: Stored, of group: ScanGroup, _ db: Database
    ) throws -> Int {
        let held: [Scan]
        do throws(Damage) {
            held = try BucketCodec.decode(own.data).scans(of: group.id)
        } catch {
            // What is readable of it is for `salvage`; what comes now must not suffer.
            try quarantine(own.id, cause: "\(error)", db)
            try insertPieces(Scan.inOrder(scans)[...], own.start, own.end, of: group, db)
            return scans.count
        }
        let all = Scan.inOrder(held + scans)
        if all == held { return held.count }
        try db.execute(sql: "DELETE FROM bucket WHERE id = ?", arguments: [own.id])
        try insertPieces(all[...], own.start, own.end, of: group, db)
        return all.count
    }

    /// Inserts scans as one bucket, or as several where one would hold more than it may.
    private static func insertPieces(
        _ scans: ArraySlice<Scan>, _ start: Int64, _ end: Int64, of group: ScanGroup,
        _ db: Database
    ) throws {
        guard let split = split(scans, width: group.series.count) else {
            return try insert(Array(scans), start, end, of: group, db)
        }
        let middle = scans[split].time.milliseconds
        try insertPieces(scans[..<split], start, middle, of: group, db)
        try insertPieces(scans[split...], middle, end, of: group, db)
    }

    /// Where scans are cut in two: near the middle, between two instants, because all scans of one
    /// instant stay together. nil when they make one bucket.
    ///
    /// What they may be at most, `longestMerged` rows, lies far below what the codec refuses.
    static func split(_ scans: ArraySlice<Scan>, width: Int) -> Int? {
        if scans.count <= BucketWindow.longestMerged(width: width) { return nil }
        let middle = scans[scans.startIndex + scans.count / 2].time
        let before = scans.firstIndex { $0.time == middle } ?? scans.startIndex
        return before > scans.startIndex ? before : scans.firstIndex { $0.time > middle }
    }

    /// Moves a damaged bucket out of the way of queries and of its successor.
    static func quarantine(_ id: Int64, cause: String, _ db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO bucket_quarantine (scan_group, start, end, rows, codec, data, cause)
                    SELECT scan_group, start, end, rows, codec, data, ? FROM bucket WHERE id = ?
                """, arguments: [cause, id])
        try db.execute(sql: "DELETE FROM bucket WHERE id = ?", arguments: [id])
    }

    private static func insert(
        _ scans: [Scan], _ start: Int64, _ end: Int64, of group: ScanGroup, _ db: Database
    ) throws {
        let rows = BucketRows(scans: scans, width: group.series.count)
        let data = BucketCodec.encode(rows, period: group.period)
        try db.cachedStatement(
            sql: """
                INSERT INTO bucket (scan_group, start, end, rows, codec, data)
                VALUES (?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            group.id.number, start, end, scans.count, BucketCodec.version, Blob(data),
        ])
    }
}
