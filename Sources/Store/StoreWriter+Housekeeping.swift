import GRDB
import Telemetry

extension StoreWriter {
    /// Keeps the store within its bounds: one bounded step of ageing, of making room, of packing.
    ///
    /// Each of them is a transaction of its own, and between two the writer serves others. Age is
    /// judged by a clock of its own (`RetentionClock`): one that jumps makes nothing old, and with
    /// an untrusted clock nothing goes by age.
    package func housekeeping(
        clock: ClockReading, policy: HousekeepingPolicy
    ) async throws(StoreError) -> HousekeepingReport {
        var report = HousekeepingReport()
        report.judgedAt = try judge(clock)
        await Task.yield()
        if let now = report.judgedAt {
            try expire(now, policy, &report)
            await Task.yield()
        }
        try makeRoom(policy, &report)
        await Task.yield()
        if let now = report.judgedAt, let age = policy.packAfter {
            try await pack(before: now - age, &report)
            await Task.yield()
            if try await packCountedHours(before: now - age) { report.hasMore = true }
            await Task.yield()
        }
        try saveLatest(clock)
        report.isCheckpointComplete = try checkpoint(thoroughly: true)
        holdBallast()
        return report
    }

    /// Moves the retention clock on, and makes it durable now and then.
    private func judge(_ clock: ClockReading) throws(StoreError) -> Timestamp? {
        let room = shared.room
        var (current, saved) = room.state.withValue { ($0.clock, $0.savedClock) }
        if current == nil {
            let file = shared.file
            do {
                current = try file.pool.read { try RetentionClock.load($0, now: clock) }
            } catch {
                throw StoreError("read the retention clock", error)
            }
        }
        guard var moved = current else { return nil }
        let now = moved.advance(to: clock)
        let isStale =
            saved.map { moved.value - $0.value >= RetentionClock.unsavedLag } ?? (now != nil)
        if isStale {
            try write("save the retention clock") { try moved.save($0) }
            saved = moved
        }
        room.state.withValue {
            $0.clock = moved
            $0.savedClock = saved
        }
        return now
    }

    private func expire(
        _ now: Timestamp, _ policy: HousekeepingPolicy, _ report: inout HousekeepingReport
    ) throws(StoreError) {
        let limit = max(1, policy.maximumRowsPerStep)
        let (removals, hasMore) = try write("remove what is old") { db in
            var removals: [Removal] = []
            let raw = try RetentionRows.trimBuckets(
                before: now - policy.rawRetention, acknowledgedUntil: policy.rawAcknowledgedUntil,
                limit: min(limit, Self.bucketsRemovedAtOnce), reason: .age, db)
            removals.append(raw.removal)
            // Whether more buckets are due is found out by the next step, which costs little.
            var hasMore = raw.removal.items > 0
            for (resolution, retention) in policy.rollupRetention.sorted(by: { $0.key < $1.key }) {
                let cutoff = now - retention
                let rows = try RetentionRows.trimRollups(
                    resolution, before: cutoff, limit: limit, reason: .age, db)
                hasMore = hasMore || rows.items == limit
                removals.append(rows)
                if resolution == .day {
                    let days = try DeliveryDayRows.trim(before: cutoff, limit: limit, db)
                    hasMore = hasMore || days.items == limit
                    removals.append(days)
                }
                guard resolution == .quarterHour else { continue }
                let packs = try RetentionRows.trimPacks(
                    before: cutoff, limit: Self.packsPerStep, reason: .age, db)
                let cranes = try RetentionRows.trimCraneRecords(
                    before: cutoff, limit: limit, db)
                hasMore = hasMore || packs.items > 0 || cranes.items == limit
                removals += [packs, cranes]
            }
            let items = try RetentionRows.trimOutbox(
                before: now - policy.outboxRetention, limit: limit, db)
            let attempts = try RetentionRows.trimAttempts(
                keeping: policy.attemptsKept, limit: limit, db)
            removals += [items, attempts]
            try RemovedTotals.add(removals, db)
            return (removals, hasMore || items.items == limit || attempts.items == limit)
        }
        noteRemoval(removals)
        for removal in removals { report.add(removal) }
        report.hasMore = report.hasMore || hasMore
    }

