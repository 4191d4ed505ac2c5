import Telemetry

/// The feed `/feed/alarms.atom`: an Atom document (RFC 4287) with one entry for each alarm.
///
/// Identities are tag URIs (RFC 4151) that never change: the feed's is
/// `tag:plumbline.local,2026:site/<site>/alarms`, an entry's
/// `tag:plumbline.local,2026:site/<site>/alarm/<key, percent-encoded>`. A reader that knows an
/// entry sees by `updated` that the alarm has changed its state. Categories name severity, module
/// and state, each in a scheme of its own.
package enum AtomFeed {
    /// The media type of the document.
    package static let contentType = "application/atom+xml"
    private static let authority = "tag:plumbline.local,2026:"

    /// The document.
    ///
    /// - Parameters:
    ///   - selfLink: the address from which the feed is read.
    ///   - updated: when something in it last changed.
    ///   - alarms: in the order in which they stand in the feed, the newest first by custom.
    package static func document(
        site: SiteID, siteName: String, selfLink: String, updated: Timestamp,
        alarms: [AlarmBrief], language: FeedLanguage, calendar: SiteCalendar
    ) -> [UInt8] {
        let identity = "\(authority)site/\(Encodings.percent(site.text))"
        let title = language == .zh ? "报警 – \(siteName)" : "Alarms – \(siteName)"
        var xml = XMLWriter()
        xml.element("feed", ["xmlns": "http://www.w3.org/2005/Atom", "xml:lang": language.tag]) {
            $0.leaf("id", identity + "/alarms")
            $0.leaf("title", PlainLine.of(title))
            $0.leaf("updated", calendar.rfc3339(updated))
            $0.element("author") { $0.leaf("name", "Plumbline") }
            $0.empty(
                "link", ["rel": "self", "type": contentType, "href": selfLink])
            for alarm in alarms {
                entry(alarm, identity: identity, language, calendar, to: &$0)
            }
        }
        return xml.bytes
    }

    private static func entry(
        _ alarm: AlarmBrief, identity: String, _ language: FeedLanguage, _ calendar: SiteCalendar,
        to xml: inout XMLWriter
    ) {
        let state = language.of(AlarmWords.state(alarm.state))
        let title = "\(language.of(alarm.title)) – \(language.of(alarm.device)) (\(state))"
        xml.element("entry") {
            $0.leaf("id", "\(identity)/alarm/\(Encodings.percent(alarm.key))")
            $0.leaf("title", PlainLine.of(title))
            $0.leaf("updated", calendar.rfc3339(alarm.changed))
            $0.leaf("published", calendar.rfc3339(alarm.raised))
            for (scheme, term, label) in categories(alarm) {
                let scheme = authority + scheme
                $0.empty(
                    "category", ["term": term, "scheme": scheme, "label": language.of(label)])
            }
            $0.leaf("summary", AlarmWords.evidence(alarm, language, calendar))
            // An entry without a link to a page needs content (section 4.1.2).
            $0.leaf("content", content(alarm, language, calendar), ["type": "text"])
        }
    }

    private static func categories(_ alarm: AlarmBrief) -> [(String, String, LocalizedText)] {
        [
            ("severity", alarm.severity, AlarmWords.severity(alarm.severity)),
            ("module", alarm.module, LocalizedText(en: alarm.module, zh: alarm.module)),
            ("state", alarm.state.rawValue, AlarmWords.state(alarm.state)),
        ]
    }

    private static func content(
        _ alarm: AlarmBrief, _ language: FeedLanguage, _ calendar: SiteCalendar
    ) -> String {
        var lines = [AlarmWords.evidence(alarm, language, calendar)]
        lines += alarm.facts.map { "\(language.of($0.label)): \(language.of($0.text))" }
        if let note = alarm.note {
            lines.append([alarm.actor ?? "", note].joined(separator: ": "))
        }
        lines.append("\(alarm.source) (\(language.of(AlarmWords.status(alarm.status))))")
        return lines.map(PlainLine.of).joined(separator: "\n")
    }
}
