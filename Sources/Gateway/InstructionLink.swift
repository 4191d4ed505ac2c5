import Alarms
import FieldLinks
import Store
import Telemetry
import WebAPI

/// Takes what people want done over MQTT, and answers.
///
///     <topic>/give   InstructionForm as JSON, with its `token`; QoS 1
///     <topic>/done   { "request": …, "changes": 1 } or { "request": …, "code": …, "detail": …, "remedy": … }
///
/// A message is acknowledged when it is acted upon or refused. What comes twice is done once: a
/// message that names no `request` is known by its own hash. Retained messages are of no time and
/// are passed over.
final class InstructionLink: Sendable {
    private let link: MQTTLink
    private let topic: String
    private let tokens: AccessTokens
    private let instructions: AlarmInstructions
    private let wallClock: any WallClock

    /// Bytes of one instruction.
    private static let longest = 16 * 1024

    init(
        _ endpoint: MQTTEndpoint, topic: String, tokens: AccessTokens,
        instructions: AlarmInstructions, clock: LinkClock, wallClock: any WallClock,
        onEvent: @escaping @Sendable (MQTTLinkEvent) -> Void
    ) throws(DescriptorBudgetError) {
        var options = MQTTLink.Options()
        options.window = 1
        options.maximumPayload = Self.longest
        link = try MQTTLink(
            endpoint, subscriptions: [.init(filter: topic + "/give")], options: options,
            clock: clock, onEvent: onEvent)
        self.topic = topic
        self.tokens = tokens
        self.instructions = instructions
        self.wallClock = wallClock
    }

    func stop() { link.stop() }

    func run() async {
        await link.run { batch in
            for message in batch.messages where !message.isRetained {
                try await self.take(message)
            }
            return {}
        }
    }

    private func take(_ message: MQTTMessage) async throws {
        let id = "mqtt-" + StableHash.hex(String(decoding: message.payload, as: UTF8.self))
        do {
            guard message.oversize == nil else {
                throw InstructionForm.Mistake(
                    field: "", what: "the message is longer than \(Self.longest) bytes",
                    remedy: "say it shorter")
            }
            let form = try InstructionForm.read(message.payload)
            guard let holder = form.token.flatMap({ tokens.holder(of: $0) }) else {
                return answer(
                    form.request ?? id, "unknown_token", "nobody is known by that token",
                    "put the token under 'token'; 'plumbline token' makes one")
            }
            guard holder.role >= form.role else {
                return answer(
                    form.request ?? id, "role_too_low",
                    "'\(holder.name)' is \(holder.role.rawValue), \(form.role.rawValue) is needed",
                    "ask who administers the gateway")
            }
            let instruction = try form.instruction(
                id: id, actor: holder.name, now: wallClock.read().wall)
            let record = try await instructions.give(instruction)
            var json = JSONWriter()
            json.object {
                $0.field("request", record.id)
                $0.field("action", record.verb)
                $0.field("subject", record.subject)
                $0.field("changes", record.changes)
            }
            link.send(topic + "/done", json.bytes)
        } catch let mistake as InstructionForm.Mistake {
            answer(id, "bad_field", mistake.what, mistake.remedy)
        } catch let refusal as InstructionRefusal where !refusal.passes {
            answer(id, "refused", refusal.mistake.what, refusal.mistake.remedy)
        }
    }

    private func answer(_ id: String, _ code: String, _ detail: String, _ remedy: String) {
        var json = JSONWriter()
        json.object {
            $0.field("request", id)
            $0.field("code", code)
            $0.field("detail", detail)
            $0.field("remedy", remedy)
        }
        link.send(topic + "/done", json.bytes)
    }
}

extension InstructionRefusal {
    /// Whether asking again later may help; then the message is not acknowledged and comes again.
    fileprivate var passes: Bool {
        switch self {
        case .timeNotTrusted, .slow: true
        case .unknownAlarm, .unknownRule, .unknownCircumstance, .unknownState: false
        }
    }
}
