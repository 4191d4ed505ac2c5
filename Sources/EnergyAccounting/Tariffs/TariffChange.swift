import Telemetry

/// One thing that a newer state of a tariff prices differently.
package struct TariffChange: Hashable, Sendable {
    /// What it is about.
    package enum Subject: Int, Hashable, Sendable, CaseIterable {
        case energy
        case capacity
        case demand
        case fixed
        case powerFactor
    }

    /// One of the two states.
    package struct Side: Hashable, Sendable {
        /// The band; nil for charges beside the energy.
        package let band: LocalizedText?
        /// nil for the power factor, which has a table of its own.
        package let price: Exact?
        /// The price with its unit and what belongs to it.
        package let words: LocalizedText
    }

    package let subject: Subject
    /// The first day of the table that prices it in the newer state, else in the older one.
    package let table: CivilDate
    /// nil where the older state has no price.
    package let old: Side?
    /// nil where the newer state has no price.
    package let new: Side?
    /// The first and the last day on which the two differ in this; between them days may not.
    package internal(set) var first: CivilDate
    package internal(set) var last: CivilDate
    /// The number of days on which they differ in this.
    package internal(set) var days: Int
    /// Hours of civil days of 24 hours; zero for charges by the month.
    package internal(set) var hours: Exact

    /// The change as one line for people.
    package var text: LocalizedText {
        let span = first == last ? "\(first)" : "\(first)..\(last)"
        let hoursText = hours.plainText
        let (en, zh) = (words(\.en, none: "no price"), words(\.zh, none: "无价格"))
        let isTimed = subject == .energy
        return LocalizedText(
            en: "\(span) (\(days) \(days == 1 ? "day" : "days")"
                + "\(isTimed ? ", \(hoursText) h" : "")): \(en)",
            zh: "\(span)（\(days) 天\(isTimed ? "，\(hoursText) 小时" : "")）：\(zh)")
    }

    private func words(_ language: KeyPath<LocalizedText, String>, none: String) -> String {
        func side(_ side: Side?) -> String {
            guard let side else { return none }
            let band = side.band.map { $0[keyPath: language] + " " } ?? ""
            return band + side.words[keyPath: language]
        }
        let name = Self.title(subject).map { $0[keyPath: language] + " " } ?? ""
        return "\(name)\(side(old)) → \(side(new))"
    }

    private static func title(_ subject: Subject) -> LocalizedText? {
        switch subject {
        case .energy: nil
        case .capacity: TariffBill.Kind.capacity.title
        case .demand: TariffBill.Kind.demand.title
        case .fixed: TariffBill.Kind.fixed.title
        case .powerFactor: TariffBill.Kind.powerFactor.title
        }
    }
}

extension TariffBook {
    /// What this state of a tariff prices differently from an older one, day for day.
    ///
    /// Equal prices of bands of one name are no change, however the tables were cut; neither are
    /// titles and sources.
    ///
    /// - Parameter period: the days to compare; nil for all days that either states, and a year
    ///   behind the first day of a last table that has no end.
    package func differences(
        from old: TariffBook, in period: AccountingPeriod? = nil
    ) -> [TariffChange] {
        guard let period = period ?? Self.span(of: [old, self]) else { return [] }
        var comparison = TariffComparison(old: old, new: self)
        for day in period.first.dayNumber...period.last.dayNumber { comparison.compare(day) }
        return comparison.changes.sorted {
            ($0.first, $0.table, $0.subject.rawValue, $0.text.en)
                < ($1.first, $1.table, $1.subject.rawValue, $1.text.en)
        }
    }

    private static func span(of books: [TariffBook]) -> AccountingPeriod? {
        let tables = books.flatMap(\.tables)
        let lasts = tables.map { $0.until ?? $0.from.advanced(days: TariffYear.daysOfYear) }
        guard let first = tables.map(\.from).min(), let last = lasts.max() else { return nil }
        return AccountingPeriod(from: first, through: last)
    }
}

/// Compares two states of a tariff and gathers equal differences of many days into one change.
private struct TariffComparison {
    let old: TariffBook
    let new: TariffBook
    private(set) var changes: [TariffChange] = []
    /// The place in `changes` of each difference.
    private var places: [Difference: Int] = [:]
    /// What differs for a pair of days, which are few however long the period is.
    private var pairs: [Pair: [(difference: Difference, quarters: Int)]] = [:]

    private struct Pair: Hashable {
        let old: TariffBook.Day
        let new: TariffBook.Day
    }

    private struct Difference: Hashable {
        let subject: TariffChange.Subject
        let table: CivilDate
        let old: TariffChange.Side?
        let new: TariffChange.Side?
    }

    init(old: TariffBook, new: TariffBook) {
        self.old = old
        self.new = new
    }

