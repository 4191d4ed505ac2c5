import Store
import Telemetry

/// Owes a platform again what it was told of a range of time (补传): all that the outbox still knows,
/// and what was never owed although it is stored.
///
/// The platform gets the same items under the same keys, as they are now: one that has them ignores
/// them, one that has lost them is complete again.
package struct Resend: Sendable {
    private let store: Store
    private let plan: UplinkPlan
    private let calendar: SiteCalendar

    package init(store: Store, plan: UplinkPlan, calendar: SiteCalendar) {
        self.store = store
        self.plan = plan
        self.calendar = calendar
    }

    /// So many items are owed again in one transaction, so that commits pass in between.
    private static let itemsPerStep = 500
    /// What begins before may have been owed and forgotten: its row is gone with its outcome.
    private static let reach = Duration.seconds(89 * 86_400)

    /// - Parameters:
    ///   - kinds: only these; nil: all.
    ///   - actor: who asks; it stands in the audit chain.
    ///   - onProgress: told how many items are owed so far.
    /// - Returns: how many items are owed that were not.
    package func run(
        from: Timestamp, to: Timestamp, kinds: Set<String>? = nil, at now: Timestamp,
        actor: String, onProgress: (Int) -> Void = { _ in }
    ) async throws -> Int {
        let reason = "asked for again by \(actor)"
        var known: Set<String> = []
        var count = 0
        var last: OwedItem?
        while true {
            let page = try await store.reader.outboxItems(
                uplink: plan.uplink, from: from, to: to, after: last, limit: Self.itemsPerStep)
            if page.isEmpty { break }
            last = page.last
            known.formUnion(page.map(Self.name))
            let wanted = page.filter { wants($0.kind, kinds) && plan.subjects[$0.scope] != nil }
            count += try await store.writer.oweAgain(wanted, reason: reason, at: now)
            onProgress(count)
        }
        for kind in plan.kinds where wants(kind, kinds) {
            for subject in plan.subjects.values.sorted(by: { $0.scope < $1.scope }) {
                let missing = try await periods(
                    of: kind, subject, from: max(from, now - Self.reach), to: to
                ).map { item(kind, subject, $0, now) }.filter { !known.contains(Self.name($0)) }
                for part in stride(from: 0, to: missing.count, by: Self.itemsPerStep) {
                    let step = missing[part..<min(part + Self.itemsPerStep, missing.count)]
                    count += try await store.writer.oweAgain(
                        Array(step), reason: reason, at: now)
                    onProgress(count)
                }
            }
        }
        try await store.writer.appendAudit(
            actor: actor, action: "uplink.resend",
            detail: "\(plan.uplink) from \(from.rfc3339()) to \(to.rfc3339()): \(count) items",
            at: now)
        return count
    }

    private func wants(_ kind: String, _ kinds: Set<String>?) -> Bool {
        kind != plan.instants && kinds?.contains(kind) ?? true
    }

    private static func name(_ item: OwedItem) -> String {
        "\(item.kind)|\(item.scope)|\(item.start.milliseconds)"
    }

    private func item(
        _ kind: String, _ subject: UplinkPlan.Subject, _ start: Timestamp, _ now: Timestamp
    ) -> OwedItem {
        OwedItem(
            uplink: plan.uplink, kind: kind, scope: subject.scope, start: start, revision: 0,
            due: now)
    }

    /// The starts of the periods that are over and of which something is stored.
    private func periods(
        of kind: String, _ subject: UplinkPlan.Subject, from: Timestamp, to: Timestamp
    ) async throws -> [Timestamp] {
        guard let period = ItemPeriod(kind: kind), from < to else { return [] }
        var starts: Set<Timestamp> = []
        // All series of a group have their buckets at the same times.
        var groups: Set<ScanGroup.ID> = []
        for member in subject.members where groups.insert(member.group.id).inserted {
            for start in try await store.reader.rollupStarts(
                series: member.series.number, resolution: period.base, from: from, to: to)
            {
                if case .span(let span) = period {
                    starts.insert(start.slot(every: span))
                } else {
                    starts.insert(start)
                }
            }
        }
        return starts.filter { $0 >= from }.sorted()
    }
}
