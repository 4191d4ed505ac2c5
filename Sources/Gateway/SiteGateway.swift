import Acquisition
import Alarms
import Delivery
import DeviceProfiles
import FeedFormats
import FieldLinks
import Logging
import ServiceLifecycle
import Store
import Synchronization
import Telemetry
import UplinkFormats
import WebAPI

/// What the gateway takes from the world around it.
package struct Surroundings: Sendable {
    /// Waits and measures.
    package var clock: any Clock<Duration> & Sendable
    /// Stamps; `isTrusted` says whether the kernel is synchronised. The gateway judges it.
    package var wallClock: any WallClock
    /// No time before this one is ever believed: when the program was built.
    package var builtAt = Timestamp(milliseconds: 0)
    package var logger: Logger
    package var dashboards: DashboardFiles
    /// The words in which people are told of alarms; read when a feed needs them.
    package var feedTemplates: @Sendable () throws -> FeedTemplates
    /// Called after each commit and each honest idle round of Ingestion; feeds the watchdog.
    package var onRound: @Sendable () -> Void
    /// Called once with the port of the API, when everything is ready.
    package var onReady: @Sendable (Int) -> Void

    package init(
        clock: any Clock<Duration> & Sendable, wallClock: any WallClock,
        builtAt: Timestamp = Timestamp(milliseconds: 0), logger: Logger,
        dashboards: DashboardFiles,
        feedTemplates: @escaping @Sendable () throws -> FeedTemplates = {
            try FeedTemplates(texts: [:])
        }, onRound: @escaping @Sendable () -> Void = {},
        onReady: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        self.clock = clock
        self.wallClock = wallClock
        self.builtAt = builtAt
        self.logger = logger
        self.dashboards = dashboards
        self.feedTemplates = feedTemplates
        self.onRound = onRound
        self.onReady = onReady
    }
}

