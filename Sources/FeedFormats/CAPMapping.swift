import Telemetry

/// How the house's words become those of CAP 1.2 (section 3.2.2).
///
///     severity  critical → Severe    warning → Moderate   info → Minor     other → Unknown
///     urgency   critical → Immediate warning → Expected   info → Future    (while it stands)
///               latched  → Expected  returned, normal → Past
///     certainty Observed where readings were judged, Unknown without any
///     response  critical → Execute   warning, info → Monitor               (while it stands)
///               latched  → Assess    returned, normal → AllClear
///
/// Never `Extreme`: that is "extraordinary threat to life or property", which no limit of a site
/// proves. Never `Likely`: an instrument has measured it or nobody knows.
enum CAPMapping {
    /// The type of a message: `Alert` is the first word about an alarm, `Update` and `Cancel`
    /// refer to earlier ones.
    enum MessageType: String {
        case alert = "Alert"
        case update = "Update"
        case cancel = "Cancel"
    }

    /// What a notice means for one of its alarms; nil when CAP has nothing to say of it, because
    /// nobody has been alarmed: it is pending, or was pending and has gone, or was silenced before
    /// it was raised.
    static func messageType(of alarm: AlarmBrief, in notice: AlarmNotice) -> MessageType? {
        switch notice.kind {
        case .raised, .storm, .escalation: .alert
        case .reminder, .chattering: .update
        case .returned: .cancel
        case .change: change(from: notice.from, to: alarm.state)
        case .digest:
            if hasEnded(alarm.state) {
                .cancel
            } else {
                alarm.raised > notice.since ? .alert : .update
            }
        }
    }

    private static func change(from: AlarmState?, to state: AlarmState) -> MessageType? {
        let wasTold = !(from == nil || from == .normal || from == .pending)
        switch state {
        case .pending: return nil
        case .activeUnacknowledged, .activeAcknowledged: return wasTold ? .update : .alert
        case .returnedUnacknowledged, .normal: return wasTold ? .cancel : nil
        case .latched, .shelved, .suppressed, .outOfService: return wasTold ? .update : nil
        }
    }

    private static func hasEnded(_ state: AlarmState) -> Bool {
        state == .returnedUnacknowledged || state == .normal
    }

    static func severity(_ severity: String) -> String {
        switch severity {
        case "critical": "Severe"
        case "warning": "Moderate"
        case "info": "Minor"
        default: "Unknown"
        }
    }

    static func urgency(_ alarm: AlarmBrief) -> String {
        if hasEnded(alarm.state) { return "Past" }
        if alarm.state == .latched { return "Expected" }
        switch alarm.severity {
        case "critical": return "Immediate"
        case "warning": return "Expected"
        case "info": return "Future"
        default: return "Unknown"
        }
    }

    static func certainty(_ evidence: AlarmEvidence) -> String {
        evidence.samples > 0 ? "Observed" : "Unknown"
    }

    /// The event category by module; what is not in the table is `Safety`, the site's own matter.
    static func category(_ module: String) -> String {
        switch module {
        case "dust", "noise", "air", "water", "environment": "Env"
        case "wind", "weather", "rain": "Met"
        case "energy", "power", "electricity", "device", "link", "gateway": "Infra"
        case "fire", "smoke": "Fire"
        case "gas": "CBRNE"
        case "access", "intrusion": "Security"
        default: "Safety"
        }
    }

    /// What is asked of those who read it, as CAP's word and in words.
    static func response(_ alarm: AlarmBrief) -> (type: String, instruction: LocalizedText) {
        if hasEnded(alarm.state) {
            return (
                "AllClear",
                LocalizedText(
                    en: "The value is back in its range. Acknowledge the alarm if that is open.",
                    zh: "数值已恢复正常。如尚未确认，请确认该报警。")
            )
        }
        if alarm.state == .latched {
            return (
                "Assess",
                LocalizedText(
                    en: "Look for the cause on the spot, then reset the alarm.",
                    zh: "请到现场查明原因，然后复位该报警。")
            )
        }
        if alarm.severity == "critical" {
            return (
                "Execute",
                LocalizedText(
                    en: "Act by the site's emergency plan, and acknowledge the alarm.",
                    zh: "请按现场应急预案处置，并确认该报警。")
            )
        }
        return (
            "Monitor",
            LocalizedText(
                en: "Look after it, and acknowledge the alarm.", zh: "请关注并处理，并确认该报警。")
        )
    }
}
