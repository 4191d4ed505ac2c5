import Foundation
import Telemetry
import UplinkFormats

let shanghai = SiteCalendar(zone: "Asia/Shanghai", initialOffset: 8 * 3600)
/// 2026-11-21T08:00:00+08:00.
let morning = Timestamp(milliseconds: 1_795_219_200_000)

/// Where the golden messages and the papers are.
enum Folder {
    static let tests = URL(filePath: #filePath).deletingLastPathComponent()
    static let golden = tests.appending(path: "Golden")
    static let formats = tests.appending(path: "../../docs/formats").standardizedFileURL
}

func series(_ id: String, _ kind: SeriesKind, _ unit: String) -> Series {
    let parts = id.split(separator: ".", maxSplits: 1).map(String.init)
    return Series(
        id: SeriesID(device: DeviceID(parts[0]), point: PointKey(parts[1])), kind: kind, unit: unit,
        counter: kind == .counter ? CounterPolicy(modulus: nil, resets: .never) : nil)
}

func item(
    _ device: String, _ scope: String, revision: Int = 0, isStored: Bool = true,
    _ entries: [(Series, Rollup)]
) -> UplinkItem {
    UplinkItem(
        site: SiteID("hz-qt-0172"), scope: "\(device)/\(scope)", device: DeviceID(device),
        bucket: Bucket(.quarterHour, containing: morning, calendar: shanghai), revision: revision,
        isStored: isStored, entries: entries.map { UplinkItem.Entry(series: $0.0, rollup: $0.1) })
}

/// Good readings every `step` seconds from the start of the bucket.
func rollup(_ values: [Double], every step: Double = 10, bad: Int = 0, expected: Int?) -> Rollup {
    var rollup = Rollup(bad: bad, expected: expected)
    for (n, value) in values.enumerated() {
        rollup.add(.number(value), at: morning + .milliseconds(Int64(Double(n) * step * 1000)))
    }
    return rollup
}

/// One item of each sort that the gateway can owe, by the name of its golden file.
let samples: [(name: String, item: UplinkItem)] = [
    (
        "dust-station",
        item(
            "dust-north", "rs485/normal", revision: 1,
            [
                (
                    series("dust-north.pm10", .gauge, "ug/m3"),
                    rollup([141.5, 152, 160.1, 149.9], bad: 2, expected: 90)
                ),
                (
                    series("dust-north.noise.laeq", .gauge, "dB"),
                    rollup([62.3], bad: 0, expected: 90)
                ),
                (
                    series("dust-north.wind_speed", .gauge, "m/s"),
                    Rollup(bad: 90, expected: 90)
                ),
                (
                    series("dust-north.alarm.over_limit", .state, ""),
                    Rollup(count: 90, bad: 0, expected: 90)
                ),
            ])
    ),
    (
        "meter",
        item(
            "meter-main", "rs485/slow", isStored: false,
            [
                (
                    series("meter-main.active_energy.import.total", .counter, "kWh"),
                    Rollup(
                        count: 15, expected: 15,
                        sum: ExactSum(), minimum: 71_204.1, maximum: 71_204.8,
                        first: .init(time: morning, value: 71_204.1),
                        last: .init(time: morning + .seconds(840), value: 71_204.8),
                        increase: ScaledInteger(mantissa: 75, exponent: 2), isEstimated: true)
                ),
                (
                    series("meter-main.active_energy.export.total", .counter, "kWh"),
                    Rollup(bad: 15, expected: 15)
                ),
            ])
    ),
    (
        "crane-topic",
        item(
            "crane-2", "mqtt/site/{device}/+/\"état\"#",
            [
                (
                    series("crane-2.load", .gauge, "t"),
                    rollup([0, -0.25, 1e-7, 12_345_678.9], expected: nil)
                ),
                (series("crane-2.firmware", .text, ""), Rollup(count: 1, expected: nil)),
            ])
    ),
]

/// Two minutes of readings of a dust station and of a pump, as an uplink of raw readings gets them.
let readings = UplinkItem(
    site: SiteID("hz-qt-0172"), kind: UplinkItem.kind(.raw, .minute),
    scope: "dust-north/rs485/normal", device: DeviceID("dust-north"), start: morning,
    end: morning + .seconds(60), revision: 0,
    entries: [
        .init(
            series: series("dust-north.pm10", .gauge, "ug/m3"), rollup: Rollup(count: 2, bad: 1),
            point: UplinkPoint(
                unit: Unit(
                    symbol: "mg/m3", ucum: "mg/m3", dimension: Dimension("concentration"),
                    factor: 1000),
                decimals: 2),
            samples: [
                Sample(time: morning, reading: .number(141.5)),
                Sample(time: morning + .seconds(10), reading: .bad(.timeout)),
                Sample(time: morning + .milliseconds(20_100), reading: .number(165)),
            ]),
        .init(
            series: series("pump-1.volume.ch1", .counter, "m3"), rollup: Rollup(count: 2),
            samples: [
                Sample(time: morning, reading: .number(17)),
                Sample(time: morning + .seconds(30), reading: .number(17.25)),
            ]),
        .init(
            series: series("pump-1.work_status", .state, ""), rollup: Rollup(count: 1, bad: 1),
            samples: [
                Sample(time: morning, reading: .text("idle")),
                Sample(time: morning + .seconds(30), reading: .bad(.unknownCode)),
            ]),
    ])
