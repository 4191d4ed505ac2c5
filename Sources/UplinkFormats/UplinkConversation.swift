import Telemetry

/// When something happens in a conversation, on the two clocks that it needs.
package struct ConversationTime: Hashable, Sendable {
    /// Since some instant in the past; never stands still, never goes back: for deadlines.
    package var elapsed: Duration
    /// For what is written into messages.
    package var wall: Timestamp
    /// Whether `wall` is to be believed; a conversation says nothing that bears a time before.
    package var isTrusted: Bool

    package init(elapsed: Duration, wall: Timestamp, isTrusted: Bool = true) {
        self.elapsed = elapsed
        self.wall = wall
        self.isTrusted = isTrusted
    }
}

/// What the platform asks for from the past.
package struct HistoryRequest: Hashable, Sendable {
    /// Names the request within its conversation.
    package var number: Int
    /// The kind of item, as in `UplinkItem.kind`.
    package var kind: String
    package var scope: String
    /// The first start of a period that is asked for.
    package var from: Timestamp
    /// The last one; it belongs to what is asked for.
    package var through: Timestamp
    /// Only so many of them, those that begin last; nil: all.
    package var newest: Int?

    package init(
        number: Int, kind: String, scope: String, from: Timestamp, through: Timestamp,
        newest: Int? = nil
    ) {
        self.number = number
        self.kind = kind
        self.scope = scope
        self.from = from
        self.through = through
        self.newest = newest
    }
}

/// What a conversation wants done, in order.
package enum ConversationStep: Hashable, Sendable {
    /// Put these bytes on the wire.
    case send([UInt8])
    /// The item of this ticket is done with, for now or for good.
    case settle(ticket: Int, Outcome)
    /// Look this up and hand it in with `found`.
    case look(HistoryRequest)
    /// Keep this; the next conversation begins with it.
    case set(PlatformSetting)
    /// Something worth a line in the log or in a transcript; secrets are hidden.
    case note(ConversationNote)
    /// End the connection, and why.
    case close(reason: String)
}

/// One line of a conversation as a person may read it.
package struct ConversationNote: Hashable, Sendable {
    /// Whose words they are; `thought` is what the gateway makes of them.
    package enum Direction: String, Hashable, Sendable { case sent, received, thought }
    package var direction: Direction
    /// Without passwords and keys.
    package var text: String

    package init(_ direction: Direction, _ text: String) {
        self.direction = direction
        self.text = text
    }
}

/// A conversation with one platform as a value, without sockets and clocks: what came goes in, what
/// is to be done comes out.
///
///     open ──▶ [send log-in …]          receive(bytes) ──▶ [send …, settle …, look …, set …]
///     submit(item, ticket) ──▶ [send]   wake at `deadline` ──▶ [send again …, settle …, close]
///     closed ──▶ [settle all that was under way]
///
/// Each ticket is settled exactly once. Bytes may be cut anywhere. After `.close` the owner closes
/// the socket and calls `closed`.
package protocol UplinkConversation: Sendable {
    /// How the protocol carries a correction.
    var correction: CorrectionForm { get }
    /// How many more items may be submitted now; 0 before the log-in is through.
    var room: Int { get }
    /// When `wake` wants to be called, on the clock of `ConversationTime.elapsed`; nil: never.
    var deadline: Duration? { get }
    /// The connection stands, the first one or the next after `closed`.
    mutating func open(at time: ConversationTime) -> [ConversationStep]
    /// Takes one item over.
    ///
    /// - Parameter ticket: names it until it is settled.
    mutating func submit(
        _ item: UplinkItem, ticket: Int, at time: ConversationTime
    ) -> [ConversationStep]
    /// Takes what the platform sent.
    mutating func receive(_ bytes: [UInt8], at time: ConversationTime) -> [ConversationStep]
    /// Takes a part of what a `.look` asked for, oldest first.
    mutating func found(
        _ items: [UplinkItem], for request: HistoryRequest, isLast: Bool, at time: ConversationTime
    ) -> [ConversationStep]
    /// The deadline has come.
    mutating func wake(at time: ConversationTime) -> [ConversationStep]
    /// The connection is over; every ticket that is open is settled as to be tried again.
    mutating func closed(reason: String, at time: ConversationTime) -> [ConversationStep]
}
