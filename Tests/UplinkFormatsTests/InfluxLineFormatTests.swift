import Foundation
import Telemetry
import Testing

@testable import UplinkFormats

@Suite("influx-line/1")
struct InfluxLineFormatTests {
    private let format = InfluxLineFormat()

    private func lines(
        _ items: [UplinkItem], by format: InfluxLineFormat = InfluxLineFormat()
    ) throws -> [InfluxLineReader.Line] {
        try InfluxLineReader.lines(format.encode(items, calendar: shanghai).payload)
    }

    @Test("is text at the path that the configuration names")
    func message() {
        let message = format.encode(samples[0].item, calendar: shanghai)
        #expect(message.contentType == "text/plain; charset=utf-8")
        #expect(message.fields == [])
        #expect(message.topicSuffix == "")
    }

    @Test("tells a gauge at the first instant of its period, with what is known")
    func gauge() throws {
        let line = try lines([samples[0].item])[0]
        #expect(line.measurement == "pm10")
        #expect(line.tags.map(\.name) == ["device", "point", "resolution", "site", "unit"])
        #expect(
            line.tags.map(\.value) == ["dust-north", "pm10", "15min", "hz-qt-0172", "ug/m3"])
        #expect(line[field: "mean"] == .float(603.5 / 4))
        #expect(line[field: "min"] == .float(141.5))
        #expect(line[field: "max"] == .float(160.1))
        #expect(line[field: "count"] == .integer(4))
        #expect(line[field: "bad"] == .integer(2))
        #expect(line[field: "coverage"] == .float(4.0 / 90))
        #expect(line[field: "revision"] == .integer(1))
        #expect(line.nanoseconds == 1_795_219_200_000_000_000)
    }

    @Test("tells a counter by what it counted, whether that is an estimate, and by its register")
    func counter() throws {
        let told = try lines([samples[1].item])
        #expect(told[0].measurement == "active_energy")
        #expect(told[0][tag: "point"] == "active_energy.import.total")
        #expect(told[0][field: "increase"] == .float(0.75))
        #expect(told[0][field: "estimated"] == .boolean(true))
        #expect(told[0][field: "last"] == .float(71_204.8))
        #expect(told[1].fields.map(\.name) == ["bad", "count", "coverage", "revision"])
    }

    @Test("tells readings at their own times: a number, a word, or why there is neither")
    func raw() throws {
        let told = try lines([readings])
        #expect(told.allSatisfy { $0[tag: "resolution"] == "raw" && $0.fields.count == 1 })
        #expect(
            told.map { $0.fields[0].name } == [
                "value", "quality", "value", "value", "value", "text", "quality",
            ])
        #expect(told[0][field: "value"] == .float(0.14))
        #expect(told[0][tag: "unit"] == "mg/m3")
        #expect(told[1][field: "quality"] == .string("timeout"))
        #expect(told[2].nanoseconds == 1_795_219_220_100_000_000)
        #expect(told[5][field: "text"] == .string("idle"))
        #expect(told[5][tag: "unit"] == nil)
        #expect(told[6][field: "quality"] == .string("unknown_code"))
    }

    @Test("says that it has nothing to say, so that no body is empty")
    func nothing() throws {
        var item = samples[0].item
        item.entries = []
        #expect(format.encode(item, calendar: shanghai).payload == Array("# no reading\n".utf8))
    }

    @Test("lets configured tags travel along, and its own prevail")
    func tags() throws {
        let format = InfluxLineFormat(tags: ["region": "华 东", "site": "other", "": "x", "none": ""])
        let told = try lines([samples[1].item], by: format)
        #expect(told[0][tag: "region"] == "华 东")
        #expect(told[0][tag: "site"] == "hz-qt-0172")
        #expect(told[0].tags.count == 6)
    }

    @Test(
        "escapes what separates",
        arguments: [
            ("plain", "plain"), ("a b", #"a\ b"#), ("a,b=c", #"a\,b\=c"#), (#"a\b"#, #"a\b"#),
            (#"a\ b"#, #"a\\ b"#), (#"end\"#, "end"), (#"\\"#, ""), ("", ""),
            ("two\nlines", #"two\ lines"#),
            ("\"quoted\"", "\"quoted\""), ("流量", "流量"), ("tab\t", #"tab\ "#), ("#", "#"),
        ])
    func escapes(text: String, written: String) { #expect(InfluxText.name(text) == written) }

    @Test(
        "writes no measurement that is a comment, and none without a name",
        arguments: [("#x", "_x"), ("", "_"), (#"\"#, "_"), ("a=b c,d", #"a=b\ c\,d"#)])
    func measurements(text: String, written: String) {
        #expect(InfluxText.measurement(text) == written)
    }

    @Test(
        "repeats the server's words",
        arguments: [
            (204, "", "accepted"),
            (
                400, #"{"error":"partial write: points beyond retention policy dropped=1"}"#,
                #"rejected HTTP 400: {"error":"partial write: points beyond retention policy dropped=1"}"#
            ),
            (
                404, #"{"error":"database not found: \"fleet\""}"# + "\n",
                #"rejected HTTP 404: {"error":"database not found: \"fleet\""}"#
            ),
            (500, "timeout", "retry 30.0 seconds HTTP 500: timeout"),
        ])
    func outcomes(status: Int, body: String, expected: String) {
        switch format.outcome(of: HTTPAnswer(status: status, body: Array(body.utf8))) {
        case .accepted: #expect(expected == "accepted")
        case .rejected(let reason): #expect(expected == "rejected \(reason)")
        case .expired(let reason): Issue.record("no answer gives an item up: \(reason)")
        case .retry(let wait, let reason): #expect(expected == "retry \(wait) \(reason)")
        }
    }

    @Test("equals the golden messages", arguments: samples + [("raw", readings)])
    func golden(name: String, item: UplinkItem) throws {
        let payload = format.encode(item, calendar: shanghai).payload
        try expectGolden(String(decoding: payload, as: UTF8.self), "influx-line-1.\(name).txt")
    }

    @Test("is what the paper shows", arguments: ["dust-station", "meter", "raw"])
    func paper(name: String) throws {
        let file = Folder.golden.appending(path: "influx-line-1.\(name).txt")
        try expectShown(
            try String(contentsOf: file, encoding: .utf8),
            in: Folder.formats.appending(path: "influx-line.md"))
    }
}
