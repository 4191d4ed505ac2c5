import Telemetry

/// What a template may say of a notice; `docs/formats/alarm-feed.md` tells each name.
///
/// Values are escaped here, for the channel that will show them, and stand on one line. A name
/// whose value is not known is left out, so that `{{#note}}…{{/note}}` passes over it. Names of
/// notices, alarms and facts differ wherever one may be missing: Mustache looks for a missing name
/// further out.
struct TemplateContext {
    let language: FeedLanguage
    let calendar: SiteCalendar
    let style: TextStyle
    /// How many alarms the text has room for.
    let listed: Int

    /// Every name that a template may use.
    static let names = Set([
        "site", "site_name", "kind", "notice_severity", "notice_time", "since", "total", "several",
        "others", "more", "markdown", "first", "alarms",
        "number", "key", "rule", "title", "severity", "colour", "module", "area", "device", "point",
        "series", "state", "onset", "raised", "changed", "standing", "lasted", "value", "limit",
        "window", "samples", "coverage", "source", "status", "unverified", "risk", "actor", "note",
        "facts", "label", "text",
    ]).union(AlarmNotice.Kind.allCases.map { "is_\($0.rawValue)" })

    /// The names of a notice.
    func notice(_ notice: AlarmNotice) -> [String: Any] {
        var context: [String: Any] = [
            "site": value(notice.site.text), "site_name": value(notice.siteName),
            "kind": value(AlarmWords.kind(notice.kind)), "is_\(notice.kind.rawValue)": true,
            "notice_severity": value(AlarmWords.severity(notice.severity)),
            "notice_time": value(FigureText.instant(notice.time, calendar)),
            "total": String(notice.total), "several": notice.total > 1,
            "markdown": style.isMarkdown,
            "alarms": notice.alarms.prefix(listed).enumerated().map {
                alarm($1, number: $0 + 1, at: notice.time)
            },
        ]
        if notice.since < notice.time {
            context["since"] = value(FigureText.instant(notice.since, calendar))
        }
        if notice.total > 1 { context["others"] = String(notice.total - 1) }
        let more = notice.total - min(listed, notice.alarms.count)
        if more > 0 { context["more"] = String(more) }
        if let first = notice.alarms.first {
            context["first"] = alarm(first, number: 1, at: notice.time)
        }
        return context
    }

    private func alarm(_ alarm: AlarmBrief, number: Int, at time: Timestamp) -> [String: Any] {
        let evidence = alarm.evidence
        var context: [String: Any] = [
            "number": String(number), "key": value(alarm.key), "rule": value(alarm.rule),
            "title": value(alarm.title), "severity": value(AlarmWords.severity(alarm.severity)),
            "module": value(alarm.module), "device": value(alarm.device),
            "point": value(alarm.point), "series": value(alarm.series.description),
            "state": value(AlarmWords.state(alarm.state)),
            "onset": value(FigureText.instant(alarm.onset, calendar)),
            "raised": value(FigureText.instant(alarm.raised, calendar)),
            "changed": value(FigureText.instant(alarm.changed, calendar)),
            "value": value(
                FigureText.quantity(
                    evidence.value, unit: evidence.unit, besides: evidence.limit)),
            "limit": value(FigureText.quantity(evidence.limit, unit: evidence.unit)),
            "samples": String(evidence.samples),
            "source": value(alarm.source), "status": value(AlarmWords.status(alarm.status)),
            "unverified": AlarmWords.isUnverified(alarm.status),
            "facts": alarm.facts.map { ["label": value($0.label), "text": value($0.text)] },
        ]
        // Since the breach began, because that is what people have been exposed to.
        switch alarm.state {
        case .pending, .activeUnacknowledged, .activeAcknowledged, .shelved, .suppressed,
            .outOfService:
            context["standing"] = value(FigureText.span(time - alarm.onset, language))
        case .normal, .returnedUnacknowledged, .latched:
            context["lasted"] = value(FigureText.span(alarm.changed - alarm.onset, language))
        }
        context["window"] = FigureText.window(evidence, calendar).map(value)
        context["coverage"] = evidence.coverage.map { value(FigureText.share($0)) }
        context["colour"] = alarm.colour.map(value)
        context["area"] = alarm.area.map(value)
        context["risk"] = alarm.risk.map(value)
        context["actor"] = alarm.actor.map(value)
        context["note"] = alarm.note.map(value)
        return context
    }

    private func value(_ text: String) -> String { style.value(text) }

    private func value(_ text: LocalizedText) -> String { style.value(language.of(text)) }
}
