import CraneWork
import Telemetry
import Testing

@Suite("The columns of a crane")
struct CraneColumnsTests {
    private func group(_ points: [(String, String, SeriesKind)]) -> ScanGroup {
        ScanGroup(
            id: ScanGroup.ID(4), device: crane, interface: "mqtt", name: "topic",
            series: points.map { point, unit, kind in
                Series(
                    id: SeriesID(device: crane, point: PointKey(point)), kind: kind, unit: unit)
            }, period: .seconds(5), isPolled: false)
    }

    /// What the profiles of the library report, in canonical units.
    private var full: ScanGroup {
        group([
            ("alarm_collision", "", .state), ("alarm_moment", "", .state),
            ("hook_height", "m", .gauge), ("load_mass", "kg", .gauge),
            ("load_moment_ratio", "1", .gauge), ("load_ratio", "1", .gauge),
            ("operator_id", "", .text), ("rated_load_mass", "kg", .gauge),
            ("slew_angle", "deg", .gauge), ("tilt.x", "deg", .gauge),
            ("trolley_radius", "m", .gauge), ("wind_speed", "m/s", .gauge),
            ("work_status", "", .state),
        ])
    }

    private let readings: [Reading] = [
        .text("normal"), .text("warning"), .number(48.25), .number(3250), .number(0.925),
        .number(0.793), .text("17"), .number(4100), .number(271.5), .number(-0.31), .number(31.2),
        .number(6.4), .text("working"),
    ]

    @Test("kilograms become tonnes and ratios per cent, to the last bit")
    func units() throws {
        let columns = try #require(CraneColumns(group: full))
        #expect((columns.crane, columns.period) == (crane, .seconds(5)))
        #expect(columns.heightReference == .base)
        let scan = Scan(group: full.id, time: at(9), flags: .backfill, readings: readings)
        let instant = try #require(columns.instant(of: scan))
        #expect(
            instant
                == CraneInstant(
                    time: at(9), load: 3.25, ratedLoad: 4.1, loadRatio: 79.3, momentRatio: 92.5,
                    hookHeight: 48.25, radius: 31.2, slewAngle: 271.5, windSpeed: 6.4,
                    logged: .id("17"), workStatus: "working",
                    alarms: CraneAlarms(
                        warned: CraneAlarmSet(.moment), normal: CraneAlarmSet(.collision)),
                    isBackfill: true))
    }

    @Test("each per cent of a tenth comes out of the store as it went in")
    func percents() throws {
        let columns = try #require(CraneColumns(group: full))
        let percent = Unit(symbol: "%", ucum: "%", dimension: Dimension("ratio"), factor: 0.01)
        for tenths in 0...1300 {
            var row = readings
            row[4] = .number(percent.canonical(Double(tenths) / 10))
            let scan = Scan(group: full.id, time: at(0), readings: row)
            guard columns.instant(of: scan)?.momentRatio == Double(tenths) / 10 else {
                Issue.record("\(tenths) tenths of a per cent")
                return
            }
        }
    }

    @Test("every bad reading is no value, and a bad alarm is not heard")
    func bad() throws {
        let columns = try #require(CraneColumns(group: full))
        let row = readings.map { _ in Reading.bad(.absent) }
        let instant = columns.instant(of: Scan(group: full.id, time: at(9), readings: row))
        #expect(instant == CraneInstant(time: at(9)))
    }

    @Test("a number that the profile calls invalid means that nobody is logged on")
    func nobody() throws {
        let columns = try #require(CraneColumns(group: full))
        var row = readings
        row[6] = .bad(.invalid)
        let scan = Scan(group: full.id, time: at(9), readings: row)
        #expect(columns.instant(of: scan)?.logged == .nobody)
    }

    @Test("a drop of the hook is a height below the jib, a hook height goes before it")
    func drop() throws {
        let points: [(String, String, SeriesKind)] = [
            ("hook_drop", "m", .gauge), ("load_mass", "t", .gauge),
        ]
        let columns = try #require(CraneColumns(group: group(points)))
        let scan = Scan(
            group: ScanGroup.ID(4), time: at(0), readings: [.number(18.75), .number(2)])
        #expect(columns.heightReference == .jib)
        #expect(columns.instant(of: scan)?.hookHeight == -18.75)
        #expect(columns.instant(of: scan)?.load == 2)
        let both = try #require(CraneColumns(group: group(points + [("hook_height", "m", .gauge)])))
        #expect(both.heightReference == .base)
    }

    @Test("no load, a strange unit or another group: there is nothing to read")
    func nothing() throws {
        #expect(CraneColumns(group: group([("hook_height", "m", .gauge)])) == nil)
        #expect(CraneColumns(group: group([("load_mass", "kN", .gauge)])) == nil)
        #expect(CraneColumns(group: group([("load_mass.x", "kg", .gauge)])) == nil)
        let columns = try #require(CraneColumns(group: full))
        let foreign = Scan(group: ScanGroup.ID(5), time: at(0), readings: readings)
        #expect(columns.instant(of: foreign) == nil)
        let short = Scan(group: full.id, time: at(0), readings: Array(readings.dropLast()))
        #expect(columns.instant(of: short) == nil)
    }
}
