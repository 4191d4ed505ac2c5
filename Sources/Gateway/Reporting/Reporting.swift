import Delivery
import Logging
import ServiceLifecycle
import Store
import Telemetry
import UplinkFormats

/// Sends what is owed to one platform, live before backlog: the third of the four loops.
///
///     outbox ──owed──▶ rollups of the store ──format──▶ transport ──outcome──▶ store
///
/// One loop for each uplink, so that a platform that is away costs nothing but its own backlog.
package struct Reporting: Service {
    package struct Options: Sendable {
        /// Items in flight at once.
        package var inFlight = 16
        /// What began within this span counts as live.
        package var liveSpan: Duration = .seconds(300)
        package var correctionSpacing: Duration = .seconds(900)
        /// How long to wait when nothing is owed.
        package var idleInterval: Duration = .seconds(1)
        package init() {}
    }

    private let uplink: String
    private let site: SiteID
    private let store: Store
    private let groups: [String: ScanGroup]
    private let format: any UplinkFormat
    private let transport: any UplinkTransport
    private let calendar: SiteCalendar
    private let clock: any Clock<Duration>
    private let wallClock: any WallClock
    private let options: Options
    private let counters: GatewayCounters
    private let logger: Logger

    package init(
        uplink: String, site: SiteID, store: Store, groups: [ScanGroup],
        format: any UplinkFormat, transport: any UplinkTransport, calendar: SiteCalendar,
        clock: any Clock<Duration>, wallClock: any WallClock, options: Options,
        counters: GatewayCounters, logger: Logger
    ) {
        self.uplink = uplink
        self.site = site
        self.store = store
        self.groups = Dictionary(groups.map { ($0.scope, $0) }, uniquingKeysWith: { $1 })
        self.format = format
        self.transport = transport
        self.calendar = calendar
        self.clock = clock
        self.wallClock = wallClock
        self.options = options
        self.counters = counters
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                let sent: Int
                do {
                    sent = try await round()
                } catch {
                    // The outbox stands in the store: what could not be settled is sent again.
                    logger.warning(
                        "reporting waits for the store",
                        metadata: ["uplink": "\(uplink)", "error": "\(error)"])
                    sent = 0
                }
                if sent == 0 {
                    do { try await clock.sleep(for: options.idleInterval) } catch { return }
                }
            }
        }
    }

    /// Sends one handful of items.
    ///
    /// - Returns: how many were settled other than by a retry.
    private func round() async throws -> Int {
        let now = wallClock.read().wall
        let liveSince = now - options.liveSpan
        var items = try await store.reader.owedItems(
            uplink: uplink, now: now, correctionSpacing: options.correctionSpacing,
            liveSince: liveSince, live: true, limit: options.inFlight)
        if items.count < options.inFlight {
            items += try await store.reader.owedItems(
                uplink: uplink, now: now, correctionSpacing: options.correctionSpacing,
                liveSince: liveSince, live: false, limit: options.inFlight - items.count)
        }
        if items.isEmpty { return 0 }
        var messages: [(OwedItem, EncodedMessage)] = []
        var expired: [OwedItem] = []
        for item in items {
            if let message = try await encode(item) {
                messages.append((item, message))
            } else {
                expired.append(item)
            }
        }
        if !expired.isEmpty {
            try await store.writer.expire(
                expired, reason: "the rollups are no longer kept", at: now)
        }
        let settlements = await send(messages)
        try await store.writer.settle(settlements, at: wallClock.read().wall)
        return expired.count + settlements.count { if case .retry = $0.outcome { false } else { true } }
    }

    private func encode(_ item: OwedItem) async throws -> EncodedMessage? {
        guard let group = groups[item.scope], let resolution = Self.resolution(of: item) else {
            return nil
        }
        let records = try await store.reader.rollups(
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

    private func send(_ messages: [(OwedItem, EncodedMessage)]) async -> [Settlement] {
        await withTaskGroup(of: Settlement.self) { group in
            for (item, message) in messages {
                group.addTask { Settlement(item, await transport.send(message)) }
            }
            var settlements: [Settlement] = []
            for await settlement in group {
                settlements.append(settlement)
                switch settlement.outcome {
                case .accepted: counters.sent(uplink)
                case .retry: counters.retried(uplink)
                case .rejected(let reason):
                    counters.rejected(uplink)
                    logger.error(
                        "the platform refuses an item; it is set aside",
                        metadata: [
                            "uplink": "\(uplink)", "scope": "\(settlement.item.scope)",
                            "start": "\(settlement.item.start.rfc3339())", "reason": "\(reason)",
                        ])
                }
            }
            return settlements
        }
    }
}
