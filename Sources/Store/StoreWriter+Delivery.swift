import GRDB
import Telemetry

extension StoreWriter {
    /// Settles one attempt; see `settle(_:at:)`.
    package func settle(
        _ item: OwedItem, outcome: Outcome, at now: Timestamp
    ) throws(StoreError) {
        try settle([Settlement(item, outcome)], at: now)
    }

    /// Settles attempts in one transaction, each only for the revision that was sent.
    ///
    /// Accepted and rejected revisions are owed no longer; a higher one still is. A retry is due
    /// again after its delay. Rejected items stay in the file with the platform's reason, expired
    /// ones with ours.
    ///
    /// - Parameter traffic: what the attempts have put on the wire.
    package func settle(
        _ settlements: [Settlement], traffic: UplinkTraffic? = nil, at now: Timestamp
    ) throws(StoreError) {
        if settlements.isEmpty { return }
        let calendar = shared.calendar
        try write("settle \(settlements.count) attempts") { db in
            for settlement in settlements {
                try OutboxRows.settle(settlement, at: now, calendar, db)
            }
            if let traffic { try UplinkRows.add(traffic, at: now, calendar, db) }
        }
    }

    /// Owes items because their time has come; what is owed already stays as it is.
    package func owe(_ items: [OwedItem]) throws(StoreError) {
        if items.isEmpty { return }
        let calendar = shared.calendar
        try write("owe \(items.count) items") { db in
            for item in items { try OutboxRows.oweOnce(item, calendar, db) }
        }
    }
}
