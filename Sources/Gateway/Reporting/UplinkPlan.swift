import Store
import Telemetry

/// What one uplink tells: of whom, which points, and in which kinds of item.
package struct UplinkPlan: Sendable {
    /// One point of a subject, and where its readings are.
    package struct Member: Hashable, Sendable {
        package var group: ScanGroup
        package var series: Series
        package var point: UplinkPoint

        package init(group: ScanGroup, series: Series, point: UplinkPoint = .asStored) {
            self.group = group
            self.series = series
            self.point = point
        }
    }

    /// Of whom items tell: a scan group, or a station that several make up.
    package struct Subject: Hashable, Sendable {
        package var scope: String
        /// nil when its points belong to several devices.
        package var device: DeviceID?
        package var members: [Member]

        package init(scope: String, device: DeviceID?, members: [Member]) {
            self.scope = scope
            self.device = device
            self.members = members
        }
    }

    package var uplink: String
    package var site: SiteID
    package var subjects: [String: Subject]
    /// Kinds that follow from closed buckets, as in `UplinkItem.kind`.
    package var kinds: [String]
    /// The kind of what is told again and again at its instant, such as `2011/60s`.
    package var instants: String?
    /// The kind of instants while the platform wants none.
    var pausedInstants: String?
    /// Whether an instant that could not be told is told later; else it is given up.
    package var keepsInstants = false
    /// Whether scopes are stations and not those of scan groups.
    package var hasStations: Bool
    package var since: Timestamp?
    package var sendsCorrections = true
    /// How long after the end of a period a station's item waits for all of its groups.
    package var gather: Duration

    package init(
        uplink: String, site: SiteID, subjects: [Subject], kinds: [String],
        instants: String? = nil, hasStations: Bool, since: Timestamp? = nil,
        gather: Duration = .zero
    ) {
        self.uplink = uplink
        self.site = site
        self.subjects = Dictionary(
            subjects.map { ($0.scope, $0) }, uniquingKeysWith: { first, _ in first })
        self.kinds = kinds
        self.instants = instants
        self.hasStations = hasStations
        self.since = since
        self.gather = gather
    }

    /// Every scan group for itself, with all of its points.
    package init(
        uplink: String, site: SiteID, groups: [ScanGroup], resolution: Resolution,
        since: Timestamp? = nil
    ) {
        self.init(
            uplink: uplink, site: site,
            subjects: groups.map { group in
                Subject(
                    scope: group.scope, device: group.device,
                    members: group.series.map { Member(group: group, series: $0) })
            }, kinds: [UplinkItem.kind(.rollup, resolution)], hasStations: false, since: since)
    }

    /// What the fold has to know of it.
    package var selection: OwedSelection {
        var stations: [String: [String]] = [:]
        for subject in subjects.values.sorted(by: { $0.scope < $1.scope }) {
            for scope in Set(subject.members.map(\.group.scope)) {
                stations[scope, default: []].append(subject.scope)
            }
        }
        return OwedSelection(
            uplink: uplink,
            cadences: kinds.compactMap { kind in
                guard let period = ItemPeriod(kind: kind) else { return nil }
                switch period {
                case .bucket(let resolution):
                    return .init(
                        kind: kind, base: resolution, gather: hasStations ? gather : .zero)
                case .span(let span):
                    return .init(kind: kind, base: period.base, span: span, gather: gather)
                }
            }, since: since,
            stations: stations, hasStations: hasStations, sendsCorrections: sendsCorrections)
    }

    /// How long the periods of each kind are.
    var spans: [String: Duration] {
        Dictionary(
            (kinds + [instants].compactMap(\.self)).compactMap { kind in
                ItemPeriod(kind: kind).map { (kind, $0.nominal) }
            }, uniquingKeysWith: { first, _ in first })
    }
}
