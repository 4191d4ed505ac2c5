import Foundation
import LocatedText
import Telemetry
import Testing
import UplinkFormats

/// Templates as a site reads them.
enum Templates {
    private static let root = Folder.tests.appending(path: "../..").standardizedFileURL
    static let shippedNames = ["cloud-construction-crane", "cloud-construction-dust"]

    static func shipped(_ name: String) throws -> TemplateFormat {
        let file = root.appending(path: "Config/uplinks/\(name).yaml")
        return try read(String(contentsOf: file, encoding: .utf8))
    }

    /// A template bound to the vocabulary.
    static func read(_ text: String) throws -> TemplateFormat {
        let faults = FaultCollector()
        let template = TemplateFormat.parse(try LocatedNode.parse(text, file: "t.yaml"), faults)
        try faults.throwIfAny()
        let bound = try #require(template).bound(
            to: try units(), quantities: try quantities(), faults)
        try faults.throwIfAny()
        return bound
    }

    /// A template with this body, which tells the rest as it must.
    static func of(_ body: String, _ more: String = "correction: none") throws -> TemplateFormat {
        try read(head + more + "\nbody:\n" + body)
    }

    static let head = """
        format: uplink-template/1
        name: t
        source: s
        status: project
        checked: "2026-11-21"

        """

    /// The entries of one section of the vocabulary.
    private static func vocabulary(_ section: String) throws -> [LocatedNode.Entry] {
        let node = try LocatedNode.parse(
            String(contentsOf: root.appending(path: "Devices/vocabulary.yaml"), encoding: .utf8),
            file: "vocabulary.yaml")
        let faults = FaultCollector()
        return node.entries(faults).first { $0.key == section }?.value.entries(faults) ?? []
    }

    static func quantities() throws -> Set<String> {
        Set(try vocabulary("quantities").map(\.key))
    }

    /// The vocabulary's units by symbol.
    static func units() throws -> [String: Telemetry.Unit] {
        let faults = FaultCollector()
        return Dictionary(
            uniqueKeysWithValues: try vocabulary("units").map { entry in
                var reader = MappingReader(entry.value, faults)
                let unit = Telemetry.Unit(
                    symbol: entry.key, ucum: reader.required("ucum")?.string(faults) ?? "",
                    dimension: Dimension(reader.required("dim")?.string(faults) ?? ""),
                    factor: reader.required("factor")?.double(faults) ?? 0,
                    offset: reader.optional("offset")?.double(faults) ?? 0)
                return (entry.key, unit)
            })
    }

    /// What a shape makes of items, as text.
    static func text(_ template: TemplateFormat, _ items: [UplinkItem]) -> String {
        String(decoding: template.encode(items, calendar: shanghai).payload, as: UTF8.self)
    }
}

/// Ten seconds of a tower crane: two scans, of which the later one lacks the wind.
let craneReadings = UplinkItem(
    site: SiteID("hz-qt-0172"), kind: UplinkItem.kind(.raw, .minute), scope: "crane-1/mqtt/live",
    device: DeviceID("crane-1"), start: morning, end: morning + .seconds(60), revision: 0,
    entries: [
        craneEntry("load_mass", "kg", [3_100, 3_250]),
        craneEntry("rated_load_mass", "kg", [4_100, 4_100]),
        craneEntry("load_moment_ratio", "1", [0.91, 0.925]),
        craneEntry("rope_falls", "{count}", [2, 2]),
        craneEntry("trolley_radius", "m", [31.2, 31.25]),
        craneEntry("slew_angle", "deg", [271, 271.5]),
        craneEntry("hook_drop", "m", [18.5, 18.75]),
        craneEntry("tilt.x", "deg", [-0.31, -0.3]), craneEntry("tilt.y", "deg", [0.12, 0.12]),
        craneEntry("wind_speed", "m/s", [13.4, nil]),
        alarmEntry("alarm_wind", ["normal", "alarm"]),
        alarmEntry("alarm_moment", ["normal", "warning"]),
        alarmEntry("alarm_tilt", ["alarm", "normal"]),
        alarmEntry("alarm_no_entry", ["normal", "alarm"]),
    ])

private func craneEntry(
    _ point: String, _ unit: String, _ values: [Double?]
) -> UplinkItem.Entry {
    entry(
        series("crane-1.\(point)", .gauge, unit),
        values.map { $0.map { .number($0) } ?? .bad(.timeout) })
}

private func alarmEntry(_ point: String, _ words: [String]) -> UplinkItem.Entry {
    entry(series("crane-1.\(point)", .state, ""), words.map { .text($0) })
}

private func entry(_ series: Series, _ readings: [Reading]) -> UplinkItem.Entry {
    var rollup = Rollup()
    let samples = readings.enumerated().map { place, reading in
        Sample(time: morning + .seconds(Int64(place) * 10), reading: reading)
    }
    for sample in samples { rollup.add(sample.reading, at: sample.time) }
    return UplinkItem.Entry(series: series, rollup: rollup, samples: samples)
}

/// A minute of a dust and noise station whose barometer is dead.
let dustMinute: UplinkItem = {
    func told(_ point: String, _ unit: String, _ values: [Double?]) -> UplinkItem.Entry {
        entry(
            series("dust-north.\(point)", .gauge, unit),
            values.map { $0.map { .number($0) } ?? .bad(.outOfRange) })
    }
    return UplinkItem(
        site: SiteID("hz-qt-0172"), kind: UplinkItem.kind(.rollup, .minute),
        scope: "dust-north/rs485/normal", device: DeviceID("dust-north"), start: morning,
        end: morning + .seconds(60), revision: 0,
        entries: [
            told("pm2_5", "ug/m3", [45, 45.5]), told("pm10", "ug/m3", [179.96, 180]),
            told("tsp", "ug/m3", [217, 218]), told("sound_level", "dB(A)", [60, 70]),
            told("wind_direction", "deg", [350, 20]), told("wind_speed", "m/s", [2.3, 2.4]),
            told("air_temperature", "Cel", [-3.5, -3.4]),
            told("relative_humidity", "%RH", [61, 61]), told("air_pressure", "Pa", [nil, nil]),
        ])
}()
