import Telemetry
import Testing

@testable import FeedFormats

@Suite("Templates")
struct TemplateTests {
    private func faults(_ body: String) throws -> [String] {
        var texts = try shippedTexts()
        texts["en/body.mustache"] = body
        do {
            _ = try FeedTemplates(texts: texts)
            return []
        } catch {
            return error.faults.map(\.description)
        }
    }

    private func body(_ template: String, _ notice: AlarmNotice) throws -> String {
        var texts = try shippedTexts()
        texts["en/body.mustache"] = template
        return try words(templates: FeedTemplates(texts: texts)).body(notice)
    }

    @Test(
        "a fault is told with its file, line and column",
        arguments: [
            (
                "a\n  {{devcie}}",
                "en/body.mustache:2:3: 'devcie' is no name; there are actor, alarms"
            ),
            ("工地 {{ site_nam }}", "en/body.mustache:1:4: 'site_nam' is no name"),
            ("x\n{{#first}}\ny", "en/body.mustache:2:1: the section 'first' is never closed"),
            ("{{#first}}{{/firs}}", "en/body.mustache:1:11: 'firs' closes the section 'first'"),
            ("a{{/first}}", "en/body.mustache:1:2: there is no open section that 'first'"),
            ("a\n\nb {{site", "en/body.mustache:3:3: the tag is never closed by '}}'"),
            ("{{}}", "en/body.mustache:1:1: the tag is empty"),
            ("{{>partial}}", "en/body.mustache:1:1: only variables, sections"),
            ("{{{site}}}", "en/body.mustache:1:1: only variables, sections"),
            ("{{=<% %>=}}", "en/body.mustache:1:1: only variables, sections"),
            ("{{%CONTENT_TYPE:HTML}}", "en/body.mustache:1:1: only variables, sections"),
            ("{{uppercased(site)}}", "en/body.mustache:1:1: 'uppercased(site)' is no name"),
            ("{{#alarms}}{{key}}{{/alarms}}", "en/body.mustache: it lists {{#alarms}} without"),
        ])
    func faults(template: String, fault: String) throws {
        let found = try faults(template)
        #expect(found.contains { $0.hasPrefix(fault) }, "\(found)")
    }

