import Foundation
import FoundationXML
import Telemetry
import TestSeeds
import Testing

@testable import FeedFormats

/// Whatever people write into titles and notes, each message stays what it is, and says it.
@Suite("Odd texts")
struct PropertyTests {
    /// What XML 1.0 can hold of a text.
    private func xmlText(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.filter {
                    $0.value >= 0x20 && $0.value != 0xFFFE && $0.value != 0xFFFF
                        || [0x09, 0x0A, 0x0D].contains($0.value)
                }))
    }

    @Test("JSON gives every text back, to Foundation's reader")
    func json() throws {
        var random = SeededGenerator(11)
        for _ in 0..<300 {
            let notice = random.nastyNotice()
            let body = AlarmJSON.body(notice, calendar: shanghai)
            let object = try #require(
                try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any])
            #expect(same(object["id"], notice.id))
            #expect(same(object["site_name"], notice.siteName))
            let alarms = try #require(object["alarms"] as? [[String: Any]])
            for (read, alarm) in zip(alarms, notice.alarms) {
                #expect(same((read["title"] as? [String: String])?["zh"], alarm.title.zh))
                #expect(same(read["note"], alarm.note))
                #expect(same(read["source"], alarm.source))
                let value = (read["evidence"] as? [String: Any])?["value"] as? Double
                #expect(value == (alarm.evidence.value.isFinite ? alarm.evidence.value : nil))
            }
        }
    }

    /// Compares by code units: Swift's own comparison takes composed and decomposed as equal.
    /// Foundation's reader loses U+FEFF; that it is there, Python tells (`PeerTests`).
    private func same(_ read: Any?, _ written: String?) -> Bool {
        guard let written else { return read is NSNull }
        guard let read = read as? String else { return false }
        return read.utf16.filter { $0 != 0xFEFF } == written.utf16.filter { $0 != 0xFEFF }
    }

    @Test("CAP and Atom stay well-formed and give notes and keys back, to libxml's reader")
    func xml() throws {
        var random = SeededGenerator(12)
        let templates = try shippedTemplates()
        for _ in 0..<200 {
            var notice = random.nastyNotice()
            for n in notice.alarms.indices { notice.alarms[n].key = "\(n)" + random.nastyText() }
            for message in FeedFormat.cap.encode(
                notice, language: .zh, calendar: shanghai, templates: templates)
            {
                let alarm = try #require(
                    notice.alarms.first { message.idempotencyKey == "\(notice.id)|\($0.key)" })
                let document = try XMLDocument(data: Data(message.body))
                let parameters = try document.nodes(forXPath: "//*[local-name()='parameter']")
                let read = parameters.map { ($0.children ?? []).map { $0.stringValue ?? "" } }
                func value(_ name: String) -> String? { read.first { $0[0] == name }?[1] }
                #expect(same(value("rule"), xmlText(alarm.rule)))
                #expect(same(value("note") as Any? ?? NSNull(), alarm.note.map(xmlText)))
                #expect(same(value("alarm"), xmlText(alarm.key)))
                let identifier = try document.nodes(forXPath: "//*[local-name()='identifier']")
                #expect(identifier[0].stringValue?.contains { " ,<&".contains($0) } == false)
            }
            let feed = AtomFeed.document(
                site: notice.site, siteName: notice.siteName, selfLink: random.nastyText(),
                updated: morning, alarms: notice.alarms, language: .en, calendar: shanghai)
            let document = try XMLDocument(data: Data(feed))
            let identities = try document.nodes(forXPath: "//*[local-name()='entry']/*[1]")
            for (identity, alarm) in zip(identities, notice.alarms) {
                let key = try #require(identity.stringValue?.split(separator: "/alarm/").last)
                #expect(same(String(key).removingPercentEncoding, alarm.key))
            }
        }
    }

    @Test("robots get JSON that keeps the limit, and no markup but the template's")
    func robots() throws {
        var random = SeededGenerator(13)
        let templates = try shippedTemplates()
        for _ in 0..<200 {
            let notice = random.nastyNotice()
            for format in [FeedFormat.dingtalk, .wecom, .feishu] {
                let message = format.encode(
                    notice, language: .en, calendar: shanghai, templates: templates)[0]
                let object = try #require(
                    try JSONSerialization.jsonObject(with: Data(message.body)) as? [String: Any])
                let shown: String
                switch format {
                case .dingtalk:
                    let markdown = try #require(object["markdown"] as? [String: String])
                    // Without what is escaped, only the template's own markup is left.
                    let free = try #require(markdown["text"])
                        .replacing(#/^#### \[[a-z]+\]/#, with: "")
                        .replacing(#/\\[\\`*_\[\]<>#~|]/#, with: "")
                    #expect(!free.contains { "\\`[]<>~|".contains($0) }, "\(free)")
                    #expect(free.count { $0 == "*" } == 4 * notice.alarms.count)
                    continue
                case .wecom:
                    let markdown = try #require(object["markdown"] as? [String: String])
                    shown = try #require(markdown["content"])
                        .replacing(#/^#### \[[a-z]+\]/#, with: "")
                    #expect(shown.count { $0 == "*" } == 4 * notice.alarms.count)
                    #expect(!shown.contains { "\\`[]~|@".contains($0) })
                default: shown = text(message.body)
                }
                #expect(!shown.contains("<") && !shown.contains(">"), "\(shown)")
            }
        }
    }

    @Test("no value writes a line of its own, and none is read as a template")
    func lines() throws {
        var random = SeededGenerator(14)
        let words = try words()
        for _ in 0..<300 {
            var odd = random.nastyNotice()
            var plain = odd
            func tame(_ text: String) -> String { PlainLine.of(text).isEmpty ? "" : "x" }
            for n in odd.alarms.indices {
                odd.alarms[n].note = "n\r\n" + random.nastyText()
                let note = odd.alarms[n].note ?? ""
                plain.alarms[n].note = tame(note)
                plain.alarms[n].source = tame(odd.alarms[n].source)
                plain.alarms[n].title.en = tame(odd.alarms[n].title.en)
            }
            plain.siteName = tame(odd.siteName)
            func count(_ notice: AlarmNotice) -> Int { words.body(notice).count { $0 == "\n" } }
            #expect(count(odd) == count(plain))
            #expect(!words.title(odd).contains { $0.isNewline })
        }
        var template = samples[1].notice
        template.alarms[0].note = "{{key}} {{#alarms}}"
        #expect(words.body(template).contains("Note: {{key}} {{#alarms}}"))
    }

    @Test("a line is one line, without what turns or hides it")
    func plainLine() {
        #expect(PlainLine.of(" a\r\n\t b\u{0}\u{2028}c\u{85} ") == "a b c")
        #expect(PlainLine.of("a\u{202E}b\u{2066}c\u{FEFF}\u{200F}") == "abc")
        #expect(PlainLine.of("👩‍👩‍👧‍👦") == "👩‍👩‍👧‍👦")
        #expect(PlainLine.of("\n") == "")
        #expect(PlainLine.of("abcdef", count: 4) == "abc…")
        #expect(PlainLine.of("abcd", count: 4) == "abcd")
    }
}
