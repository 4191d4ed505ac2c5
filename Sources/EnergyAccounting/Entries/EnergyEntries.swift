import LocatedText
import Telemetry

/// What people write down for the accounts, because no register says it.
///
/// Entries are never changed silently: whoever edits the file changes its hash, and closed months
/// show the difference as an adjustment.
package struct EnergyEntries: Hashable, Sendable {
    /// What the register of a meter said when it was taken out, and what the new one began with.
    package struct Exchange: Hashable, Sendable {
        package var meter: String
        package var at: Timestamp
        /// The old register's last value, in the carrier's unit.
        package var oldEnd: Exact
        /// The new register's first value.
        package var newStart: Exact
        package var note: EntryNote
    }

    /// Readings that were scaled wrongly for a time, a transformer ratio that was not the real one.
    package struct Rescaling: Hashable, Sendable {
        package var meter: String
        package var from: Timestamp
        package var to: Timestamp
        /// What the readings have to be multiplied by; above zero.
        package var factor: Exact
        package var note: EntryNote
    }

    /// An amount that is added to what a meter counted between two instants; it may be negative.
    package struct Adjustment: Hashable, Sendable {
        package var meter: String
        package var from: Timestamp
        package var to: Timestamp
        package var amount: Exact
        package var isEstimated: Bool
        package var note: EntryNote
    }

    /// What was delivered, or read by eye, for a meter without a counter.
    package struct Delivery: Hashable, Sendable {
        package var meter: String
        package var first: CivilDate
        package var last: CivilDate
        package var amount: Exact
        package var isEstimated: Bool
        package var note: EntryNote
    }

    /// A count of what the site has made, beside which energy is told: m³ of concrete, lifts.
    package struct Production: Hashable, Sendable {
        package var product: String
        package var unit: String
        package var month: AccountingPeriod
        package var amount: Exact
    }

    /// Work on a meter or its wiring.
    package struct Repair: Hashable, Sendable {
        package var meter: String
        package var from: Timestamp
        /// nil while it goes on.
        package var to: Timestamp?
        package var note: EntryNote
    }

    /// A calibration certificate.
    package struct Certificate: Hashable, Sendable {
        package var meter: String
        package var number: String
        package var issued: CivilDate
        package var due: CivilDate
        package var note: EntryNote
    }

    package var exchanges: [Exchange] = []
    package var rescalings: [Rescaling] = []
    package var adjustments: [Adjustment] = []
    package var deliveries: [Delivery] = []
    package var productions: [Production] = []
    package var repairs: [Repair] = []
    package var certificates: [Certificate] = []
    /// Built-up area to date, in m².
    package var area = DatedSteps<Exact>([])
    /// Heads.
    package var people = DatedSteps<Exact>([])
    /// Output by month, in 10⁴ yuan.
    package var output: [AccountingPeriod: Exact] = [:]

    package init() {}

    /// Nothing was written down.
    package static let none = EnergyEntries()
}

/// Who wrote an entry down, why, and where it stands.
package struct EntryNote: Hashable, Sendable {
    package var by: String
    package var reason: String
    package var location: Location

    package init(by: String, reason: String, location: Location) {
        self.by = by
        self.reason = reason
        self.location = location
    }
}
