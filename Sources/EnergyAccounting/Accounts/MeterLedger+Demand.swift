import Telemetry

extension MeterLedger {
    /// The slot in which most came in of a carrier, as a mean power.
    ///
    /// Only slots in which every main meter is known count, and slots that are estimates do not: a
    /// gap that is spread evenly has no peak.
    package func demand(of carrier: Carrier) -> (power: Exact, slot: Int)? {
        let mains = tree.mains(of: carrier)
        let columns = mains.compactMap { column(of: $0.id) }
        guard !columns.isEmpty, columns.count == mains.count else { return nil }
        var most: (power: Exact, slot: Int)?
        for slot in 0..<grid.count
        where columns.allSatisfy({ $0.counts.isKnown(slot) && !$0.counts.isEstimated(slot) }) {
            let energy = columns.reduce(Exact.zero) { sum, column in
                let counted = ScaledInteger(
                    mantissa: Int128(column.counts.mantissa(slot)),
                    exponent: column.counts.exponent)
                return sum + Exact(counted) * column.scale
            }
            let length = (grid.end(slot) - grid.start(slot)).milliseconds
            let power = energy * Exact(3_600_000) / Exact(Int(length))
            if most.map({ $0.power < power }) ?? true { most = (power, slot) }
        }
        return most
    }
}
