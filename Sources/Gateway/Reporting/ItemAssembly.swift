import Store
import Telemetry

/// Puts together from the store what an owed item tells.
struct ItemAssembly: Sendable {
    let plan: UplinkPlan
    let reader: StoreReader
    let calendar: SiteCalendar
    /// Whether the format says why readings are missing, so that it needs them one by one.
    var tellsReasons = false

    /// A value at an instant is one that was read within this time before it.
    static let freshness = Duration.seconds(300)
    /// Below this share of good readings a reason is looked for (HJ 212-2017 annex D).
    private static let soundShare = 0.75

    /// - Returns: nil when nothing is kept of the period.
    func item(
        kind: String, scope: String, start: Timestamp, revision: Int, isBacklog: Bool = false
    ) async throws -> UplinkItem? {
        guard let subject = plan.subjects[scope] else { return nil }
        let content = kind.prefix { $0 != "/" }
        var item = UplinkItem(
            site: plan.site, kind: kind, scope: scope, device: subject.device, start: start,
            end: start, revision: revision, isBacklog: isBacklog, entries: [])
        if kind == UplinkPlan.bootKind { return item }
        guard let period = ItemPeriod(kind: kind) else { return nil }
        item.end = period.end(from: start, calendar: calendar)
        if plan.isInstant(kind) {
            item.entries = try await instant(subject, at: start)
        } else {
            item.entries = try await entries(
                subject, period, item.start..<item.end, isRaw: content == "raw")
        }
        return item.entries.isEmpty ? nil : item
    }

    // MARK: Periods

    private func entries(
        _ subject: UplinkPlan.Subject, _ period: ItemPeriod, _ range: Range<Timestamp>, isRaw: Bool
    ) async throws -> [UplinkItem.Entry] {
        let rollups = try await rollups(subject, period, range)
        var entries: [UplinkItem.Entry] = []
        for member in subject.members {
            guard let rollup = rollups[member.series.number] else { continue }
            var entry = UplinkItem.Entry(
                series: member.series, rollup: rollup, point: member.point)
            if isRaw || needsSamples(entry) {
                entry.samples = try await reader.samples(
                    series: member.series.id, from: range.lowerBound, to: range.upperBound,
                    limit: 100_000)
            }
            entries.append(entry)
        }
        return entries
    }

    private func needsSamples(_ entry: UplinkItem.Entry) -> Bool {
        if entry.point.statistics.contains(where: \.needsSamples) { return true }
        guard tellsReasons, entry.rollup.bad > 0 else { return false }
        let expected = entry.rollup.expected ?? (entry.rollup.count + entry.rollup.bad)
        return Double(entry.rollup.count) < Self.soundShare * Double(expected)
    }

    /// The folds of the period by series.
    private func rollups(
        _ subject: UplinkPlan.Subject, _ period: ItemPeriod, _ range: Range<Timestamp>
    ) async throws -> [Int: Rollup] {
        var found: [Int: Rollup] = [:]
        if case .bucket(let resolution) = period {
            for group in Set(subject.members.map(\.group.id)).sorted() {
                for record in try await reader.rollups(
                    group: group, start: range.lowerBound, resolution: resolution)
                { found[record.series] = record.rollup }
            }
            // Rows of minutes go after two days; what they were folded from stays longer.
            if resolution != .minute || !found.isEmpty { return found }
        }
        for member in subject.members {
            let records = try await reader.rollups(
                series: member.series.number, resolution: period.base, from: range.lowerBound,
                to: range.upperBound)
            guard let first = records.first else { continue }
            found[member.series.number] = records.dropFirst().reduce(first.rollup) {
                $0.merging($1.rollup)
            }
        }
        return found
    }

    // MARK: Instants

    /// What each point said last, if that is not too long ago.
    private func instant(
        _ subject: UplinkPlan.Subject, at time: Timestamp
    ) async throws -> [UplinkItem.Entry] {
        var entries: [UplinkItem.Entry] = []
        for member in subject.members {
            let period = member.group.period.map { max(Self.freshness, $0 * 2) }
            let samples = try await reader.samples(
                series: member.series.id, from: time - (period ?? Self.freshness),
                to: time + .milliseconds(1))
            guard let last = samples.last else { continue }
            var rollup = Rollup()
            rollup.add(last.reading, at: last.time)
            entries.append(
                UplinkItem.Entry(
                    series: member.series, rollup: rollup, point: member.point, samples: [last]))
        }
        return entries
    }
}
