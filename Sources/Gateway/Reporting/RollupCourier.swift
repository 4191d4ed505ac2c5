import Delivery
import Logging
import Store
import Telemetry
import UplinkFormats

/// Makes rollups ready for one uplink.
struct RollupCourier: Courier {
    let uplink: String
    let site: SiteID
    let reader: StoreReader
    private let groups: [String: ScanGroup]
    let format: any UplinkFormat
    let transport: any UplinkTransport
    let calendar: SiteCalendar
    /// Of the buckets that are reported.
    let resolution: Resolution
    /// The least time between two messages for the same item.
    let correctionSpacing: Duration

    /// What ended within this span is live and goes first; the rest is the backlog.
    private static let liveSpan = Duration.seconds(300)

    init(
        uplink: String, site: SiteID, reader: StoreReader, groups: [ScanGroup],
        format: any UplinkFormat, transport: any UplinkTransport, calendar: SiteCalendar,
        resolution: Resolution, correctionSpacing: Duration
    ) {
        self.uplink = uplink
        self.site = site
        self.reader = reader
        self.groups = Dictionary(groups.map { ($0.scope, $0) }, uniquingKeysWith: { $1 })
        self.format = format
        self.transport = transport
        self.calendar = calendar
        self.resolution = resolution
        self.correctionSpacing = correctionSpacing
    }

    /// Live items first, then the backlog in its order.
    func owed(at now: Timestamp, limit: Int) async throws -> [(item: OwedItem, parcel: Parcel)] {
        var owed: [(item: OwedItem, parcel: Parcel)] = []
        for item in try await items(at: now, limit: limit) {
            if let message = try await encode(item) {
                owed.append((item, .ready { await transport.send(message) }))
            } else {
                owed.append((item, .expired(reason: "the rollups are no longer kept")))
            }
        }
        return owed
    }

    private func items(at now: Timestamp, limit: Int) async throws -> [OwedItem] {
        // A bucket is owed when it has ended, so its start lies back by its own length.
        let liveSince = now - Self.liveSpan - resolution.nominal
        let live = try await reader.owedItems(
            uplink: uplink, now: now, correctionSpacing: correctionSpacing,
            liveSince: liveSince, live: true, limit: limit)
        if live.count == limit { return live }
        return try await live
            + reader.owedItems(
                uplink: uplink, now: now, correctionSpacing: correctionSpacing,
                liveSince: liveSince, live: false, limit: limit - live.count)
    }

    private func encode(_ item: OwedItem) async throws -> EncodedMessage? {
        guard let group = groups[item.scope], let resolution = Self.resolution(of: item) else {
            return nil
        }
        let records = try await reader.rollups(
            group: group.id, start: item.start, resolution: resolution)
        if records.isEmpty { return nil }
        let bySeries = Dictionary(
            records.map { ($0.series, $0.rollup) }, uniquingKeysWith: { first, _ in first })
        return format.encode(
            UplinkItem(
                site: site, scope: item.scope, device: group.device,
                bucket: Bucket(resolution, containing: item.start, calendar: calendar),
                revision: item.revision,
                entries: group.series.compactMap { series in
                    bySeries[series.number].map {
                        UplinkItem.Entry(series: series, rollup: $0)
                    }
                }),
            calendar: calendar)
    }

    private static func resolution(of item: OwedItem) -> Resolution? {
        guard item.kind.hasPrefix("rollup/") else { return nil }
        return Resolution(rawValue: String(item.kind.dropFirst("rollup/".count)))
    }
}

extension Reporting {
    /// The loop of one uplink that reports rollups.
    ///
    /// - Parameter live: what is known while nothing can be stored.
    init(
        uplink: String, site: SiteID, store: Store, groups: [ScanGroup],
        format: any UplinkFormat, transport: any UplinkTransport, calendar: SiteCalendar,
        clock: any Clock<Duration>, wallClock: any WallClock,
        resolution: Resolution = .quarterHour, correctionSpacing: Duration = .seconds(900),
        logger: Logger, live: LiveItems = LiveItems()
    ) {
        self.init(
            receiver: uplink, store: store,
            courier: RollupCourier(
                uplink: uplink, site: site, reader: store.reader, groups: groups, format: format,
                transport: transport, calendar: calendar, resolution: resolution,
                correctionSpacing: correctionSpacing),
            policy: DeliveryPolicy(), clock: clock, wallClock: wallClock, logger: logger,
            unstored: UnstoredReport(
                uplink: uplink, items: live, format: format, transport: transport,
                calendar: calendar, logger: logger))
    }
}
