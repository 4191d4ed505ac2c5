import GRDB

/// One step of the file's schema. Steps are numbered, run once, and never change after a release.
struct Migration: Sendable {
    /// The number and the name of the file that holds it.
    let identifier: String
    let sql: String

    /// Every step, in order; a new one goes to the end.
    static let all: [Migration] = [
        registryAndJournal, rollupsAndEvaluation, alarms, delivery, audit, buckets,
        views, packedRollups, alarmLife, craneWork, deliveryDays, energyClosing, countedHours,
        uplinks,
    ]

    /// Marks the file as ours for `file(1)` and for the next start: the bytes `PLMB`.
    static let applicationID: Int32 = 0x504C_4D42

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        for step in all {
            migrator.registerMigration(step.identifier) { try $0.execute(sql: step.sql) }
        }
        return migrator
    }
}
