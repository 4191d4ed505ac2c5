import Delivery
import FeedFormats
import Foundation
import Subprocess
import Telemetry
import TestPeers
import Testing

/// A program in the place of `sendmail`, written in Python: it reads the message as the system's
/// own would and judges it with Python's mail parser.
@Suite("Mail through sendmail", .serialized)
struct SendmailTests {
    private static let program = """
        #!/usr/bin/python3
        import email, email.policy, json, sys
        assert sys.argv[1:] == ["-t", "-i"], sys.argv
        message = email.message_from_binary_file(sys.stdin.buffer, policy=email.policy.default)
        answer = {"to": message["To"], "subject": message["Subject"],
                  "text": message.get_body(("plain",)).get_content()}
        with open(sys.argv[0] + ".json", "w") as file:
            json.dump(answer, file)
        sys.exit(STATUS)
        """

    private static let notice = AlarmNotice(
        id: "site|boss|raised|1", site: SiteID("site"), siteName: "工地", kind: .raised,
        time: Timestamp(milliseconds: 1_795_219_200_000),
        alarms: [
            AlarmBrief(
                key: "pm10|d.pm10|1", rule: "pm10", title: LocalizedText(en: "Dust", zh: "扬尘超标"),
                severity: "warning", module: "dust", series: SeriesID("d.pm10")!,
                device: LocalizedText(en: "North", zh: "北门"),
                point: LocalizedText(en: "PM10", zh: "PM10"), state: .activeUnacknowledged,
                onset: Timestamp(milliseconds: 1_795_219_200_000),
                raised: Timestamp(milliseconds: 1_795_219_200_000),
                changed: Timestamp(milliseconds: 1_795_219_200_000),
                evidence: AlarmEvidence(
                    value: 163, unit: "ug/m3", limit: 150,
                    windowStart: Timestamp(milliseconds: 1_795_219_200_000),
                    windowEnd: Timestamp(milliseconds: 1_795_219_200_000), samples: 1,
                    coverage: nil), source: "the test", status: "project")
        ])

    private static func templates() throws -> FeedTemplates {
        var texts: [String: String] = [:]
        for file in FeedTemplates.files {
            texts[file] = try String(
                contentsOfFile: packageRoot + "/Config/feeds/templates/" + file, encoding: .utf8)
        }
        return try FeedTemplates(texts: texts)
    }

    private func send(_ folder: String, status: Int) async throws -> Outcome {
        let path = folder + "/sendmail"
        try Self.program.replacing("STATUS", with: "\(status)")
            .write(toFile: path, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        var settings = FeedSettings()
        settings.mail = MailEnvelope(
            from: try MailAddress("gateway@example.com"),
            to: [try MailAddress("boss@example.com")])
        let messages = FeedFormat.email.encode(
            Self.notice, language: .zh, calendar: .utc, templates: try Self.templates(),
            settings: settings)
        let message = try #require(messages.first)
        return await SendmailTransport(program: path, clock: ContinuousClock())
            .send(message, of: Self.notice, at: Self.notice.time)
    }

    @Test("arrives whole, and is accepted when it is queued")
    func accepted() async throws {
        try await withTemporaryFolder { folder in
            guard case .accepted = try await send(folder, status: 0) else {
                Issue.record("not accepted")
                return
            }
            let data = try Data(contentsOf: URL(filePath: folder + "/sendmail.json"))
            let read = try JSONSerialization.jsonObject(with: data) as? [String: String]
            #expect(read?["to"] == "boss@example.com")
            #expect(read?["subject"]?.contains("扬尘超标") == true)
            #expect(read?["text"]?.contains("北门") == true)
        }
    }

    @Test("is tried again while the queue is not there, and given up when nobody lives there")
    func refused() async throws {
        try await withTemporaryFolder { folder in
            guard case .retry = try await send(folder, status: 75) else {
                Issue.record("not tried again")
                return
            }
            guard case .rejected = try await send(folder, status: 67) else {
                Issue.record("not given up")
                return
            }
        }
    }
}
