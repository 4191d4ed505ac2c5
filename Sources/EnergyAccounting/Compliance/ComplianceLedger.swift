import Telemetry

/// Everything that the compliance statement rests on: what the meters gave, what the platforms took.
package struct ComplianceLedger: Sendable {
    /// How one platform stands at the moment.
    package struct Platform: Hashable, Sendable {
        package var uplink: String
        /// nil when it has accepted nothing yet.
        package var lastAccepted: Timestamp?
        /// The start of the oldest bucket that it is owed; nil when it is owed nothing.
        package var oldestOwed: Timestamp?
        /// Whom its items tell of, where they tell of stations that several devices make up: the
        /// station's name → the series in it. Empty: of devices, by their names.
        package var stations: [String: Set<SeriesID>]

        package init(
            uplink: String, lastAccepted: Timestamp? = nil, oldestOwed: Timestamp? = nil,
            stations: [String: Set<SeriesID>] = [:]
        ) {
            self.uplink = uplink
            self.stations = stations
            self.lastAccepted = lastAccepted
            self.oldestOwed = oldestOwed
        }
    }

    /// How far back a running outage is looked for.
    package static let lookBack = Duration.seconds(35 * 86_400)

    package let plan: EnergyPlan
    package let period: AccountingPeriod
    package let calendar: SiteCalendar
    package let now: Timestamp
    /// The platforms of the configuration.
    package let platforms: [Platform]
    /// Of the period's days.
    package let deliveries: [DeliveryDay]
    private let inPeriod: [String: MeterOutages]
    private let recently: [String: MeterOutages]
    private let lastGoods: [SeriesID: Timestamp]

    /// - Parameters:
    ///   - counted: the hours of the period.
    ///   - recent: the hours of `recentGrid`.
    ///   - lastGoods: when the last good reading of a counter was taken, where that is remembered.
    package init(
        plan: EnergyPlan, period: AccountingPeriod, calendar: SiteCalendar, now: Timestamp,
        counted: MeterLedger, recent: MeterLedger, lastGoods: [SeriesID: Timestamp] = [:],
        platforms: [Platform], deliveries: [DeliveryDay]
    ) {
        self.plan = plan
        self.period = period
        self.calendar = calendar
        self.now = now
        self.platforms = platforms
        self.deliveries = deliveries
        self.lastGoods = lastGoods
        func outages(_ ledger: MeterLedger) -> [String: MeterOutages] {
            var outages: [String: MeterOutages] = [:]
            for meter in plan.tree.meters where meter.counter != nil {
                guard let column = ledger.column(of: meter.id) else { continue }
                outages[meter.id] = MeterOutages(column.counts, on: ledger.grid, now: now)
            }
            return outages
        }
        inPeriod = outages(counted)
        recently = outages(recent)
    }

    /// The hours in which a running outage is looked for.
    package static func recentGrid(now: Timestamp, calendar: SiteCalendar) -> CountGrid {
        CountGrid(.hour, from: now - lookBack, to: now, calendar: calendar)
    }

    /// The meters with a device of their own; only these can be out.
    package var meters: [Meter] { plan.tree.inTreeOrder.filter { $0.counter != nil } }

    /// What a meter missed in the period; nil for a meter without a counter.
    package func outages(of meter: Meter) -> MeterOutages? { inPeriod[meter.id] }

    /// Since when a meter is out, and whether it may have been out before; nil when it is not.
    package func running(_ meter: Meter) -> (since: Timestamp, isOlder: Bool)? {
        guard let recent = recently[meter.id], let since = recent.runningSince else { return nil }
        // A reading of the hour that has not ended yet, or of one that has not been folded yet.
        if let last = meter.counter.flatMap({ lastGoods[$0] }), since <= last, last <= now {
            return nil
        }
        return (since, recent.isOlderThanGrid)
    }

    /// Whether anybody has said how often a meter is read, so that its silence means something.
    package func isJudged(_ meter: Meter) -> Bool { recently[meter.id]?.isJudged ?? false }

    /// When the last good reading was taken, or the end of the last hour that has one.
    package func lastGood(of meter: Meter) -> Timestamp? {
        let reading = meter.counter.flatMap { lastGoods[$0] }
        let hour = [recently[meter.id], inPeriod[meter.id]].compactMap { $0?.lastGood }.max()
        return reading ?? hour
    }

    /// The day since which a platform is behind; nil when it is not.
    ///
    /// What is owed of a day that has just ended may still be on its way: the rules say how long.
    package func behindSince(_ platform: Platform) -> CivilDate? {
        guard let oldest = platform.oldestOwed else { return nil }
        let day = CivilDate(oldest, calendar: calendar)
        let ended = day.advanced(days: 1).start(calendar: calendar)
        return ended + (plan.compliance?.uploadGrace ?? .zero) < now ? day : nil
    }

    /// What a platform was owed of the period's days, for one meter or for all.
    ///
    /// A meter's items are those of its device, or of each station that its counter is part of.
    package func deliveries(to uplink: String, of meter: Meter? = nil) -> [DeliveryDay] {
        let all = deliveries.filter { $0.uplink == uplink }
        guard let meter else { return all }
        guard let counter = meter.counter else { return [] }
        let stations = platforms.first { $0.uplink == uplink }?.stations ?? [:]
        return all.filter { one in
            stations.isEmpty
                ? one.scope.hasPrefix("\(counter.device)/")
                : stations[one.scope]?.contains(counter) ?? false
        }
    }

    /// The platforms of the configuration, and those of which the period's days still tell.
    package var uplinks: [String] {
        let known = platforms.map(\.uplink)
        return known + Set(deliveries.map(\.uplink)).subtracting(known).sorted()
    }

    /// The total floor area of the building.
    package var area: Exact? { plan.floorArea ?? plan.area(over: period) }
}

/// The counts of several days or scopes as one.
package struct DeliveryTotal: Hashable, Sendable {
    package private(set) var owed = 0
    package private(set) var accepted = 0
    package private(set) var rejected = 0
    package private(set) var expired = 0

    package init(_ days: some Sequence<DeliveryDay>) {
        for day in days {
            owed += day.owed
            accepted += day.accepted
            rejected += day.rejected
            expired += day.expired
        }
    }

    package var open: Int { owed - accepted - rejected - expired }

    /// The share of what was owed that was accepted; nil when nothing was owed.
    package var completeness: Exact? {
        owed > 0 ? Exact(Int128(accepted), over: Int128(owed)) : nil
    }
}
