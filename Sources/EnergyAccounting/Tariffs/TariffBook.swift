import Telemetry

/// A tariff: dated tables of prices for one carrier, as `TariffFile` reads them.
///
/// It knows no figure by itself, and for a day that no table covers it knows no price.
package struct TariffBook: Hashable, Sendable {
    /// In small letters, digits and hyphens.
    package let name: String
    package let title: LocalizedText
    /// What is sold, `electricity`.
    package let carrier: String
    /// Three capital letters, `CNY`.
    package let currency: String
    /// The unit of the quantity that the energy prices are per, `kWh`; whoever hands counts to a
    /// bill brings them in this unit.
    package let unit: String
    package let days: TariffDays
    /// One at least, by their days; no day lies between them or in two.
    package let tables: [TariffTable]

    /// Whether a band begins within an hour, so that counts by the hour cannot be split by bands:
    /// then read quarters.
    package var needsQuarters: Bool {
        tables.contains { table in table.calendar.plans.contains { $0.needsQuarters } }
    }

    /// Whether any table has a demand charge, for which the caller finds the greatest mean power
    /// of each month.
    package var hasDemandCharge: Bool { tables.contains { $0.charges.demand != nil } }

    /// The place of the table that holds on a day, given as days since 1970-01-01.
    package func tableIndex(onDay day: Int) -> Int? {
        var (low, high) = (0, tables.count)
        while low < high {
            let middle = (low + high) / 2
            if tables[middle].from.dayNumber <= day { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return nil }
        if let until = tables[low - 1].until, until.dayNumber < day { return nil }
        return low - 1
    }

    /// The table that holds on a day.
    package func table(on date: CivilDate) -> TariffTable? {
        tableIndex(onDay: date.dayNumber).map { tables[$0] }
    }

    /// What is known of one day: the table and the place of its plan in it.
    enum Day: Hashable {
        case plan(table: Int, plan: Int)
        case unpriced(TariffGap)
    }

    /// The plan of a day, given as days since 1970-01-01.
    func day(_ day: Int) -> Day {
        guard let table = tableIndex(onDay: day) else { return .unpriced(.noTable) }
        let year = tables[table].calendar
        let plan = year.planIndex(
            season: year.season(ofDay: day), dayClass: days.dayClass(ofDay: day))
        return plan.map { .plan(table: table, plan: $0) } ?? .unpriced(.dayUnknown)
    }
}

/// Why a slot has no price.
package enum TariffGap: Int, Hashable, Sendable, CaseIterable {
    /// No table of the tariff covers the day.
    case noTable = 0
    /// It depends on the holidays of a year for which the tariff does not state them.
    case dayUnknown = 1
    /// A band ends within the slot: the counts are too coarse for this tariff.
    case edgeInside = 2

    package var title: LocalizedText {
        switch self {
        case .noTable:
            LocalizedText(en: "No table of the tariff covers the day", zh: "该日无适用价格表")
        case .dayUnknown:
            LocalizedText(
                en: "The tariff does not state the holidays of that year", zh: "价格文件未列明该年节假日")
        case .edgeInside:
            LocalizedText(
                en: "The time band changes within the slot; read quarters of an hour",
                zh: "时段在计量间隔内切换，需用15分钟数据")
        }
    }
}
