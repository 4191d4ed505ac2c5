import Foundation
import Telemetry
import Testing
import UplinkFormats

@Suite("thingsboard")
struct ThingsBoardFormatTests {
    private let format = ThingsBoardFormat()

    private func text(_ message: EncodedMessage) -> String {
        String(decoding: message.payload, as: UTF8.self)
    }

    private func telemetry(
        _ item: UplinkItem, by format: ThingsBoardFormat = ThingsBoardFormat()
    ) throws -> [String: [[String: Any]]] {
        let payload = format.encode(item, calendar: shanghai).payload
        let json = try JSONSerialization.jsonObject(with: Data(payload))
        return try #require(json as? [String: [[String: Any]]])
    }

    private func values(_ item: UplinkItem, _ device: String) throws -> [String: Any] {
        let records = try #require(try telemetry(item)[device])
        try #require(records.count == 1)
        #expect(records[0]["ts"] as? Int64 == item.start.milliseconds)
        return try #require(records[0]["values"] as? [String: Any])
    }

    @Test("tells a period at its first instant, and what is not known by no key but a count")
    func period() throws {
        var item = samples[0].item
        item.revision = 0
        let told = try values(item, "dust-north")
        #expect(
            Set(told.keys) == [
                "pm10_mean", "pm10_min", "pm10_max", "noise.laeq_mean", "noise.laeq_min",
                "noise.laeq_max", "wind_speed_count", "alarm.over_limit_count",
            ])
        #expect(told["pm10_max"] as? Double == 160.1)
        #expect(told["wind_speed_count"] as? Int == 0)
        #expect(told["alarm.over_limit_count"] as? Int == 90)
    }

    @Test("calls one number by the point's name alone, and marks what is an estimate")
    func oneNumber() throws {
        var item = samples[1].item
        item.entries[0].point = UplinkPoint(name: "import", statistics: [.increase])
        let told = try values(item, "meter-main")
        #expect(
            Set(told.keys) == [
                "import", "import_estimated", "active_energy.export.total_count",
            ])
        #expect(told["import"] as? Double == 0.75)
        #expect(told["import_estimated"] as? Bool == true)
    }

    @Test("overwrites with a correction what the first message may have said of counts and guesses")
    func correction() throws {
        var item = samples[1].item
        item.revision = 1
        item.entries[0].rollup.isEstimated = false
        let told = try values(item, "meter-main")
        #expect(told["active_energy.import.total_count"] as? Int == 15)
        #expect(told["active_energy.import.total_estimated"] as? Bool == false)
    }

    @Test("tells readings in one record for each device and time")
    func raw() throws {
        let told = try telemetry(readings)
        #expect(told.keys.sorted() == ["dust-north", "pump-1"])
        let pump = try #require(told["pump-1"])
        #expect(
            pump.map { $0["ts"] as? Int64 } == [1_795_219_200_000, 1_795_219_230_000])
        let values = pump.compactMap { $0["values"] as? [String: Any] }
        try #require(values.count == 2)
        #expect(values[0]["volume.ch1"] as? Double == 17)
        #expect(values[0]["work_status"] as? String == "idle")
        #expect(Set(values[1].keys) == ["volume.ch1"])
        #expect(told["dust-north"]?.count == 2)
    }

    @Test(
        "says of a minute without a good reading that there was none, and never sends an object without members"
    )
    func nothingKnown() throws {
        var item = readings
        item.entries = [item.entries[0]]
        item.entries[0].samples = [Sample(time: morning, reading: .bad(.timeout))]
        #expect(try values(item, "dust-north")["pm10_count"] as? Int == 0)
    }

    @Test("keeps the numbers of two points apart that a site calls the same")
    func names() throws {
        var item = samples[0].item
        item.entries[0].point = UplinkPoint(name: "x", statistics: [.mean])
        item.entries[1].point = UplinkPoint(name: "x", statistics: [.mean])
        item.revision = 0
        let told = try values(item, "dust-north")
        #expect(told["x"] as? Double == 603.5 / 4)
        #expect(told["noise.laeq"] as? Double == 62.3)
    }

    @Test("introduces each device before its attributes, the same at every revision")
    func introduction() throws {
        let told = format.introduction(of: [readings])
        #expect(
            told.map(\.topicSuffix) == [
                "v1/gateway/connect", "v1/gateway/attributes", "v1/gateway/connect",
                "v1/gateway/attributes",
            ])
        #expect(text(told[0]) == #"{"device":"dust-north"}"#)
        #expect(
            text(told[1]) == #"{"dust-north":{"site":"hz-qt-0172","pm10_unit":"mg/m3"}}"#)
        #expect(
            text(told[3]) == #"{"pump-1":{"site":"hz-qt-0172","volume.ch1_unit":"m3"}}"#)
        var corrected = readings
        corrected.revision += 1
        corrected.start = corrected.end
        #expect(format.introduction(of: [corrected]) == told)
    }

    @Test("puts a prefix before the names that are unique in a tenant")
    func prefix() throws {
        let format = ThingsBoardFormat(devicePrefix: "hz-qt-0172 ")
        #expect(
            try telemetry(samples[1].item, by: format).keys.sorted() == ["hz-qt-0172 meter-main"])
        #expect(
            text(format.introduction(of: [samples[1].item])[0])
                == #"{"device":"hz-qt-0172 meter-main"}"#)
    }

    @Test("equals the golden messages", arguments: samples + [("raw", readings)])
    func golden(name: String, item: UplinkItem) throws {
        let messages = format.introduction(of: [item]) + [format.encode(item, calendar: shanghai)]
        try expectGolden(
            messages.map { "\($0.topicSuffix)\n\(text($0))\n" }.joined(),
            "thingsboard.\(name).txt")
    }

    @Test("is what the paper shows", arguments: ["dust-station", "raw"])
    func paper(name: String) throws {
        let file = Folder.golden.appending(path: "thingsboard.\(name).txt")
        try expectShown(
            try String(contentsOf: file, encoding: .utf8),
            in: Folder.uplinks.appending(path: "thingsboard.md"))
    }
}
