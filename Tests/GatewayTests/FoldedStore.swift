import Acquisition
import Alarms
import Foundation
import GRDB
import Logging
import ServiceLifecycle
import Store
import Telemetry
import Testing

@testable import Gateway

/// A store in a folder of its own, with the loops stepped by hand on virtual time.
struct FoldedStore {
    let directory: String
    let calendar: SiteCalendar
    let clock: VirtualClock
    let store: Store
    let groups: [ScanGroup]
    let ingestion: Ingestion
    let counters = GatewayCounters()
    var rules: [AlarmRule] = []
    var selections: [OwedSelection] = []

    static let quiet: Logger = {
        var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        logger.logLevel = .critical
        return logger
    }()

    init(
        groups: [ScanGroup], start: Timestamp, calendar: SiteCalendar = .utc,
        directory: String? = nil, rules: [AlarmRule] = [],
        selections: [OwedSelection] = [OwedSelection(uplink: "minutes", resolution: .minute)],
        options: Ingestion.Options = .init()
    ) async throws {
        self.directory =
            directory
            ?? FileManager.default.temporaryDirectory
            .appending(path: "plumbline-\(UUID().uuidString)").path(percentEncoded: false)
        self.calendar = calendar
        self.rules = rules
        self.selections = selections
        clock = VirtualClock(start: start)
        store = try Store.open(
            StoreOptions(directory: self.directory, durability: .process), calendar: calendar)
        self.groups = try await store.writer.register(groups)
        ingestion = Ingestion(
            store: store, groups: self.groups, wallClock: clock, clock: clock,
            options: options, counters: counters, logger: Self.quiet)
    }

    var machine: EvaluationMachine {
        EvaluationMachine(
            groups: groups, rules: rules, calendar: calendar, selections: selections)
    }

    var evaluation: Evaluation {
        Evaluation(
            store: store, machine: machine, calendar: calendar, clock: clock, logger: Self.quiet)
    }

    /// Admits scans and commits them as one journal row at the clock's present time.
    func commit(_ scans: [Scan]) async throws {
        _ = try await ingestion.admit(Admission(scans: scans))
        try await ingestion.commitNow()
    }

    /// Moves the clock and commits an empty row, so that time passes for the evaluation.
    func pass(_ duration: Duration) async throws {
        clock.advance(by: duration)
        try await commit([])
    }

    /// A fresh evaluation, as after a restart, folds what the journal holds and stores it.
    func evaluate() async throws { try await evaluation.catchUp() }

    /// A connection beside the store's own, as somebody with `sqlite3` would have.
    func side() throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.busyMode = .timeout(5)
        configuration.allowsUnsafeTransactions = true
        return try DatabaseQueue(
            path: directory + "/plumbline.sqlite", configuration: configuration)
    }

    func execute(_ sql: String) throws { try side().write { try $0.execute(sql: sql) } }

    /// Makes every insert into a table fail, until `mend`.
    func breakInserts(into table: String) throws {
        try execute(
            "CREATE TRIGGER planted BEFORE INSERT ON \(table) "
                + "BEGIN SELECT RAISE(ABORT, 'planted'); END")
    }

    func mend() throws { try execute("DROP TRIGGER planted") }

    /// All that follows from the journal, row by row.
    func effects() throws -> [String] {
        try side().read { db in
            var lines: [String] = []
            for (table, order) in [
                ("rollup", "resolution, start, series"), ("alarm", "key"),
                ("alarm_transition", "at, alarm, from_state"), ("outbox", "scope, kind, start"),
            ] {
                let rows = try Row.fetchAll(db, sql: "SELECT * FROM \(table) ORDER BY \(order)")
                lines += rows.map { "\(table) \($0.description)" }
            }
            return lines
        }
    }

    /// How many scans each row of the journal holds.
    func rowSizes() async throws -> [Int] {
        try await store.reader.journal(after: 0).map(\.scans.count)
    }

    /// Every scan of the journal, in its order.
    func journaled() async throws -> [Scan] {
        var scans: [Scan] = []
        var after: Int64 = 0
        while true {
            let rows = try await store.reader.journal(after: after)
            guard let last = rows.last else { return scans }
            scans += rows.flatMap(\.scans)
            after = last.sequence
        }
    }

    func rollup(_ column: Int, _ resolution: Resolution, at start: Timestamp) async throws
        -> RollupRecord?
    {
        try await store.reader.rollups(
            series: groups[0].series[column].number, resolution: resolution, from: start,
            to: start + .milliseconds(1)
        ).first
    }

    /// Runs services beside a body, then stops them as a service manager does.
    func running<Result>(
        _ services: [any Service], _ body: (ServiceGroup) async throws -> Result
    ) async throws -> Result {
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(services: services, logger: Self.quiet))
        async let run: Void = group.run()
        let result: Result
        do {
            result = try await body(group)
        } catch {
            await group.triggerGracefulShutdown()
            throw error
        }
        await group.triggerGracefulShutdown()
        try await run
        return result
    }

    func remove() {
        try? store.close()
        try? FileManager.default.removeItem(atPath: directory)
    }
}

/// Waits in real time, as a rule at most ten seconds, for something that other tasks bring about.
func eventually(
    _ what: Comment, within seconds: Int = 10, sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    var rounds = 0
    while ContinuousClock.now < deadline {
        if try await condition() { return }
        rounds += 1
        if rounds < 200 {
            await Task.yield()
        } else {
            try await Task.sleep(for: .milliseconds(1))
        }
    }
    Issue.record(what, sourceLocation: sourceLocation)
}

/// Gives other tasks some real time, before something is expected not to have happened.
func breathe() async throws { try await Task.sleep(for: .milliseconds(20)) }