    mutating func compare(_ day: Int) {
        let pair = Pair(old: old.day(day), new: new.day(day))
        let differences = pairs[pair] ?? self.differences(pair)
        pairs[pair] = differences
        guard !differences.isEmpty else { return }
        let date = CivilDate(daysSinceEpoch: day)
        for (difference, quarters) in differences {
            let hours = Exact(Int128(quarters), over: 4)
            if let place = places[difference] {
                changes[place].last = date
                changes[place].days += 1
                changes[place].hours += hours
            } else {
                places[difference] = changes.count
                changes.append(
                    TariffChange(
                        subject: difference.subject, table: difference.table, old: difference.old,
                        new: difference.new, first: date, last: date, days: 1, hours: hours))
            }
        }
    }

    private func differences(_ pair: Pair) -> [(difference: Difference, quarters: Int)] {
        let (before, after) = (Self.table(old, pair.old), Self.table(new, pair.new))
        guard let table = (after ?? before)?.from else { return [] }
        let (oldSides, newSides) = (Self.sides(old, pair.old), Self.sides(new, pair.new))
        var quarters: [Difference: Int] = [:]
        var order: [Difference] = []
        for quarter in 0..<TariffDayPlan.quarters where !same(oldSides[quarter], newSides[quarter])
        {
            let difference = Difference(
                subject: .energy, table: table, old: oldSides[quarter]?.side,
                new: newSides[quarter]?.side)
            if quarters[difference] == nil { order.append(difference) }
            quarters[difference, default: 0] += 1
        }
        let charges = TariffChange.Subject.allCases.compactMap { subject -> Difference? in
            let older = before.flatMap { Self.charge(subject, of: $0.charges, in: old) }
            let newer = after.flatMap { Self.charge(subject, of: $0.charges, in: new) }
            let isSteps =
                subject == .powerFactor
                && !Self.alike(before?.charges.powerFactor, after?.charges.powerFactor)
            guard older != newer || isSteps else { return nil }
            return Difference(subject: subject, table: table, old: older, new: newer)
        }
        return order.map { ($0, quarters[$0] ?? 0) } + charges.map { ($0, 0) }
    }

    /// A band and its price at some quarter of a day.
    private struct Priced {
        let name: String
        let side: TariffChange.Side
    }

    /// Whether two quarters are the same to whoever pays.
    private func same(_ a: Priced?, _ b: Priced?) -> Bool {
        a?.name == b?.name && a?.side.price == b?.side.price
            && a?.side.words.en == b?.side.words.en
    }

    private static func table(_ book: TariffBook, _ day: TariffBook.Day) -> TariffTable? {
        guard case .plan(let table, _) = day else { return nil }
        return book.tables[table]
    }

    private static func sides(_ book: TariffBook, _ day: TariffBook.Day) -> [Priced?] {
        guard case .plan(let place, let plan) = day else {
            return Array(repeating: nil, count: TariffDayPlan.quarters)
        }
        let table = book.tables[place]
        return table.calendar.plans[plan].runs.flatMap { run in
            let band = table.bands[run.band]
            let words = "\(band.price.plainText) \(book.currency)/\(book.unit)"
            let side = TariffChange.Side(
                band: band.title, price: band.price, words: LocalizedText(en: words, zh: words))
            return Array(
                repeating: Priced(name: band.name, side: side), count: run.end - run.start)
        }
    }

    private static func charge(
        _ subject: TariffChange.Subject, of charges: TariffCharges, in book: TariffBook
    ) -> TariffChange.Side? {
        func side(_ price: Exact, _ per: String, _ rest: String = "") -> TariffChange.Side {
            let words = "\(price.plainText) \(book.currency)/\(per)\(rest)"
            return TariffChange.Side(
                band: nil, price: price, words: LocalizedText(en: words, zh: words))
        }
        switch subject {
        case .energy: return nil
        case .capacity:
            return charges.capacity.map {
                side($0.price, "(kVA*month)", " × \($0.kva.plainText) kVA")
            }
        case .demand:
            return charges.demand.map { demand in
                var rest = ", \(demand.over.milliseconds / 60_000) min"
                if let contracted = demand.contracted {
                    rest += ", \(contracted.plainText) kW"
                }
                if let excess = demand.excess {
                    rest += ", > \(excess.above.plainText) %"
                    rest += " × \(excess.share.plainText) %"
                }
                return side(demand.price, "(kW*month)", rest)
            }
        case .fixed: return charges.fixed.map { side($0.price, "month") }
        case .powerFactor:
            return charges.powerFactor.map { table in
                TariffChange.Side(
                    band: nil, price: nil,
                    words: LocalizedText(
                        en: "\(table.steps.count) steps", zh: "\(table.steps.count) 档"))
            }
        }
    }

    /// Whether two adjustments give the same amounts.
    private static func alike(_ a: PowerFactorAdjustment?, _ b: PowerFactorAdjustment?) -> Bool {
        a?.steps == b?.steps && a?.places == b?.places && a?.onEnergy == b?.onEnergy
            && a?.onCapacity == b?.onCapacity && a?.onDemand == b?.onDemand
    }
}
