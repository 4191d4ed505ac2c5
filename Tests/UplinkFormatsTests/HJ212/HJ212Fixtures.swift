import Telemetry
import UplinkFormats

/// The MN of the standard's examples.
let exampleMN = "010000A8900016F000169DC0"

func hj212Options(_ change: (inout HJ212Options) -> Void = { _ in }) -> HJ212Options {
    var options = HJ212Options(password: "123456")
    change(&options)
    return options
}

let northStation = HJ212Station(scope: "north", mn: exampleMN)

/// Civil time of the site in `yyyyMMddHHmmss[SSS]`.
func site(_ digits: String, _ calendar: SiteCalendar = shanghai) -> Timestamp {
    func number(_ from: Int, _ length: Int) -> Int {
        Int(digits.dropFirst(from).prefix(length)) ?? 0
    }
    return calendar.timestamp(
        CivilTime(
            year: number(0, 4), month: number(4, 2), day: number(6, 2), hour: number(8, 2),
            minute: number(10, 2), second: number(12, 2), millisecond: number(14, 3)))
}

let milligramsPerCubicMetre = Unit(
    symbol: "mg/m3", ucum: "mg/m3", dimension: Dimension("concentration"), factor: 1000)
let kilopascals = Unit(
    symbol: "kPa", ucum: "kPa", dimension: Dimension("pressure"), factor: 1000)

/// A factor with readings of equal distance over a period.
///
/// - Parameters:
///   - bad: readings without a value, behind the good ones.
func factor(
    _ code: String?, _ values: [Double], bad: [BadReason] = [], expected: Int? = nil,
    unit: Unit? = nil, decimals: Int? = nil, statistics: [Statistic] = [],
    kind: SeriesKind = .gauge, from start: Timestamp = morning, every step: Duration = .seconds(60)
) -> UplinkItem.Entry {
    let readings = values.map(Reading.number) + bad.map(Reading.bad)
    var rollup = Rollup(expected: expected)
    var samples: [Sample] = []
    for (index, reading) in readings.enumerated() {
        let time = start + .milliseconds(step.milliseconds * Int64(index))
        rollup.add(reading, at: time)
        samples.append(Sample(time: time, reading: reading))
    }
    return UplinkItem.Entry(
        series: series("dust.\(code ?? "unnamed")", kind, unit?.symbol ?? ""), rollup: rollup,
        point: UplinkPoint(
            name: code, unit: unit, decimals: decimals, statistics: statistics),
        samples: samples)
}

func report(
    _ kind: String, _ scope: String = "north", from start: Timestamp, lasting: Duration,
    _ entries: [UplinkItem.Entry], revision: Int = 0
) -> UplinkItem {
    UplinkItem(
        site: SiteID("hz-qt-0172"), kind: kind, scope: scope, device: nil, start: start,
        end: start + lasting, revision: revision, entries: entries)
}

/// TSP, PM10 and PM2.5 in mg/m3, as of the derived vectors.
func dust(_ tsp: Double = 217, _ pm10: Double = 112, _ pm25: Double = 48) -> [UplinkItem.Entry] {
    [("a34001", tsp), ("a34002", pm10), ("a34004", pm25)].map {
        factor($0.0, [$0.1], unit: milligramsPerCubicMetre, decimals: 3)
    }
}
