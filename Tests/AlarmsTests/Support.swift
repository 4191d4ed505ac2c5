import Alarms
import LocatedText
import Telemetry
import Testing

/// The text of a file with one rule; the parameters are what tests change.
func ruleText(
    head: String = "severity: warning, source: a test, status: project", when: String,
    tests: String = ""
) -> String {
    """
    format: alarm-rules/1
    rules:
      - { alarm: test_rule, title: { en: Test, zh: 测试 }, \(head),
          when: { point: pm10, \(when) }\(tests.isEmpty ? "" : ", tests: [ \(tests) ]") }
    """
}

func parseRule(_ when: String, head: String? = nil, tests: String = "") throws -> AlarmRule {
    let text =
        head.map { ruleText(head: $0, when: when, tests: tests) }
        ?? ruleText(when: when, tests: tests)
    let rules = try AlarmRuleFile.parse(text, file: "test.yaml")
    return try #require(rules.first)
}

func dustGroup(
    _ number: Int = 1, device: String = "dust-north", unit: String = "ug/m3",
    period: Duration? = .seconds(10), kind: SeriesKind = .gauge, isPolled: Bool = true
) -> ScanGroup {
    let device = DeviceID(device)
    func series(_ point: String, _ unit: String, _ kind: SeriesKind) -> Series {
        Series(id: SeriesID(device: device, point: PointKey(point)), kind: kind, unit: unit)
    }
    return ScanGroup(
        id: ScanGroup.ID(number), device: device, interface: "rs485", name: "normal",
        series: [series("noise.laeq", "dB", .gauge), series("pm10", unit, kind)], period: period,
        isPolled: isPolled)
}

/// The instant `seconds` after an aligned midnight.
func at(_ seconds: Double) -> Timestamp {
    Timestamp(milliseconds: 1_767_225_600_000 + Int64(seconds * 1000))
}

/// A scan of the dust group; nil is a bad reading.
func scan(
    _ seconds: Double, _ pm10: Double?, group: Int = 1, flags: ScanFlags = []
) -> Scan {
    Scan(
        group: ScanGroup.ID(group), time: at(seconds), flags: flags,
        readings: [.number(55), pm10.map { .number($0) } ?? .bad(.timeout)])
}

extension AlarmTransition {
    /// `normal>pending@90`, seconds after `at(0)`.
    var short: String {
        "\(from.rawValue)>\(to.rawValue)@\((time.milliseconds - at(0).milliseconds) / 1000)"
    }
}
