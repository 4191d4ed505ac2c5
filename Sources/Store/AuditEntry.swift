import Telemetry

/// One entry of the audit chain.
package struct AuditEntry: Hashable, Sendable {
    package var sequence: Int64
    package var time: Timestamp
    /// Who did it: a user, a role or `gateway`.
    package var actor: String
    /// What was done, for example `configuration.changed`.
    package var action: String
    package var detail: String
    /// SHA-256 over the hash before and this entry's fields.
    package var hash: [UInt8]

    package init(
        sequence: Int64, time: Timestamp, actor: String, action: String, detail: String,
        hash: [UInt8]
    ) {
        self.sequence = sequence
        self.time = time
        self.actor = actor
        self.action = action
        self.detail = detail
        self.hash = hash
    }
}

/// What a walk along the audit chain found.
package enum AuditVerdict: Hashable, Sendable {
    /// Every entry carries the hash it should.
    case intact(entries: Int)
    /// The first entry that does not.
    case broken(atSequence: Int64)
}
