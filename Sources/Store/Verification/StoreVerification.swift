import GRDB
import Telemetry

/// Proves a store's file, page by page, beside the gateway that writes it.
///
/// Reads only. Every transaction is short: the writer's log can be emptied between any two pages.
package struct StoreVerification: Sendable {
    let reader: StoreReader
    /// Rows of one transaction.
    static let page = 200

    package init(_ reader: StoreReader) { self.reader = reader }

    /// Runs all checks.
    ///
    /// - Parameters:
    ///   - pause: is awaited between pages, so that a gateway can run it in the background.
    ///   - progress: gets the share done, 0 to 1, and the check that runs.
    /// - Throws: when the file cannot be read at all; damage is reported, not thrown.
    package func run(
        pause: @escaping @Sendable () async throws -> Void = {},
        progress: @escaping @Sendable (Double, VerificationReport.Name) -> Void = { _, _ in }
    ) async throws -> VerificationReport {
        var report = VerificationReport()
        let names = VerificationReport.Name.allCases
        for (index, name) in names.enumerated() {
            let step = Step(pause: pause) { share in
                progress((Double(index) + share) / Double(names.count), name)
            }
            progress(Double(index) / Double(names.count), name)
            do {
                try await run(name, step, &report)
            } catch let error as StoreError where error.code == .corrupt {
                // What the pages of this check do not give, the structure check has named.
                report.found(
                    name, DataLoss(table: name.rawValue, rows: 1, cause: error.cause))
            }
        }
        report.damage = DataLoss.joined(report.damage)
        progress(1, .audit)
        return report
    }

    /// What a check does between two pages.
    struct Step: Sendable {
        let pause: @Sendable () async throws -> Void
        let show: @Sendable (Double) -> Void

        func done(_ share: Double) async throws {
            show(share)
            try Task.checkCancellation()
            try await pause()
        }
    }

    private func run(
        _ name: VerificationReport.Name, _ step: Step, _ report: inout VerificationReport
    ) async throws {
        switch name {
        case .structure: try await checkStructure(step, &report)
        case .schema: try await checkSchema(&report)
        case .registry: try await checkRegistry(&report)
        case .journal: try await checkJournal(step, &report)
        case .buckets: try await checkBuckets(step, &report)
        case .rollups: try await checkRollups(step, &report)
        case .alarms: try await checkAlarms(step, &report)
        case .outbox: try await checkOutbox(&report)
        case .audit: try await checkAudit(&report)
        }
    }

    /// A page of rows with its values as they are, so that a wrong type is found and stops nothing.
    func rows(
        _ what: String, _ sql: String, _ arguments: StatementArguments
    ) async throws(StoreError) -> [[DatabaseValue]] {
        try await reader.read(what) { db in
            try Row.fetchAll(db.cachedStatement(sql: sql), arguments: arguments)
                .map { Array($0.databaseValues) }
        }
    }

    /// The same, with SQLite's words instead of rows when a page of theirs is damaged.
    func readable(
        _ what: String, _ sql: String, _ arguments: StatementArguments
    ) async throws(StoreError) -> (rows: [[DatabaseValue]], damage: String?) {
        do {
            return (try await rows(what, sql, arguments), nil)
        } catch {
            if error.code == .corrupt { return ([], error.cause) }
            throw error
        }
    }

    /// Whether a table with this name is there.
    func has(_ table: String) async throws(StoreError) -> Bool {
        try await reader.read("look for \(table)") { try $0.tableExists(table) }
    }
}

extension DatabaseValue {
    // Swift 6.3.1 dies in CopyPropagation when an optimised build inlines these into a loop.
    @inline(never)
    var integer: Int64? { if case .int64(let number) = storage { number } else { nil } }
    @inline(never)
    var string: String? { if case .string(let text) = storage { text } else { nil } }
    @inline(never)
    var bytes: [UInt8]? { if case .blob(let data) = storage { [UInt8](data) } else { nil } }
    /// A number as SQLite hands it to a REAL column.
    @inline(never)
    var double: Double? {
        switch storage {
        case .double(let number): number
        case .int64(let number): Double(number)
        default: nil
        }
    }
}
