import Telemetry

/// What a person or a meter measured of one month for the charges beside the energy.
package struct TariffMonth: Hashable, Sendable {
    /// The greatest mean power over the span that the demand charge names, kW.
    package var maximumDemand: Exact?
    /// kWh of the whole metering point, for the power factor.
    package var active: Exact?
    /// kvarh, likewise.
    package var reactive: Exact?

    package init(maximumDemand: Exact? = nil, active: Exact? = nil, reactive: Exact? = nil) {
        self.maximumDemand = maximumDemand
        self.active = active
        self.reactive = reactive
    }
}

/// The bill of a period: what was used at which price, the charges beside it, and all that is
/// missing.
///
/// Nothing is filled in. What has no price, was not counted or was not measured stands apart, and
/// the total is the sum of the lines that there are; `isComplete` says whether that is all.
package struct TariffBill: Hashable, Sendable {
    /// The energy of one band of one table.
    package struct EnergyLine: Hashable, Sendable {
        /// The place of the table in the book.
        package let table: Int
        package let band: TariffBand
        /// In the book's unit.
        package let quantity: Exact
        /// The part of it that is estimated.
        package let estimated: Exact
        /// In the book's currency.
        package let amount: Exact

        package var price: Exact { band.price }
    }

    /// What a charge is for.
    package enum Kind: Int, Hashable, Sendable, CaseIterable {
        case capacity
        case demand
        /// What lies above the multiple of the contracted demand.
        case excessDemand
        case fixed
        case powerFactor

        package var title: LocalizedText {
            switch self {
            case .capacity: LocalizedText(en: "Capacity charge", zh: "容量电费")
            case .demand: LocalizedText(en: "Demand charge", zh: "需量电费")
            case .excessDemand: LocalizedText(en: "Demand in excess", zh: "超需量电费")
            case .fixed: LocalizedText(en: "Fixed charge", zh: "固定费用")
            case .powerFactor: LocalizedText(en: "Power factor adjustment", zh: "力调电费")
            }
        }
    }

    /// One charge of one month under one table.
    package struct ChargeLine: Hashable, Sendable {
        package let kind: Kind
        package let month: AccountingPeriod
        /// The place of the table in the book.
        package let table: Int
        /// kVA, kW, 1 for a fixed charge, or the amount to which the power factor applies.
        package let quantity: Exact
        /// A month of it, or the share that is added for the power factor, negative for a rebate.
        package let price: Exact
        /// Days of the month that lie in the period and in the table; the charge is for these.
        package let days: Int
        /// The mean power factor as it was looked up; nil in other lines.
        package let powerFactor: Exact?
        /// In the book's currency.
        package let amount: Exact
    }

    /// A charge that the table has and that could not be worked out.
    package struct MissingCharge: Hashable, Sendable {
        package let kind: Kind
        package let month: AccountingPeriod
        /// The place of the table in the book.
        package let table: Int
        package let reason: LocalizedText
    }

    package let period: AccountingPeriod
    /// By table and band, in the order of the book.
    package let energy: [EnergyLine]
    /// By month and table.
    package let charges: [ChargeLine]
    package let missing: [MissingCharge]
    /// What was counted and has no price, by the reason.
    package let unpriced: [TariffGap: TariffSplit.Quantity]
    /// Slots of which nobody knows what was counted.
    package let unknownSlots: Int
    package let slots: Int
    /// Days of the period that no table covers: charges by the month are not known for them.
    package let daysWithoutTable: Int
    /// Whether slots of the period lie outside the grid.
    package let isCutOff: Bool

    /// The sum of the energy lines.
    package var energyAmount: Exact { energy.reduce(.zero) { $0 + $1.amount } }

    /// What was counted and has a price.
    package var pricedQuantity: Exact { energy.reduce(.zero) { $0 + $1.quantity } }

    /// The part of `pricedQuantity` that is estimated.
    package var estimatedQuantity: Exact { energy.reduce(.zero) { $0 + $1.estimated } }

    /// What was counted and has no price.
    package var unpricedQuantity: Exact { unpriced.values.reduce(.zero) { $0 + $1.sum } }

    /// The sum of all lines.
    package var total: Exact { charges.reduce(energyAmount) { $0 + $1.amount } }

    /// Whether the total is all there is to pay for the period.
    package var isComplete: Bool {
        missing.isEmpty && unpriced.isEmpty && unknownSlots == 0 && daysWithoutTable == 0
            && !isCutOff
    }

    /// The energy lines by their quantity; nil when nothing was used.
    package var meanEnergyPrice: Exact? {
        pricedQuantity.isZero ? nil : energyAmount / pricedQuantity
    }
}

extension TariffBook {
    /// The bill of what one column counted in a period.
    ///
    /// - Parameters:
    ///   - counts: in the book's unit, on the schedule's grid.
    ///   - schedule: of this book.
    ///   - months: by civil month what was measured for demand charge and power factor.
    package func bill(
        _ counts: Counts, schedule: TariffSchedule, period: AccountingPeriod,
        months: [AccountingPeriod: TariffMonth] = [:]
    ) -> TariffBill {
        bill(schedule.split(counts, period: period), period: period, months: months)
    }

    /// The bill of quantities that were split before; for virtual meters.
    ///
    /// - Parameter split: of the slots of the same period, by a schedule of this book. Parts that
    ///   name a table or a band which the book does not have count as unpriced.
    package func bill(
        _ split: TariffSplit, period: AccountingPeriod,
        months: [AccountingPeriod: TariffMonth] = [:]
    ) -> TariffBill {
        var unpriced = split.unpriced
        var energy: [TariffBill.EnergyLine] = []
        for (table, band, quantity) in split.bands {
            guard tables.indices.contains(table), tables[table].bands.indices.contains(band) else {
                unpriced[.noTable] = (unpriced[.noTable] ?? .init()) + quantity
                continue
            }
            let band = tables[table].bands[band]
            energy.append(
                TariffBill.EnergyLine(
                    table: table, band: band, quantity: quantity.sum,
                    estimated: quantity.estimated, amount: quantity.sum * band.price))
        }
        var charges = TariffChargeLines(book: self, period: period, split: split, months: months)
        charges.work()
        return TariffBill(
            period: period, energy: energy, charges: charges.lines, missing: charges.missing,
            unpriced: unpriced, unknownSlots: split.unknownSlots, slots: split.slots,
            daysWithoutTable: period.days - charges.daysWithTable, isCutOff: split.isCutOff)
    }
}
