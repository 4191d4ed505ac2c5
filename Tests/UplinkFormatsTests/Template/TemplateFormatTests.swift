import Foundation
import LocatedText
import Telemetry
import Testing
import UplinkFormats

@Suite("A template")
struct TemplateFormatTests {
    @Test("writes constants as the file has them, and keys in its order")
    func constants() throws {
        let template = try Templates.of(
            #"  { z: 7, a: "7", b: 7.50, c: true, d: null, e: on, f: "", g: [1, x], h: {}, i: 0x10 }"#
        )
        #expect(
            Templates.text(template, [dustMinute])
                == #"{"z":7,"a":"7","b":7.5,"c":true,"d":null,"e":"on","f":"","g":[1,"x"],"h":{},"i":"0x10"}"#
        )
    }

    @Test("fills texts with the platform's ids, else with ours")
    func texts() throws {
        var template = try Templates.of(
            #"  - { $text: "{site}/{device} {scope} {revision} {resolution} {key}" }"#,
            "correction: none\nids: { hz-qt-0172: \"33\" }")
        let key = dustMinute.idempotencyKey
        #expect(
            Templates.text(template, [dustMinute])
                == #"["33/dust-north dust-north/rs485/normal 0 1min \#(key)"]"#)
        template.ids["dust-north"] = "S 1"
        #expect(Templates.text(template, [dustMinute]).hasPrefix(#"["33/S 1 "#))
    }

    @Test(
        "writes times in each form",
        arguments: [
            ("start", #""2026-11-21T08:00:00+08:00""#), ("end", #""2026-11-21T08:01:00+08:00""#),
            ("start, format: epoch_s", "1795219200"),
            ("end, format: epoch_ms, as: text", #""1795219260000""#),
            ("end, format: yyyyMMddHHmmss", #""20261121080100""#),
            (#"start, format: "yyyy-MM-ddTHH:mm:ss.SSS""#, #""2026-11-21T08:00:00.000""#),
            (#"start, format: "yyyy年MM月dd日 HH:mm""#, #""2026年11月21日 08:00""#),
        ])
    func times(spec: String, expected: String) throws {
        let template = try Templates.of("  - { $time: \(spec) }")
        #expect(Templates.text(template, [dustMinute]) == "[\(expected)]")
    }

    @Test(
        "writes numbers in the platform's unit, digits and scale",
        arguments: [
            ("pm10", "179.98"), ("pm10, decimals: 1", "180.0"), ("pm10, unit: mg/m3", "0.17998"),
            ("pm10, unit: mg/m3, decimals: 3, as: text", #""0.180""#),
            ("pm10, scale: 10", "1800"), ("pm10, scale: 10, as: text", #""1800""#),
            ("pm10, statistic: max", "180"), ("\"pm*5\", statistic: first", "45"),
            ("\"*\"", "45.25"), ("\"air_*e\", decimals: 1", "-3.4"),
            ("sound_level, statistic: leq, decimals: 1", "67.4"),
            ("wind_direction, statistic: direction, decimals: 0", "5"),
        ])
    func numbers(spec: String, expected: String) throws {
        let template = try Templates.of("  - { $point: \(spec) }")
        #expect(Templates.text(template, [dustMinute]) == "[\(expected)]")
    }

    @Test(
        "leaves out what is not known, or says so in the platform's way",
        arguments: [
            ("", #"{"b":1}"#), ("unknown: json_null", #"{"a":null,"b":1}"#),
            ("unknown: { text: -- }", #"{"a":"--","b":1}"#),
            (#"unknown: { text: "" }"#, #"{"a":"","b":1}"#),
        ])
    func unknown(said: String, expected: String) throws {
        for point in [
            "air_pressure", "tsp.ch9", "pm10, unit: kPa", "pm10, statistic: increase",
        ] {
            let onField = try Templates.of(
                "  a: { $point: \(point)\(said.isEmpty ? "" : ", ")\(said) }\n  b: 1")
            #expect(Templates.text(onField, [dustMinute]) == expected, "\(point)")
            let onFile = try Templates.of(
                "  a: { $point: \(point) }\n  b: 1", "correction: none\n\(said)")
            #expect(Templates.text(onFile, [dustMinute]) == expected, "\(point)")
        }
    }

    @Test("without records tells the newest time, and never two times together")
    func newest() throws {
        let template = try Templates.of(
            "  t: { $time: start }\n  load: { $point: load_mass, unit: t }\n"
                + "  wind: { $point: wind_speed }")
        #expect(
            Templates.text(template, [craneReadings])
                == #"{"t":"2026-11-21T08:00:10+08:00","load":3.25}"#)
    }

    @Test("with records tells every time of every item, oldest first")
    func records() throws {
        let template = try Templates.of(
            "  n: { $text: \"{site}\" }\n  list:\n    $records:\n"
                + "      t: { $time: start, format: epoch_s }\n      w: { $point: wind_speed }",
            "correction: none\nbatch: 2")
        #expect(template.batchLimit == 2)
        var later = craneReadings
        later.entries = [later.entries[9]]
        later.entries[0].samples = [
            Sample(time: morning + .seconds(60), reading: .number(2))
        ]
        #expect(
            Templates.text(template, [craneReadings, later])
                == #"{"n":"hz-qt-0172","list":[{"t":1795219200,"w":13.4},{"t":1795219210},"#
                + #"{"t":1795219260,"w":2}]}"#)
        let fold = try Templates.of("  $records: [ { $point: pm10, statistic: max } ]")
        #expect(Templates.text(fold, [dustMinute]) == "[[180]]")
        later.entries = []
        #expect(Templates.text(fold, [later]) == "[]")
    }

    @Test("translates words, and takes a word that it does not know as unknown")
    func words() throws {
        let template = try Templates.of(
            "  - { $point: alarm_wind }\n"
                + "  - { $point: alarm_wind, words: { alarm: 2, normal: 0 } }\n"
                + "  - { $point: alarm_moment, words: { alarm: 2 }, unknown: json_null }")
        #expect(Templates.text(template, [craneReadings]) == #"["alarm",2,null]"#)
    }

    @Test("tells alarms as bits only when each of them is known")
    func bits() throws {
        let template = try Templates.of(
            "  - { $bits: { 0: alarm_wind, 3: alarm_moment, 5: alarm_slew_left }, width: 6,"
                + " set: [alarm, warning] }")
        #expect(Templates.text(template, [craneReadings]) == #"["001001"]"#)
        var item = craneReadings
        item.entries[10].samples[1].reading = .bad(.unknownCode)
        #expect(Templates.text(template, [item]) == "[]")
        #expect(Templates.text(template, [dustMinute]) == "[]")
    }

    @Test("keeps levels of a topic apart")
    func topic() throws {
        let template = try Templates.of("  a: 1", "correction: none\ntopic: \"x/{scope}/{device}\"")
        let topic = template.encode(samples[2].item, calendar: shanghai).topicSuffix
        #expect(topic == "x/crane-2%2Fmqtt%2Fsite%2F{device}%2F%2B%2F\"état\"%23/crane-2")
    }

    @Test("says which statistics need readings, and of which units it cannot make sense")
    func site() throws {
        let template = try Templates.shipped("cloud-construction-dust")
        #expect(
            template.statistics(of: series("d.sound_level", .gauge, "dB(A)")) == [.energeticMean])
        #expect(template.statistics(of: series("d.load_mass", .gauge, "kg")) == [])
        let faults = FaultCollector()
        template.check(dustMinute.entries.map(\.series), faults)
        #expect(faults.isEmpty)
        template.check([series("d.pm10", .gauge, "kPa")], faults)
        #expect(faults.faults.count == 1)
    }

    @Test(
        "reads in an answer's body what its status does not tell",
        arguments: [
            (200, #"{"r":{"code":0}}"#, "accepted"), (200, #"{"r":{"code":"0"}}"#, "accepted"),
            (200, #"{"r":{"code":5},"msg":"slow\ndown"}"#, "retry 300.0 seconds code 5: slow down"),
            (200, #"{"r":{"code":7},"msg":"no such id"}"#, "rejected code 7: no such id"),
            (200, #"{"r":{"code":99}}"#, "retry 300.0 seconds code 99"),
            (200, #"{"code":0}"#, "retry 300.0 seconds HTTP 200 without 'r.code'"),
            (200, "<html>log in</html>", "retry 300.0 seconds HTTP 200 without 'r.code'"),
            (500, #"{"r":{"code":0}}"#, #"retry 30.0 seconds HTTP 500: {"r":{"code":0}}"#),
            (403, "no", "rejected HTTP 403: no"),
        ])
    func answers(status: Int, body: String, expected: String) throws {
        let template = try Templates.of(
            "  a: 1",
            "correction: none\nanswer: { field: [r, code], accepted: [0], retry: [5], "
                + "rejected: [7], else: retry, words: msg, wait: 5 min }")
        switch template.outcome(of: HTTPAnswer(status: status, body: Array(body.utf8))) {
        case .accepted: #expect(expected == "accepted")
        case .rejected(let reason): #expect(expected == "rejected \(reason)")
        case .expired(let reason): Issue.record("no answer gives an item up: \(reason)")
        case .retry(let wait, let reason): #expect(expected == "retry \(wait) \(reason)")
        }
    }

    @Test("that is shipped gives the golden messages")
    func golden() throws {
        for (name, item) in zip(Templates.shippedNames, [craneReadings, dustMinute]) {
            let text = Templates.text(try Templates.shipped(name), [item])
            try expectGolden(text + "\n", "template.\(name).txt")
        }
    }

    @Test("of the paper gives what the paper shows")
    func paper() throws {
        let paper = Folder.formats.appending(path: "uplink-template.md")
        let words = try String(contentsOf: paper, encoding: .utf8)
        let block = try #require(words.split(separator: "```yaml\n").dropFirst().first)
        let template = try Templates.read(
            String(try #require(block.split(separator: "```").first)))
        let message = template.encode([dustMinute], calendar: shanghai)
        try expectShown(
            "\(message.topicSuffix)\n\(String(decoding: message.payload, as: UTF8.self))\n",
            in: paper)
    }
}
