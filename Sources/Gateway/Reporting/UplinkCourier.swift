import Delivery
import Logging
import Store
import Telemetry
import UplinkFormats

/// Makes items ready for one uplink.
struct UplinkCourier: Courier {
    let live: LivePlan
    let store: Store
    let calendar: SiteCalendar
    /// Whether the format says why readings are missing.
    let tellsReasons: Bool
    let transport: any UplinkTransport
    /// The least time between two messages for the same item.
    let correctionSpacing: Duration

    private var plan: UplinkPlan { live.plan }
    private var assembly: ItemAssembly {
        ItemAssembly(
            plan: live.plan, reader: store.reader, calendar: calendar, tellsReasons: tellsReasons)
    }

    /// What ended within this span is live and goes first; the rest is the backlog.
    private static let liveSpan = Duration.seconds(300)

    var bytesSent: Int64 { transport.bytesSent }

    /// Live items first, then the backlog in its order.
    func owed(_ request: OwedRequest) async throws -> [Consignment] {
        let timely = live.owedByTime(at: request.now)
        if !timely.isEmpty { try await store.writer.owe(timely) }
        let live = try await items(request, live: true, limit: request.limit)
        let room = request.limit * transport.batchLimit - live.count
        let backlog =
            room > 0 && request.allowsBacklog
            ? try await items(request, live: false, limit: request.limit, room: room) : []
        return consignments(live, isBacklog: false) + consignments(backlog, isBacklog: true)
    }

    private func items(
        _ request: OwedRequest, live: Bool, limit: Int, room: Int? = nil
    ) async throws -> [OwedItem] {
        try await store.reader.owedItems(
            uplink: plan.uplink, now: request.now, correctionSpacing: correctionSpacing,
            liveSince: request.now - Self.liveSpan - plan.gather, live: live, spans: plan.spans,
            resting: request.resting, limit: room ?? limit * transport.batchLimit)
    }

    private func consignments(_ items: [OwedItem], isBacklog: Bool) -> [Consignment] {
        var consignments: [Consignment] = []
        var batch: [OwedItem] = []
        func close() {
            guard let first = batch.first else { return }
            // What goes together goes in one row; single items keep to their own subject.
            let lane = transport.batchLimit > 1 ? "" : "\(first.kind)|\(first.scope)"
            let items = batch
            consignments.append(
                Consignment(items, lane: lane) { try await pack(items, isBacklog: isBacklog) })
            batch = []
        }
        for owed in items {
            if let reason = reasonToGiveUp(owed, isBacklog: isBacklog) {
                consignments.append(Consignment(owed, expired: reason))
                continue
            }
            batch.append(owed)
            if batch.count == transport.batchLimit { close() }
        }
        close()
        return consignments
    }

    /// One message of what is still kept of the items.
    private func pack(
        _ owed: [OwedItem], isBacklog: Bool
    ) async throws -> Consignment.Sending {
        let items = try await assembled(owed, isBacklog: isBacklog)
        let kept = items.compactMap(\.self)
        return {
            var outcomes = kept.isEmpty ? [] : await transport.send(kept)[...]
            return items.map { item in
                item == nil
                    ? .expired(reason: "the readings are no longer kept")
                    : outcomes.popFirst() ?? .retry(after: .zero, reason: "nothing came back")
            }
        }
    }

    /// What each item tells, several put together at once; nil where nothing is kept of it.
    private func assembled(
        _ items: [OwedItem], isBacklog: Bool
    ) async throws -> [UplinkItem?] {
        let assembly = assembly
        var found = [UplinkItem?](repeating: nil, count: items.count)
        try await withThrowingTaskGroup(of: (Int, UplinkItem?).self) { group in
            var next = 0
            func begin() {
                guard next < items.count else { return }
                let (index, owed) = (next, items[next])
                next += 1
                group.addTask {
                    let item = try await assembly.item(
                        kind: owed.kind, scope: owed.scope, start: owed.start,
                        revision: owed.revision, isBacklog: isBacklog)
                    return (index, item)
                }
            }
            for _ in 0..<Self.assembledAtOnce { begin() }
            for try await (index, item) in group {
                found[index] = item
                begin()
            }
        }
        return found
    }

    /// Readers of the store that one message may keep busy.
    private static let assembledAtOnce = 3

    private func reasonToGiveUp(_ item: OwedItem, isBacklog: Bool) -> String? {
        let plan = plan
        guard plan.subjects[item.scope] != nil else {
            return "the uplink no longer tells of \(item.scope)"
        }
        guard plan.isInstant(item.kind), isBacklog, !plan.keepsInstants else { return nil }
        return "a value of that instant is told at that time or not at all"
    }
}

