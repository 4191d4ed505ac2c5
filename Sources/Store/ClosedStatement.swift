import Crypto
import EnergyAccounting
import Foundation
import GRDB
import Telemetry

/// A statement that does not change any more.
package struct ClosedStatement: Hashable, Sendable {
    package var document: StatementDocument
    package var closedAt: Timestamp
    package var actor: String
    /// SHA-256 of the statement as it is stored; the audit chain holds it too.
    package var hash: [UInt8]
    /// Whether the stored bytes still have that hash.
    package var isIntact: Bool

    /// When and by whom it was closed, for its notes.
    package func words(_ calendar: SiteCalendar) -> LocalizedText {
        let time = calendar.rfc3339(closedAt)
        let broken =
            isIntact ? ("", "") : (" The stored bytes do not have this hash.", "存储内容与该哈希不符！")
        return LocalizedText(
            en: "Closed by \(actor) at \(time), sha256 \(hashText).\(broken.0)",
            zh: "已由 \(actor) 于 \(time) 结账，sha256 \(hashText)。\(broken.1)")
    }

    /// The hash in hexadecimal digits.
    package var hashText: String {
        hash.map { String(format: "%02x", $0) }.joined()
    }
}

extension StoreWriter {
    /// Closes a statement: from now on its period is told by it, and corrections stand beside it.
    ///
    /// - Returns: the statement as it is closed; the earlier one, unchanged, where the period was
    ///   closed before.
    package func close(
        _ document: StatementDocument, actor: String, at time: Timestamp
    ) throws(StoreError) -> ClosedStatement {
        let body: Data
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            body = try encoder.encode(document)
        } catch {
            throw StoreError("write down the statement", error)
        }
        let hash = Array(SHA256.hash(data: body))
        let text = hash.map { String(format: "%02x", $0) }.joined()
        return try write("close the statement of \(document.period)") { db in
            if let earlier = try ClosedStatement.load(document.kind, document.period, db) {
                return earlier
            }
            try db.execute(
                sql: """
                    INSERT INTO energy_closing (kind, period, closed_at, actor, hash, body)
                    VALUES (?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    document.kind, document.period, time.milliseconds, actor, Data(hash), body,
                ])
            _ = try AuditRows.append(
                actor: actor, action: "energy.closed",
                detail: "\(document.kind) \(document.period) sha256:\(text)", at: time, db)
            return ClosedStatement(
                document: document, closedAt: time, actor: actor, hash: hash, isIntact: true)
        }
    }
}

extension StoreReader {
    /// The closed statement of a kind and period; nil while it is open.
    package func closedStatement(
        _ kind: String, _ period: String
    ) async throws(StoreError) -> ClosedStatement? {
        try await read("read the closed statement of \(period)") { db in
            try ClosedStatement.load(kind, period, db)
        }
    }

    /// A statement as its period is told: the closed one with what was corrected since, or, while
    /// the period is open, the one that was just made.
    package func told(
        _ today: StatementDocument, calendar: SiteCalendar
    ) async throws(StoreError) -> StatementDocument {
        guard let closed = try await closedStatement(today.kind, today.period) else { return today }
        return closed.document.closed(closed.words(calendar), beside: today)
    }

    /// Every closed statement: its kind and period, when and by whom, the newest first.
    package func closedStatements() async throws(StoreError) -> [ClosedStatement] {
        try await read("read the closed statements") { db in
            let rows = try Row.fetchAll(
                db,
                sql: "SELECT kind, period FROM energy_closing ORDER BY closed_at DESC, period DESC")
            return try rows.compactMap { try ClosedStatement.load($0[0], $0[1], db) }
        }
    }
}

extension ClosedStatement {
    /// nil where there is none. What cannot be read any more is damage: an open period would
    /// otherwise be told as if nobody had closed it.
    fileprivate static func load(
        _ kind: String, _ period: String, _ db: Database
    ) throws -> ClosedStatement? {
        guard
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT closed_at, actor, hash, body FROM energy_closing
                    WHERE kind = ? AND period = ?
                    """, arguments: [kind, period])
        else { return nil }
        let body = Data(row.bytes(3))
        guard let document = try? JSONDecoder().decode(StatementDocument.self, from: body) else {
            throw DatabaseError(
                resultCode: .SQLITE_CORRUPT,
                message: "the closed statement \(kind) \(period) cannot be read")
        }
        let hash = row.bytes(2)
        return ClosedStatement(
            document: document, closedAt: Timestamp(milliseconds: row[0]), actor: row[1],
            hash: hash, isIntact: Array(SHA256.hash(data: body)) == hash)
    }
}
