import Telemetry

/// What housekeeping knows between two steps, and what others may ask of it without waiting.
final class StoreRoom: Sendable {
    struct State: Sendable {
        var isFull = false
        var budget: Int64 = 0
        var clock: RetentionClock?
        var savedClock: RetentionClock?
        var packing = PackedRollups.Place()
        /// The day in which late rows were last merged into their packs.
        var mergedDay: Int64?
        /// The stretch in which the packing of counted hours goes on, and up to where all are packed.
        var counting: Int64?
        var countedUntil: Int64?
        /// What was written last of the newest readings, as hashes of this process: the readings
        /// themselves would be held twice.
        var latest: [Int: Int] = [:]
        /// When the newest readings were last written, by the boot's monotonic clock.
        var latestSaved: (bootID: String, monotonic: Int64)?
        var damagedPacks: Set<Int64> = []
    }

    let ballast: Ballast
    let state = Published(State())
    /// How many times a transaction found the disk full.
    let pressure = Beacon(newest: 0)

    init(directory: String) { ballast = Ballast(directory: directory) }

    /// Gives the ballast up, so that the next transaction and the deletions have room.
    func diskIsFull() {
        ballast.release()
        pressure.light(pressure.newest + 1)
    }

    func noteDamage(inPack id: Int64) {
        state.withValue { if $0.damagedPacks.count < 1_000 { $0.damagedPacks.insert(id) } }
    }
}

extension StoreReader {
    /// Whether the byte budget is used up and nothing may be removed any more: admit nothing.
    ///
    /// From memory; each step of housekeeping decides it anew.
    package var isFull: Bool { shared.room.state.value.isFull }

    /// How many times the disk was found full since the store was opened.
    package var diskFullCount: Int64 { shared.room.pressure.newest }

    /// Waits until the disk was found full more than `count` times, or the task is cancelled.
    package func waitForFullDisk(after count: Int64) async -> Int64 {
        await shared.room.pressure.wait(above: count)
    }
}
