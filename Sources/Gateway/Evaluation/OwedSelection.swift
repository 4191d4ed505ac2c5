import Store
import Synchronization
import Telemetry

/// What an uplink wants to be told of, as far as the fold needs to know.
package struct OwedSelection: Hashable, Sendable {
    /// One kind of item, and which closed buckets make it.
    package struct Cadence: Hashable, Sendable {
        /// As in `UplinkItem.kind`.
        package var kind: String
        /// Of the buckets that an item is made of.
        package var base: Resolution
        /// How long an item's period is, a multiple of the base cut in UTC; nil: one bucket.
        package var span: Duration?
        /// How long after the end of a period an item waits for its other parts.
        package var gather: Duration

        package init(
            kind: String, base: Resolution, span: Duration? = nil, gather: Duration = .zero
        ) {
            self.kind = kind
            self.base = base
            self.span = span
            self.gather = gather
        }

        /// The period to which a bucket belongs.
        func period(of bucket: Bucket) -> (start: Timestamp, end: Timestamp) {
            guard let span else { return (bucket.start, bucket.end) }
            let start = bucket.start.slot(every: span)
            return (start, start + span)
        }
    }

    package var uplink: String
    package var cadences: [Cadence]
    /// Buckets that begin before are not owed; nil owes all that close.
    package var since: Timestamp?
    /// The scopes in which a scan group is told of, by the group's own; nil: each group for itself.
    package var stations: [String: [String]]?
    /// Whether several groups may make up one item.
    package var hasStations = false
    /// False where the platform knows no corrections: what was told stays told.
    package var sendsCorrections = true

    package init(
        uplink: String, cadences: [Cadence], since: Timestamp? = nil,
        stations: [String: [String]]? = nil, hasStations: Bool = false,
        sendsCorrections: Bool = true
    ) {
        self.hasStations = hasStations
        self.uplink = uplink
        self.cadences = cadences
        self.since = since
        self.stations = stations
        self.sendsCorrections = sendsCorrections
    }

    /// The rollups of one resolution, group by group.
    package init(uplink: String, resolution: Resolution, since: Timestamp? = nil) {
        self.init(
            uplink: uplink,
            cadences: [Cadence(kind: UplinkItem.kind(.rollup, resolution), base: resolution)],
            since: since)
    }

    func wantsMinutes(of group: ScanGroup) -> Bool {
        cadences.contains { $0.base == .minute }
            && (stations.map { $0[group.scope]?.isEmpty == false } ?? true)
    }

    /// What is owed because a bucket of a group has closed, or has changed since.
    func items(
        of group: ScanGroup, bucket: Bucket, revision: Int, calendar: SiteCalendar
    ) -> [OwedItem] {
        if let since, bucket.start < since { return [] }
        if revision > 0, !sendsCorrections { return [] }
        let scopes = stations.map { $0[group.scope] ?? [] } ?? [group.scope]
        return cadences.filter { $0.base == bucket.resolution }.flatMap { cadence in
            let period = cadence.period(of: bucket)
            // A part that changes raises the revision, which is a correction.
            let isPart = (cadence.span != nil || hasStations) && sendsCorrections
            return scopes.map { scope in
                OwedItem(
                    uplink: uplink, kind: cadence.kind, scope: scope, start: period.start,
                    revision: isPart ? 0 : revision, due: period.end + cadence.gather,
                    part: isPart
                        ? group.series.first.map {
                            OwedItem.Part(
                                resolution: bucket.resolution, start: bucket.start,
                                series: $0.number)
                        } : nil)
            }
        }
    }
}

/// What all uplinks want, in one place: a platform may change how often it is told.
package final class OwedSelections: Sendable {
    // A mutex: the fold reads it between two rows. Nothing waits inside.
    private let state: Mutex<[OwedSelection]>

    package init(_ selections: [OwedSelection]) { state = Mutex(selections) }

    package var all: [OwedSelection] { state.withLock { $0 } }

    /// Puts a selection in the place of the one for the same uplink; what has closed stays as it was
    /// owed.
    func replace(_ selection: OwedSelection) {
        state.withLock { all in
            for index in all.indices where all[index].uplink == selection.uplink {
                all[index] = selection
            }
        }
    }

    func wantMinutes(of group: ScanGroup) -> Bool {
        all.contains { $0.wantsMinutes(of: group) }
    }
}