extension Reporting {
    /// The loop of one uplink.
    ///
    /// - Parameters:
    ///   - live: what is known while nothing can be stored.
    ///   - tellsReasons: whether the format says why readings are missing.
    init(
        live plan: LivePlan, store: Store, transport: any UplinkTransport, calendar: SiteCalendar,
        clock: any Clock<Duration>, wallClock: any WallClock, policy: DeliveryPolicy,
        correctionSpacing: Duration = .seconds(900), tellsReasons: Bool = false, logger: Logger,
        live: LiveItems = LiveItems()
    ) {
        var policy = policy
        // One item is little work beside a transaction and a look into the outbox.
        if transport.batchLimit == 1 { policy.handful = policy.handful ?? policy.inFlight * 8 }
        self.init(
            receiver: plan.plan.uplink, store: store,
            courier: UplinkCourier(
                live: plan, store: store, calendar: calendar, tellsReasons: tellsReasons,
                transport: transport, correctionSpacing: correctionSpacing),
            policy: policy, clock: clock, wallClock: wallClock, logger: logger,
            unstored: UnstoredReport(
                uplink: plan.plan.uplink, items: live, transport: transport, logger: logger))
    }
}

extension Reporting {
    /// The loop of an uplink that nobody changes.
    init(
        plan: UplinkPlan, store: Store, transport: any UplinkTransport, calendar: SiteCalendar,
        clock: any Clock<Duration>, wallClock: any WallClock, policy: DeliveryPolicy,
        correctionSpacing: Duration = .seconds(900), logger: Logger,
        live: LiveItems = LiveItems()
    ) {
        self.init(
            live: LivePlan(plan, selections: OwedSelections([])), store: store,
            transport: transport, calendar: calendar, clock: clock, wallClock: wallClock,
            policy: policy, correctionSpacing: correctionSpacing, logger: logger, live: live)
    }
}

/// Answers a platform that asks for the past.
struct StoredHistory: UplinkHistory {
    let live: LivePlan
    let reader: StoreReader
    let calendar: SiteCalendar

    /// Periods looked at for one page.
    private static let periodsPerPage = 512

    func items(
        of request: HistoryRequest, after: Timestamp?, limit: Int
    ) async throws -> [UplinkItem] {
        let plan = live.plan
        guard let period = ItemPeriod(kind: request.kind), plan.subjects[request.scope] != nil
        else { return [] }
        let assembly = ItemAssembly(
            plan: plan, reader: reader, calendar: calendar, tellsReasons: true)
        if let newest = request.newest {
            return try await self.newest(newest, of: request, period, plan, assembly)
        }
        var start = first(of: period, from: request.from)
        if let after { start = period.end(from: after, calendar: calendar) }
        var found: [UplinkItem] = []
        var looked = 0
        while start <= request.through, found.count < limit {
            // A range of years without a reading must not keep the store busy for ever.
            looked += 1
            if looked > Self.periodsPerPage, found.isEmpty { return [] }
            let item = try await assembly.item(
                kind: request.kind, scope: request.scope, start: start, revision: 0,
                isBacklog: true)
            if let item { found.append(item) }
            start = period.end(from: start, calendar: calendar)
        }
        return found
    }

    /// The last periods of a request that were owed, oldest first.
    private func newest(
        _ count: Int, of request: HistoryRequest, _ period: ItemPeriod, _ plan: UplinkPlan,
        _ assembly: ItemAssembly
    ) async throws -> [UplinkItem] {
        let reach = max(.seconds(86_400), period.nominal * 4)
        let rows = try await reader.outboxItems(
            uplink: plan.uplink, from: max(request.from, request.through - reach),
            to: max(request.through, request.through + .milliseconds(1)), limit: 5_000
        ).filter { $0.kind == request.kind && $0.scope == request.scope }
        var found: [UplinkItem] = []
        for row in rows.suffix(max(0, min(count, 64))) {
            let item = try await assembly.item(
                kind: row.kind, scope: row.scope, start: row.start, revision: row.revision)
            if let item { found.append(item) }
        }
        return found
    }

    /// The first period that begins at `time` or later.
    private func first(of period: ItemPeriod, from time: Timestamp) -> Timestamp {
        let start: Timestamp
        switch period {
        case .bucket(let resolution):
            start = Bucket(resolution, containing: time, calendar: calendar).start
        case .span(let span): start = time.slot(every: span)
        }
        return start < time ? period.end(from: start, calendar: calendar) : start
    }
}
