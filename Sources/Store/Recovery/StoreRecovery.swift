import Foundation
import GRDB
import Telemetry

/// What a start found and did about a damaged file.
package struct RecoveryReport: Hashable, Sendable {
    /// Why the file could not be used, in SQLite's words or ours.
    package var cause: String
    /// Where the damaged file is now.
    package var damagedFile: String
    /// What came out of it; nil when nothing could be taken out, so that the store is empty.
    package var salvage: SalvageReport?
    /// Why nothing came out.
    package var salvageFailure: String?
}

extension Store {
    /// A file of this name beside the store asks the next start to look at the whole file first.
    package static let suspectMarker = StoreFile.name + ".suspect"

    /// Opens the store as `open` does; a damaged file is moved aside, and what can be read of it is
    /// opened in its place.
    ///
    /// A newer schema, another program's file, a full disk and missing rights are no damage: they
    /// are thrown. A sound file costs nothing more than `open`. The file with its log goes to
    /// `plumbline-damaged-<UTC time>.sqlite`, of which the newest two are kept. What is missing is
    /// written into the audit chain.
    /// - Parameter now: names the damaged file and dates the audit entry.
    package static func openRecovering(
        _ options: StoreOptions, calendar: SiteCalendar, now: Timestamp,
        progress: @escaping (Double) -> Void = { _ in }
    ) throws(StoreError) -> (store: Store, report: RecoveryReport?) {
        let recovery = StoreRecovery(directory: options.directory, zone: calendar.zone, now: now)
        try recovery.finishInterrupted()
        var cause: String
        if let found = recovery.suspicion() {
            cause = found
        } else {
            do {
                return (try open(options, calendar: calendar), nil)
            } catch {
                guard recovery.isDamage(error) else { throw error }
                cause = error.description
            }
        }
        var report = try recovery.replace(because: cause, progress: progress)
        do {
            return (try open(options, calendar: calendar), report)
        } catch {
            guard recovery.isDamage(error) else { throw error }
            // What was salvaged is no store either: an empty one is better than none.
            report.salvage = nil
            report.salvageFailure = error.description
            DurableFile.removeDatabase(recovery.path)
            return (try open(options, calendar: calendar), report)
        }
    }
}

/// Decides whether a file is damaged, and puts another in its place.
///
/// The steps of a replacement can be cut off anywhere: the new file is complete and on the medium
/// as `plumbline.sqlite.salvaged` before the old one moves, and while that name exists, the next
/// start goes on with moving.
struct StoreRecovery {
    let directory: String
    let zone: String
    let now: Timestamp

    static let damagedKept = 2

    var path: String { directory + "/" + StoreFile.name }
    private var salvaged: String { path + ".salvaged" }
    private var marker: String { directory + "/" + Store.suspectMarker }

    /// Why a marked file is damaged; nil, and the mark gone, when it is sound or not marked.
    func suspicion() -> String? {
        guard FileManager.default.fileExists(atPath: marker) else { return nil }
        do {
            let queue = try DatabaseQueue(path: path)
            let answers = try queue.read { db in
                // The whole check, because a quick one does not see an index that names a wrong row,
                // and a file that is called sound here meets the same read again.
                try String.fetchAll(db, sql: "PRAGMA integrity_check(10)")
            }
            try queue.close()
            if answers != ["ok"] { return answers.joined(separator: "; ") }
            try? FileManager.default.removeItem(atPath: marker)
            return nil
        } catch {
            let error = StoreError("check \(path)", error)
            return isDamage(error) ? error.description : nil
        }
    }

    /// Whether an error on opening means that the file's bytes are wrong.
    func isDamage(_ error: StoreError) -> Bool {
        switch error.code {
        case .corrupt: true
        // A file that was cut off gives short reads, which SQLite reports as an input error.
        case .inputOutput: error.cause.hasPrefix("SQLite 522:")
        case .newerSchema, .cannotOpen, .zoneChanged, .database, .invalid, .damagedRow:
            SchemaLook(path: path)?.isDamaged(by: error.code) ?? false
        case .full, .busy, .closed, .cancelled: false
        }
    }

    /// Salvages the file and puts the result in its place.
    func replace(
        because cause: String, progress: @escaping (Double) -> Void
    ) throws(StoreError) -> RecoveryReport {
        let lock = try DirectoryLock(directory: directory)
        defer { withExtendedLifetime(lock) {} }
        let aside = freeName()
        var report = RecoveryReport(cause: cause, damagedFile: aside)
        DurableFile.removeDatabase(salvaged)
        do {
            report.salvage = try StoreSalvage.salvage(
                damaged: path, into: salvaged, zone: zone,
                note: { (Self.detail(cause, aside, $0), now) }, progress: progress)
        } catch {
            if error.code == .cannotOpen, !FileManager.default.isWritableFile(atPath: directory) {
                throw error
            }
            report.salvageFailure = error.description
        }
        try moveAside(to: aside)
        if report.salvage != nil { try DurableFile.move(salvaged, to: path) }
        try? FileManager.default.removeItem(atPath: marker)
        dropOldest()
        return report
    }

