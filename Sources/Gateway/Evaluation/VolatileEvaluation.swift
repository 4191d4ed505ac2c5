import Logging
import ServiceLifecycle
import Store
import Telemetry

/// Judges what cannot be stored, so that alarms and live reports go on (design 5).
///
///     Ingestion's ring ──rows──▶ a copy of the machine ──▶ LiveItems (`stored: false`), alarms logged
///
/// A copy: it starts from the last checkpoint and the journal, writes nothing, and is thrown away
/// when the store writes again. Then the ring is in the journal, and the durable fold finds the
/// same effects under the same keys.
struct VolatileEvaluation: Service {
    let evaluation: Evaluation
    let reader: StoreReader
    let groups: [ScanGroup]
    /// What the uplinks tell.
    let plans: [UplinkPlan]
    let items: LiveItems
    let feed: UnstoredFeed
    let counters: GatewayCounters
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var machine: EvaluationMachine?
            var outage: Int?
            for await event in feed.events {
                guard case .scans(let number, let clock, let scans) = event else {
                    machine = nil
                    outage = nil
                    continue
                }
                // Time that nobody trusts closes nothing, and gives no key that lasts.
                guard clock.isTrusted else { continue }
                if outage != number {
                    outage = number
                    machine = await begin()
                }
                if let effects = machine?.fold(scans, clock) { tell(effects) }
            }
        }
    }

    /// The machine as it stands at the last row that is stored; nil when it cannot be read.
    private func begin() async -> EvaluationMachine? {
        do {
            var machine = try await evaluation.begin().machine
            while true {
                let rows = try await reader.journal(after: machine.cursor)
                if rows.isEmpty { break }
                for row in rows {
                    machine.handle(row)
                    machine.removeLate()
                }
                // These are the durable fold's to tell.
                _ = machine.takeEffects()
            }
            return machine
        } catch {
            logger.error(
                "alarms and live reports wait for the store: it cannot be read either",
                metadata: ["error": "\(error)"])
            return nil
        }
    }

    private func tell(_ effects: EvaluationEffects) {
        for transition in effects.transitions {
            counters.foundUnstored()
            logger.warning(
                "alarm, not stored yet",
                metadata: [
                    "rule": "\(transition.rule)", "series": "\(transition.series)",
                    "state": "\(transition.to.rawValue)", "onset": "\(transition.onset.rfc3339())",
                    "value": "\(transition.evidence.value) \(transition.evidence.unit)",
                ])
        }
        // A station waits for the store: what makes it up is put together there.
        for owed in effects.owed where owed.part == nil {
            if let plan = plans.first(where: { $0.uplink == owed.uplink }),
                let item = item(owed, plan, effects.rollups)
            {
                items.add([item], for: owed.uplink)
            }
        }
    }

    private func item(
        _ owed: OwedItem, _ plan: UplinkPlan, _ rollups: [RollupRecord]
    ) -> UplinkItem? {
        guard let group = groups.first(where: { $0.scope == owed.scope }) else { return nil }
        let numbers = Set(group.series.map(\.number))
        let records = rollups.filter {
            $0.bucket.start == owed.start && numbers.contains($0.series)
                && owed.kind == "rollup/\($0.bucket.resolution.rawValue)"
        }
        guard let bucket = records.first?.bucket else { return nil }
        let bySeries = Dictionary(
            records.map { ($0.series, $0.rollup) }, uniquingKeysWith: { first, _ in first })
        return UplinkItem(
            site: plan.site, scope: owed.scope, device: group.device, bucket: bucket,
            revision: owed.revision, isStored: false,
            entries: (plan.subjects[owed.scope]?.members ?? []).compactMap {
                member in
                bySeries[member.series.number].map {
                    UplinkItem.Entry(series: member.series, rollup: $0, point: member.point)
                }
            })
    }
}

extension EvaluationMachine {
    /// Folds what the ring took in as if it were the next row of the journal.
    fileprivate mutating func fold(_ scans: [Scan], _ clock: ClockReading) -> EvaluationEffects {
        handle(JournalRow(sequence: cursor + 1, clock: clock, scans: scans, deliveries: []))
        // Looking back needs the store; the durable fold does it later.
        removeLate()
        return takeEffects()
    }
}

/// The way from Ingestion to the volatile evaluation. Bounded; whoever feeds never waits.
final class UnstoredFeed: Sendable {
    enum Event: Sendable {
        /// Admitted in the outage of this number.
        case scans(outage: Int, ClockReading, [Scan])
        case over
    }

    let events: AsyncStream<Event>
    private let continuation: AsyncStream<Event>.Continuation

    init() {
        (events, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(256))
    }

    func send(_ event: Event) { continuation.yield(event) }
}
