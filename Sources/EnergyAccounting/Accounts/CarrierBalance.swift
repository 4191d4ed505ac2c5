import Telemetry

/// What came in of one carrier, what the site made, gave away and used.
///
///     imported ──▶ ┌──────┐ ──▶ exported
///     generated ─▶ │ site │
///                  └──────┘     gross use = imported + generated − exported
///                               own use   = generated − exported
///                               net use   = gross use − generated = imported − exported
///
/// Net is what counts where a site's own photovoltaics may be set off against its use.
package struct CarrierBalance: Hashable, Sendable {
    package var carrier: Carrier
    package var imported: Counts.Total
    package var generated: Counts.Total
    package var exported: Counts.Total
    /// Whether there is a meter for what the site makes, and one for what it gives away.
    package var hasGeneration: Bool
    package var hasExport: Bool

    package var ownUse: Counts.Total { generated - exported }
    package var gross: Counts.Total { imported + generated - exported }
    package var net: Counts.Total { imported - exported }
}

/// What a meter counted beside those directly below it.
package struct MeterBalance: Sendable {
    package var meter: Meter
    package var whole: Counts.Total
    package var children: [(meter: Meter, total: Counts.Total)]
    /// The meter less its children, over the slots in which all of them are known: what no child
    /// measures. Negative when the children count more than their parent.
    package var unaccounted: Counts.Total
    /// What the meter itself counted in those slots.
    package var compared: Exact

    /// The unaccounted part of what the meter counted while all were known; nil of nothing.
    package var unaccountedShare: Exact? {
        compared.isZero || unaccounted.knownSlots == 0 ? nil : unaccounted.sum / compared
    }
}

extension MeterLedger {
    /// The balance of a carrier over a range of slots; nil when no meter stands for it.
    package func balance(of carrier: Carrier, over range: Range<Int>) -> CarrierBalance? {
        let meters = tree.meters.filter { $0.carrier == carrier }
        guard !meters.isEmpty else { return nil }
        func sum(_ chosen: [Meter]) -> Counts.Total {
            chosen.reduce(Counts.Total()) { $0 + total(of: $1.id, over: range) }
        }
        func tops(_ role: Meter.Role) -> [Meter] {
            meters.filter { meter in
                meter.role == role && meter.parent.flatMap { tree[$0]?.role } != role
            }
        }
        return CarrierBalance(
            carrier: carrier, imported: sum(tree.mains(of: carrier)),
            generated: sum(tops(.generation)),
            exported: sum(tops(.export)), hasGeneration: !tops(.generation).isEmpty,
            hasExport: !tops(.export).isEmpty)
    }

    /// A meter beside those directly below it that use what it measures; nil when there are none.
    package func balance(below id: String, over range: Range<Int>) -> MeterBalance? {
        let children = tree.children(of: id).filter { $0.role == .consumption }
        guard let meter = tree[id], !children.isEmpty else { return nil }
        let (unaccounted, compared) = residual(of: meter, without: children, over: range)
        return MeterBalance(
            meter: meter, whole: total(of: id, over: range),
            children: children.map { ($0, total(of: $0.id, over: range)) },
            unaccounted: unaccounted, compared: compared)
    }

    /// One part of a breakdown.
    package struct Part: Hashable, Sendable {
        /// nil: nobody has said what it is for.
        package var key: String?
        package var total: Counts.Total
    }

    /// What a carrier was used for, by a property of the meters, which children have of their
    /// parents; the parts add up to what came in.
    ///
    /// What a meter counts beyond its children has the meter's own property. Sorted by key, what has
    /// none at the end.
    package func breakdown(
        of carrier: Carrier, over range: Range<Int>, by property: (Meter) -> String?
    ) -> [Part] {
        let amounts = amounts(of: carrier, over: range, by: property)
        let known = amounts.compactMap { key, total in key.map { Part(key: $0, total: total) } }
            .sorted { ($0.key ?? "") < ($1.key ?? "") }
        return known + (amounts[nil].map { [Part(key: nil, total: $0)] } ?? [])
    }

    /// The same in no order.
    func amounts<Key: Hashable>(
        of carrier: Carrier, over range: Range<Int>, by property: (Meter) -> Key?
    ) -> [Key?: Counts.Total] {
        var amounts: [Key?: Counts.Total] = [:]
        func visit(_ meter: Meter, _ inherited: Key?) {
            let key = property(meter) ?? inherited
            let children = tree.children(of: meter.id).filter { $0.role == .consumption }
            let whole = total(of: meter.id, over: range)
            let parts = children.map { total(of: $0.id, over: range) }
            var own = parts.reduce(whole) { $0 - $1 }
            if !parts.isEmpty {
                // A difference has no estimated part of its own: it is one as a whole, or not.
                let isEstimated = ([whole] + parts).contains { !$0.estimated.isZero }
                own.estimated = isEstimated ? own.sum : .zero
                own.isEstimatedAsWhole = isEstimated
            }
            let before = amounts[key] ?? Counts.Total()
            amounts[key] = before + own
            for child in children { visit(child, key) }
        }
        for root in tree.mains(of: carrier) {
            visit(root, nil)
        }
        return amounts
    }

    /// What is left of a meter, and what it counted itself, over the slots in which all are known.
    private func residual(
        of meter: Meter, without children: [Meter], over range: Range<Int>
    ) -> (left: Counts.Total, whole: Exact) {
        let all = ([meter] + children).map { column(of: $0.id) }
        var total = Counts.Total()
        total.slots = range.count
        let columns = all.compactMap { $0 }
        guard columns.count == all.count else { return (total, .zero) }
        var sums = Array(repeating: Int128(0), count: columns.count)
        let parts = ([meter] + children).compactMap { part(of: $0.id, over: range) }
        let isWhole = parts.allSatisfy { $0.knownSlots == range.count }
        if isWhole {
            // Nothing has to be left out: the sums say it all.
            total.knownSlots = range.count
            sums = parts.map(\.sum)
            total.isEstimatedAsWhole = parts.contains { $0.estimatedSlots > 0 }
        }
        for slot in isWhole ? 0..<0 : range
        where columns.allSatisfy({ $0.counts.isKnown(slot) }) {
            total.knownSlots += 1
            for index in columns.indices {
                sums[index] += Int128(columns[index].counts.mantissa(slot))
            }
            if columns.contains(where: { $0.counts.isEstimated(slot) }) {
                total.isEstimatedAsWhole = true
            }
        }
        let amounts = zip(columns, sums).map { column, sum in
            Exact(ScaledInteger(mantissa: sum, exponent: column.counts.exponent)) * column.scale
        }
        let whole = amounts.first ?? .zero
        total.sum = amounts.dropFirst().reduce(whole, -)
        // A difference has no estimated part of its own: it is one as a whole, or it is not.
        if total.isEstimatedAsWhole { total.estimated = total.sum }
        return (total, whole)
    }
}
