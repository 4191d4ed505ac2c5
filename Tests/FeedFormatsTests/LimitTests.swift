import Foundation
import Telemetry
import Testing

@testable import FeedFormats

@Suite("Limits of length")
struct LimitTests {
    private func content(_ body: [UInt8]) throws -> String {
        let object = try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any]
        let markdown = try #require(object?["markdown"] as? [String: String])
        return try #require(markdown["content"] ?? markdown["text"])
    }

    private func encode(_ format: FeedFormat, _ notice: AlarmNotice) throws -> [UInt8] {
        try format.encode(
            notice, language: .zh, calendar: shanghai, templates: shippedTemplates())[0].body
    }

    @Test("whole alarms go first, and the text says how many")
    func alarms() throws {
        let storm = notice(.storm, manyAlarms, total: 37)
        let content = try content(encode(.wecom, storm))
        #expect(content.utf8.count <= 4096)
        let listed = content.matches(of: #/\*\*\d+\. /#).count
        #expect((3..<20).contains(listed))
        #expect(content.hasSuffix("另有\(37 - listed)条"))
        // One more would not have fitted.
        let words = try words(.zh)
        let longer = words.body(storm, .wecom, listed: listed + 1).utf8.count
        #expect(longer + words.title(storm, .wecom).utf8.count + 6 > 4096)
        #expect(try self.content(encode(.dingtalk, storm)).hasSuffix("另有17条  "))
    }

    @Test(
        "then text, between two characters",
        arguments: [(FeedFormat.wecom, 4096), (.dingtalk, 20_000), (.feishu, 19_800)])
    func text(format: FeedFormat, limit: Int) throws {
        for filler in ["工", "😀", "👩‍👩‍👧‍👦", "e\u{301}", "*", "\\", "\"", "a"] {
            var alarm = dustAlarm()
            alarm.note = String(repeating: filler, count: 30_000)
            let body = try encode(format, notice(.raised, [alarm, craneAlarm()]))
            let size = format == .wecom ? try content(body).utf8.count : body.count
            #expect(size <= limit, "\(filler)")
            // The last character is whole, and as much as possible is kept.
            #expect(size > limit - 80, "\(filler): \(size)")
            let text = String(decoding: body, as: UTF8.self)
            #expect(!text.contains("\u{FFFD}"))
            #expect(text.contains("…"))
        }
    }

    @Test("what fits is not touched", arguments: [4096, 4095])
    func border(limit: Int) {
        let text = String(repeating: "a", count: 4093) + "工"
        let fitted = TextFit.fullest(
            alarms: 0, limit: limit, render: { _ in text }, measure: { $0.utf8.count })
        #expect(fitted == (limit == 4096 ? text : String(repeating: "a", count: 4092) + "…"))
    }

    @Test("a cut leaves no open escape, and a limit for nothing gives the mark alone")
    func escapes() {
        func fit(_ text: String, _ limit: Int) -> String {
            TextFit.fullest(
                alarms: 1, limit: limit, render: { _ in text }, measure: { $0.utf8.count })
        }
        #expect(fit("abc\\*defgh", 7) == "abc…")
        #expect(fit("abc\\\\\\*defgh", 9) == "abc\\\\…")
        #expect(fit("abc   defgh", 8) == "abc…")
        #expect(fit("abc", 0) == "…")
    }

    @Test("a title is at most 200 characters")
    func title() throws {
        var alarm = dustAlarm()
        alarm.title = LocalizedText(
            en: String(repeating: "工", count: 5000), zh: String(repeating: "工", count: 5000))
        #expect(try words().title(notice(.raised, [alarm])).count == 200)
    }

}