    @Test("all faults of all files come at once")
    func all() throws {
        #expect(throws: FeedTemplateError.self) { try FeedTemplates(texts: [:]) }
        do {
            _ = try FeedTemplates(texts: [
                "zh/title.mustache": "{{a}} {{b}}", "en/title.mustache": "",
                "fr/title.mustache": "",
                "en/body.mustache": "",
            ])
            Issue.record("no fault was found")
        } catch {
            #expect(
                error.faults.map(\.file)
                    == [
                        "fr/title.mustache", "zh/title.mustache", "zh/title.mustache",
                        "zh/body.mustache",
                    ])
        }
    }

    @Test("what the check lets through, the library takes")
    func agreement() throws {
        for template in [
            "", "{{! a\nb }}{{ site }}", "{{#first}}{{^note}}-{{/note}}{{/first}}", "} { }} {",
            "{{# first }}{{title}}{{/ first }}", "{{#facts}}{{.}}{{/facts}}", "\r\n{{site}}\r\n",
        ] {
            #expect(try faults(template) == [], "\(template)")
        }
    }

    @Test("nothing is escaped for HTML")
    func html() throws {
        var odd = samples[1].notice
        odd.siteName = "A & B <\"x\">'"
        #expect(try body("{{site_name}}", odd) == odd.siteName)
        #expect(
            try body("{{#first}}{{area}}{{#note}}{{.}}{{/note}}{{/first}}", odd)
                == "North gate & road <A>")
    }

    @Test("every name has its value")
    func names() throws {
        let everything = acknowledged(dustAlarm())
        let notice = notice(
            .change, [everything], at: morning + minutes(20), total: 3, since: morning)
        func first(_ name: String) throws -> String {
            try body("{{#first}}{{\(name)}}{{/first}}", notice)
        }
        #expect(try first("value") == "163.3 ug/m3")
        #expect(try first("limit") == "150 ug/m3")
        #expect(try first("window") == "2026-11-21 07:45–08:00")
        #expect(try first("coverage") == "97 %")
        #expect(try first("standing") == "35 min")
        #expect(try first("lasted") == "")
        #expect(try first("changed") == "2026-11-21 08:04")
        #expect(try first("status") == "from a secondary source")
        #expect(try first("note") == "Sprayer switched on; watch the *road*")
        #expect(
            try body("{{more}} {{others}} {{total}} {{since}}", notice)
                == "2 2 3 2026-11-21 08:00")
        #expect(
            try body("{{#is_change}}c{{/is_change}}{{#is_raised}}r{{/is_raised}}", notice) == "c")
        #expect(
            try body(
                "{{#alarms}}{{#facts}}{{label}}={{text}};{{/facts}}{{/alarms}}{{more}}", notice)
                == "Spraying=off since 07:20;Wind=3.2 m/s from *NW*;2")
        let silent: Set<String> = ["lasted", "is_raised", "markdown"]
        for name in TemplateContext.names.subtracting(silent) where !name.hasPrefix("is_") {
            let inner = "{{#\(name)}}y{{/\(name)}}"
            let shown = try body(
                inner
                    + "{{#first}}\(inner){{#facts}}\(inner){{/facts}}{{/first}}{{#more}}{{/more}}",
                notice)
            #expect(shown.contains("y"), "\(name)")
        }
    }

    @Test(
        "what stands is still standing, what has ended has lasted", arguments: AlarmState.allCases)
    func standing(state: AlarmState) throws {
        let alarm = dustAlarm(state: state, changed: morning + minutes(5))
        let shown = try words().body(notice(.change, [alarm], at: morning + minutes(45)))
        let hasEnded = [.normal, .returnedUnacknowledged, .latched].contains(state)
        #expect(shown.contains("still standing for 1 h\n") == !hasEnded)
        #expect(shown.contains("lasted 20 min\n") == hasEnded)
    }

    @Test("an unknown figure is said to be one")
    func unverified() throws {
        var alarm = dustAlarm()
        for (status, isSaid) in [
            ("from-memory", true), ("secondary", true), ("verified", false), ("project", false),
        ] {
            alarm.status = status
            let shown = try words().body(notice(.raised, [alarm]))
            #expect(shown.contains("figure not verified") == isSaid, "\(status)")
        }
    }

    @Test(
        "figures are short, and never look like their limit",
        arguments: [
            (163.285714, 150, "163.3"), (150, 150, "150"), (150.04, 150, "150.04"),
            (150.0000004, 150, "150.0000004"), (-0.05, nil, "-0.05"), (-0.0, nil, "0"),
            (0.123456, 0.12, "0.1235"), (99.96, 100, "99.96"), (1_234_567.89, nil, "1234568"),
            (1e300, nil, "1e+300"), (1e-9, nil, "1e-09"), (.nan, 1, "–"), (-.infinity, 1, "–"),
            (65, nil, "65"), (9.999_999, 10, "9.999999"), (2.5, nil, "2.5"),
        ] as [(Double, Double?, String)])
    func figures(value: Double, limit: Double?, text: String) {
        #expect(FigureText.value(value, besides: limit) == text)
    }

    @Test(
        "spans have two units",
        arguments: [
            (0, "0 s", "0秒"), (45, "45 s", "45秒"), (60, "1 min", "1分钟"),
            (7500, "2 h 5 min", "2小时5分钟"), (3600, "1 h", "1小时"), (3605, "1 h", "1小时"),
            (273_600, "3 d 4 h", "3天4小时"), (-5, "0 s", "0秒"),
        ] as [(Int64, String, String)])
    func spans(seconds: Int64, en: String, zh: String) {
        #expect(FigureText.span(.seconds(seconds), .en) == en)
        #expect(FigureText.span(.seconds(seconds), .zh) == zh)
    }

    @Test("below 100 % of coverage it never says 100 %")
    func share() {
        #expect(FigureText.share(0.9999) == "99 %")
        #expect(FigureText.share(1) == "100 %")
        #expect(FigureText.share(.nan) == "–")
    }
}
