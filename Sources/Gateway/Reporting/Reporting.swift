import FieldLinks
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
        let reading = wallClock.read()
        let now = reading.wall
        if policy.needsTrustedTime, !reading.isTrusted { return policy.idleInterval }
        let room = progress.room(policy, at: now)
        if room == 0 { return policy.idleInterval }
        let allowance = try await allowance(at: now)
        if allowance == .nothing { return policy.idleInterval }
        let owed = try await courier.owed(
            OwedRequest(
                now: now, limit: room, resting: progress.resting(at: now),
                allowsBacklog: allowance == .all))
        if owed.isEmpty { return policy.idleInterval }
        var ready: [Packet] = []
        var expired: [Settlement] = []
        for consignment in owed {
            switch consignment.content {
            case .expired(let reason):
                expired += consignment.items.map { Settlement($0, .expired(reason: reason)) }
            case .ready(let pack):
                if let age = policy.expires,
                    consignment.items.allSatisfy({ $0.start + age < now })
                {
                    expired += consignment.items.map {
                        Settlement($0, .expired(reason: "older than \(age)"))
                    }
                } else {
                    ready.append(
                        Packet(items: consignment.items, lane: consignment.lane, pack: pack))
                }
            }
        }
        let before = courier.bytesSent
        let sent = await send(ready)
        let tried = progress.judged(sent.settlements.filter { !$0.isExpired }, policy)
        for settlement in tried { note(settlement) }
        progress.unsettled = tried + sent.settlements.filter(\.isExpired) + expired
        let pause =
            tried.isEmpty
            ? nil : progress.note(tried, messages: sent.messages, policy, at: now)
        try await store.writer.settle(
            progress.unsettled, traffic: traffic(courier.bytesSent - before),
            at: wallClock.read().wall)
        progress.unsettled = []
        if let failure = sent.failure { throw failure }
        return pause.map { max($0, policy.idleInterval) }
    }

    /// How much of its data budget a receiver has left.
    private enum Allowance { case all, live, nothing }

    private func allowance(at now: Timestamp) async throws -> Allowance {
        guard let budget = policy.budget else { return .all }
        let resolution: Resolution = budget.per == .day ? .day : .month
        let period = Bucket(resolution, containing: now, calendar: store.reader.calendar)
        let used = try await store.reader.traffic(
            uplink: receiver, from: period.start, to: period.end)
        if used >= budget.bytes { return .nothing }
        let share = Double(budget.bytes) * (1 - DataBudget.liveShare)
        return Double(used) < share ? .all : .live
    }

    /// What was sent, where somebody counts it.
    private func traffic(_ bytes: Int64) -> UplinkTraffic? {
        bytes > 0 ? UplinkTraffic(uplink: receiver, bytes: bytes) : nil
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

extension Settlement {
    var isExpired: Bool {
        if case .expired = outcome { true } else { false }
    }
}
