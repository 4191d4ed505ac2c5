import Hummingbird
import LocatedText

/// Why an instruction was not taken.
package enum InstructionRefusal: Error, Hashable, Sendable {
    /// There is no such alarm.
    case unknownAlarm(String)
    /// No rule has that name.
    case unknownRule(String, known: [String])
    /// Nothing is known of a circumstance.
    case unknownCircumstance(String, known: [String])
    /// A circumstance has no such word.
    case unknownState(String, of: String, known: [String])
    /// The time of day is not trusted, so nobody could say when it was.
    case timeNotTrusted
    /// It is taken and not acted upon yet.
    case slow

    /// What is wrong, and what to do, in words.
    package var mistake: InstructionForm.Mistake {
        func unknown(_ field: String, _ word: String, _ known: [String]) -> InstructionForm.Mistake
        {
            InstructionForm.Mistake(
                field: field, what: "there is no \(field) '\(word)'",
                remedy: Spelling.nearest(to: word, among: known).map { "did you mean '\($0)'?" }
                    ?? "known here: \(known.sorted().prefix(20).joined(separator: ", "))")
        }
        switch self {
        case .unknownAlarm(let key):
            return InstructionForm.Mistake(
                field: "alarm", what: "there is no alarm '\(key)'",
                remedy: "the 'id' of an alarm in /api/v1/alarms")
        case .unknownRule(let name, let known): return unknown("rule", name, known)
        case .unknownCircumstance(let id, let known): return unknown("circumstance", id, known)
        case .unknownState(let word, _, let known): return unknown("state", word, known)
        case .timeNotTrusted:
            return InstructionForm.Mistake(
                field: "", what: "the gateway does not know the time yet",
                remedy: "wait until its clock is synchronised; see 'clock' in /api/v1/site")
        case .slow:
            return InstructionForm.Mistake(
                field: "", what: "it is taken, and not acted upon within ten seconds",
                remedy: "ask again with the same 'request': it is done once")
        }
    }

    var problem: Problem {
        let mistake = mistake
        let (status, code, title): (HTTPResponse.Status, String, String) =
            switch self {
            case .unknownAlarm: (.notFound, "unknown_alarm", "Unknown alarm")
            case .unknownRule: (.notFound, "unknown_rule", "Unknown rule")
            case .unknownCircumstance:
                (.notFound, "unknown_circumstance", "Unknown circumstance")
            case .unknownState: (.badRequest, "unknown_state", "Unknown state")
            case .timeNotTrusted: (.serviceUnavailable, "time_not_trusted", "The time is not known")
            case .slow: (.serviceUnavailable, "not_yet", "Not acted upon yet")
            }
        return Problem(
            status: status, code: code, title: title, detail: mistake.what,
            field: mistake.field.isEmpty ? nil : mistake.field, remedy: mistake.remedy,
            headers: status == .serviceUnavailable ? [.retryAfter: "5"] : [:])
    }
}
