import Telemetry

/// OASIS Common Alerting Protocol 1.2, namespace `urn:oasis:names:tc:emergency:cap:1.2`.
///
/// One message for each alarm, because a receiver updates and cancels messages one by one; several
/// of one notice share `<incidents>`. What a notice counts but does not list is not told.
///
///     <alert>  identifier  <site>/<alarm's key>/<ms of the instant that it is about>
///              sender, sent, status, msgType, scope, restriction | addresses,
///              references  sender,identifier,sent of earlier messages (Update and Cancel)
///              incidents   the alarm's key, and the notice when it is about several alarms
///     <info>   once for each language: language, category, event, responseType, urgency,
///              severity, certainty, effective, onset, expires, senderName, headline,
///              description, instruction, parameter …, area
///
/// Elements stand in the order of the schema. Times have whole seconds and a numeric offset;
/// CAP forbids `Z` and writes UTC as `-00:00` (section 3.3.2).
///
/// `sent` is when the alarm was raised or changed its state; for messages that repeat (reminder,
/// escalation, chattering, digest) the time of the notice. So the first message about an alarm can
/// be named by later ones although nothing is remembered.
struct CAPFormat {
    let settings: CAPSettings
    let calendar: SiteCalendar
    /// The language of the first `<info>`.
    let first: FeedLanguage

    /// One message for each alarm about which there is something to say.
    func messages(_ notice: AlarmNotice) -> [FeedMessage] {
        notice.alarms.compactMap { alarm in
            guard let type = CAPMapping.messageType(of: alarm, in: notice) else { return nil }
            return FeedMessage(
                contentType: "application/cap+xml", body: body(alarm, of: notice, type: type),
                idempotencyKey: "\(notice.id)|\(alarm.key)")
        }
    }

    private func body(
        _ alarm: AlarmBrief, of notice: AlarmNotice, type: CAPMapping.MessageType
    ) -> [UInt8] {
        let sent = sent(alarm, of: notice)
        var references: [CAPReference] = []
        if type != .alert {
            references = settings.earlier[alarm.key] ?? [reference(alarm, at: alarm.raised, notice)]
        }
        // An update of nothing is the first message about the alarm.
        let type = references.isEmpty ? .alert : type
        var xml = XMLWriter()
        xml.element("alert", ["xmlns": "urn:oasis:names:tc:emergency:cap:1.2"]) {
            $0.leaf("identifier", identifier(alarm, at: sent, notice))
            $0.leaf("sender", sender(notice))
            $0.leaf("sent", dateTime(sent))
            $0.leaf("status", settings.status.rawValue)
            $0.leaf("msgType", type.rawValue)
            switch settings.scope {
            case .restricted(let restriction):
                $0.leaf("scope", "Restricted")
                $0.leaf("restriction", restriction)
            case .addressed(let addresses):
                $0.leaf("scope", "Private")
                $0.leaf("addresses", Self.list(addresses))
            }
            if !references.isEmpty {
                $0.leaf(
                    "references",
                    references.map {
                        "\(Self.token($0.sender)),\(Self.token($0.identifier)),\(dateTime($0.sent))"
                    }.joined(separator: " "))
            }
            let incidents = notice.total > 1 ? [alarm.key, notice.id] : [alarm.key]
            $0.leaf("incidents", Self.list(incidents))
            for language in [first] + FeedLanguage.allCases.filter({ $0 != first }) {
                info(alarm, of: notice, sent: sent, language, to: &$0)
            }
        }
        return xml.bytes
    }

    private func info(
        _ alarm: AlarmBrief, of notice: AlarmNotice, sent: Timestamp, _ language: FeedLanguage,
        to xml: inout XMLWriter
    ) {
        let response = CAPMapping.response(alarm)
        xml.element("info") {
            $0.leaf("language", language.tag)
            $0.leaf("category", CAPMapping.category(alarm.module))
            $0.leaf("event", PlainLine.of(language.of(alarm.title)))
            $0.leaf("responseType", response.type)
            $0.leaf("urgency", CAPMapping.urgency(alarm))
            $0.leaf("severity", CAPMapping.severity(alarm.severity))
            $0.leaf("certainty", CAPMapping.certainty(alarm.evidence))
            $0.leaf("effective", dateTime(sent))
            $0.leaf("onset", dateTime(alarm.onset))
            $0.leaf("expires", dateTime(sent + settings.validity))
            $0.leaf("senderName", PlainLine.of(notice.siteName))
            $0.leaf("headline", headline(alarm, of: notice, language))
            $0.leaf("description", description(alarm, language))
            $0.leaf("instruction", language.of(response.instruction))
            for (name, value) in parameters(alarm, of: notice) {
                $0.element("parameter") {
                    $0.leaf("valueName", name)
                    $0.leaf("value", value)
                }
            }
            $0.element("area") {
                let place = [notice.siteName, alarm.area ?? "", language.of(alarm.device)]
                $0.leaf(
                    "areaDesc",
                    place.map(PlainLine.of).filter { !$0.isEmpty }.joined(separator: ", "))
            }
        }
    }

