import Crypto
import Telemetry

/// A mail (RFC 5322) for the standard input of `sendmail -t -i`, which reads the addressees from it.
///
/// Lines end with a line feed alone: sendmail turns them into the wire's CRLF, and doubles a CR.
/// The body is Base64, so that no line is too long, starts with a dot or `From `, or is changed on
/// its way. `Message-ID` comes from the notice, so that a mail that is sent again is the same mail;
/// `Auto-Submitted` (RFC 3834) keeps holiday notes from answering.
package enum MailMessage {
    /// - Parameter date: what stands in `Date`.
    static func message(
        _ notice: AlarmNotice, _ words: FeedWords, envelope: MailEnvelope, date: Timestamp
    ) -> FeedMessage {
        let subject = words.title(notice, .plain)
        let text = words.body(notice, .plain, listed: notice.alarms.count) + "\n"
        let recipients = envelope.to.map(\.text).joined(separator: ",\n ")
        let lines = [
            "From: \(envelope.from.text)",
            "To: \(recipients)",
            "Subject: \(EncodedWords.encode(subject, column: 9))",
            "Date: \(Self.date(date, offset: words.calendar.offset(at: date)))",
            "Message-ID: <\(identity(notice))>",
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Language: \(words.language.tag)",
            "Content-Transfer-Encoding: base64",
            "",
        ]
        // In the body the line end counts: as the canonical form of text has it, CRLF.
        let canonical = text.replacing("\n", with: "\r\n")
        let mail = lines.joined(separator: "\n") + "\n" + columns(of: Array(canonical.utf8))
        return FeedMessage(
            contentType: "message/rfc822", body: Array(mail.utf8), idempotencyKey: notice.id)
    }

    /// What sendmail's exit status means (sysexits.h): 0 is accepted for delivery; 69 to 75 are
    /// faults of the moment, of the system or of its configuration; the others refuse the mail.
    package static func outcome(exitStatus: Int) -> Outcome {
        switch exitStatus {
        case 0: .accepted
        case 69...75: .retry(after: .seconds(60), reason: "sendmail exited with \(exitStatus)")
        default: .rejected(reason: "sendmail exited with \(exitStatus)")
        }
    }

    /// Base64 on lines of 76 characters.
    private static func columns(of bytes: [UInt8]) -> String {
        stride(from: 0, to: bytes.count, by: 57).map {
            Encodings.base64(bytes[$0..<min($0 + 57, bytes.count)]) + "\n"
        }.joined()
    }

    /// The same for every attempt. A digest, because a notice's id may hold what an identity may
    /// not.
    private static func identity(_ notice: AlarmNotice) -> String {
        let digest = SHA256.hash(data: Array("\(notice.site)\n\(notice.id)".utf8))
        return Encodings.hexadecimal(digest.prefix(16)) + "@plumbline.local"
    }

    private static func date(_ time: Timestamp, offset: Int) -> String {
        let t = CivilTime(time, offset: offset)
        let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let months = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]
        let number = CivilTime.daysSinceEpoch(year: t.year, month: t.month, day: t.day)
        let minutes = abs(offset) / 60
        return "\(days[Int(Int64(number).modulo(7))]), \(t.day) \(months[t.month - 1]) "
            + "\(t.year.padded(4)) \(t.hour.padded(2)):\(t.minute.padded(2)):\(t.second.padded(2)) "
            + "\(offset < 0 ? "-" : "+")\((minutes / 60).padded(2))\((minutes % 60).padded(2))"
    }
}
