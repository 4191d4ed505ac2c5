import Alarms
import Foundation
import Logging
import Store
import Telemetry

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
        directory: String? = nil, rules: [AlarmRule] = [], selections: [OwedSelection] = []
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
            options: Ingestion.Options(), counters: counters, logger: Self.quiet)
    }

    /// Admits scans and commits them as one journal row at the clock's present time.
    func commit(_ scans: [Scan]) async throws {
        _ = try await ingestion.admit(Admission(scans: scans))
        try await ingestion.commitNow()
    }

    /// A fresh evaluation, as after a restart, folds what the journal holds and stores it.
    func evaluate() async throws {
        let evaluation = Evaluation(
            store: store,
            machine: EvaluationMachine(
                groups: groups, rules: rules, calendar: calendar, selections: selections),
            calendar: calendar, clock: clock, logger: Self.quiet)
        try await evaluation.catchUp()
    }

    func remove() {
        store.close()
        try? FileManager.default.removeItem(atPath: directory)
    }
}
