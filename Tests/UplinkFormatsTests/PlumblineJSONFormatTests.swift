import Foundation
import Telemetry
import Testing
import UplinkFormats

@Suite("plumbline-json/1")
struct PlumblineJSONFormatTests {
    private let format = PlumblineJSONFormat()

    private func object(_ item: UplinkItem) throws -> [String: Any] {
        let payload = format.encode(item, calendar: shanghai).payload
        let json = try JSONSerialization.jsonObject(with: Data(payload))
        return try #require(json as? [String: Any])
    }

    private func rows(_ item: UplinkItem) throws -> [[String: Any]] {
        try #require(try object(item)["series"] as? [[String: Any]])
    }

    @Test("says which bucket of which group it is")
    func head() throws {
        let message = try object(samples[0].item)
        #expect(message["format"] as? String == "plumbline-json/1")
        #expect(message["site"] as? String == "hz-qt-0172")
        #expect(message["device"] as? String == "dust-north")
        #expect(message["scope"] as? String == "dust-north/rs485/normal")
        #expect(message["resolution"] as? String == "15min")
        #expect(message["start"] as? String == "2026-11-21T08:00:00+08:00")
        #expect(message["end"] as? String == "2026-11-21T08:15:00+08:00")
        #expect(message["revision"] as? Int == 1)
        #expect(message["stored"] as? Bool == true)
        #expect(
            message["key"] as? String
                == "hz-qt-0172|rollup/15min|dust-north/rs485/normal|2026-11-21T00:00:00Z")
        #expect(try object(samples[1].item)["stored"] as? Bool == false)
    }

    @Test("tells a gauge by its mean, extremes, ends and sum")
    func gauge() throws {
        let row = try rows(samples[0].item)[0]
        #expect(row["id"] as? String == "hz-qt-0172/dust-north/pm10")
        #expect(row["unit"] as? String == "ug/m3")
        #expect(row["kind"] as? String == "gauge")
        #expect(row["count"] as? Int == 4)
        #expect(row["bad"] as? Int == 2)
        #expect(row["expected"] as? Int == 90)
        #expect(row["coverage"] as? Double == 4.0 / 90)
        #expect(row["sum"] as? Double == 603.5)
        #expect(row["mean"] as? Double == 603.5 / 4)
        #expect(row["min"] as? Double == 141.5)
        #expect(row["max"] as? Double == 160.1)
        #expect(row["first"] as? Double == 141.5)
        #expect(row["last"] as? Double == 149.9)
        #expect(row["increase"] == nil)
    }

    @Test("tells what is not known as null, never as zero")
    func unknown() throws {
        let dead = try rows(samples[0].item)[2]
        for key in ["mean", "min", "max", "first", "last", "sum"] {
            #expect(dead[key] is NSNull, "\(key)")
        }
        #expect(dead["coverage"] as? Double == 0)
        let unscheduled = try rows(samples[2].item)[0]
        #expect(unscheduled["expected"] is NSNull)
        #expect(unscheduled["coverage"] is NSNull)
        let counter = try rows(samples[1].item)[1]
        #expect(counter["increase"] is NSNull)
        #expect(counter["last"] is NSNull)
    }

    @Test("tells a counter by its increase, and whether that is an estimate")
    func counter() throws {
        let row = try rows(samples[1].item)[0]
        #expect(row["increase"] as? Double == 0.75)
        #expect(row["estimated"] as? Bool == true)
        #expect(row["last"] as? Double == 71_204.8)
        #expect(row["mean"] == nil)
        #expect(row["sum"] == nil)
    }

    @Test("tells a state and a text by their counts only")
    func state() throws {
        for row in [try rows(samples[0].item)[3], try rows(samples[2].item)[1]] {
            #expect(
                Set(row.keys) == ["id", "unit", "kind", "count", "bad", "expected", "coverage"])
        }
    }

    @Test("keeps the topic's levels apart from what a pattern holds")
    func topic() {
        let topics = samples.map { format.encode($0.item, calendar: shanghai).topicSuffix }
        #expect(topics[0] == "rollup/15min/dust-north/rs485/normal")
        #expect(topics[2] == "rollup/15min/crane-2/mqtt/site%2F{device}%2F%2B%2F\"état\"%23")
        #expect(TopicLevel.escape("a%2Fb") != TopicLevel.escape("a/b"))
        #expect(TopicLevel.escape("\u{0}") == "%00")
        #expect(TopicLevel.escape("") == "%")
    }

    @Test("tells readings one by one, in the platform's unit, and why there is none")
    func readingsOfAMinute() throws {
        var item = readings
        item.entries[0].samples[2].flags = [.timeEstimated, .backfill]
        item.entries[1].samples.append(
            Sample(time: morning + .seconds(40), reading: .number(.infinity)))
        let message = try object(item)
        #expect(message["resolution"] as? String == "raw")
        #expect((message["key"] as? String)?.contains("|raw/1min|") == true)
        let rows = try rows(item)
        #expect(rows[0]["unit"] as? String == "mg/m3")
        #expect(rows[0]["mean"] == nil)
        let told = rows.map { ($0["readings"] as? [NSArray] ?? []).map { $0 as [AnyObject] } }
        let expected: [[[Any]]] = [
            [
                [1_795_219_200_000, 0.14], [1_795_219_210_000, NSNull(), "timeout"],
                [1_795_219_220_100, 0.16, "good", "backfill", "time_estimated"],
            ],
            [
                [1_795_219_200_000, 17], [1_795_219_230_000, 17.25],
                [1_795_219_240_000, NSNull(), "invalid"],
            ],
            [[1_795_219_200_000, "idle"], [1_795_219_230_000, NSNull(), "unknown_code"]],
        ]
        #expect(told as NSArray == expected as NSArray)
    }

    @Test("tells a point in the platform's word, unit, digits and statistics")
    func point() throws {
        var item = samples[0].item
        let milligrams = Telemetry.Unit(
            symbol: "mg/m3", ucum: "mg/m3", dimension: Dimension("concentration"), factor: 1000)
        item.entries[0].point = UplinkPoint(
            name: "PM10", unit: milligrams, decimals: 2,
            statistics: [.maximum, .mean, .maximum, .increase])
        item.entries[2].point = UplinkPoint(statistics: [.mean])
        item.entries[3].point = UplinkPoint(statistics: [.mean])
        let rows = try rows(item)
        #expect(rows[0]["name"] as? String == "PM10")
        #expect(rows[0]["unit"] as? String == "mg/m3")
        #expect(rows[0]["max"] as? Double == 0.16)
        #expect(rows[0]["mean"] as? Double == 0.15)
        #expect(rows[0]["min"] == nil)
        #expect(rows[0]["increase"] == nil)
        #expect(rows[2]["mean"] is NSNull)
        #expect(rows[3]["mean"] == nil)
        // RFC 8259 leaves open what a member means that stands twice.
        let text = String(
            decoding: format.encode(item, calendar: shanghai).payload, as: UTF8.self)
        #expect(text.split(separator: "\"max\"").count == 1 + 2)
    }

    @Test("equals the golden messages", arguments: samples + [("raw", readings)])
    func golden(name: String, item: UplinkItem) throws {
        let message = format.encode(item, calendar: shanghai)
        // Line by line, so that a difference is read at a glance; the bytes stay the same.
        let text =
            "\(message.topicSuffix)\n"
            + String(decoding: message.payload, as: UTF8.self)
            .replacing("{\"id\"", with: "\n{\"id\"") + "\n"
        let file = Folder.golden.appending(path: "plumbline-json-1.\(name).txt")
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
        #expect(
            text == (try String(contentsOf: file, encoding: .utf8)),
            "UPDATE_GOLDEN=1 renews \(file.lastPathComponent)")
    }

    @Test("is what the paper shows")
    func paper() throws {
        let paper = try String(
            contentsOf: Folder.formats.appending(path: "uplink-json.md"), encoding: .utf8)
        for name in ["dust-station", "meter", "raw"] {
            let file = Folder.golden.appending(path: "plumbline-json-1.\(name).txt")
            let text = try String(contentsOf: file, encoding: .utf8)
            #expect(
                paper.contains("```text\n\(text)```"),
                "docs/formats/uplink-json.md shows another message than \(file.lastPathComponent)")
        }
        let fields = Set(try object(samples[0].item).keys)
            .union(try (samples.map(\.item) + [readings]).flatMap { try rows($0) }.flatMap(\.keys))
            .union(["name"])
        for field in fields {
            #expect(paper.contains("| `\(field)` |"), "the paper does not tell '\(field)'")
        }
    }
}