    /// At most 160 characters, as section 3.2.2 recommends.
    private func headline(
        _ alarm: AlarmBrief, of notice: AlarmNotice, _ language: FeedLanguage
    ) -> String {
        let words = [
            language.of(AlarmWords.kind(notice.kind)), language.of(alarm.title),
            language.of(alarm.device), notice.siteName,
        ]
        return PlainLine.of(words.joined(separator: " – "), count: 160)
    }

    private func description(_ alarm: AlarmBrief, _ language: FeedLanguage) -> String {
        var lines = [AlarmWords.evidence(alarm, language, calendar)]
        lines += alarm.facts.map { "\(language.of($0.label)): \(language.of($0.text))" }
        lines.append("\(alarm.source) (\(language.of(AlarmWords.status(alarm.status))))")
        return lines.map(PlainLine.of).joined(separator: "\n")
    }

    /// The figures as they were judged, not rounded for reading.
    private func parameters(
        _ alarm: AlarmBrief, of notice: AlarmNotice
    ) -> [(String, String)] {
        let evidence = alarm.evidence
        let known: [(String, String?)] = [
            ("value", FigureText.exact(evidence.value)),
            ("unit", evidence.unit),
            ("limit", FigureText.exact(evidence.limit)),
            ("window_start", calendar.rfc3339(evidence.windowStart)),
            ("window_end", calendar.rfc3339(evidence.windowEnd)),
            ("samples", String(evidence.samples)),
            ("coverage", evidence.coverage.flatMap(FigureText.exact)),
            ("alarm", alarm.key), ("rule", alarm.rule),
            ("series", "\(notice.site)/\(alarm.series.device)/\(alarm.series.point)"),
            ("severity", alarm.severity), ("colour", alarm.colour), ("state", alarm.state.rawValue),
            ("module", alarm.module), ("status", alarm.status), ("risk", alarm.risk),
            ("actor", alarm.actor), ("note", alarm.note),
        ]
        return known.compactMap { name, value in value.map { (name, $0) } }
    }

    // MARK: Identity

    private func sent(_ alarm: AlarmBrief, of notice: AlarmNotice) -> Timestamp {
        switch notice.kind {
        case .raised, .storm: alarm.raised
        case .change, .returned: alarm.changed
        case .reminder, .escalation, .chattering, .digest: notice.time
        }
    }

    private func reference(
        _ alarm: AlarmBrief, at time: Timestamp, _ notice: AlarmNotice
    ) -> CAPReference {
        CAPReference(
            sender: sender(notice), identifier: identifier(alarm, at: time, notice), sent: time)
    }

    private func identifier(
        _ alarm: AlarmBrief, at time: Timestamp, _ notice: AlarmNotice
    ) -> String {
        Self.token("\(notice.site)/\(alarm.key)/\(time.milliseconds)")
    }

    private func sender(_ notice: AlarmNotice) -> String {
        Self.token(settings.sender ?? "plumbline@\(notice.site).plumbline.local")
    }

    /// Without spaces, commas, `<` and `&`, which identifiers and senders may not hold.
    private static func token(_ text: String) -> String {
        Encodings.percent(text, keeping: "/|:@%")
    }

    /// Values between spaces; those with a space stand in quotes.
    private static func list(_ values: [String]) -> String {
        values.map(PlainLine.of).map {
            $0.contains(" ") ? "\"" + $0.filter { $0 != "\"" } + "\"" : $0
        }.joined(separator: " ")
    }

    private func dateTime(_ time: Timestamp) -> String {
        let seconds = time.slot(every: .seconds(1))
        let offset = calendar.offset(at: seconds)
        let text = seconds.rfc3339(offset: offset)
        return offset == 0 ? text.dropLast() + "-00:00" : text
    }
}
