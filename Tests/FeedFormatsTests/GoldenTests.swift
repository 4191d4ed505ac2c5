import Foundation
import Telemetry
import Testing

@testable import FeedFormats

@Suite("Golden messages")
struct GoldenTests {
    /// Compares with the file, or writes it when `PLUMBLINE_RECORD=1` (or `UPDATE_GOLDEN=1`).
    private func compare(_ text: String, with name: String) throws {
        let file = Folder.golden.appending(path: name)
        let environment = ProcessInfo.processInfo.environment
        if environment["PLUMBLINE_RECORD"] == "1" || environment["UPDATE_GOLDEN"] == "1" {
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
        #expect(text == (try Folder.text(file)), "PLUMBLINE_RECORD=1 renews \(name)")
    }

    private func shown(_ messages: [FeedMessage]) -> String {
        messages.map {
            "\($0.contentType)\n\($0.idempotencyKey)\n\n\(text($0.body))\n"
        }.joined(separator: "\n")
    }

    @Test(
        "every format tells every kind of notice as it did",
        arguments: FeedFormat.allCases, samples.map(\.name))
    func formats(format: FeedFormat, name: String) throws {
        let notice = try #require(samples.first { $0.name == name }).notice
        let templates = try shippedTemplates()
        let language: FeedLanguage = format == .wecom || format == .email ? .en : .zh
        let messages = format.encode(
            notice, language: language, calendar: shanghai, templates: templates)
        #expect(
            messages
                == format.encode(
                    notice, language: language, calendar: shanghai, templates: templates))
        try compare(shown(messages), with: "\(format.rawValue).\(name).txt")
    }

    @Test(
        "the shipped templates read as they did",
        arguments: FeedLanguage.allCases, samples.map(\.name))
    func plain(language: FeedLanguage, name: String) throws {
        let notice = try #require(samples.first { $0.name == name }).notice
        let words = try words(language)
        try compare(
            "\(words.title(notice))\n\n\(words.body(notice))\n",
            with: "text.\(language.rawValue).\(name).txt")
    }

    @Test("the Atom feed reads as it did", arguments: FeedLanguage.allCases)
    func atom(language: FeedLanguage) throws {
        let document = AtomFeed.document(
            site: SiteID("hz-qt-0172"), siteName: "钱塘1号工地",
            selfLink:
                "https://gateway.local/feed/alarms.atom?module=dust&lang=\(language.rawValue)",
            updated: morning + minutes(4), alarms: [acknowledged(dustAlarm()), craneAlarm()],
            language: language, calendar: shanghai)
        try compare(text(document), with: "atom.\(language.rawValue).xml")
    }

    @Test("the paper shows the JSON message and tells each of its fields")
    func paper() throws {
        let paper = try Folder.text(Folder.formats.appending(path: "alarm-feed.md"))
        let notice = try #require(samples.first { $0.name == "raised" }).notice
        let body = AlarmJSON.body(notice, calendar: shanghai)
        #expect(
            paper.contains("```json\n\(text(body))\n```"),
            "docs/formats/alarm-feed.md shows another message than json.raised.txt")
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any])
        func fields(_ value: Any) -> Set<String> {
            if let object = value as? [String: Any] {
                return Set(object.keys).union(object.values.flatMap(fields))
            }
            return Set((value as? [Any])?.flatMap(fields) ?? [])
        }
        for field in fields(object).subtracting(["en", "zh", "id"]) {
            #expect(paper.contains("`\(field)`"), "the paper does not tell '\(field)'")
        }
        for name in TemplateContext.names where !name.hasPrefix("is_") {
            #expect(paper.contains("`\(name)`"), "the paper does not tell the name '\(name)'")
        }
    }
}
