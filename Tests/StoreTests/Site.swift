import Foundation
import GRDB
import Telemetry
import Testing

@testable import Store

/// One small device on a store in a folder of its own, which goes with the test.
final class Site: Sendable {
    static let start = Timestamp(milliseconds: 1_795_000_000_000 - 1_795_000_000_000 % 900_000)
    let directory: String

    init() { directory = NSTemporaryDirectory() + "plumbline-store-\(UUID().uuidString)" }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    var path: String { directory + "/" + StoreFile.name }

    func open(
        _ durability: Durability = .power, calendar: SiteCalendar = .utc
    ) throws -> Store {
        try Store.open(
            StoreOptions(directory: directory, durability: durability), calendar: calendar)
    }

    /// A group of two gauges and a counter.
    static func group(
        _ device: String = "meter", points: [String] = ["power", "voltage"], unit: String = "kW"
    ) -> ScanGroup {
        let id = DeviceID(device)
        var series = points.map {
            Series(
                id: SeriesID(device: id, point: PointKey($0)), kind: .gauge,
                unit: $0 == "power" ? unit : "V")
        }
        series.append(
            Series(
                id: SeriesID(device: id, point: PointKey("energy")), kind: .counter, unit: "kWh",
                counter: CounterPolicy(modulus: 1_000_000, resets: .manual)))
        return ScanGroup(
            device: id, interface: "rs485", name: "fast", series: series, period: .seconds(10),
            isPolled: true)
    }

    static func clock(_ time: Timestamp, boot: String = "boot-1") -> ClockReading {
        ClockReading(bootID: boot, monotonic: 5, wall: time, isTrusted: true)
    }

    static func scan(
        _ group: ScanGroup, at seconds: Int64, _ value: Double = 1, sequence: UInt16 = 0
    ) -> Scan {
        var readings = [Reading](repeating: .number(value), count: group.series.count)
        readings[readings.count - 1] = .number(1000 + value)
        return Scan(
            group: group.id, time: start + .seconds(seconds), sequence: sequence,
            readings: readings)
    }

    static func batch(_ scans: [Scan], _ deliveries: [DeliveryMark] = []) -> JournalBatch {
        JournalBatch(clock: clock(scans.last?.time ?? start), scans: scans, deliveries: deliveries)
    }

    /// Every row of every table as text, for comparing the whole content.
    func dump() throws -> [String] {
        let queue = try DatabaseQueue(path: path)
        return try queue.read { db in
            let tables = try String.fetchAll(
                db,
                sql: """
                    SELECT name FROM sqlite_master
                    WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'grdb%'
                    ORDER BY name
                    """)
            return try tables.flatMap { table in
                try Row.fetchAll(db, sql: "SELECT * FROM \(table)").map { "\(table) \($0)" }
            }
        }
    }

    /// Changes the file behind the store's back.
    func meddle(
        _ sql: String, _ arguments: StatementArguments = [], foreignKeys: Bool = true
    ) throws {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = foreignKeys
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.write { try $0.execute(sql: sql, arguments: arguments) }
    }
}
