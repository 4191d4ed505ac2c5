import Telemetry
import TestSeeds
import Testing

@testable import Alarms

/// Plays tests in the notation of the rules, for every kind of condition.
@Suite("A rule")
struct RuleKindTests {
    private func faults(_ body: String, _ tests: [String]) throws -> [String] {
        let text = """
            format: alarm-rules/1
            rules:
              - alarm: test_rule
                title: { en: Test, zh: 测试 }
                severity: warning
                source: a test
                status: project
                \(body.split(separator: "\n").joined(separator: "\n    "))
                tests:
            \(tests.map { "      - \($0)" }.joined(separator: "\n"))
            """
        let rule = try #require(try AlarmRuleFile.parse(text, file: "kinds.yaml").first)
        return rule.runTests().map(\.description)
    }

    private func hold(_ body: String, _ tests: String...) throws {
        let faults = try faults(body, tests)
        #expect(faults.isEmpty, "\(faults.joined(separator: "\n"))")
    }

    @Test("on an energetic mean adds powers, not levels")
    func leq() throws {
        // 50 and 60 dB are 57.4 dB together; 57.4036… to be exact.
        let when = "rollup: leq, over: 20s, window: rolling, coverage: 100 %"
        try hold(
            "when: { point: sound_level, \(when), above: 57.40 dB(A) }",
            #"{ every: 10s, given: "50 60 50 50", then: "normal active@10s returned@30s" }"#)
        try hold(
            "when: { point: sound_level, \(when), above: 57.41 dB(A) }",
            #"{ every: 10s, given: "50 60 50 50", then: "normal" }"#)
    }

    @Test("on a percentile is by nearest rank")
    func percentile() throws {
        try hold(
            "when: { point: a, rollup: p90, over: 100s, window: rolling, coverage: 100 %, above: 9 u }",
            // The ninth of ten.
            #"{ every: 10s, given: "1 2 3 4 5 6 7 8 9 20", then: "normal" }"#,
            #"{ every: 10s, given: "1 2 3 4 5 6 7 8 9.5 20", then: "normal active@90s" }"#)
    }

    @Test("on a range and on a change sees what moves, and which way")
    func movement() throws {
        try hold(
            "when: { point: a, rollup: range, over: 30s, window: rolling, above: 5 u }",
            #"{ every: 10s, given: "0 3 6 6 6", then: "normal active@20s returned@30s" }"#)
        try hold(
            "when: { point: a, rollup: change, over: 30s, window: rolling, below: -5 u }",
            #"{ every: 10s, given: "6 3 0 0 0", then: "normal active@20s returned@30s" }"#,
            #"{ every: 10s, given: "0 3 6 6 6", then: "normal" }"#)
    }

    @Test("on a closed stretch is judged once for each, by the site's clock")
    func stretches() throws {
        let when = "rollup: mean, over: 1h, window: aligned, coverage: 75 %"
        try hold(
            "when: { point: pm10, \(when), above: 150 ug/m3 }",
            #"{ every: 5min, given: "160x12 100x12 100", then: "normal active@3600s returned@7200s" }"#,
            // From the middle of an hour: six of twelve are too few.
            #"{ every: 5min, start: "00:30", given: "160x6 160x12 100", then: "normal active@5400s" }"#,
            // Nothing more comes: the stretch closes with the clock.
            #"{ every: 5min, given: "160x12 .x3", then: "normal active@3600s" }"#,
            #"{ every: 5min, given: "160x8 -x4 .", then: "normal" }"#)
    }

    @Test("on counts a day begins anew at midnight, and breaches from the one too many")
    func times() throws {
        try hold(
            """
            when: { point: pm10, rollup: mean, over: 15min, window: aligned, coverage: 75 %,
                    above: 150 ug/m3, times: { more_than: 2, in: day } }
            """,
            #"{ every: 5min, given: "160x6 100x3 160x3 100x3", then: "normal active@3600s" }"#,
            #"{ every: 5min, given: "160x6 100x282", then: "normal" }"#,
            #"{ every: 5min, given: "160x9 100x282 160x6", then: "normal active@2700s returned@87300s" }"#
        )
    }

    @Test("on a difference is not decidable without the background")
    func background() throws {
        let body = """
            when: { point: pm10, minus: { point: pm10, device: city }, rollup: mean, over: 30s,
                    window: rolling, coverage: 60 %, above: 80 ug/m3 }
            """
        try hold(
            body,
            #"{ every: 10s, given: { pm10: "100x3 190x6 100x4", city.pm10: "100x20" }, then: "normal active@50s returned@90s" }"#,
            #"{ every: 10s, given: { pm10: "100x3 190x6", city.pm10: "-x20" }, then: "normal" }"#,
            // The background goes away while the alarm stands: it opens and closes nothing.
            #"{ every: 10s, given: { pm10: "100x3 190x6 100x6", city.pm10: "100x6 -x9" }, then: "normal active@50s" }"#
        )
        try hold(
            """
            when: { point: pm10, minus: { point: pm10, device: city }, rollup: mean, over: 15min,
                    window: aligned, coverage: 75 %, above: 80 ug/m3 }
            """,
            #"{ every: 5min, given: { pm10: "190x3 190x3", city.pm10: "100x3 150x3" }, then: "normal active@900s returned@1800s" }"#,
            #"{ every: 5min, given: { pm10: "190x6", city.pm10: "-x3 100x3" }, then: "normal active@1800s" }"#
        )
    }

    @Test("on words and bits looks at each reading")
    func states() throws {
        try hold(
            "when: { point: alarm_moment, is: [alarm, warning] }",
            #"{ every: 1s, given: "normal warning alarm - normal", then: "normal active@1s returned@4s" }"#
        )
        try hold(
            "when: { point: word, bit: 3 }",
            #"{ every: 1s, given: "7 8 15 0.5 7", then: "normal active@1s returned@4s" }"#)
    }

    @Test("on silence tells at its deadline, and a failed answer is silence too")
    func silence() throws {
        try hold(
            "when: { silent_for: 30s, of: point, point: pm10 }",
            #"{ every: 10s, given: "5x3 -x5 5", then: "normal active@50s returned@80s" }"#,
            #"{ every: 10s, given: "5x3 .x5 5", then: "normal active@50s returned@80s" }"#,
            #"{ every: 10s, given: "5 -x2 5 -x2 5", then: "normal" }"#,
            // Never heard at all: it counts from the start.
            #"{ every: 10s, given: "-x5", then: "normal active@30s" }"#)
    }

    @Test("on a value that stands still needs three readings and no gap")
    func unchanged() throws {
        try hold(
            "when: { point: pm10, unchanged_for: 1min }",
            #"{ every: 10s, given: "5x6 5 5 6", then: "normal active@60s returned@80s" }"#,
            #"{ every: 10s, given: "5x5 6 5x5 6", then: "normal" }"#,
            // What was not looked at for half the time may have changed.
            #"{ every: 10s, given: "5x3 -x4 5x3", then: "normal" }"#)
    }

    @Test("of several terms joins them as Kleene does")
    func joined() throws {
        let all = """
            when:
              all:
                - { point: load, input: reading, above: 5 t, clear: 4 t }
                - { point: wind, input: reading, above: 10 m/s }
            """
        try hold(
            all,
            #"{ every: 1s, given: { load: "1 6 6 6 6", wind: "11 9 11 - 9" }, then: "normal active@2s returned@4s" }"#,
            // One clear term decides, whatever the other one says.
            #"{ every: 1s, given: { load: "6x3 1", wind: "11x3 -" }, then: "normal active@0s returned@3s" }"#
        )
        let any = """
            when:
              any:
                - { point: load, input: reading, above: 5 t }
                - { not: { point: switch, is: ["on"] } }
            """
        try hold(
            any,
            #"{ every: 1s, given: { load: "1 6 1 1 1", switch: "onx3 off on" }, then: "normal active@1s returned@2s active@3s returned@4s" }"#
        )
    }

    @Test("is in force only inside its times, over midnight too")
    func schedule() throws {
        try hold(
            """
            only: { time: "22:00-06:00" }
            when: { point: sound_level, input: reading, above: 55 dB(A) }
            """,
            #"{ every: 10min, start: "21:40", given: "60x4", then: "normal active@1200s" }"#,
            #"{ every: 10min, start: "05:40", given: "60x4", then: "normal active@0s returned@1200s" }"#
        )
        try hold(
            """
            only: { days: [fri], time: ["22:00-02:00"], except: ["2026-01-09"] }
            when: { point: a, input: reading, above: 0 u }
            """,
            // 2026-01-01 is a Thursday; Friday's night reaches into Saturday.
            #"{ every: 1h, start: "20:00", given: "1x54", then: "normal active@93600s returned@108000s" }"#
        )
    }

    @Test("begins and ceases to be in force at the edge itself, whatever is said then")
    func edges() throws {
        let silent = """
            only: { time: "06:00-20:00" }
            when: { silent_for: 30min, of: device }
            """
        try hold(
            silent,
            // Dead since the night: told in the morning.
            #"{ every: 2min, start: "04:00", given: "5 .x90", then: "normal active@7200s" }"#,
            #"{ every: 2min, start: "18:30", given: "5 .x90", then: "normal active@1800s returned@5400s" }"#,
            #"{ every: 5min, start: "12:00", given: "5 .x20", then: "normal active@30min" }"#)
        try hold(
            """
            only: { time: "06:00-20:00" }
            when: { point: pm10, input: reading, above: 150 ug/m3 }
            """,
            #"{ every: 2min, start: "19:40", given: "200 .x90", then: "normal active@0s returned@1200s" }"#,
            #"{ every: 2min, start: "05:50", given: "200x9", then: "normal active@600s" }"#)
        try hold(
            """
            when:
              all:
                - { point: voltage, unchanged_for: 1min }
                - { point: voltage, input: reading, above: 50 V }
            """,
            #"{ every: 10s, given: "220x8 221", then: "normal active@60s returned@80s" }"#)
    }

    @Test("that is suppressed by design goes on in silence and returns in silence")
    func suppressed() throws {
        let body = """
            when: { point: pm10, input: reading, above: 150 ug/m3 }
            unless: [ { point: maintenance, device: site, is: ["on"] } ]
            """
        try hold(
            body,
            #"{ every: 1s, given: { site.maintenance: "off .x1 on .x2 off", pm10: "200x4 100 200" }, then: "normal active@0s suppressed@2s normal@4s active@5s" }"#,
            #"{ every: 1s, given: { site.maintenance: "on .x3 off", pm10: "200x6" }, then: "normal suppressed@0s active@4s" }"#
        )
    }

    @Test("that is shelved is told again when it still stands at the end")
    func shelved() throws {
        try hold(
            "when: { point: pm10, input: reading, above: 150 ug/m3 }",
            #"{ every: 1s, given: "200 shelve 200 100 200 unshelve 200 100", then: "normal active@0s shelved@1s normal@2s shelved@3s active@4s returned@5s" }"#,
            // A day later by itself.
            #"{ every: 6h, given: "200 shelve 200x5", then: "normal active@0s shelved@21600s active@108000s" }"#
        )
    }

    @Test("that latches waits for somebody to reset it, and is the same alarm until then")
    func latched() throws {
        try hold(
            """
            when: { point: pm10, input: reading, above: 150 ug/m3 }
            latch: true
            """,
            #"{ every: 1s, given: "200 ack 200 100 200 100 ack 100", then: "normal active acknowledged@1s latched@2s active@3s latched@4s normal@5s" }"#
        )
    }

    @Test("keeps an alarm until all has been well for long enough")
    func keeps() throws {
        try hold(
            "when: { point: pm10, input: reading, above: 150 ug/m3, clear: 120 ug/m3, keep: 25s }",
            #"{ every: 10s, given: "200 100 200 100x2 130 100x4", then: "normal active@0s returned@85s" }"#,
            #"{ every: 10s, given: "200 100 .x5", then: "normal active@0s returned@35s" }"#)
    }

    @Test("for every facet of a quantity watches each with its own alarm")
    func facets() throws {
        let rule = try #require(
            try AlarmRuleFile.parse(
                """
                format: alarm-rules/1
                rules:
                  - alarm: leak
                    title: { en: Leak, zh: 漏电 }
                    severity: critical
                    source: a test
                    status: project
                    when:
                      all:
                        - { point: residual_current.*, input: reading, above: 300 mA }
                        - { point: switch.*, is: ["on"] }
                """, file: "f.yaml"
            ).first)
        let device = DeviceID("box")
        func series(_ point: String, _ kind: SeriesKind, _ unit: String) -> Series {
            Series(id: SeriesID(device: device, point: PointKey(point)), kind: kind, unit: unit)
        }
        let group = ScanGroup(
            id: ScanGroup.ID(1), device: device, interface: "i", name: "n",
            series: [
                series("residual_current.ch1", .gauge, "mA"),
                series("residual_current.ch2", .gauge, "mA"), series("switch.ch1", .state, ""),
                series("switch.ch2", .state, ""),
            ], period: .seconds(1), isPolled: true)
        var machine = AlarmMachine(rules: [rule], groups: [group])
        #expect(machine.bindingFaults.isEmpty)
        let out = machine.handle(
            Scan(
                group: ScanGroup.ID(1), time: at(0),
                readings: [.number(400), .number(400), .text("off"), .text("on")]))
        #expect(out.map(\.series.point.text) == ["residual_current.ch2"])
        #expect(out.first?.evidence.others.map(\.word) == ["on"])
    }
}
