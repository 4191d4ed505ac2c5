import Telemetry

/// What every meter of the tree counted, slot by slot, with people's words taken in.
///
///     counts of the store → exchanges → what no connection carries is withheld
///         → rescaling → adjustments → formulas over all of these
///
/// The ledger invents nothing: a slot of a formula is known only where all of its meters are, and
/// what was withheld or could not be applied stands in `remarks`.
package struct MeterLedger: Sendable {
    /// Something that a reader of the figures has to know.
    package enum Remark: Hashable, Sendable {
        /// A counter said more than its connection carries.
        case withheld(meter: String, start: Timestamp, end: Timestamp, amount: Exact)
        /// Readings do not fit an exchange, or are not there; the entry changed nothing.
        case unfit(exchange: EnergyEntries.Exchange)
        /// An exchange changed what was counted by so much.
        case exchanged(EnergyEntries.Exchange, correction: Exact)
        case rescaled(EnergyEntries.Rescaling)
        case adjusted(EnergyEntries.Adjustment)
    }

    package let tree: MeterTree
    package let grid: CountGrid
    package private(set) var remarks: [Remark] = []
    /// A formula's column is counted in whole numbers of `scale`.
    private var columns: [String: (counts: Counts, scale: Exact)] = [:]
    private var sums: [String: Counts.Sums] = [:]

    /// - Parameters:
    ///   - data: what the store gave for the needs of this tree, these entries and this grid.
    ///   - calendar: for the days of deliveries.
    package init(
        tree: MeterTree, entries: EnergyEntries, grid: CountGrid, data: AccountData,
        calendar: SiteCalendar
    ) {
        self.tree = tree
        self.grid = grid
        for meter in tree.meters {
            switch meter.source {
            case .formula: continue
            case .entries:
                columns[meter.id] = (
                    Self.delivered(entries.deliveries(to: meter.id), grid, calendar), .one
                )
            case .counter(let series):
                columns[meter.id] = (
                    data.counts[series] ?? Counts(count: grid.count), .one
                )
                apply(entries.exchanges.filter { $0.meter == meter.id }, to: meter, series, data)
            }
            amend(meter, entries)
        }
        for meter in tree.meters {
            if case .formula = meter.source { columns[meter.id] = combined(meter) }
        }
        sums = columns.mapValues { Counts.Sums($0.counts) }
    }

    /// What a meter comes to over a range of slots; all unknown for a meter that is not there.
    package func total(of meter: String, over range: Range<Int>) -> Counts.Total {
        guard let column = columns[meter], let part = part(of: meter, over: range) else {
            var total = Counts.Total()
            total.slots = range.count
            return total
        }
        var total = column.counts.total(part, slots: range.count)
        total.sum = total.sum * column.scale
        total.estimated = total.estimated * column.scale
        return total
    }

    /// The same in whole numbers of the meter's column; nil for no meter.
    func part(of meter: String, over range: Range<Int>) -> Counts.Part? {
        guard let column = columns[meter] else { return nil }
        return sums[meter]?.part(range, of: column.counts) ?? column.counts.part(range)
    }

    /// The slots of a meter, and what one of their whole numbers is worth; nil for no meter.
    package func column(of meter: String) -> (counts: Counts, scale: Exact)? { columns[meter] }

    private mutating func update(_ meter: Meter, _ change: (inout Counts) -> Void) {
        guard var column = columns[meter.id] else { return }
        columns[meter.id] = nil
        change(&column.counts)
        columns[meter.id] = column
    }
}

extension MeterLedger {
    private mutating func apply(
        _ exchanges: [EnergyEntries.Exchange], to meter: Meter, _ series: SeriesID,
        _ data: AccountData
    ) {
        let grid = grid
        for exchange in exchanges {
            let need = AccountNeeds.Register(series: series, at: exchange.at)
            guard let registers = data.registers[need] else { continue }
            var correction: Exact?
            update(meter) { correction = $0.apply(exchange, registers, on: grid) }
            remarks.append(
                correction.map { .exchanged(exchange, correction: $0) }
                    ?? .unfit(exchange: exchange))
        }
    }

    private mutating func amend(_ meter: Meter, _ entries: EnergyEntries) {
        let grid = grid
        guard let start = grid.bounds.first, let end = grid.bounds.last else { return }
        if let limit = meter.limit {
            var withheld: [(slot: Int, increase: ScaledInteger)] = []
            update(meter) { withheld = $0.withhold(above: limit, on: grid) }
            remarks += withheld.map {
                .withheld(
                    meter: meter.id, start: grid.start($0.slot), end: grid.end($0.slot),
                    amount: Exact($0.increase))
            }
        }
        for one in entries.rescalings
        where one.meter == meter.id && one.from < end && start < one.to {
            update(meter) { $0.rescale(by: one.factor, from: one.from, to: one.to, on: grid) }
            remarks.append(.rescaled(one))
        }
        for one in entries.adjustments
        where one.meter == meter.id && one.from < end && start < one.to {
            update(meter) {
                $0.add(
                    ScaledInteger(one.amount), from: one.from, to: one.to, on: grid,
                    isEstimated: one.isEstimated ? true : nil)
            }
            remarks.append(.adjusted(one))
        }
    }

