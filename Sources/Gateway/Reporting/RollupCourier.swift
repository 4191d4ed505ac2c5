import Delivery
import Logging
import Store
import Telemetry
import UplinkFormats

/// Makes rollups ready for one uplink.
struct RollupCourier: Courier {
    let site: SiteID
    let reader: StoreReader
    private let groups: [String: ScanGroup]
    let format: any UplinkFormat
    let transport: any UplinkTransport
    let calendar: SiteCalendar

    init(
        site: SiteID, reader: StoreReader, groups: [ScanGroup], format: any UplinkFormat,
        transport: any UplinkTransport, calendar: SiteCalendar
    ) {
        self.site = site
        self.reader = reader
        self.groups = Dictionary(groups.map { ($0.scope, $0) }, uniquingKeysWith: { $1 })
        self.format = format
        self.transport = transport
        self.calendar = calendar
    }

    func prepare(_ items: [OwedItem]) async throws -> [Parcel] {
        var parcels: [Parcel] = []
        for item in items {
            if let message = try await encode(item) {
                parcels.append(.ready { await transport.send(message) })
            } else {
                parcels.append(.expired(reason: "the rollups are no longer kept"))
            }
        }
        return parcels
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
        policy: DeliveryPolicy = .rollups(of: .quarterHour), logger: Logger,
        live: LiveItems = LiveItems()
    ) {
        self.init(
            receiver: uplink, store: store,
            courier: RollupCourier(
                site: site, reader: store.reader, groups: groups, format: format,
                transport: transport, calendar: calendar),
            policy: policy, clock: clock, wallClock: wallClock, logger: logger,
            unstored: UnstoredReport(
                uplink: uplink, items: live, format: format, transport: transport,
                calendar: calendar, logger: logger))
    }
}

extension DeliveryPolicy {
    /// For rollups of one resolution.
    static func rollups(of resolution: Resolution) -> DeliveryPolicy {
        var policy = DeliveryPolicy()
        policy.length = resolution.nominal
        return policy
    }
}