    private static let bucketsRemovedAtOnce = 256
    private static let packsPerStep = 32

    /// Removes for the byte budget, and decides whether anything more may be admitted.
    private func makeRoom(
        _ policy: HousekeepingPolicy, _ report: inout HousekeepingReport
    ) throws(StoreError) {
        let file = shared.file
        let limit = max(1, min(policy.maximumRowsPerStep, Self.bucketsRemovedAtOnce))
        var before = try measure(policy)
        if before.isExceeded, StoreFile.size(file.path + "-wal") > Self.largeLog {
            // The log counts too, and to empty it costs nobody a reading.
            try truncateLog()
            before = try measure(policy)
        }
        let (after, removal) = before.isExceeded ? try remove(before, policy, limit) : (before, nil)
        if let removal {
            noteRemoval([removal])
            report.add(removal)
        }
        report.usedBytes = after.used
        report.budgetBytes = after.limit
        report.isFull = after.isExceeded && removal == nil
        report.hasMore = report.hasMore || (after.isExceeded && removal != nil)
        let (isFull, budget) = (report.isFull, after.limit)
        shared.room.state.withValue {
            $0.isFull = isFull
            $0.budget = budget
        }
    }

    /// What was decoded of buckets that are gone must not be answered any more.
    private func noteRemoval(_ removals: [Removal]) {
        guard removals.contains(where: { $0.kind == .raw && $0.items > 0 }) else { return }
        shared.head.withValue { $0.bucketsChanged() }
    }

    private static let largeLog: Int64 = 1 << 20

    private func measure(_ policy: HousekeepingPolicy) throws(StoreError) -> ByteBudget {
        let file = shared.file
        do {
            return try file.pool.read { try ByteBudget.measure(file, policy, $0) }
        } catch {
            throw StoreError("measure the store", error)
        }
    }

    /// Removes about as much as is too much, if so much may be removed in one transaction.
    private func remove(
        _ budget: ByteBudget, _ policy: HousekeepingPolicy, _ limit: Int
    ) throws(StoreError) -> (after: ByteBudget, removal: Removal?) {
        let file = shared.file
        return try write("make room") { db in
            let removal = try RetentionRows.makeRoom(
                policy, excess: Int(clamping: budget.used - budget.target), limit: limit, db)
            if let removal { try RemovedTotals.add([removal], db) }
            return (try ByteBudget.measure(file, policy, db), removal)
        }
    }

    private func pack(
        before cutoff: Timestamp, _ report: inout HousekeepingReport
    ) async throws(StoreError) {
        let room = shared.room
        let today = RollupPack.day(cutoff.milliseconds)
        let (place, merged) = room.state.withValue { ($0.packing, $0.mergedDay) }
        // Reading and compressing a block takes longer than the writer may be held: a reader does
        // it, and the plan is void when rollups were stored meanwhile.
        let generation = shared.effects.newest
        let plan: PackedRollups.Plan
        do {
            plan = try await shared.file.pool.read { db in
                try PackedRollups.plan(
                    from: place, before: cutoff, merges: merged != today, db)
            }
        } catch {
            throw StoreError("read the quarters to be packed", error)
        }
        for id in plan.damaged { room.noteDamage(inPack: id) }
        guard shared.effects.newest == generation else {
            report.hasMore = true
            return
        }
        if let pack = plan.pack {
            try write("pack quarters") { try PackedRollups.write(pack, $0) }
            report.packedRollups = pack.packed.count
        }
        report.hasMore = report.hasMore || plan.next != nil
        room.state.withValue {
            $0.packing = plan.next ?? PackedRollups.Place()
            // A late row does not rewrite its pack each minute: packs are merged once a day.
            if plan.next == nil { $0.mergedDay = today }
        }
    }

