import EnergyAccounting
import Foundation
import LocatedText
import Telemetry
import Testing

private let shanghai = SiteCalendar(zone: "Asia/Shanghai", initialOffset: 8 * 3600)

/// A building with two meters and one platform, as it stands on the evening of the 10th of March.
private struct Building {
    var area: Exact? = Exact(12_000)
    var hasRules = true
    var now = Timestamp(rfc3339: "2026-03-10T18:30:00+08:00")!
    /// Whole hours before `now` without a good reading.
    var silent: [String: Int] = [:]
    /// Meters of which nobody has said how often they are read.
    var unsaid: Set<String> = []
    var lastGoods: [SeriesID: Timestamp] = [:]
    var platforms = [
        ComplianceLedger.Platform(
            uplink: "city", lastAccepted: Timestamp(rfc3339: "2026-03-10T18:16:00+08:00"),
            oldestOwed: Timestamp(rfc3339: "2026-03-10T18:15:00+08:00"))
    ]
    var deliveries: [DeliveryDay] = []
    var entries = EnergyEntries.none
    var period = AccountingPeriod("2026-03")!

    static func series(_ device: String) -> SeriesID {
        SeriesID(device: DeviceID(device), point: PointKey("e"))
    }

    private func ledger(_ tree: MeterTree, _ grid: CountGrid) -> MeterLedger {
        var data = AccountData()
        for meter in tree.meters {
            guard let series = meter.counter else { continue }
            var counts = Counts(count: grid.count)
            for slot in 0..<grid.count where grid.start(slot) < now {
                let hours = silent[meter.id] ?? 0
                let isSilent = hours > 0 && now - grid.start(slot) < .seconds(3600 * (hours + 1))
                counts[slot] = Counts.Slot(
                    increase: isSilent ? nil : ScaledInteger(exactly: 1.0),
                    good: isSilent ? 0 : 6, expected: unsaid.contains(meter.id) ? nil : 6)
            }
            data.counts[series] = counts
        }
        return MeterLedger(
            tree: tree, entries: entries, grid: grid, data: data, calendar: shanghai)
    }

    func ledger() throws -> ComplianceLedger {
        func meter(_ id: String, _ title: LocalizedText?, _ source: Meter.Source) -> Meter {
            var meter = Meter(
                id: id, parent: nil, item: nil, carrier: .electricity, source: source,
                location: Location(file: "site.yaml", line: 1, column: 1))
            meter.title = title
            return meter
        }
        let tree = MeterTree([
            meter(
                "main", LocalizedText(en: "Main", zh: "总表"), .counter(Self.series("m1"))),
            meter("lifts", nil, .counter(Self.series("m2"))), meter("by-hand", nil, .entries),
        ])
        var plan = EnergyPlan(tree: tree, entries: entries, floorArea: area)
        if hasRules {
            let file = URL(filePath: #filePath)
                .appending(path: "../../../Config/energy/compliance.yaml").standardizedFileURL
            plan.compliance = try ComplianceRules.parse(
                String(contentsOf: file, encoding: .utf8), file: "compliance.yaml")
        }
        return ComplianceLedger(
            plan: plan, period: period, calendar: shanghai, now: now,
            counted: ledger(tree, CountGrid(.hour, of: period, calendar: shanghai)),
            recent: ledger(tree, ComplianceLedger.recentGrid(now: now, calendar: shanghai)),
            lastGoods: lastGoods, platforms: platforms, deliveries: deliveries)
    }

    func document() throws -> StatementDocument {
        try ComplianceStatement(ledger()).document(site: "钱塘文体中心")
    }
}

extension StatementDocument {
    fileprivate func fact(_ key: String) -> Cell? { facts.first { $0.key == key }?.value }
    fileprivate func table(_ key: String) throws -> Table {
        try #require(tables.first { $0.key == key })
    }
}

extension StatementDocument.Table {
    fileprivate func text(_ row: Int, _ key: String) throws -> String {
        let column = try #require(columns.firstIndex { $0.key == key })
        return switch cell(row, column) {
        case .text(let text): text.en
        case .number(let number): number.text
        case .missing(let reason): "– \(reason.en)"
        }
    }
}

@Suite("The compliance statement")
struct ComplianceStatementTests {
    private func line(_ building: Building) throws -> LocalizedText {
        guard case .text(let text)? = try building.document().fact("connected_and_running") else {
            return LocalizedText(en: "", zh: "")
        }
        return text
    }