/// One site's gateway, composed: the store and the services around it, in the order of the start.
package struct SiteGateway: Sendable {
    package let site: BoundSite
    package let store: Store
    /// The site's scan groups with the registry's numbers.
    package let groups: [ScanGroup]
    package let ingestion: Ingestion
    let library: ProfileLibrary
    let surroundings: Surroundings
    let trustedClock: TrustedWallClock
    let evaluation: Evaluation
    /// What the uplinks want to be told of; platforms may change it.
    let selections: OwedSelections
    let unstored = UnstoredState()
    let counters = GatewayCounters()
    let status = AcquisitionStatus()
    let readiness = Readiness()
    /// Switches devices.
    package let buses = Buses()
    let orders: OrderAudit
    private let announcement: Announcement

    /// Opens the store and registers the site's series; nothing runs yet.
    ///
    /// - Throws: `StoreError` when the store cannot be opened.
    package init(
        _ site: BoundSite, library: ProfileLibrary, surroundings: Surroundings
    ) async throws {
        self.site = site
        self.library = library
        let configuration = site.configuration
        let opened = try Store.openRecovering(
            StoreOptions(
                directory: configuration.data.directory,
                durability: configuration.data.durability), calendar: site.calendar,
            now: surroundings.wallClock.read().wall)
        store = opened.store
        if let report = opened.report { EventLog(logger: surroundings.logger).recovery(report) }
        groups = try await store.writer.register(site.groups + site.ownGroups)
        readiness.reach(.storeOpen)
        trustedClock = try await TrustedWallClock.starting(
            surroundings.wallClock,
            rules: configuration.clockRules(notBefore: surroundings.builtAt), store: store,
            groups: groups, logger: surroundings.logger)
        var surroundings = surroundings
        surroundings.wallClock = trustedClock
        self.surroundings = surroundings
        orders = OrderAudit(
            store: store, clock: surroundings.clock, wallClock: trustedClock,
            logger: surroundings.logger)
        announcement = Announcement(readiness: readiness, onReady: surroundings.onReady)
        var options = Ingestion.Options()
        options.commitInterval = configuration.data.commitInterval
        options.rawRetention = configuration.data.retention.raw
        ingestion = Ingestion(
            store: store, groups: groups, wallClock: surroundings.wallClock,
            clock: surroundings.clock, options: options, counters: counters,
            logger: surroundings.logger,
            observer: unstored.observer(readiness: readiness, counters: counters),
            onRound: surroundings.onRound)
        selections = OwedSelections(configuration.uplinkPlans(of: groups).map(\.selection))
        let machine = EvaluationMachine(
            groups: groups,
            alarms: AlarmFold(
                rules: configuration.alarms, site: site.alarmSite(groups: groups),
                feeds: configuration.feeds.map(\.subscription),
                operators: groups.first { $0.scope == BoundSite.operators.scope }?.id),
            cranes: CraneFold(
                groups: groups, kinds: site.kinds, options: configuration.cranes?.options),
            calendar: site.calendar,
            selections: selections)
        let (readiness, announcement) = (readiness, announcement)
        evaluation = Evaluation(
            store: store, machine: machine, calendar: site.calendar, clock: surroundings.clock,
            logger: surroundings.logger,
            onProgress: { [counters] sequence in
                counters.evaluated(to: sequence)
                readiness.reach(.historyEvaluated)
                announcement.tell()
            })
    }

    /// Enters the past as scans (design 5, history) and evaluates it, before the services run.
    ///
    /// - Parameter onProgress: told the time up to which scans are stored.
    /// - Throws: `CancellationError` when the task is cancelled, else what the store reported.
    package func enter(
        _ history: some Sequence<[Scan]>, onProgress: (Timestamp) -> Void = { _ in }
    ) async throws {
        do {
            for scans in history where !scans.isEmpty {
                try Task.checkCancellation()
                _ = try await ingestion.admit(Admission(scans: scans))
                try await ingestion.commitNow()
                if let last = scans.last { onProgress(last.time) }
            }
            try await evaluation.catchUp()
        } catch {
            // A reader that is cut short tells it as an error of the store.
            try Task.checkCancellation()
            throw error
        }
    }

    /// Everything that runs, in the order of the start; the stop is the reverse, so that input ends
    /// first and what is buffered reaches the disk.
    ///
    /// - Throws: `WebAPIError` for an address that the API must not listen on,
    ///   `DescriptorBudgetError` when the site needs more connections than the process may have.
    package func services() async throws -> [any Service] {
        var services: [any Service] = [StoreService(store: store), orders]
        services.append(try application())
        services += try await uplinks() + feeds()
        services.append(
            Housekeeping(
                store: store, policy: site.configuration.data.housekeeping,
                clock: surroundings.clock, wallClock: surroundings.wallClock,
                logger: surroundings.logger,
                verification: BackgroundVerification(
                    reader: store.reader, counters: counters, clock: surroundings.clock,
                    logger: surroundings.logger),
                rawUplinks: site.configuration.uplinks.filter { $0.content == .raw }.map(\.id)))
        services.append(evaluation)
        services.append(
            VolatileEvaluation(
                evaluation: evaluation, reader: store.reader, groups: groups,
                plans: site.configuration.uplinkPlans(of: groups), items: unstored.items,
                feed: unstored.feed,
                counters: counters, logger: surroundings.logger))
        services.append(ingestion)
        if let link = try instructionLink() { services.append(link) }
        services += registered([site.ownPoints]).map { ownPoints($0) }
        services += registered([site.quotaPoints].compactMap(\.self)).map { quotaPoints($0) }
        let events = EventLog(logger: surroundings.logger)
        let dialIns = try DialIns(site.links) { events.turnedAway(port: $0, said: $1) }
        services += dialIns.services
        let latest = store.reader.latest()
        for link in site.links { services.append(try await acquisition(link, dialIns, latest)) }
        services += sprays
        return services
    }

    private func ownPoints(_ group: ScanGroup) -> OwnPoints {
        OwnPoints(
            group: group, certificates: site.configuration.certificates, store: store,
            counters: counters, trustedClock: trustedClock, ingestion: ingestion,
            clock: surroundings.clock, logger: surroundings.logger)
    }

    private func quotaPoints(_ group: ScanGroup) -> QuotaPoints {
        QuotaPoints(
            group: group, plan: site.configuration.energy, store: store,
            wallClock: surroundings.wallClock, calendar: site.calendar, ingestion: ingestion,
            clock: surroundings.clock, logger: surroundings.logger)
    }

    private func application() throws -> any Service {
        let (readiness, announcement) = (readiness, announcement)
        let listen = site.configuration.listen
        return try makeApplication(
            context: webContext(), host: listen.host, port: listen.port,
            logger: surroundings.logger,
            onListening: { port in
                announcement.port(port)
                readiness.reach(.listening)
                announcement.tell()
            })
    }
}

/// Tells once, when the gateway is ready, on which port it listens.
private final class Announcement: Sendable {
    private let readiness: Readiness
    private let onReady: @Sendable (Int) -> Void
    // Two loops report their progress from tasks of their own; the first to find all ready tells.
    private let state = Mutex((port: 0, isTold: false))

    init(readiness: Readiness, onReady: @escaping @Sendable (Int) -> Void) {
        self.readiness = readiness
        self.onReady = onReady
    }

    func port(_ port: Int) { state.withLock { $0.port = port } }

    func tell() {
        guard readiness.isReady else { return }
        let port: Int? = state.withLock { state in
            if state.isTold { return nil }
            state.isTold = true
            return state.port
        }
        if let port { onReady(port) }
    }
}

/// Something that runs until it is asked to stop, as a service.
struct Running: Service {
    let start: @Sendable () async -> Void
    let stop: @Sendable () -> Void

    func run() async throws {
        await withGracefulShutdownHandler {
            await start()
        } onGracefulShutdown: {
            stop()
        }
    }
}

/// Keeps the store open until everything above it has stopped.
private struct StoreService: Service {
    let store: Store

    func run() async throws {
        try? await gracefulShutdown()
        try store.close()
    }
}

extension SiteConfiguration.Data {
    var housekeeping: HousekeepingPolicy {
        HousekeepingPolicy(
            rawRetention: retention.raw,
            rollupRetention: [
                .minute: retention.minute, .quarterHour: retention.quarterHour,
                .hour: retention.hour, .day: retention.day,
            ], maximumBytes: maximumBytes)
    }
}
