import Telemetry

/// For each slot of a grid the table and the band that price it.
///
/// Made once for a grid and used for every meter. Bands are civil time: the hour that a change of
/// the clocks repeats is billed twice, each time as the hour that the clocks show, and the hour
/// that is skipped is not billed; every real hour counts once.
package struct TariffSchedule: Hashable, Sendable {
    /// Where the counts of a slot go.
    package struct Part: Hashable, Sendable, Comparable {
        /// The civil month.
        package let month: AccountingPeriod
        /// The place of the table in the book.
        package let table: Int
        /// The place of the band in the table.
        package let band: Int

        package static func < (a: Self, b: Self) -> Bool {
            (a.month.first, a.table, a.band) < (b.month.first, b.table, b.band)
        }
    }

    /// What is known of one slot.
    package enum Place: Hashable, Sendable {
        case priced(Part)
        case unpriced(TariffGap)
    }

    package let grid: CountGrid
    let calendar: SiteCalendar
    /// Every part that some slot goes to, in the order of time.
    package let parts: [Part]
    /// Slot by slot the place in `parts`, and for gaps the places behind it.
    let codes: [Int32]

    /// Where the counts of a slot go.
    package subscript(slot: Int) -> Place {
        let code = Int(codes[slot])
        if code < parts.count { return .priced(parts[code]) }
        return .unpriced(TariffGap(rawValue: code - parts.count) ?? .noTable)
    }

    /// The slots of a period, as far as the grid has them.
    package func slots(of period: AccountingPeriod) -> Range<Int> {
        grid.slots(from: period.start(calendar: calendar), to: period.end(calendar: calendar))
    }

    /// Whether the grid has every slot of a period.
    package func covers(_ period: AccountingPeriod) -> Bool {
        guard let first = grid.bounds.first, let last = grid.bounds.last else { return false }
        return first <= period.start(calendar: calendar) && period.end(calendar: calendar) <= last
    }
}

extension TariffBook {
    /// Finds the table and the band of each slot.
    ///
    /// One walk over the days of the grid and one over its slots: under a millisecond for a year
    /// of hours.
    package func schedule(for grid: CountGrid, calendar: SiteCalendar) -> TariffSchedule {
        var spans = TariffSpans(book: self)
        if let first = grid.bounds.first, let last = grid.bounds.last, first < last {
            spans.walk(from: first.milliseconds, to: last.milliseconds, calendar: calendar)
        }
        let edgeInside = -1 - TariffGap.edgeInside.rawValue
        var codes: [Int32] = []
        codes.reserveCapacity(grid.count)
        var span = 0
        for slot in 0..<grid.count {
            let (start, end) = (grid.start(slot).milliseconds, grid.end(slot).milliseconds)
            while span + 1 < spans.ends.count, spans.ends[span] <= start { span += 1 }
            // Neighbouring spans differ, so that a slot that reaches into the next has two.
            let code = spans.ends[span] < end ? edgeInside : spans.codes[span]
            codes.append(Int32(code < 0 ? spans.parts.count - 1 - code : code))
        }
        return TariffSchedule(grid: grid, calendar: calendar, parts: spans.parts, codes: codes)
    }
}

/// The time of a grid cut wherever the month, the table or the band changes.
private struct TariffSpans {
    private(set) var parts: [TariffSchedule.Part] = []
    /// The first millisecond behind each span, ascending.
    private(set) var ends: [Int64] = []
    /// The place of each span in `parts`; −1 − gap where there is no price.
    private(set) var codes: [Int] = []

    private let book: TariffBook
    private var places: [TariffSchedule.Part: Int] = [:]
    /// The month and table of the day before, and the codes of its bands as far as they were used.
    private var known: (month: AccountingPeriod, table: Int, codes: [Int?])?

    private static let day: Int64 = 86_400_000
    private static let quarter: Int64 = 900_000

    init(book: TariffBook) { self.book = book }

    /// Cuts the time from one instant to another, given as milliseconds since 1970.
    mutating func walk(from start: Int64, to end: Int64, calendar: SiteCalendar) {
        let offsets = calendar.offsets
        for (index, piece) in offsets.enumerated() {
            let next = index + 1 < offsets.count ? offsets[index + 1].at.milliseconds : end
            let (from, to) = (max(start, piece.at.milliseconds), min(end, next))
            guard from < to else { continue }
            // Within a piece civil time is real time with an offset, so that each of its days is
            // a stretch of the plan of that day.
            let offset = Int64(piece.offset) * 1000
            var local = from + offset
            while local < to + offset {
                let midnight = local - local.modulo(Self.day)
                let stop = min(midnight + Self.day, to + offset)
                add(from: local, to: stop, midnight: midnight, offset: offset)
                local = stop
            }
        }
    }

    /// Adds a stretch of one civil day.
    private mutating func add(from local: Int64, to stop: Int64, midnight: Int64, offset: Int64) {
        let number = Int(midnight / Self.day)
        switch book.day(number) {
        case .unpriced(let gap): append(-1 - gap.rawValue, until: stop - offset)
        case .plan(let table, let plan):
            let date = CivilTime.date(daysSinceEpoch: number)
            guard let month = month(year: date.year, month: date.month) else {
                return append(-1 - TariffGap.noTable.rawValue, until: stop - offset)
            }
            for run in book.tables[table].calendar.plans[plan].runs {
                let end = min(midnight + Int64(run.end) * Self.quarter, stop)
                guard end > local, midnight + Int64(run.start) * Self.quarter < stop else {
                    continue
                }
                append(code(month: month, table: table, band: run.band), until: end - offset)
            }
        }
    }

    private mutating func month(year: Int, month: Int) -> AccountingPeriod? {
        if let known, known.month.first.year == year, known.month.first.month == month {
            return known.month
        }
        return AccountingPeriod(year: year, month: month)
    }

    private mutating func append(_ code: Int, until end: Int64) {
        if codes.last == code {
            ends[ends.count - 1] = end
        } else {
            codes.append(code)
            ends.append(end)
        }
    }

    private mutating func code(month: AccountingPeriod, table: Int, band: Int) -> Int {
        if known?.month != month || known?.table != table {
            known = (month, table, Array(repeating: nil, count: book.tables[table].bands.count))
        }
        if let code = known?.codes[band] { return code }
        let part = TariffSchedule.Part(month: month, table: table, band: band)
        let code = places[part] ?? parts.count
        if code == parts.count {
            places[part] = code
            parts.append(part)
        }
        known?.codes[band] = code
        return code
    }
}
