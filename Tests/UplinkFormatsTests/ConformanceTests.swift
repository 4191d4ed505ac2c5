import Foundation
import Telemetry
import Testing
import UplinkFormats

/// What every format owes its platforms; a new format gets these tests with its line in `all`, a
/// template with its file in `Config/uplinks`.
@Suite("Every uplink format")
struct ConformanceTests {
    @Test("has a name of its own, by which it is found")
    func names() {
        let names = UplinkFormats.all.map(\.name)
        #expect(Set(names).count == names.count)
        for name in names { #expect(UplinkFormats.named(name)?.name == name) }
        #expect(UplinkFormats.named("nonsense") == nil)
    }

    private func everyFormat() throws -> [any UplinkFormat] {
        try UplinkFormats.all + Templates.shippedNames.map { try Templates.shipped($0) }
    }

    @Test("encodes equal items to equal bytes", arguments: samples.map(\.item))
    func deterministic(item: UplinkItem) throws {
        for format in try everyFormat() {
            let first = format.encode(item, calendar: shanghai)
            #expect(first == format.encode(item, calendar: shanghai))
            #expect(!first.payload.isEmpty)
        }
    }

    @Test("keeps the idempotency key and the topic over revisions", arguments: samples.map(\.item))
    func keyOverRevisions(item: UplinkItem) throws {
        for format in try everyFormat() where format.correction == .replace {
            var corrected = item
            corrected.revision += 1
            corrected.isStored.toggle()
            corrected.entries.removeLast()
            let (first, second) = (
                format.encode(item, calendar: shanghai),
                format.encode(corrected, calendar: shanghai)
            )
            #expect(first.idempotencyKey == second.idempotencyKey)
            #expect(first.topicSuffix == second.topicSuffix)
            #expect(first.payload != second.payload)
        }
    }

    @Test("gives different buckets, scopes and sites different keys")
    func keysDiffer() throws {
        for format in try everyFormat() {
            var items = samples.map(\.item)
            var later = items[0]
            later.start = later.end
            var elsewhere = items[0]
            elsewhere.site = SiteID("another-site")
            var coarser = items[0]
            coarser.kind = UplinkItem.kind(.rollup, .hour)
            items += [later, elsewhere, coarser]
            let keys = items.map { format.encode($0, calendar: shanghai).idempotencyKey }
            #expect(Set(keys).count == items.count)
        }
    }

    @Test("names a topic that any broker takes", arguments: samples.map(\.item))
    func topics(item: UplinkItem) throws {
        for format in try everyFormat() {
            let topic = format.encode(item, calendar: shanghai).topicSuffix
            // Formats of one kind of server stay at the path that the configuration names.
            if topic.isEmpty { continue }
            #expect(!topic.contains("+"))
            #expect(!topic.contains("#"))
            #expect(!topic.unicodeScalars.contains { $0.value < 0x20 })
            #expect(!topic.split(separator: "/", omittingEmptySubsequences: false).contains(""))
        }
    }

    @Test(
        "writes JSON where it says so, of folds and of readings",
        arguments: samples.map(\.item) + [readings, craneReadings, dustMinute])
    func json(item: UplinkItem) throws {
        for format in try everyFormat() {
            let message = format.encode(item, calendar: shanghai)
            guard message.contentType == "application/json" else { continue }
            for message in format.introduction(of: [item]) + [message] {
                let value = try JSONSerialization.jsonObject(with: Data(message.payload))
                #expect((value as? [String: Any])?.isEmpty == false, "\(format.name)")
            }
        }
    }

    @Test("never writes a number that is none", arguments: [Double.nan, .infinity, -.infinity])
    func oddNumbers(value: Double) throws {
        // Such a reading never is good; if one came through, the message must still be readable.
        let odd = Rollup(
            count: 1, minimum: value, maximum: value, first: .init(time: morning, value: value),
            last: .init(time: morning, value: value))
        let item = item(
            "d", "rs485/normal",
            [(series("d.load", .gauge, "t"), odd), (series("d.e", .counter, "kWh"), odd)])
        for format in try everyFormat() {
            let text = String(
                decoding: format.encode(item, calendar: shanghai).payload, as: UTF8.self
            ).lowercased()
            #expect(!text.contains("nan"))
            #expect(!text.contains("inf"))
        }
    }
}
