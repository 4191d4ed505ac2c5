import Foundation
import Telemetry
import Testing

@testable import UplinkFormats

@Suite("remote-write/1")
struct RemoteWriteFormatTests {
    private let format = RemoteWriteFormat()

    private func told(
        _ items: [UplinkItem], by format: RemoteWriteFormat = RemoteWriteFormat()
    ) throws -> [RemoteWriteReader.Series] {
        try RemoteWriteReader.series(
            ofBody: format.encode(items, calendar: shanghai).payload)
    }

    @Test("travels as snappy with the fields that the specification asks for")
    func message() {
        let message = format.encode(samples[0].item, calendar: shanghai)
        #expect(message.contentType == "application/x-protobuf")
        #expect(
            message.fields == [
                .init("Content-Encoding", "snappy"),
                .init("X-Prometheus-Remote-Write-Version", "0.1.0"),
            ])
        #expect(message.topicSuffix == "")
    }

    @Test("tells a gauge by its mean and extremes at the last millisecond of the period")
    func gauge() throws {
        let series = try told([samples[0].item])
            .filter { $0["__name__"] == "plumbline_pm10_ug_per_m3" }
        #expect(series.map { $0["stat"] } == ["mean", "min", "max"])
        #expect(series.map { $0.samples[0].value } == [603.5 / 4, 141.5, 160.1])
        for one in series {
            #expect(one.samples.map(\.time) == [1_795_220_099_999])
            #expect(one["site"] == "hz-qt-0172")
            #expect(one["device"] == "dust-north")
            #expect(one["point"] == "pm10")
            #expect(one["resolution"] == "15min")
        }
    }

    @Test("tells a counter by what it counted, whether that is an estimate, and by its register")
    func counter() throws {
        let series = try told([samples[1].item])
        func value(_ name: String, stat: String? = nil) -> [Double] {
            series.filter {
                $0["__name__"] == name && $0["stat"] == stat
                    && $0["point"] == "active_energy.import.total"
            }.flatMap { $0.samples.map(\.value) }
        }
        #expect(value("plumbline_active_energy_kWh", stat: "increase") == [0.75])
        #expect(value("plumbline_active_energy_kWh_total", stat: "last") == [71_204.8])
        #expect(value("plumbline_increase_estimated") == [1])
        #expect(value("plumbline_coverage_ratio") == [1])
    }

    @Test("tells of what is not known its coverage only, and nothing where that is unknown too")
    func unknown() throws {
        let dead = try told([samples[0].item]).filter { $0["point"] == "wind_speed" }
        #expect(dead.map { $0["__name__"] } == ["plumbline_coverage_ratio"])
        #expect(dead[0].samples.map(\.value) == [0])
        let counter = try told([samples[1].item])
            .filter { $0["point"] == "active_energy.export.total" }
        #expect(counter.map { $0["__name__"] } == ["plumbline_coverage_ratio"])
        #expect(try told([samples[2].item]).allSatisfy { $0["point"] == "load" })
    }

    @Test("tells readings at their own times, in the platform's unit and digits")
    func raw() throws {
        let series = try told([readings])
        #expect(
            series.map { $0["__name__"] } == [
                "plumbline_pm10_mg_per_m3", "plumbline_volume_m3_total",
            ])
        #expect(series.allSatisfy { $0["stat"] == nil && $0["resolution"] == "raw" })
        #expect(series[0].samples.map(\.value) == [0.14, 0.16])
        #expect(series[0].samples.map(\.time) == [1_795_219_200_000, 1_795_219_220_100])
        #expect(series[1]["device"] == "pump-1")
        #expect(series[1].samples.map(\.value) == [17, 17.25])
    }

    @Test("tells the statistics and the name that the platform wants")
    func point() throws {
        var item = samples[0].item
        item.entries = [item.entries[1]]
        item.entries[0].point = UplinkPoint(
            name: "noise-level", statistics: [.energeticMean, .exceeded(10), .last])
        item.entries[0].samples = [60, 70].map {
            Sample(time: morning, reading: .number($0))
        }
        let series = try told([item]).filter { $0["stat"] != nil }
        #expect(series.map { $0["stat"] } == ["leq", "exceeded_10", "last"])
        #expect(series.allSatisfy { $0["__name__"] == "noise_level" })
        #expect(abs(series[0].samples[0].value - 67.403_626_894_942_4) < 1e-9)
        #expect(series[1].samples[0].value == 70)
    }

    @Test("tells a series once, in order of time, with the later of two values of one instant")
    func batch() throws {
        var items: [UplinkItem] = []
        for quarter in [0, 2, 1, 2] {
            var item = samples[0].item
            item.start = morning + .seconds(900 * quarter)
            item.end = item.start + .seconds(900)
            item.entries[0].rollup.maximum = Double(200 + items.count)
            items.append(item)
        }
        let series = try told(items)
        #expect(Set(series.map { $0.labels.description }).count == series.count)
        let maxima = try #require(series.first { $0["stat"] == "max" })
        #expect(maxima.samples.map(\.value) == [200, 202, 203])
        #expect(
            maxima.samples.map(\.time)
                == [1, 2, 3].map { morning.milliseconds + $0 * 900_000 - 1 })
    }

    @Test("lets configured labels and figures of the site travel along")
    func configured() throws {
        let format = RemoteWriteFormat(
            labels: ["region": "华东", "site": "other", "__name__": "x", "2 words": "y", "none": ""],
            figures: ["floor_area_m2": 103_000, "odd": .nan])
        let series = try told([samples[1].item, samples[2].item], by: format)
        for one in series {
            #expect(one["region"] == "华东")
            #expect(one["site"] == "hz-qt-0172")
            #expect(one["_2_words"] == "y")
            #expect(one["none"] == nil)
        }
        let figures = series.filter { $0["__name__"]?.hasPrefix("plumbline_site_") ?? false }
        #expect(figures.map { $0["__name__"] } == ["plumbline_site_floor_area_m2"])
        #expect(figures[0].samples.map(\.value) == [103_000])
        #expect(figures[0]["device"] == nil)
    }

    @Test(
        "spells units as words that keep mW and MW apart",
        arguments: [
            ("ug/m3", "ug_per_m3"), ("kWh", "kWh"), ("mW", "mW"), ("MW", "MW"), ("m/s", "m_per_s"),
            ("%RH", "percent_RH"), ("%", "percent"), ("1", "ratio"), ("{count}", ""),
            ("dB(A)", "dB_A"), ("kN.m", "kN_m"), ("W/m2", "W_per_m2"), ("", ""), ("Cel", "Cel"),
        ])
    func units(symbol: String, words: String) {
        #expect(RemoteWriteNames.words(ofUnit: symbol) == words)
    }

    @Test("gives each unit of the vocabulary words of its own")
    func vocabulary() throws {
        let file = Folder.tests.appending(path: "../../Devices/vocabulary.yaml")
        let text = try String(contentsOf: file.standardizedFileURL, encoding: .utf8)
        let symbols = text.matches(of: #/(?m)^  "?([^\s"]+?)"?: +\{ucum/#).map { String($0.1) }
        #expect(symbols.count > 40)
        #expect(Set(symbols.map(RemoteWriteNames.words(ofUnit:))).count == symbols.count)
    }

    @Test(
        "takes no answer for a loss that another attempt could mend, nor the other way round",
        arguments: [
            (204, "", "accepted"), (200, "", "accepted"),
            (400, "out of order sample\n", "rejected HTTP 400: out of order sample"),
            (
                400, "duplicate sample for timestamp\n",
                "rejected HTTP 400: duplicate sample for timestamp"
            ),
            (500, "too old sample\n", "rejected HTTP 500: too old sample"),
            (500, "disk full", "retry 30.0 seconds HTTP 500: disk full"),
            (503, "", "retry 30.0 seconds HTTP 503"),
            (429, "slow\u{1B}down", "retry 60.0 seconds HTTP 429: slow down"),
            (
                404, "receiver needs to be enabled",
                "rejected HTTP 404: receiver needs to be enabled"
            ),
        ])
    func outcomes(status: Int, body: String, expected: String) {
        let outcome = format.outcome(of: HTTPAnswer(status: status, body: Array(body.utf8)))
        switch outcome {
        case .accepted: #expect(expected == "accepted")
        case .rejected(let reason): #expect(expected == "rejected \(reason)")
        case .expired(let reason): Issue.record("no answer gives an item up: \(reason)")
        case .retry(let wait, let reason): #expect(expected == "retry \(wait) \(reason)")
        }
    }

    @Test("keeps of an endless answer what a person reads")
    func endless() {
        let body = [UInt8](repeating: 0xFF, count: 1 << 20)
        guard case .rejected(let reason) = format.outcome(of: HTTPAnswer(status: 400, body: body))
        else { return #expect(Bool(false), "accepted") }
        #expect(reason.count <= 320)
    }

    @Test("equals the golden messages", arguments: samples + [("raw", readings)])
    func golden(name: String, item: UplinkItem) throws {
        let format = RemoteWriteFormat(figures: ["floor_area_m2": 103_000])
        let body = format.encode(item, calendar: shanghai).payload
        let message = try RemoteWriteReader.decompress(body)
        let text = try RemoteWriteReader.series(ofMessage: message).map(\.text).joined()
        try expectGolden(text, "remote-write-1.\(name).txt")
        let hex = message.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
        let lines = stride(from: 0, to: hex.count, by: 32)
            .map { hex[$0..<min($0 + 32, hex.count)].joined(separator: " ") + "\n" }
        try expectGolden(lines.joined(), "remote-write-1.\(name).hex")
    }

    @Test("is what the paper shows", arguments: ["dust-station", "meter"])
    func paper(name: String) throws {
        let file = Folder.golden.appending(path: "remote-write-1.\(name).txt")
        try expectShown(
            try String(contentsOf: file, encoding: .utf8),
            in: Folder.formats.appending(path: "remote-write.md"))
    }
}
