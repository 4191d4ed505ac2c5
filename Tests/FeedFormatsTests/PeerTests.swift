import Telemetry
import TestSeeds
import Testing

@testable import FeedFormats

@Suite("Python's parsers", .enabled(if: Peer.isThere, "there is no python3"))
struct PeerTests {
    @Test("take every message of every format")
    func everything() async throws {
        var random = SeededGenerator(16)
        let notices = samples.map(\.notice) + (0..<80).map { _ in random.nastyNotice() }
        let templates = try shippedTemplates()
        var messages: [(form: String, body: [UInt8])] = []
        for notice in notices {
            for format in FeedFormat.allCases where format != .email {
                messages += format.encode(
                    notice, language: .zh, calendar: shanghai, templates: templates
                ).map { (form: format == .cap ? "xml" : "json", body: $0.body) }
            }
            messages.append(
                (
                    form: "xml",
                    body: AtomFeed.document(
                        site: notice.site, siteName: notice.siteName, selfLink: notice.id,
                        updated: notice.time, alarms: notice.alarms, language: .zh,
                        calendar: shanghai)
                ))
        }
        let read = try await Peer.read(messages)
        #expect(read.count == messages.count)
        for (message, answer) in zip(messages, read) {
            let error = (answer as? [String: Any])?["error"]
            #expect(error == nil, "\(error ?? "") \(text(message.body))")
        }
    }

    @Test("read each text of plumbline-alarm/1 to the last code point")
    func texts() async throws {
        var random = SeededGenerator(17)
        let notices = (0..<150).map { _ in random.nastyNotice() }
        let read = try await Peer.read(
            notices.map { (form: "texts", body: AlarmJSON.body($0, calendar: shanghai)) })
        #expect(read.count == notices.count)
        for (notice, answer) in zip(notices, read) {
            let texts = try #require(answer as? [[UInt32]])
            var written = [notice.id, notice.siteName]
            for alarm in notice.alarms {
                written += [alarm.key, alarm.rule, alarm.title.en, alarm.title.zh, alarm.module]
                written += [alarm.device.zh, alarm.point.en, alarm.evidence.unit, alarm.source]
                written += [alarm.status] + [alarm.area, alarm.note, alarm.actor].compactMap { $0 }
            }
            for text in written {
                #expect(texts.contains(text.unicodeScalars.map(\.value)), "\(text)")
            }
        }
    }

    @Test("see the same tree in an Atom feed as we mean")
    func atom() async throws {
        let alarms = [acknowledged(dustAlarm()), craneAlarm()]
        let document = AtomFeed.document(
            site: SiteID("hz"), siteName: "A & B", selfLink: "https://x/?a=1&b=\"2\"",
            updated: morning + minutes(4), alarms: alarms, language: .en, calendar: shanghai)
        let read = try await Peer.read([(form: "xml", body: document)])
        let feed = try #require(read.first as? [Any])
        func children(_ node: Any) -> [[Any]] { ((node as? [Any])?[3] as? [[Any]]) ?? [] }
        func name(_ node: [Any]) -> String {
            (node[0] as? String ?? "").replacing("{http://www.w3.org/2005/Atom}", with: "")
        }
        #expect(
            children(feed).map(name)
                == ["id", "title", "updated", "author", "link", "entry", "entry"])
        let link = try #require(children(feed)[4][1] as? [String: String])
        #expect(link["href"] == "https://x/?a=1&b=\"2\"" && link["rel"] == "self")
        let entry = children(children(feed)[5])
        #expect(
            entry.map(name)
                == [
                    "id", "title", "updated", "published", "category", "category", "category",
                    "summary", "content",
                ])
        #expect(
            entry[0][2] as? String
                == "tag:plumbline.local,2026:site/hz/alarm/pm10_15min%7Cdust-north.pm10%7C1795218300000"
        )
        #expect(entry[2][2] as? String == "2026-11-21T08:04:00+08:00")
        #expect(entry[3][2] as? String == "2026-11-21T08:00:00+08:00")
        #expect(
            entry[4...6].map { ($0[1] as? [String: String])?["term"] }
                == ["warning", "dust", "active_acknowledged"])
        #expect(
            entry[7][2] as? String
                == "PM10 of Dust monitor north: 163.3 ug/m3, limit 150 ug/m3 "
                + "(2026-11-21 07:45–08:00, 88 readings, coverage 97 %)")
    }
}
