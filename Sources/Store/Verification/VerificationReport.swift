import Telemetry

/// What a verification looked at, and what it found damaged.
package struct VerificationReport: Hashable, Sendable, Codable {
    /// One kind of check.
    package struct Check: Hashable, Sendable, Codable {
        package var name: Name
        /// Rows (or entries) that were looked at.
        package var checked = 0
        /// Rows among them that are not as they should be.
        package var damaged = 0

        package init(_ name: Name) { self.name = name }
    }

    /// The checks, in the order in which they run.
    package enum Name: String, Hashable, Sendable, Codable, CaseIterable {
        /// Pages, trees and indexes of the SQLite file.
        case structure
        /// Tables and migrations.
        case schema
        /// Devices, series and scan groups refer to each other.
        case registry
        /// Checksum and content of journal rows.
        case journal
        /// Checksum and content of sealed buckets, and that none overlaps another.
        case buckets
        /// 15-minute rollups are the fold of the samples, hours and days that of the quarters.
        case rollups
        /// Transitions follow each other, and each alarm stands as its newest one says.
        case alarms
        /// Owed items are consistent in themselves.
        case outbox
        /// Each audit entry carries the hash of the one before.
        case audit
    }

    package var checks: [Check] = Name.allCases.map(Check.init)
    /// What is damaged, by device and time.
    package var damage: [DataLoss] = []

    package init() {}

    /// Whether nothing is damaged.
    package var isSound: Bool { damage.isEmpty && checks.allSatisfy { $0.damaged == 0 } }

    package subscript(name: Name) -> Check {
        checks.first { $0.name == name } ?? Check(name)
    }

    mutating func checked(_ name: Name, _ count: Int = 1) {
        for index in checks.indices where checks[index].name == name {
            checks[index].checked += count
        }
    }

    /// At most so many findings are listed; all are counted.
    static let mostListed = 10_000

    mutating func found(_ name: Name, _ loss: DataLoss) {
        for index in checks.indices where checks[index].name == name {
            checks[index].damaged += max(1, loss.rows)
        }
        if damage.count < Self.mostListed { damage.append(loss) }
    }
}
