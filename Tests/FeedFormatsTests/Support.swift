import Foundation
import Telemetry
import TestSeeds

@testable import FeedFormats

let shanghai = SiteCalendar(zone: "Asia/Shanghai", initialOffset: 8 * 3600)
/// 2026-11-21T08:00:00+08:00.
let morning = Timestamp(milliseconds: 1_795_219_200_000)

/// Where the golden messages, the templates and the papers are.
enum Folder {
    static let tests = URL(filePath: #filePath).deletingLastPathComponent()
    static let golden = tests.appending(path: "Golden")
    static let peers = tests.appending(path: "Peers")
    static let root = tests.appending(path: "../..").standardizedFileURL
    static let templates = root.appending(path: "Config/feeds/templates")
    static let formats = root.appending(path: "docs/formats")

    static func text(_ url: URL) throws -> String { try String(contentsOf: url, encoding: .utf8) }
}

/// The texts of the shipped templates.
func shippedTexts() throws -> [String: String] {
    var texts: [String: String] = [:]
    for file in FeedTemplates.files {
        texts[file] = try Folder.text(Folder.templates.appending(path: file))
    }
    return texts
}

func shippedTemplates() throws -> FeedTemplates { try FeedTemplates(texts: shippedTexts()) }

func words(
    _ language: FeedLanguage = .en, templates: FeedTemplates? = nil
) throws -> FeedWords {
    FeedWords(
        language: language, calendar: shanghai, templates: try templates ?? shippedTemplates())
}

func minutes(_ count: Double) -> Duration { .milliseconds(Int64(count * 60_000)) }

/// An alarm of the dust station, with everything that an alarm can have.
func dustAlarm(
    state: AlarmState = .activeUnacknowledged, changed: Timestamp = morning
) -> AlarmBrief {
    AlarmBrief(
        key: "pm10_15min|dust-north.pm10|1795218300000", rule: "pm10_15min",
        title: LocalizedText(en: "PM10 high, 15-minute mean", zh: "PM10偏高（15分钟均值）"),
        severity: "warning", colour: "orange", module: "dust", area: "North gate & road <A>",
        series: SeriesID(device: DeviceID("dust-north"), point: PointKey("pm10")),
        device: LocalizedText(en: "Dust monitor north", zh: "北侧扬尘监测仪"),
        point: LocalizedText(en: "PM10", zh: "PM10"), state: state,
        onset: morning - minutes(15), raised: morning, changed: changed,
        evidence: AlarmEvidence(
            value: 163.285714, unit: "ug/m3", limit: 150, windowStart: morning - minutes(15),
            windowEnd: morning, samples: 88, coverage: 0.978),
        source: "DB42/T 1234, table 1", status: "secondary", risk: "R-07",
        facts: [
            AlarmBrief.Fact(
                label: LocalizedText(en: "Spraying", zh: "喷淋"),
                text: LocalizedText(en: "off since 07:20", zh: "07:20起关闭")),
            AlarmBrief.Fact(
                label: LocalizedText(en: "Wind", zh: "风"),
                text: LocalizedText(en: "3.2 m/s from *NW*", zh: "西北*风* 3.2 m/s")),
        ])
}

/// An alarm with as little as an alarm can have: one reading, no unit of coverage, no area.
func craneAlarm(state: AlarmState = .activeUnacknowledged) -> AlarmBrief {
    AlarmBrief(
        key: "crane_moment|crane-2.load_moment.share|1795219140000", rule: "crane_moment",
        title: LocalizedText(en: "Load moment above 100 %", zh: "力矩超限"),
        severity: "critical", module: "crane",
        series: SeriesID(device: DeviceID("crane-2"), point: PointKey("load_moment.share")),
        device: LocalizedText(en: "Tower crane 2", zh: "2#塔机"),
        point: LocalizedText(en: "Load moment", zh: "力矩百分比"), state: state,
        onset: morning - minutes(1), raised: morning - minutes(1), changed: morning - minutes(1),
        evidence: AlarmEvidence(
            value: 100.04, unit: "%", limit: 100, windowStart: morning - minutes(1),
            windowEnd: morning - minutes(1), samples: 1, coverage: nil),
        source: "GB 5144, 4.6", status: "verified")
}

func acknowledged(_ alarm: AlarmBrief) -> AlarmBrief {
    var alarm = alarm
    alarm.state = .activeAcknowledged
    alarm.changed = morning + minutes(4)
    alarm.actor = "王工"
    alarm.note = "Sprayer switched on;\nwatch the *road*"
    return alarm
}

func notice(
    _ kind: AlarmNotice.Kind, _ alarms: [AlarmBrief], at time: Timestamp = morning,
    total: Int? = nil, from: AlarmState? = nil, since: Timestamp? = nil
) -> AlarmNotice {
    AlarmNotice(
        id: "hz-qt-0172|team|\(kind.rawValue)|\(time.milliseconds)", site: SiteID("hz-qt-0172"),
        siteName: "钱塘1号工地", kind: kind, time: time, alarms: alarms, total: total, from: from,
        since: since)
}

/// Twenty alarms of one storm, each another one.
let manyAlarms: [AlarmBrief] = (0..<20).map { n in
    var alarm = n % 2 == 0 ? dustAlarm() : craneAlarm()
    alarm.key += "-\(n)"
    return alarm
}

/// One notice of each kind, by its name in the golden files.
let samples: [(name: String, notice: AlarmNotice)] = [
    (
        "change",
        notice(
            .change, [acknowledged(dustAlarm())], at: morning + minutes(4),
            from: .activeUnacknowledged)
    ),
    ("raised", notice(.raised, [dustAlarm()])),
    (
        "returned",
        notice(
            .returned,
            [
                dustAlarm(
                    state: .returnedUnacknowledged, changed: morning + minutes(125))
            ], at: morning + minutes(125))
    ),
    ("reminder", notice(.reminder, [dustAlarm()], at: morning + minutes(30))),
    ("escalation", notice(.escalation, [craneAlarm(), dustAlarm()], at: morning + minutes(15))),
    ("chattering", notice(.chattering, [craneAlarm()], at: morning + minutes(3))),
    ("storm", notice(.storm, Array(manyAlarms.prefix(3)), at: morning + minutes(2), total: 37)),
    (
        "digest",
        notice(
            .digest,
            [
                acknowledged(dustAlarm()),
                craneAlarm(state: .returnedUnacknowledged),
            ], at: morning + minutes(600), since: morning - minutes(840))
    ),
    ("nothing", notice(.digest, [], at: morning, total: 0, since: morning - minutes(1440))),
]

extension SeededGenerator {
    /// Text with everything that an encoder could trip over.
    mutating func nastyText() -> String {
        let pieces = [
            "]]>", "<![CDATA[", "&amp;", "&", "<", ">", "\"", "'", "\\", "\\\\", "\r\n", "\n", "\r",
            "\t", "\u{0}", "\u{7}", "\u{1F}", "\u{7F}", "\u{85}", "\u{2028}", "\u{FFFE}",
            "\u{FFFF}", "\u{FEFF}", "😀", "👩‍👩‍👧‍👦", "é", "e\u{301}", "工地", "𠮷", "{{title}}", "{{/x}}",
            "%0A", "=?UTF-8?B?", "?=", "\u{202E}", "*", "_", "`", "[x](y)", "#", "|", "a", "b c",
            "",
            "<at user_id=\"all\">", "<@all>", ".", ",", ":", "Bcc: x@y.z",
        ]
        return (0..<Int.random(in: 0...8, using: &self))
            .map { _ in pieces[Int.random(in: 0..<pieces.count, using: &self)] }.joined()
    }

