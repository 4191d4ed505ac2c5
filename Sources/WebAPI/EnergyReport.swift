import EnergyAccounting
import Store
import Telemetry

/// Reads what the meters counted, bucket by bucket, from the store's hours.
struct EnergyReport {
    let context: WebAPIContext

    /// One amount and the bucket that it belongs to.
    struct Figure {
        var bucket: Bucket
        var figure: AccountFigure
        /// Per square metre; nil without an area.
        var perArea: Exact?
        /// Whether the bucket has not ended yet.
        var isPartial: Bool
    }

    /// What all meters counted over the hours of these buckets, which follow each other.
    func ledger(over buckets: [Bucket], now: Timestamp) async throws -> MeterLedger? {
        guard let first = buckets.first, let last = buckets.last else { return nil }
        let grid = CountGrid(.hour, from: first.start, to: last.end, calendar: context.calendar)
        return try await context.store.meterLedger(of: context.energy, on: grid, now: now)
    }

    /// The figures of one meter over `buckets`.
    func figures(
        of meter: Meter, over buckets: [Bucket], in ledger: MeterLedger?, now: Timestamp
    ) -> [Figure] {
        buckets.map { bucket in
            guard let ledger else {
                return Figure(
                    bucket: bucket, figure: AccountFigure(Counts.Total(), passed: 0),
                    isPartial: now < bucket.end)
            }
            let slots = ledger.grid.slots(from: bucket.start, to: bucket.end)
            let passed = ledger.grid.slots(from: bucket.start, to: min(bucket.end, now)).count
            let figure = AccountFigure(
                ledger.total(of: meter.id, over: slots), passed: passed)
            let day = CivilDate(bucket.start, calendar: context.calendar)
            let area = AccountingPeriod(from: day, through: day).flatMap {
                context.energy.area(over: $0)
            }
            return Figure(
                bucket: bucket, figure: figure,
                perArea: figure.amount.flatMap { amount in area.map { amount / $0 } },
                isPartial: now < bucket.end)
        }
    }
}
