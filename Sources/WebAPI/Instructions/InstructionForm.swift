import Alarms
import Foundation
import Telemetry

/// What a person wants, as JSON brings it, over HTTP or MQTT:
///
///     { "action": "acknowledge", "alarm": "pm10_15min|dust-north.pm10|1795305600000",
///       "request": "9f0c…", "note": "spray started" }
///
///     action       alarm   rule, series   besides
///     acknowledge  yes
///     comment      yes                    note
///     shelve               yes            until or for, note
///     unshelve             yes
///     take_out             yes            note
///     put_back             yes
///     hazard       yes                    step: open (owner, deadline), rectified (note),
///                                         closed (note), reopened (deadline)
///
/// `request` is chosen by the sender and makes giving it twice giving it once. Without `series` all
/// series of the rule are meant. `for` is a duration in seconds, times are RFC 3339 with an offset.
package struct InstructionForm: Decodable, Sendable {
    /// A mistake in a form: which field, what is wrong, what to do.
    package struct Mistake: Error, Hashable, Sendable {
        package var field: String
        package var what: String
        package var remedy: String

        package init(field: String, what: String, remedy: String) {
            self.field = field
            self.what = what
            self.remedy = remedy
        }
    }

    package var action: String?
    package var alarm: String?
    package var rule: String?
    package var series: String?
    package var request: String?
    package var note: String?
    package var until: String?
    package var seconds: Double?
    package var step: String?
    package var owner: String?
    package var deadline: String?
    /// Over MQTT only: over HTTP it is in the header.
    package var token: String?

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case action, alarm, rule, series, request, note, until, step, owner, deadline, token
        case seconds = "for"
    }

    package init() {}

    /// Reads a form.
    ///
    /// - Throws: `Mistake` for what is no JSON object, or has a field of another type or name.
    package static func read(_ bytes: [UInt8]) throws(Mistake) -> InstructionForm {
        if bytes.allSatisfy({ $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }) {
            return InstructionForm()
        }
        do {
            let data = Data(bytes)
            let fields = try JSONSerialization.jsonObject(with: data) as? [String: Any]
            let known = Set(CodingKeys.allCases.map(\.rawValue))
            if let strange = fields?.keys.sorted().first(where: { !known.contains($0) }) {
                throw Mistake(
                    field: strange, what: "'\(strange)' is not known here",
                    remedy: "known: \(known.sorted().joined(separator: ", "))")
            }
            return try JSONDecoder().decode(Self.self, from: data)
        } catch let mistake as Mistake {
            throw mistake
        } catch let DecodingError.typeMismatch(_, context) {
            let field = context.codingPath.first?.stringValue ?? ""
            throw Mistake(
                field: field, what: "'\(field)' has the wrong type",
                remedy: field == "for" ? "a number of seconds" : "a text in quotes")
        } catch {
            throw Mistake(
                field: "", what: "the body is no JSON object",
                remedy: "for example { \"note\": \"…\" }")
        }
    }

    /// The longest note, in characters.
    package static let longestNote = 2000
    /// The longest time for which an alarm can be shelved.
    package static let longestShelf = Duration.seconds(31 * 86_400)

    /// The instruction that the form asks for.
    ///
    /// - Parameters:
    ///   - id: taken where the form names no `request`.
    ///   - now: the time of asking.
    /// - Throws: `Mistake`.
    package func instruction(
        id: String, actor: String, now: Timestamp
    ) throws(Mistake) -> AlarmInstruction {
        let id = request ?? id
        guard (1...64).contains(id.utf8.count),
            id.utf8.allSatisfy({
                (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0)
                    || (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x2E || $0 == 0x5F
            })
        else {
            throw Mistake(
                field: "request", what: "'request' is not a name for a request",
                remedy: "1 to 64 letters, digits, '.', '-' and '_', for example a UUID")
        }
        if let note, note.count > Self.longestNote {
            throw Mistake(
                field: "note", what: "the note is longer than \(Self.longestNote) characters",
                remedy: "say it shorter")
        }
        let words = note.flatMap { $0.contains { !$0.isWhitespace } ? $0 : nil }
        return AlarmInstruction(
            id: id, time: now, actor: actor, action: try wanted(now, words), note: words)
    }

    private func wanted(
        _ now: Timestamp, _ note: String?
    ) throws(Mistake) -> AlarmInstruction.Action {
        func need(_ field: String, _ remedy: String) -> Mistake {
            Mistake(field: field, what: "'\(field)' is missing", remedy: remedy)
        }
        switch action {
        case "acknowledge": return .acknowledge(try key())
        case "comment":
            guard note != nil else { throw need("note", "say what is to be kept") }
            return .comment(try key())
        case "shelve":
            guard note != nil else { throw need("note", "say why it is shelved") }
            return .shelve(try target(), until: try end(now))
        case "take_out":
            guard note != nil else { throw need("note", "say why it is out of service") }
            return .takeOut(try target())
        case "unshelve", "put_back": return .unsilence(try target())
        case "hazard": return .hazard(try key(), try hazardStep(note))
        case let other:
            throw Mistake(
                field: "action",
                what: other.map { "'\($0)' is no action" } ?? "'action' is missing",
                remedy: "acknowledge, comment, shelve, unshelve, take_out, put_back or hazard")
        }
    }

    private func key() throws(Mistake) -> AlarmKey {
        if let key = alarm.flatMap({ AlarmKey($0) }) { return key }
        throw Mistake(
            field: "alarm", what: alarm.map { "'\($0)' is not an alarm" } ?? "'alarm' is missing",
            remedy: "the 'id' of an alarm in /api/v1/alarms")
    }

    private func target() throws(Mistake) -> AlarmTarget {
        guard let rule, !rule.isEmpty, !rule.contains("|") else {
            throw Mistake(
                field: "rule", what: "'rule' is missing",
                remedy: "the 'rule' of an alarm in /api/v1/alarms")
        }
        guard let series else { return AlarmTarget(rule: rule) }
        guard let id = SeriesID(series), !series.contains("|") else {
            throw Mistake(
                field: "series", what: "'\(series)' is not a series",
                remedy: "for example 'dust-north.pm10'; leave it out for all of the rule")
        }
        return AlarmTarget(rule: rule, series: id)
    }

    private func end(_ now: Timestamp) throws(Mistake) -> Timestamp {
        let end: Timestamp
        switch (until, seconds) {
        case (let text?, nil):
            guard let time = Timestamp(rfc3339: text) else {
                throw Mistake(
                    field: "until", what: "'\(text)' is not a time",
                    remedy: "RFC 3339 with an offset: 2026-11-21T18:00:00+08:00")
            }
            end = time
        case (nil, let seconds?) where seconds.isFinite && abs(seconds) < 1e9:
            end = now + .milliseconds(Int64(seconds * 1000))
        default:
            throw Mistake(
                field: "until", what: "shelving has one end",
                remedy: "'until' with a time, or 'for' with a number of seconds")
        }
        guard end > now, end - now <= Self.longestShelf else {
            throw Mistake(
                field: until == nil ? "for" : "until",
                what: "shelving ends after now and within 31 days",
                remedy: "what is to be silent for longer is taken out of service")
        }
        return end
    }

    private func hazardStep(_ note: String?) throws(Mistake) -> AlarmInstruction.HazardStep {
        func due() throws(Mistake) -> Timestamp {
            if let time = deadline.flatMap({ Timestamp(rfc3339: $0) }) { return time }
            throw Mistake(
                field: "deadline", what: "a hazard has a deadline",
                remedy: "RFC 3339 with an offset: 2026-11-21T18:00:00+08:00")
        }
        switch step {
        case "open":
            guard let owner, owner.contains(where: { !$0.isWhitespace }), owner.count <= 200 else {
                throw Mistake(
                    field: "owner", what: "a hazard has an owner", remedy: "who puts it right")
            }
            return .open(owner: owner, deadline: try due())
        case "reopened": return .reopened(deadline: try due())
        case "rectified", "closed":
            guard note != nil else {
                throw Mistake(
                    field: "note", what: "'note' is missing",
                    remedy: step == "closed" ? "say what proves it" : "say what was done")
            }
            return step == "closed" ? .closed : .rectified
        default:
            throw Mistake(
                field: "step", what: "a step is open, rectified, closed or reopened",
                remedy: "name one of them")
        }
    }

    /// The role that may ask for it.
    package var role: AccessTokens.Role {
        action == "take_out" || action == "put_back" ? .administrator : .operator
    }
}