    /// What was delivered, spread over its days.
    ///
    /// A month in which something was written down is known, and nothing was delivered on its other
    /// days; a month without an entry is not known, which is not the same as nothing.
    private static func delivered(
        _ deliveries: [EnergyEntries.Delivery], _ grid: CountGrid, _ calendar: SiteCalendar
    ) -> Counts {
        var counts = Counts(count: grid.count)
        for delivery in deliveries {
            guard let span = AccountingPeriod(from: delivery.first, through: delivery.last) else {
                continue
            }
            for month in span.months {
                let slots = grid.slots(
                    from: month.start(calendar: calendar), to: month.end(calendar: calendar))
                for slot in slots where !counts.isKnown(slot) {
                    counts[slot] = Counts.Slot(increase: .zero)
                }
            }
        }
        for delivery in deliveries {
            guard let span = AccountingPeriod(from: delivery.first, through: delivery.last) else {
                continue
            }
            counts.add(
                ScaledInteger(delivery.amount), from: span.start(calendar: calendar),
                to: span.end(calendar: calendar), on: grid,
                isEstimated: delivery.isEstimated ? true : nil)
        }
        return counts
    }

    /// The column of a formula: its meters with a source of their own, times whole numbers on their
    /// common denominator.
    private func combined(_ meter: Meter) -> (counts: Counts, scale: Exact) {
        let parts = tree.parts(of: meter.id)
        var result = Counts(count: grid.count)
        let sources = parts.compactMap { columns[$0.meter]?.counts }
        guard !parts.isEmpty, sources.count == parts.count else { return (result, .one) }
        // The greatest unit of which every factor is a whole number.
        let scale = parts.reduce(Exact.one) { unit, part in
            unit / Exact((part.factor / unit).denominator, over: 1)
        }
        let factors = parts.map { ($0.factor / scale).numerator }
        for slot in 0..<grid.count {
            var one = Counts.Slot(increase: .zero)
            for (column, factor) in zip(sources, factors) {
                let part = column[slot]
                guard let increase = part.increase, var sum = one.increase else {
                    one.increase = nil
                    break
                }
                let (product, isOver) = increase.mantissa.multipliedReportingOverflow(by: factor)
                guard !isOver else {
                    one.increase = nil
                    break
                }
                sum = sum + ScaledInteger(mantissa: product, exponent: increase.exponent)
                one.increase = sum
                one.isEstimated = one.isEstimated || part.isEstimated
            }
            // A formula is as complete as the worst of its meters.
            let worst = sources.map { $0[slot] }.min { $0.share < $1.share }
            one.good = worst?.good ?? 0
            one.expected = worst?.expected
            result[slot] = one
        }
        return (result, scale)
    }
}

extension Counts.Slot {
    /// Good readings among those expected; unknown counts as all, because nobody said otherwise.
    fileprivate var share: Double {
        guard let expected, expected > 0 else { return 1 }
        return Double(good) / Double(expected)
    }
}

extension EnergyEntries {
    func deliveries(to meter: String) -> [Delivery] {
        deliveries.filter { $0.meter == meter }
    }
}

extension Counts {
    /// Puts the registers that were written down in the place of what the readings made of the
    /// exchange.
    ///
    /// What both registers say is as good as measured. Where the meter was silent for whole slots
    /// the difference is spread over them, and they stay estimates.
    /// - Returns: by how much the counted amount changed; nil when the readings do not fit, and then
    ///   nothing was changed.
    mutating func apply(
        _ exchange: EnergyEntries.Exchange, _ registers: CounterRegisters, on grid: CountGrid
    ) -> Exact? {
        let (end, start) = (exchange.oldEnd, exchange.newStart)
        func exact(_ value: Double) -> Exact? { ScaledInteger(rounding: value).map { Exact($0) } }
        /// What the registers say less what was counted from one reading to the other.
        func correction(_ last: Double, _ first: Double) -> Exact? {
            guard let l = exact(last), let f = exact(first), l <= end, start <= f,
                let step = CounterStep(from: last, to: first, policy: registers.policy)
            else { return nil }
            return (end - l) + (f - start) - Exact(step.increase)
        }
        let slot = grid.slot(of: exchange.at)
        switch registers.passage(at: exchange.at, from: end.double, to: start.double) {
        case .unclear: return nil
        case .rise:
            add(end - start, to: slot)
            return end - start
        case .fall(let last, let first):
            guard let amount = correction(last, first) else { return nil }
            add(amount, to: slot)
            return amount
        case .between(let last, let first, let silence):
            guard let amount = correction(last, first) else { return nil }
            if silence.isEmpty {
                add(amount, to: slot)
                // The step crossed the border, and made estimates of both sides.
                for side in [silence.lowerBound - .milliseconds(1), silence.lowerBound] {
                    if let side = grid.slot(of: side) { self[side].isEstimated = false }
                }
            } else {
                add(
                    ScaledInteger(amount), from: silence.lowerBound, to: silence.upperBound,
                    on: grid, isEstimated: true)
            }
            return amount
        }
    }

    /// Outside the grid an amount changes nothing.
    private mutating func add(_ amount: Exact, to slot: Int?) {
        guard let slot else { return }
        add(ScaledInteger(amount), to: slot, isEstimated: false)
    }
}
