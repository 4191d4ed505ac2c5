import Telemetry

/// One bar of a chart: what a series did between two instants.
///
/// Figures are rounded to doubles; whoever needs exact sums takes rollups.
package struct Bar: Hashable, Sendable {
    package var start: Timestamp
    /// The first instant after the bar.
    package var end: Timestamp
    /// Good readings, and readings without a value.
    package var count = 0
    package var bad = 0
    /// Readings that should have come; nil when nobody has said how often.
    package var expected: Int?
    package var sum = 0.0
    package var minimum: Double?
    package var maximum: Double?
    package var first: Double?
    package var last: Double?
    /// What a counter counted inside the bar; nil when that is not known.
    package var increase: Double?

    package init(start: Timestamp, end: Timestamp) {
        self.start = start
        self.end = end
    }

    /// nil without a good number.
    package var mean: Double? { first == nil || count == 0 ? nil : sum / Double(count) }

    /// Good among expected readings, 0 to 1; nil is unknown.
    package var coverage: Double? {
        guard let expected, expected > 0 else { return nil }
        return min(1, Double(count) / Double(expected))
    }

    mutating func add(_ number: Double) {
        count += 1
        sum += number
        if minimum.map({ number < $0 }) ?? true { minimum = number }
        if maximum.map({ number > $0 }) ?? true { maximum = number }
        if first == nil { first = number }
        last = number
    }

    mutating func add(_ rollup: Rollup) {
        count += rollup.count
        bad += rollup.bad
        sum += rollup.sum.value
        minimum = [minimum, rollup.minimum].compactMap(\.self).min()
        maximum = [maximum, rollup.maximum].compactMap(\.self).max()
        if first == nil { first = rollup.first?.value }
        last = rollup.last?.value ?? last
        if let more = rollup.increase?.double { increase = (increase ?? 0) + more }
    }
}

/// Where the bars of a chart are cut: equal widths that people can read, aligned to civil time.
struct BarGrid: Sendable {
    let from: Timestamp
    /// Milliseconds.
    let width: Int64
    private let origin: Int64

    /// The widths that are used, in seconds.
    private static let widths: [Int64] = [
        1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 14_400, 21_600,
        43_200, 86_400,
    ]

    /// The narrowest grid with at most `count` bars over the range, give or take one at its ends.
    init(from: Timestamp, to: Timestamp, count: Int, calendar: SiteCalendar) {
        self.from = from
        let range = max(1, to.milliseconds &- from.milliseconds)
        let least = (range + Int64(max(1, count)) - 1) / Int64(max(1, count))
        let day: Int64 = 86_400_000
        width =
            Self.widths.map { $0 * 1000 }.first { $0 >= least } ?? (least + day - 1) / day * day
        // From an hour on, bars begin on the site's own hours and days.
        let offset = width >= 3_600_000 ? Int64(calendar.offset(at: from)) * 1000 : 0
        origin = from.milliseconds &- (from.milliseconds &+ offset).modulo(width)
    }

    func index(of time: Timestamp) -> Int { Int((time.milliseconds &- origin) / width) }

    func bar(_ index: Int) -> Bar {
        let start = Timestamp(milliseconds: origin &+ Int64(index) * width)
        return Bar(start: start, end: Timestamp(milliseconds: start.milliseconds &+ width))
    }

    /// The resolution whose stored buckets make up the bars; nil folds from samples.
    var stored: Resolution? {
        if width % 86_400_000 == 0 { return .day }
        if width % 3_600_000 == 0 { return .hour }
        return width % 900_000 == 0 ? .quarterHour : nil
    }
}

/// Collects readings in order of time into bars.
struct BarFold {
    let grid: BarGrid
    private(set) var bars: [Bar] = []
    private var place = -1

    init(_ grid: BarGrid) { self.grid = grid }

    mutating func add(_ number: Double, at time: Timestamp) {
        open(time)
        bars[bars.count - 1].add(number)
    }

    mutating func add(_ reading: Reading, at time: Timestamp) {
        if let number = reading.number { return add(number, at: time) }
        open(time)
        if reading.isGood { bars[bars.count - 1].count += 1 } else { bars[bars.count - 1].bad += 1 }
    }

    /// Adds the readings of one column in order.
    mutating func add(_ part: StoreReader.ColumnPart) {
        guard case .sealed(let column, let rows) = part else {
            return part.forEach { add($0, at: $1) }
        }
        column.add(rows, to: &self)
    }

    /// Hands over the bar that holds `time`, and makes it and those before it where need be.
    mutating func addToBar(at time: Timestamp, _ body: (inout Bar) -> Void) {
        open(time)
        body(&bars[bars.count - 1])
    }

    /// The bars, told how many readings each should hold.
    func bars(expecting count: Int?) -> [Bar] {
        var bars = bars
        for index in bars.indices { bars[index].expected = count }
        return bars
    }

    mutating func add(_ rollup: Rollup, at time: Timestamp) {
        open(time)
        bars[bars.count - 1].add(rollup)
    }

    /// Spreads what a counter counted over the bars between two readings.
    mutating func add(_ interval: CounterInterval) {
        for index in bars.indices.reversed() {
            guard bars[index].end > interval.start else { return }
            guard interval.overlaps(from: bars[index].start, to: bars[index].end) else { continue }
            let share = interval.share(from: bars[index].start, to: bars[index].end).double
            bars[index].increase = (bars[index].increase ?? 0) + share
        }
    }

    /// Makes every bar up to the one that holds `time`, so that silence is a bar without readings.
    mutating func open(_ time: Timestamp) {
        let index = grid.index(of: time)
        if bars.isEmpty { place = index - 1 }
        while place < index {
            place += 1
            bars.append(grid.bar(place))
        }
    }
}