    /// Goes on with a replacement that was cut off after the new file was complete.
    func finishInterrupted() throws(StoreError) {
        guard FileManager.default.fileExists(atPath: salvaged) else { return }
        if FileManager.default.fileExists(atPath: path) { try moveAside(to: freeName()) }
        try DurableFile.move(salvaged, to: path)
        try? FileManager.default.removeItem(atPath: marker)
    }

    /// The log goes first: left beside another file it would be played into that one.
    private func moveAside(to aside: String) throws(StoreError) {
        try? FileManager.default.removeItem(atPath: path + "-shm")
        for suffix in ["-wal", ""] where FileManager.default.fileExists(atPath: path + suffix) {
            try DurableFile.move(path + suffix, to: aside + suffix)
        }
    }

    private func freeName() -> String {
        let stamp = now.rfc3339().prefix(19).replacing("-", with: "").replacing(":", with: "")
        let base = directory + "/plumbline-damaged-\(stamp)Z"
        var name = base + ".sqlite"
        var number = 2
        while FileManager.default.fileExists(atPath: name)
            || FileManager.default.fileExists(atPath: name + "-wal")
        {
            name = base + "-\(number).sqlite"
            number += 1
        }
        return name
    }

    /// Evidence is kept, but not without bound.
    private func dropOldest() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        let damaged = names.filter {
            $0.hasPrefix("plumbline-damaged-") && $0.hasSuffix(".sqlite")
        }.sorted()
        for name in damaged.dropLast(Self.damagedKept) {
            DurableFile.removeDatabase(directory + "/" + name)
        }
    }

    private static func detail(
        _ cause: String, _ aside: String, _ report: SalvageReport
    ) -> String {
        let losses = report.losses.prefix(50).map(\.summary).joined(separator: "; ")
        return "\(cause); moved to \(aside); kept \(report.kept) rows, lost at least"
            + " \(report.lost)" + (losses.isEmpty ? "" : ": \(losses)")
    }
}

extension DataLoss {
    /// One line for logs and the audit chain.
    package var summary: String {
        let time = { (value: Int64?) in
            value.map { Timestamp(milliseconds: $0).rfc3339() } ?? "unknown"
        }
        let owner = [device, part].compactMap(\.self).joined(separator: " ")
        return "\(table)\(owner.isEmpty ? "" : " of \(owner)") from \(time(from)) to \(time(to)):"
            + " \(rows) rows, \(cause)"
    }
}

/// What header and schema of a file that was refused look like, read without SQLite.
private struct SchemaLook {
    private var header: [UInt8]
    private var tables: Set<String> = []
    private var migrations: Set<String> = []
    private var storedZone: String?

    init?(path: String) {
        guard let image = try? SQLiteImage(path: path), let first = image.page(1) else {
            return nil
        }
        header = Array(first.prefix(100))
        let walker = PageWalker(image)
        var roots: [String: Int] = [:]
        _ = walker.walk(root: 1, isTable: true) { record in
            guard let values = record.values, values.count >= 4, values[0] == .text("table"),
                case .text(let name) = values[1], case .integer(let root) = values[3]
            else { return }
            roots[name] = Int(clamping: root)
        }
        tables = Set(roots.keys)
        if let root = roots["grdb_migrations"] {
            _ = walker.walk(root: root, isTable: true) { record in
                if case .text(let name) = record.values?.first { migrations.insert(name) }
            }
        }
        if let root = roots["fixed"] {
            _ = walker.walk(root: root, isTable: false) { record in
                if record.values?.first == .text("timezone"),
                    case .text(let zone) = record.values?.last
                {
                    storedZone = zone
                }
            }
        }
    }

    private var isOurs: Bool {
        tables.isSuperset(of: ["device", "series", "scan_group", "journal"])
    }

    /// Versions 1 or 2, the fixed payload fractions, UTF-8, no reserved bytes.
    private var hasSoundHeader: Bool {
        header.count == 100 && (1...2).contains(header[18]) && (1...2).contains(header[19])
            && header[20] == 0 && Array(header[21...23]) == [64, 32, 32]
            && header.big32(at: 56) <= 1 && (1...4).contains(header.big32(at: 44))
    }

    func isDamaged(by code: StoreError.Code) -> Bool {
        let known = Set(Migration.all.map(\.identifier))
        switch code {
        // A newer version has run all that we know, and more.
        case .newerSchema: return isOurs && !migrations.isSuperset(of: known)
        case .zoneChanged:
            return isOurs && storedZone.map { TimeZone(identifier: $0) == nil } ?? true
        case .cannotOpen:
            return isOurs
                && (!hasSoundHeader
                    || Int32(bitPattern: header.big32(at: 68)) != Migration.applicationID)
        default: return isOurs || !hasSoundHeader
        }
    }
}
