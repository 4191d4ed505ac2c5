import Foundation
import Gateway
import Logging
import SiteSimulator
import Store
import Telemetry

/// `plumbline simulate --year 2026 --into folder`: a year of meters to try the accounts on.
struct SimulateYear {
    var year: Int
    var folder: String
    var zone: String
    var seed: UInt64
    var share: String

    /// Writes the folder: `site.yaml`, `energy-entries.yaml`, the store in `data`, and in `truth`
    /// what every register showed.
    func write() async throws {
        guard !FileManager.default.fileExists(atPath: folder + "/site.yaml") else {
            throw Failure.badInput(
                say("'\(folder)' holds a site already", "'\(folder)' 中已有站点"))
        }
        guard let calendar = SiteCalendar(systemZone: zone) else {
            throw Failure.badInput(
                say("the time zone '\(zone)' is not known here", "本机没有时区 '\(zone)'"))
        }
        guard
            calendar.timestamp(CivilTime(year: year + 1, month: 1, day: 2))
                < SystemClock(believesWall: true).read().wall
        else {
            throw Failure.badInput(say("\(year) has not ended", "\(year) 年尚未结束"))
        }
        let simulated = SimulatedYear(seed: seed, year: year, calendar: calendar)
        do {
            try writeFiles(simulated, calendar)
        } catch let error as CocoaError {
            throw Failure.inputOutput("\(folder): \(error.localizedDescription)")
        }
        let (site, library) = try SiteFiles.site(
            at: folder + "/site.yaml", devices: folder + "/Devices")
        let gateway = try await SiteGateway(
            site, library: library,
            surroundings: Surroundings(
                clock: ContinuousClock(), wallClock: SystemClock(believesWall: true),
                logger: makeLogger(level: .warning),
                dashboards: .init(directory: nil, vendor: [:])))
        let progress = ProgressLine(
            say("entering the year", "正在写入一年数据"), withoutTerminalEvery: .seconds(5))
        defer { progress.end() }
        let whole = Double((simulated.to - simulated.from).milliseconds)
        do {
            try await gateway.enter(
                SimulatedYearScans(simulated, groups: gateway.groups),
                onProgress: {
                    progress.show(Double(($0 - simulated.from).milliseconds) / whole)
                })
            while try await gateway.store.writer.packCountedHours(before: simulated.to) {}
            try gateway.store.close()
        } catch {
            throw Failure.inputOutput("\(error)")
        }
    }

    private func writeFiles(_ simulated: SimulatedYear, _ calendar: SiteCalendar) throws {
        let files = FileManager.default
        for name in ["Devices/simulated", "truth"] {
            try files.createDirectory(
                atPath: folder + "/" + name, withIntermediateDirectories: true)
        }
        func write(_ text: String, _ name: String) throws {
            try Data(text.utf8).write(to: URL(filePath: folder + "/" + name))
        }
        try files.copyItem(
            atPath: share + "/Devices/vocabulary.yaml", toPath: folder + "/Devices/vocabulary.yaml")
        try write(
            simulated.configuration(zone: zone, directory: folder + "/data", share: share),
            "site.yaml")
        try write(simulated.entries(calendar: calendar), "energy-entries.yaml")
        // The shipped examples are of one year; this one has the same prices.
        for (name, example) in [
            ("tariff-electricity", "example-industrial-electricity"),
            ("tariff-diesel", "example-diesel"),
        ] {
            let text = try String(
                contentsOfFile: share + "/Config/tariffs/\(example).yaml", encoding: .utf8)
            try write(text.replacing("2026", with: "\(year)"), name + ".yaml")
        }
        try write(SimulatedYear.thermometerProfile, "Devices/simulated/station-1.yaml")
        try write(try method(), "baseline-method.yaml")
        try write(
            "series,time,value\n" + simulated.temperatureLines.joined(separator: "\n") + "\n",
            "truth/temperatures.csv")
        var series = "series,period_seconds,modulus\n"
        var readings = "series,time,value\n"
        for register in simulated.registers {
            try write(
                SimulatedYear.profile(register), "Devices/simulated/\(register.device).yaml")
            let modulus = register.modulus.map { "\(Int64($0))" } ?? ""
            series +=
                "\(SimulatedYear.series(of: register)),"
                + "\(SimulatedYear.period.components.seconds),\(modulus)\n"
            readings += simulated.readingLines(of: register).joined(separator: "\n") + "\n"
        }
        try write(series, "truth/series.csv")
        try write(readings, "truth/readings.csv")
    }
}

extension SimulateYear {
    /// The shipped method, but that eight months are enough: a year has to hold what is compared
    /// with its beginning.
    private func method() throws -> String {
        try String(contentsOfFile: share + "/Config/baselines/method.yaml", encoding: .utf8)
            .replacing("method: ashrae-14-ipmvp", with: "method: simulated")
            .replacing("least_periods, value: 12,", with: "least_periods, value: 8,")
            .replacing("least_periods, value: 329,", with: "least_periods, value: 200,")
    }
}

/// The readings of a simulated year as scans, a day at a time.
private struct SimulatedYearScans: Sequence, IteratorProtocol {
    private let year: SimulatedYear
    private let thermometer: ScanGroup.ID?
    private let groups: [(register: SimulatedYear.Register, group: ScanGroup)]
    private var reached: Timestamp

    init(_ year: SimulatedYear, groups: [ScanGroup]) {
        self.year = year
        reached = year.from
        thermometer = groups.first { $0.device == SimulatedYear.thermometer.device }?.id
        self.groups = year.registers.compactMap { register in
            groups.first { $0.device == register.device }.map { (register, $0) }
        }
    }

    private func isHour(_ time: Timestamp) -> Bool {
        (time - year.from).milliseconds % SimulatedYear.thermometerPeriod.milliseconds == 0
    }

    mutating func next() -> [Scan]? {
        guard reached <= year.to else { return nil }
        let end = reached + .seconds(86_400)
        var scans: [Scan] = []
        while reached < end, reached <= year.to {
            for (register, group) in groups {
                guard let value = year.reading(of: register, at: reached) else { continue }
                scans.append(
                    Scan(
                        group: group.id, time: reached, flags: .backfill,
                        readings: [.good(.number(value))]))
            }
            if let thermometer, isHour(reached), let celsius = year.temperature(at: reached) {
                scans.append(
                    Scan(
                        group: thermometer, time: reached, flags: .backfill,
                        readings: [.good(.number(celsius))]))
            }
            reached = reached + SimulatedYear.period
        }
        return scans
    }
}
