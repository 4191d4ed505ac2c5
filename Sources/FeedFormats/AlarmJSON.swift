import Telemetry

/// `plumbline-alarm/1`: one JSON object for each notice, with everything that is known of it.
///
///     {"format":"plumbline-alarm/1",
///      "id":        equal for every attempt; also the idempotency key
///      "site", "site_name",
///      "kind":      "change" | "raised" | "returned" | "reminder" | "escalation"
///                   | "chattering" | "storm" | "digest"
///      "severity":  the gravest among the alarms: "info" | "warning" | "critical"
///      "time":      when it happened, RFC 3339 with the site's offset
///      "since":     the start of the span of a digest; equal to "time" otherwise
///      "from":      the state before, of a "change"
///      "total":     how many alarms it is about; "alarms" lists at most 20 of them
///      "alarms": [ {"key", "rule", "title": {"en", "zh"}, "severity", "colour",
///                   "module", "area", "device": {"id", "en", "zh"},
///                   "point": {"key", "en", "zh"}, "series": "<site>/<device>/<point>",
///                   "state", "onset", "raised", "changed",
///                   "evidence": {"value", "unit", "limit", "window_start", "window_end",
///                                "samples", "coverage"},
///                   "source", "status", "risk", "actor", "note",
///                   "facts": [ {"label": {"en", "zh"}, "text": {"en", "zh"}} … ]} … ]}
///
/// Keys stand in this order. What is not known is `null`. `docs/formats/alarm-feed.md` tells each
/// field.
package enum AlarmJSON {
    /// The value of the field `format`.
    package static let name = "plumbline-alarm/1"

    /// The message that tells `notice`.
    static func message(_ notice: AlarmNotice, calendar: SiteCalendar) -> FeedMessage {
        FeedMessage(
            contentType: "application/json", body: body(notice, calendar: calendar),
            idempotencyKey: notice.id)
    }

    /// The object alone.
    package static func body(_ notice: AlarmNotice, calendar: SiteCalendar) -> [UInt8] {
        var json = JSONWriter(capacity: 512 + 1024 * notice.alarms.count)
        json.object {
            $0.field("format", name)
            $0.field("id", notice.id)
            $0.field("site", notice.site.text)
            $0.field("site_name", notice.siteName)
            $0.field("kind", notice.kind.rawValue)
            $0.field("severity", notice.severity)
            $0.field("time", calendar.rfc3339(notice.time))
            $0.field("since", calendar.rfc3339(notice.since))
            $0.field("from", notice.from?.rawValue)
            $0.field("total", notice.total)
            $0.key("alarms")
            $0.array {
                for alarm in notice.alarms { write(alarm, of: notice.site, calendar, to: &$0) }
            }
        }
        return json.bytes
    }

    private static func write(
        _ alarm: AlarmBrief, of site: SiteID, _ calendar: SiteCalendar, to json: inout JSONWriter
    ) {
        let series = alarm.series
        json.object {
            $0.field("key", alarm.key)
            $0.field("rule", alarm.rule)
            $0.texts("title", alarm.title)
            $0.field("severity", alarm.severity)
            $0.field("colour", alarm.colour)
            $0.field("module", alarm.module)
            $0.field("area", alarm.area)
            $0.texts("device", alarm.device, "id", series.device.text)
            $0.texts("point", alarm.point, "key", series.point.text)
            $0.field("series", "\(site)/\(series.device)/\(series.point)")
            $0.field("state", alarm.state.rawValue)
            $0.field("onset", calendar.rfc3339(alarm.onset))
            $0.field("raised", calendar.rfc3339(alarm.raised))
            $0.field("changed", calendar.rfc3339(alarm.changed))
            $0.key("evidence")
            write(alarm.evidence, of: site, calendar, to: &$0)
            $0.field("source", alarm.source)
            $0.field("status", alarm.status)
            $0.field("risk", alarm.risk)
            $0.field("actor", alarm.actor)
            $0.field("note", alarm.note)
            $0.key("facts")
            $0.array {
                for fact in alarm.facts {
                    $0.object {
                        $0.texts("label", fact.label)
                        $0.texts("text", fact.text)
                    }
                }
            }
        }
    }

    private static func write(
        _ evidence: AlarmEvidence, of site: SiteID, _ calendar: SiteCalendar,
        to json: inout JSONWriter
    ) {
        json.object {
            $0.field("value", evidence.value)
            $0.field("word", evidence.word)
            $0.field("unit", evidence.unit)
            $0.field("limit", evidence.limit)
            $0.field("window_start", calendar.rfc3339(evidence.windowStart))
            $0.field("window_end", calendar.rfc3339(evidence.windowEnd))
            $0.field("samples", evidence.samples)
            $0.field("coverage", evidence.coverage)
            $0.key("others")
            $0.array { list in
                for other in evidence.others {
                    list.object {
                        $0.field("series", "\(site)/\(other.series.device)/\(other.series.point)")
                        $0.field("value", other.value)
                        $0.field("word", other.word)
                        $0.field("unit", other.unit)
                    }
                }
            }
        }
    }
}

extension JSONWriter {
    /// A text in both languages, after the identity of what it names.
    fileprivate mutating func texts(
        _ key: String, _ text: LocalizedText, _ identityKey: String? = nil, _ identity: String = ""
    ) {
        self.key(key)
        object {
            if let identityKey { $0.field(identityKey, identity) }
            $0.field("en", text.en)
            $0.field("zh", text.zh)
        }
    }
}
