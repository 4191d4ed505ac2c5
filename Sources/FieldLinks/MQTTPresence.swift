import Telemetry

/// One message to be published.
package struct MQTTPublication: Hashable, Sendable {
    package var topic: String
    package var payload: [UInt8]
    /// 0 or 1.
    package var qos: Int
    /// Whether the broker keeps it for who subscribes later.
    package var isRetained: Bool

    package init(topic: String, payload: [UInt8], qos: Int = 1, isRetained: Bool = false) {
        self.topic = topic
        self.payload = payload
        self.qos = min(1, max(0, qos))
        self.isRetained = isRetained
    }
}

/// What a publisher says of itself on each connection, and what it hears.
///
///     connect with `will` ─▶ subscribe ─▶ say `greeting` ─▶ publish what is asked … ─▶ say `farewell`
///                                          hear messages meanwhile                    lost ─▶ the
///                                                                                     broker says `will`
///
/// All closures run on the publisher's thread and must not block. Connections are numbered from 1;
/// an attempt that fails uses its number up.
package struct MQTTPresence: Sendable {
    /// What the broker publishes when it loses the connection of this number; nil: nothing.
    package var will: @Sendable (_ connection: Int) -> MQTTPublication? = { _ in nil }
    /// What is said first, before anything that was asked for.
    package var greeting: @Sendable (MQTTLine) -> [MQTTPublication] = { _ in [] }
    /// What is said last when this side leaves; the broker forgets the will then.
    package var farewell: @Sendable (MQTTLine) -> [MQTTPublication] = { _ in [] }
    /// The connection is over, for whatever reason.
    package var ended: @Sendable (_ connection: Int) -> Void = { _ in }
    /// The topics to listen to.
    package var subscriptions: [MQTTLink.Subscription] = []
    /// Takes what comes on them; a payload above 256 KiB comes as `oversize`.
    package var hears: @Sendable (MQTTMessage, MQTTLine) -> Void = { _, _ in }

    package init() {}
}

/// One connection of a publisher, to say something on this one or not at all.
package struct MQTTLine: Sendable {
    /// Which connection of the publisher it is.
    package let number: Int
    let mailbox: PublishMailbox
    let wakeUp: WakeUp

    /// Hands messages over in their order, at once and without an acknowledgement; what is handed
    /// over before leaves before. A connection that is over takes nothing.
    package func post(_ publications: [MQTTPublication]) {
        mailbox.post(publications, on: number)
        wakeUp.ring()
    }

    /// Asks the publisher to say its farewell on this connection, to leave, and to connect again.
    package func leave() {
        mailbox.leave(number)
        wakeUp.ring()
    }
}