    @Test("says yes with the instant when every meter and every platform is well")
    func yes() throws {
        let text = try line(Building())
        #expect(
            text.en
                == "Yes. Meters running: 2 of 2. Connected and up to date: city. As of "
                + "2026-03-10T18:30:00+08:00.")
        #expect(
            text.zh
                == "是。2 块计量表全部运行正常；已接入且上传正常的平台：city。查验时间 2026-03-10T18:30:00+08:00。")
    }

    @Test("says no and which meter is out since when")
    func out() throws {
        var building = Building()
        building.silent = ["main": 3]
        let text = try line(building)
        #expect(
            text.en
                == "No. meter main (Main) without a good reading since 2026-03-10T15:00:00+08:00. "
                + "As of 2026-03-10T18:30:00+08:00.")
        #expect(text.zh.hasPrefix("否。计量表 main（总表） 自 2026-03-10T15:00:00+08:00 起无有效读数。"))
        let meters = try building.document().table("meters")
        #expect(try meters.text(0, "outage_hours") == "3.00")
        #expect(try meters.text(0, "out_since") == "2026-03-10T15:00:00+08:00")
        #expect(try meters.text(1, "outage_hours") == "0.00")
        #expect(try meters.text(1, "out_since") == "")
        #expect(meters.rows.count == 2)
    }

    @Test("a reading after the last whole hour ends the outage that is running, not its hours")
    func backAgain() throws {
        var building = Building()
        building.silent = ["main": 3]
        building.lastGoods[Building.series("m1")] = Timestamp(rfc3339: "2026-03-10T18:20:00+08:00")
        #expect(try line(building).en.hasPrefix("Yes."))
        let meters = try building.document().table("meters")
        #expect(try meters.text(0, "outage_hours") == "3.00")
        #expect(try meters.text(0, "last_good") == "2026-03-10T18:20:00+08:00")
    }

    @Test("an outage that was there before anything that was read says so")
    func older() throws {
        var building = Building()
        building.silent = ["lifts": 40 * 24]
        let text = try line(building)
        #expect(
            text.en.contains(
                "meter lifts without a good reading since 2026-02-03T18:00:00+08:00 or before"))
        #expect(text.zh.contains("至迟自 2026-02-03T18:00:00+08:00 起"))
    }

    @Test("a platform that has not got a day, or never got anything, is a reason for no")
    func behind() throws {
        var building = Building()
        building.platforms[0].oldestOwed = Timestamp(rfc3339: "2026-03-09T08:00:00+08:00")
        // The grace has not passed yet.
        #expect(try line(building).en.hasPrefix("Yes."))
        building.platforms[0].oldestOwed = Timestamp(rfc3339: "2026-03-08T23:45:00+08:00")
        #expect(
            try line(building).en.hasPrefix(
                "No. platform city is behind: data of 2026-03-08 is still owed."))
        #expect(try building.document().table("platforms").text(0, "behind_since") == "2026-03-08")
        building.platforms.append(.init(uplink: "district"))
        #expect(try line(building).en.contains("; platform district has accepted nothing yet."))
        building.platforms = []
        #expect(try line(building).en.hasPrefix("No. no platform is configured."))
    }

    @Test("cannot be told while nobody has said how often a meter is read")
    func unknown() throws {
        var building = Building()
        building.unsaid = ["lifts"]
        let text = try line(building)
        #expect(text.en.hasPrefix("Cannot be told. meter lifts is not judged"))
        #expect(text.zh.hasPrefix("无法判定。计量表 lifts 未说明读数周期"))
        let meters = try building.document().table("meters")
        #expect(try meters.text(1, "outage_hours").hasPrefix("– not judged"))
        #expect(try meters.text(1, "received_percent").hasPrefix("– not judged"))
        // What is known to be wrong is wrong all the same.
        building.silent["main"] = 2
        #expect(try line(building).en.hasPrefix("No. meter main"))
    }

    @Test("counts what platforms took by day, by meter and in all; nothing owed is no figure")
    func deliveries() throws {
        var building = Building()
        building.deliveries = [
            DeliveryDay(
                uplink: "city", scope: "m1/rs485/fast", day: CivilDate("2026-03-01")!, owed: 96,
                accepted: 96),
            DeliveryDay(
                uplink: "city", scope: "m2/rs485/fast", day: CivilDate("2026-03-01")!, owed: 96,
                accepted: 90, rejected: 2, expired: 1),
            DeliveryDay(
                uplink: "city", scope: "m11/rs485/fast", day: CivilDate("2026-03-03")!, owed: 10,
                accepted: 10),
        ]
        let document = try building.document()
        let days = try document.table("platform_days")
        #expect(days.rows.count == 10)
        #expect(try days.text(0, "completeness_percent") == "96.88")
        #expect(try days.text(0, "open") == "3")
        #expect(try days.text(1, "owed") == "– nothing was owed")
        #expect(try days.text(1, "completeness_percent") == "– nothing was owed")
        let meters = try document.table("meter_uploads")
        #expect(meters.rows.count == 2)
        #expect(try meters.text(0, "owed") == "96")
        #expect(try meters.text(0, "incomplete_days") == "")
        #expect(try meters.text(1, "incomplete_days") == "2026-03-01 90/96")
        let platforms = try document.table("platforms")
        #expect(try platforms.text(0, "owed") == "202")
        #expect(try platforms.text(0, "rejected") == "2")
        #expect(try platforms.text(0, "last_accepted") == "2026-03-10T18:16:00+08:00")
    }

    @Test("a meter has the items of the stations of which its counter is a part, and no others")
    func stations() throws {
        var building = Building()
        building.platforms = [
            ComplianceLedger.Platform(
                uplink: "city",
                stations: ["B1": [Building.series("m1")], "B2": [Building.series("m2")]])
        ]
        let day = CivilDate("2026-03-01")!
        building.deliveries = [
            DeliveryDay(uplink: "city", scope: "B1", day: day, owed: 96, accepted: 95),
            DeliveryDay(uplink: "city", scope: "B2", day: day, owed: 24, accepted: 24),
            // What a device was told of before the platform had stations is nobody's any more.
            DeliveryDay(uplink: "city", scope: "m1/rs485/fast", day: day, owed: 7),
        ]
        let meters = try building.document().table("meter_uploads")
        #expect(try meters.text(0, "owed") == "96" && meters.text(1, "owed") == "24")
        #expect(try meters.text(0, "incomplete_days") == "2026-03-01 95/96")
    }

    @Test("a platform that is no longer configured still shows what it took, and is no reason")
    func formerPlatform() throws {
        var building = Building()
        building.deliveries = [
            DeliveryDay(
                uplink: "old", scope: "m1/rs485/fast", day: CivilDate("2026-03-01")!, owed: 4)
        ]
        let document = try building.document()
        #expect(
            try document.table("platforms").text(1, "last_accepted") == "– no longer configured")
        #expect(try line(building).en.hasPrefix("Yes."))
    }

    @Test("lists certificates and the repairs of the period")
    func entries() throws {
        var building = Building()
        building.entries = try energyEntries(
            """
            - { certificate: main, number: JD-2025-7, issued: 2025-04-01, due: 2026-03-31, by: Li }
            - { repair: main, from: '2026-03-02T08:00:00+08:00', to: '2026-03-02T10:30:00+08:00', reason: new CT, by: Li }
            - { repair: lifts, from: '2026-03-09T08:00:00+08:00', reason: cable cut, by: Wang }
            - { repair: main, from: '2026-02-02T08:00:00+08:00', to: '2026-02-02T10:30:00+08:00', reason: earlier, by: Li }
            """)
        let document = try building.document()
        let meters = try document.table("meters")
        #expect(try meters.text(0, "certificate") == "JD-2025-7")
        #expect(try meters.text(0, "certificate_due") == "2026-03-31")
        #expect(try meters.text(0, "certificate_state") == "due in 21 d")
        #expect(try meters.text(1, "certificate") == "– none written down")
        let repairs = try document.table("repairs")
        #expect(repairs.rows.count == 2)
        #expect(try repairs.text(0, "hours") == "2.50")
        #expect(try repairs.text(1, "to") == "– it goes on")
        building.hasRules = false
        #expect(try building.document().table("meters").text(0, "certificate_state") == "valid")
    }

    @Test("whether the building falls under the duty follows from its area and the file")
    func duty() throws {
        var building = Building()
        func text() throws -> String {
            switch try building.document().fact("duty") {
            case .text(let text)?: text.en
            case .missing(let reason)?: "– \(reason.en)"
            default: "none"
            }
        }
        #expect(try text() == "By its area (10000 m² and more) the building falls under the duty.")
        building.area = Exact(9_000)
        #expect(try text().hasPrefix("By its area (less than 10000 m²) the building does not"))
        building.area = nil
        #expect(try text() == "– the area is not known")
        #expect(try building.document().notes.contains { $0.zh.contains("第四十八条") })
        building.hasRules = false
        #expect(try text() == "none")
        #expect(try building.document().notes[0].en.contains("names no file of the law"))
    }

    @Test("every row is as wide as its table, and every form of the document can be written")
    func forms() throws {
        var building = Building()
        building.silent = ["main": 3]
        building.unsaid = ["lifts"]
        let document = try building.document()
        for table in document.tables {
            #expect(table.rows.allSatisfy { $0.count == table.columns.count }, "\(table.key)")
        }
        #expect(document.kind == "compliance")
        #expect(StatementHTML(.zh).page(document).contains("接入并运行正常"))
        #expect(StatementCSV(.machine).document(document).contains("connected_and_running"))
        let json = try JSONSerialization.jsonObject(with: Data(StatementJSON.bytes(document)))
        #expect((json as? [String: Any])?["kind"] as? String == "compliance")
    }
}
