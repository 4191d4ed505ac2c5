import Foundation
import GRDB
import Testing

@testable import Store

/// What needs the schema's names; the content is compared in StoreFaultTests.
@Suite("Migrations")
struct MigrationTests {
    let site = Site()

    @Test("a file whose making was cut short before the first migration is ours, and starts")
    func cutBeforeTheFirst() throws {
        try FileManager.default.createDirectory(
            atPath: site.directory, withIntermediateDirectories: true)
        try site.meddle("CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY)")
        try site.open().close()
        let queue = try DatabaseQueue(path: site.path)
        let id = try queue.read { try Int32.fetchOne($0, sql: "PRAGMA application_id") }
        #expect(id == Migration.applicationID)
    }

    @Test("a file of every number of migrations migrates to the newest")
    func fromEveryStep() throws {
        for count in 0...Migration.all.count {
            let site = Site()
            try FileManager.default.createDirectory(
                atPath: site.directory, withIntermediateDirectories: true)
            let queue = try DatabaseQueue(path: site.path)
            var migrator = DatabaseMigrator()
            for step in Migration.all.prefix(count) {
                migrator.registerMigration(step.identifier) { try $0.execute(sql: step.sql) }
            }
            try migrator.migrate(queue)
            try queue.close()
            try site.open().close()
            let whole = Site()
            try whole.open().close()
            #expect(try site.schema() == whole.schema(), "from \(count) migrations")
        }
    }

    @Test("the names of the migrations are numbered from 0001 without a gap")
    func numbered() {
        for (place, step) in Migration.all.enumerated() {
            let number = String(place + 1)
            let padded = String(repeating: "0", count: 4 - number.count) + number
            #expect(step.identifier.hasPrefix(padded + "-"), "\(step.identifier)")
        }
    }
}

extension Site {
    /// The definition of every table and index.
    fileprivate func schema() throws -> [String] {
        let queue = try DatabaseQueue(path: path)
        return try queue.read { db in
            try String.fetchAll(
                db, sql: "SELECT name || ifnull(sql, '') FROM sqlite_master ORDER BY name")
        }
    }
}
