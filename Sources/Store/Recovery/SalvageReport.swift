import Telemetry

/// What came out of a damaged file, and what did not.
package struct SalvageReport: Hashable, Sendable, Codable {
    /// The rows of one table.
    package struct Table: Hashable, Sendable, Codable {
        package var name: String
        /// Rows that are in the new file.
        package var kept = 0
        /// Rows that are known to be missing; pages that could not be read may have held more.
        package var lost = 0
        /// Pages of the table that could not be read.
        package var lostPages = 0
    }

    /// By table, in the order in which they were taken out.
    package var tables: [Table] = []
    /// What is missing, by device and time.
    package var losses: [DataLoss] = []
    /// Whether evaluation state and cursor were kept; else everything in the journal is folded
    /// again, which repeats nothing, because effects have keys.
    package var keptCheckpoint = false
    /// Whether copying ended early because the file system was full.
    package var isCutShort = false

    package init() {}

    /// Rows in the new file.
    package var kept: Int { tables.reduce(0) { $0 + $1.kept } }
    /// Rows known to be missing.
    package var lost: Int { tables.reduce(0) { $0 + $1.lost } }

    /// What came out of one table; nil when it was not looked for.
    package func table(_ name: String) -> Table? { tables.first { $0.name == name } }
}

/// Data that is missing or damaged: of which device, and of which time.
package struct DataLoss: Hashable, Sendable, Codable {
    /// The table: `bucket`, `journal`, `rollup` or another.
    package var table: String
    /// Nil when it cannot be told, or when it is no device's.
    package var device: String?
    /// The scan group's interface and name, or the point, nil when it cannot be told.
    package var part: String?
    /// Milliseconds since 1970; nil when it cannot be told.
    package var from: Int64?
    /// The first instant after it.
    package var to: Int64?
    /// Rows of the table.
    package var rows: Int
    package var cause: String

    package init(
        table: String, device: String? = nil, part: String? = nil, from: Timestamp? = nil,
        to: Timestamp? = nil, rows: Int, cause: String
    ) {
        self.table = table
        self.device = device
        self.part = part
        self.from = from?.milliseconds
        self.to = to?.milliseconds
        self.rows = rows
        self.cause = cause
    }

    /// Losses of one device and part that touch in time, or differ in nothing else, as one.
    package static func joined(_ losses: [DataLoss]) -> [DataLoss] {
        var joined: [DataLoss] = []
        let order = losses.sorted {
            ($0.table, $0.device ?? "", $0.part ?? "", $0.cause, $0.from ?? .min)
                < ($1.table, $1.device ?? "", $1.part ?? "", $1.cause, $1.from ?? .min)
        }
        for loss in order {
            if var last = joined.last, last.table == loss.table, last.device == loss.device,
                last.part == loss.part, last.cause == loss.cause,
                last.to.map({ $0 >= loss.from ?? .min }) ?? (loss.from == nil)
            {
                last.to = last.to.map { max($0, loss.to ?? $0) }
                last.rows += loss.rows
                joined[joined.count - 1] = last
            } else {
                joined.append(loss)
            }
        }
        return joined
    }
}
