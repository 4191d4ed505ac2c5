import Telemetry

/// One message of the Common Alerting Protocol that was sent before.
package struct CAPReference: Hashable, Sendable {
    package var sender: String
    package var identifier: String
    package var sent: Timestamp

    package init(sender: String, identifier: String, sent: Timestamp) {
        self.sender = sender
        self.identifier = identifier
        self.sent = sent
    }
}

/// What a receiver of CAP messages is told beside the alarm.
package struct CAPSettings: Hashable, Sendable {
    /// Whether to act on it.
    package enum Status: String, Hashable, Sendable, CaseIterable {
        case actual = "Actual"
        case exercise = "Exercise"
        case test = "Test"
    }

    /// Who may read it. A site's alarm is never `Public`: it is no warning to the population.
    package enum Scope: Hashable, Sendable {
        /// For those whom the text describes.
        case restricted(String)
        /// For these addresses only (`Private`).
        case addressed([String])
    }

    /// Who sends; unique in the world. Without one: `plumbline@<site>.plumbline.local`.
    package var sender: String?
    package var status: Status
    package var scope: Scope
    /// How long a message holds unless another one follows.
    package var validity: Duration
    /// What this receiver was sent before, by the alarm's key. An alarm that is not in it counts
    /// as told once, when it was raised; one with an empty list as never told.
    package var earlier: [String: [CAPReference]]

    package init(
        sender: String? = nil, status: Status = .actual,
        scope: Scope = .restricted("Construction site staff and supervising authority"),
        validity: Duration = .seconds(86_400), earlier: [String: [CAPReference]] = [:]
    ) {
        self.sender = sender
        self.status = status
        self.scope = scope
        self.validity = validity
        self.earlier = earlier
    }
}