    /// Packs what counters counted by the hour, a bounded number of them, up to the last whole day
    /// (UTC) before `cutoff`; once a day there is something to do.
    ///
    /// - Returns: whether there is more to do.
    package func packCountedHours(before cutoff: Timestamp) async throws(StoreError) -> Bool {
        let room = shared.room
        let until = RollupPack.day(cutoff.milliseconds)
        let (place, done) = room.state.withValue { ($0.counting, $0.countedUntil) }
        if done == until { return false }
        let counters = Set(
            shared.registry.value.groups.flatMap(\.series).filter { $0.counter != nil }
                .map(\.number)
        ).sorted()
        // As with quarters: a reader plans, and rollups that were stored meanwhile void the plan.
        let generation = shared.effects.newest
        let plan: CountedHourRows.Plan
        do {
            plan = try await shared.file.pool.read { db in
                try CountedHourRows.plan(counters, from: place, until: until, db)
            }
        } catch {
            throw StoreError("read the hours to be packed", error)
        }
        guard shared.effects.newest == generation else { return true }
        if !plan.packs.isEmpty {
            try write("pack counted hours") { try CountedHourRows.write(plan.packs, $0) }
        }
        room.state.withValue {
            $0.counting = plan.next
            if plan.next == nil { $0.countedUntil = until }
        }
        return plan.next != nil
    }

    private func saveLatest(_ clock: ClockReading) throws(StoreError) {
        let room = shared.room
        let (known, saved) = room.state.withValue { ($0.latest, $0.latestSaved) }
        let isRecent =
            saved.map {
                $0.bootID == clock.bootID && clock.monotonic &- $0.monotonic < LatestRows.interval
            } ?? false
        let readings = shared.latest.value.bySeries(shared.registry.value)
        // Whoever looks into a young file shall not find series missing for minutes.
        let changed = readings.filter {
            isRecent ? known[$0.key] == nil : known[$0.key] != $0.value.hashValue
        }
        if !changed.isEmpty {
            try write("save the newest readings") { try LatestRows.save(changed, $0) }
        }
        let at = (bootID: clock.bootID, monotonic: clock.monotonic)
        room.state.withValue {
            $0.latest.merge(changed.mapValues(\.hashValue)) { $1 }
            if !isRecent { $0.latestSaved = at }
        }
    }

    /// Takes the ballast again when the file system has room for it.
    private func holdBallast() {
        let directory = shared.file.directory
        guard let space = FileSystemSpace.read(directory) else { return }
        shared.room.ballast.take(from: space)
    }

    private func truncateLog() throws(StoreError) {
        do {
            try shared.file.pool.writeWithoutTransaction { db in
                _ = try db.checkpoint(.truncate)
            }
        } catch {
            // A reader in the way, or a disk too full for it: room is made without it.
            let error = StoreError("empty the write-ahead log", error)
            if error.code != .busy, error.code != .full { throw error }
        }
    }

    /// Moves the log into the file without waiting for readers.
    ///
    /// - Parameter thoroughly: as a part of housekeeping. A log that had grown is cut back, which does
    ///   wait for readers, and a full disk gets the ballast's bytes, because room is made next. At
    ///   other times it would only be written full too, and the log could never be moved.
    func checkpoint(thoroughly: Bool) throws(StoreError) -> Bool {
        try shared.checkUsable("checkpoint the write-ahead log")
        let file = shared.file
        defer { file.log.moved() }
        do {
            return try file.pool.writeWithoutTransaction { db in
                let result = try db.checkpoint(.passive)
                let isComplete = result.checkpointedFrameCount == result.walFrameCount
                if thoroughly, isComplete, StoreFile.size(file.path + "-wal") > StoreFile.walLimit {
                    try db.checkpoint(.truncate)
                }
                return isComplete
            }
        } catch {
            let error = StoreError("checkpoint the write-ahead log", error)
            // A reader in the way is no fault, and a full disk is dealt with by making room: the
            // next step tries again.
            if error.code == .full, thoroughly { shared.room.diskIsFull() }
            if error.code == .busy || error.code == .full { return false }
            throw shared.noted(error)
        }
    }
}
