import Telemetry

/// What a platform does with a second message for the same bucket.
package enum CorrectionForm: String, Hashable, Sendable, CaseIterable {
    /// It replaces the first; the idempotency key is the same and the revision is higher.
    case replace
    /// It stands beside the first as a record of its own.
    case newRecord = "new_record"
    /// The format knows no corrections: nothing is sent again.
    case none
}

/// One message as it goes out.
package struct EncodedMessage: Hashable, Sendable {
    /// Where it goes below the uplink's own topic or path; no slash at either end, and no
    /// character that a topic filter would read as a wildcard.
    package var topicSuffix: String
    package var payload: [UInt8]
    /// Equal for every revision and every attempt of one item.
    package var idempotencyKey: String

    package init(topicSuffix: String, payload: [UInt8], idempotencyKey: String) {
        self.topicSuffix = topicSuffix
        self.payload = payload
        self.idempotencyKey = idempotencyKey
    }
}

/// Turns what is owed into the bytes that one kind of platform reads.
///
/// An encoder is a pure function: the same item gives the same bytes, so that a message which is
/// sent again after a restart is the same message.
package protocol UplinkFormat: Sendable {
    /// The name by which a configuration chooses the format, for example `plumbline-json/1`.
    var name: String { get }
    /// How the format carries a correction.
    var correction: CorrectionForm { get }
    /// Encodes one closed bucket of one scan group; times bear the offset of `calendar`.
    func encode(_ item: UplinkItem, calendar: SiteCalendar) -> EncodedMessage
}

/// The formats that the gateway speaks.
package enum UplinkFormats {
    /// All of them, in the order in which `check` lists them. The conformance suite runs over it.
    package static let all: [any UplinkFormat] = [PlumblineJSONFormat()]

    /// The format of that name, nil when there is none.
    package static func named(_ name: String) -> (any UplinkFormat)? {
        all.first { $0.name == name }
    }
}
