import Foundation
import Telemetry
import TestSeeds
import Testing

@testable import FeedFormats

@Suite("Mail")
struct MailTests {
    private func envelope() throws -> MailEnvelope {
        MailEnvelope(
            from: try MailAddress("plumbline@site.example", name: "钱塘1号工地 Plumbline"),
            to: [
                try MailAddress("wang@example.cn", name: "王工"),
                try MailAddress("safety@example.cn", name: "Safety, North \"gate\""),
                try MailAddress("root"),
            ])
    }

    private func encode(_ notice: AlarmNotice, _ language: FeedLanguage) throws -> [UInt8] {
        try FeedFormat.email.encode(
            notice, language: language, calendar: shanghai, templates: shippedTemplates(),
            settings: FeedSettings(mail: envelope()))[0].body
    }

    @Test(
        "Python's mail reader reads back what was written", .enabled(if: Peer.isThere, "no python3")
    )
    func peer() async throws {
        var random = SeededGenerator(15)
        var notices = samples.map(\.notice) + (0..<60).map { _ in random.nastyNotice() }
        notices.append(notice(.storm, manyAlarms, total: 37))
        let cases = notices.flatMap { notice in FeedLanguage.allCases.map { (notice, $0) } }
        let read = try await Peer.read(try cases.map { (form: "mail", body: try encode($0, $1)) })
        #expect(read.count == cases.count)
        for ((notice, language), answer) in zip(cases, read) {
            let mail = try #require(answer as? [String: Any])
            let words = try words(language)
            // `root` has no domain: sendmail adds it.
            let defects = try #require(mail["defects"] as? [String])
            #expect(defects.filter { !$0.contains("local part with no domain") } == [])
            #expect(defects.count <= 1)
            let headers = try #require(mail["headers"] as? [[String]])
            let names = headers.map { $0[0] }
            #expect(
                names == [
                    "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted",
                    "MIME-Version", "Content-Type", "Content-Language",
                    "Content-Transfer-Encoding",
                ])
            #expect(headers[2][1] == words.title(notice))
            let text = try #require(mail["text"] as? String)
            #expect(text.replacing("\r\n", with: "\n") == words.body(notice) + "\n")
            #expect(
                (mail["recipients"] as? [[String]]) == [
                    ["王工", "wang@example.cn"], ["Safety, North \"gate\"", "safety@example.cn"],
                    ["", "root"],
                ])
            #expect((mail["date"] as? Int) == Int(notice.time.milliseconds / 1000))
            #expect((mail["longest_header_line"] as? Int ?? 99) <= 76, "\(mail)")
            #expect((mail["longest_body_line"] as? Int ?? 99) <= 76)
            #expect((mail["has_carriage_return"] as? Bool) == false)
        }
    }

    @Test("a title with line breaks writes no header")
    func injection() throws {
        var odd = samples[1].notice
        odd.siteName = "x\r\nBcc: evil@example.com\r\n\r\nbody"
        odd.id = "id\r\nX-Evil: 1"
        odd.alarms[0].title.en = "t\nCc: y"
        let lines = String(decoding: try encode(odd, .en), as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false)
        let head = lines.prefix { !$0.isEmpty }
        for name in ["bcc:", "cc:", "x-evil:"] {
            #expect(!head.contains { $0.lowercased().hasPrefix(name) })
        }
        #expect(head.count { !$0.hasPrefix(" ") } == 10)
    }

    @Test(
        "an address that could be more than one is refused",
        arguments: [
            "", "a b@c.d", "a@b\nBcc: x@y", "a@b,c@d", "<a@b>", "a@", "@b", "a@b@c", "王@b.cn",
            "a;b@c", "-oQ/tmp@x", "\"a\"@b", String(repeating: "a", count: 255),
        ])
    func refused(address: String) {
        #expect(throws: MailAddressError.self) { try MailAddress(address) }
    }

    @Test("the identity is the notice's, and no attempt's")
    func identity() throws {
        func identity(_ notice: AlarmNotice) throws -> Substring {
            let lines = String(decoding: try encode(notice, .zh), as: UTF8.self).split(
                separator: "\n")
            return try #require(lines.first { $0.hasPrefix("Message-ID: ") })
        }
        let first = samples[1].notice
        var changed = first
        changed.siteName = "another name"
        #expect(try identity(first) == identity(changed))
        changed.id += "x"
        #expect(try identity(first) != identity(changed))
        let pattern = #/Message-ID: <[0-9a-f]{32}@plumbline\.local>/#
        #expect(try identity(first).wholeMatch(of: pattern) != nil)
    }

    @Test("short ASCII stays as it is; everything else is words of at most 75 characters")
    func encodedWords() {
        #expect(EncodedWords.encode("Alarm: PM10", column: 9) == "Alarm: PM10")
        #expect(EncodedWords.encode("報", column: 9) == "=?UTF-8?B?5aCx?=")
        #expect(EncodedWords.encode("=?x?=", column: 9).hasPrefix("=?UTF-8?B?"))
        for length in 60...200 {
            for text in [
                String(repeating: "a", count: length), String(repeating: "工", count: length),
                String(repeating: "😀", count: length),
                "ab" + String(repeating: "é工😀", count: length),
            ] {
                let lines = EncodedWords.encode(text, column: 9).split(separator: "\n")
                var read = ""
                for (n, line) in lines.enumerated() {
                    #expect(line.utf8.count + (n == 0 ? 9 : 0) <= 76)
                    let word = line.drop { $0 == " " }
                    guard word.hasPrefix("=?") else {
                        read += word
                        continue
                    }
                    #expect(word.utf8.count <= 75)
                    let data = Data(base64Encoded: String(word.dropFirst(10).dropLast(2)))
                    // Each word is whole UTF-8 by itself.
                    read += String(data: data ?? Data([0xFF]), encoding: .utf8) ?? "torn"
                }
                #expect(read == text)
            }
        }
    }
}
