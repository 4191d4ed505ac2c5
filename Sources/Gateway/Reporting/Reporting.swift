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
    /// How much is sent at once, and how often it is looked for.
    package struct Options: Sendable {
        /// Items in flight at once.
        package var inFlight = 16
        /// What ended within this span counts as live.
        package var liveSpan: Duration = .seconds(300)
        /// The length of the buckets that are sent.
        package var resolution = Resolution.quarterHour
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
    private let logger: Logger
    private let unstored: UnstoredReport

    init(
        uplink: String, site: SiteID, store: Store, groups: [ScanGroup],
        format: any UplinkFormat, transport: any UplinkTransport, calendar: SiteCalendar,
        clock: any Clock<Duration>, wallClock: any WallClock, options: Options,
        logger: Logger, live: LiveItems = LiveItems()
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
        self.logger = logger
        unstored = UnstoredReport(
            uplink: uplink, items: live, format: format, transport: transport, calendar: calendar,
            logger: logger)
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var progress = Progress()
            while !Task.isCancelled {
                let pause: Duration?
                // First: while it has items the store takes no outcomes, so nothing below goes out.
                await unstored.send(limit: options.inFlight)
                do {
                    pause = try await round(&progress)
                    progress.failure = nil
                } catch {
                    // The outbox stands in the store: what could not be settled is sent again.
                    if progress.failure != "\(error)" {
                        progress.failure = "\(error)"
                        logger.warning(
                            "reporting waits for the store",
                            metadata: ["uplink": "\(uplink)", "error": "\(error)"])
                    }
                    pause = options.idleInterval
                }
                guard let pause else { continue }
                do { try await clock.sleep(for: pause) } catch { return }
            }
        }
    }

    /// What the loop remembers from one round to the next.
    private struct Progress {
        /// Outcomes that the store could not take: written before anything else is sent, so that a
        /// full disk does not repeat the same items to the platform again and again.
        var unsettled: [Settlement] = []
        /// The last handful was taken by nobody: one item at a time knocks at the door.
        var isAway = false
        /// What was reported last; nil when all is well.
        var failure: String?
    }

    /// Sends one handful of items.
    ///
    /// - Returns: how long to wait before the next one; nil is not at all.
    private func round(_ progress: inout Progress) async throws -> Duration? {
        try await store.writer.settle(progress.unsettled, at: wallClock.read().wall)
        progress.unsettled = []
        let now = wallClock.read().wall
        let items = try await owed(at: now, limit: progress.isAway ? 1 : options.inFlight)
        if items.isEmpty { return options.idleInterval }
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
        progress.unsettled = await send(messages)
        let delays = progress.unsettled.compactMap { settlement -> Duration? in
            if case .retry(let after, _) = settlement.outcome { after } else { nil }
        }
        progress.isAway = !delays.isEmpty && delays.count == progress.unsettled.count
        try await store.writer.settle(progress.unsettled, at: wallClock.read().wall)
        progress.unsettled = []
        return progress.isAway ? max(delays.min() ?? .zero, options.idleInterval) : nil
    }

    /// What may be sent now: live items first, then the backlog in its order.
    private func owed(at now: Timestamp, limit: Int) async throws -> [OwedItem] {
        // A bucket is owed when it has ended, so its start lies back by its own length.
        let liveSince = now - options.liveSpan - options.resolution.nominal
        let live = try await store.reader.owedItems(
            uplink: uplink, now: now, correctionSpacing: options.correctionSpacing,
            liveSince: liveSince, live: true, limit: limit)
        if live.count == limit { return live }
        return try await live
            + store.reader.owedItems(
                uplink: uplink, now: now, correctionSpacing: options.correctionSpacing,
                liveSince: liveSince, live: false, limit: limit - live.count)
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

    /// Sends the items of each device in their order, several devices at once.
    ///
    /// Behind an item that must be tried again its device's others stay owed: a platform sees each
    /// device's past in order, or not yet.
    private func send(_ messages: [(OwedItem, EncodedMessage)]) async -> [Settlement] {
        let byScope = Dictionary(grouping: messages) { $0.0.scope }
        return await withTaskGroup(of: [Settlement].self) { group in
            for queue in byScope.values {
                group.addTask {
                    var settlements: [Settlement] = []
                    for (item, message) in queue {
                        let settlement = Settlement(item, await transport.send(message))
                        settlements.append(settlement)
                        if case .retry = settlement.outcome { break }
                    }
                    return settlements
                }
            }
            var settlements: [Settlement] = []
            for await part in group {
                for settlement in part { note(settlement) }
                settlements += part
            }
            return settlements
        }
    }

    private func note(_ settlement: Settlement) {
        guard case .rejected(let reason) = settlement.outcome else { return }
        logger.error(
            "the platform refuses an item; it is set aside",
            metadata: [
                "uplink": "\(uplink)", "scope": "\(settlement.item.scope)",
                "start": "\(settlement.item.start.rfc3339())", "reason": "\(reason)",
            ])
    }
}