    /// An alarm every text of which is nasty.
    mutating func nastyAlarm() -> AlarmBrief {
        var alarm = dustAlarm()
        alarm.key = nastyText()
        alarm.rule = nastyText()
        alarm.title = LocalizedText(en: nastyText(), zh: nastyText())
        alarm.severity = oneIn(2) ? "critical" : nastyText()
        alarm.colour = oneIn(2) ? nil : nastyText()
        alarm.module = nastyText()
        alarm.area = oneIn(2) ? nil : nastyText()
        alarm.device = LocalizedText(en: nastyText(), zh: nastyText())
        alarm.point = LocalizedText(en: nastyText(), zh: nastyText())
        alarm.state = AlarmState.allCases[Int.random(in: 0..<9, using: &self)]
        alarm.evidence.value =
            [1, -0.1, .nan, .infinity, 1e300, 1e-300][
                Int.random(in: 0..<6, using: &self)]
        alarm.evidence.unit = nastyText()
        alarm.source = nastyText()
        alarm.status = nastyText()
        alarm.risk = oneIn(2) ? nil : nastyText()
        alarm.actor = oneIn(2) ? nil : nastyText()
        alarm.note = oneIn(2) ? nil : nastyText()
        return alarm
    }

    mutating func nastyNotice() -> AlarmNotice {
        let kind = AlarmNotice.Kind.allCases[Int.random(in: 0..<8, using: &self)]
        var result = notice(
            kind, (0..<Int.random(in: 0...3, using: &self)).map { _ in nastyAlarm() },
            from: .activeUnacknowledged)
        result.id = nastyText() + "id"
        result.siteName = nastyText()
        result.total += Int.random(in: 0...20, using: &self)
        return result
    }
}

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
