import Logging
import ServiceLifecycle
import Store
import Telemetry

/// Sends what is owed to one receiver, live before backlog: the third of the four loops.
///
///     outbox ──owed──▶ Courier (rollups or alarms of the store → message) ──outcome──▶ store
///
/// One loop for each uplink and each feed, so that a receiver that is away costs nothing but its
/// own backlog.
package struct Reporting: Service {
    /// The name in the outbox.
    let receiver: String
    let store: Store
    let courier: any Courier
    let policy: DeliveryPolicy
    let clock: any Clock<Duration>
    let wallClock: any WallClock
    let logger: Logger
    /// What is known while nothing can be stored; nil for receivers that wait for the store.
    var unstored: UnstoredReport?

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var progress = DeliveryProgress()
            while !Task.isCancelled {
                let generation = store.reader.effectsGeneration
                let pause: Duration?
                // First: while it has items the store takes no outcomes, so nothing below goes out.
                await unstored?.send(limit: policy.inFlight)
                do {
                    pause = try await round(&progress)
                    progress.failure = nil
                } catch {
                    if Task.isCancelled { return }
                    // The outbox stands in the store: what could not be settled is sent again.
                    if progress.failure != "\(error)" {
                        progress.failure = "\(error)"
                        logger.warning(
                            "reporting waits for the store",
                            metadata: ["uplink": "\(receiver)", "error": "\(error)"])
                    }
                    pause = policy.idleInterval
                }
                guard let pause else { continue }
                await wait(pause, orEffectsAfter: progress.isAway ? nil : generation)
            }
        }
    }

    /// Waits; while the receiver is there, no longer than until something new may be owed.
    private func wait(_ pause: Duration, orEffectsAfter generation: Int64?) async {
        guard let generation else {
            try? await clock.sleep(for: pause)
            return
        }
        await store.reader.waitForEffects(after: generation, within: pause, on: clock)
    }

    /// Sends one handful of items.
    ///
    /// - Returns: how long to wait before the next one; nil is not at all.
    private func round(_ progress: inout DeliveryProgress) async throws -> Duration? {
        // The writer is asked only if there is something: it may be busy with somebody's commit.
        if !progress.unsettled.isEmpty {
            try await store.writer.settle(progress.unsettled, at: wallClock.read().wall)
            progress.unsettled = []
        }
        let now = wallClock.read().wall
        let room = progress.room(policy, at: now)
        if room == 0 { return policy.idleInterval }
        let owed = try await courier.owed(at: now, limit: room)
        if owed.isEmpty { return policy.idleInterval }
        var parcels: [(OwedItem, @Sendable () async -> Outcome)] = []
        for (item, parcel) in owed {
            if let age = policy.expires, item.start + age < now {
                try await expire(item, "older than \(age)", now)
                continue
            }
            switch parcel {
            case .ready(let send): parcels.append((item, send))
            case .expired(let reason): try await expire(item, reason, now)
            }
        }
        if parcels.isEmpty { return nil }
        progress.unsettled = await send(parcels)
        let pause = progress.note(progress.unsettled, policy, at: now)
        try await store.writer.settle(progress.unsettled, at: wallClock.read().wall)
        progress.unsettled = []
        return pause.map { max($0, policy.idleInterval) }
    }

    private func expire(_ item: OwedItem, _ reason: String, _ now: Timestamp) async throws {
        try await store.writer.expire([item], reason: reason, at: now)
    }

    /// Sends the items of each subject in their order, several subjects at once.
    ///
    /// Behind an item that must be tried again the others of its subject stay owed: a platform sees
    /// the past of each in order, or not yet.
    private func send(
        _ parcels: [(item: OwedItem, send: @Sendable () async -> Outcome)]
    ) async -> [Settlement] {
        let lanes = Dictionary(grouping: parcels) { courier.lane(of: $0.item) }
        return await withTaskGroup(of: [Settlement].self) { group in
            for queue in lanes.values {
                group.addTask {
                    var settlements: [Settlement] = []
                    for (item, send) in queue {
                        let settlement = Settlement(item, await send())
                        settlements.append(settlement)
                        if case .retry = settlement.outcome { break }
                    }
                    return settlements
                }
            }
            var settlements: [Settlement] = []
            for await part in group {
                for settlement in part { note(settlement) }
                settlements += part
            }
            return settlements
        }
    }

    private func note(_ settlement: Settlement) {
        guard case .rejected(let reason) = settlement.outcome else { return }
        logger.error(
            "the platform refuses an item; it is set aside",
            metadata: [
                "uplink": "\(receiver)", "scope": "\(settlement.item.scope)",
                "start": "\(settlement.item.start.rfc3339())", "reason": "\(reason)",
            ])
    }
}
