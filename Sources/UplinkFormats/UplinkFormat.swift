import Telemetry

/// What a platform does with a second message for the same period.
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
    /// character that a topic filter would read as a wildcard. Empty: to the path itself.
    package var topicSuffix: String
    package var payload: [UInt8]
    /// The media type of `payload`, for carriers that tell it.
    package var contentType: String
    /// Further header fields, for carriers that have some.
    package var fields: [Field]
    /// Equal for every revision and every attempt of one item.
    package var idempotencyKey: String

    /// One header field.
    package struct Field: Hashable, Sendable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package init(
        topicSuffix: String, payload: [UInt8], contentType: String = "application/json",
        fields: [Field] = [], idempotencyKey: String
    ) {
        self.topicSuffix = topicSuffix
        self.payload = payload
        self.contentType = contentType
        self.fields = fields
        self.idempotencyKey = idempotencyKey
    }
}

/// Turns what is owed into the bytes that one kind of platform reads, and its answer into an
/// outcome.
///
/// An encoder is a pure function: the same items give the same bytes, so that a message which is
/// sent again after a restart is the same message. Platforms with which one has to converse are
/// `UplinkConversation`s instead.
package protocol UplinkFormat: Sendable {
    /// The name by which a configuration chooses the format, for example `plumbline-json/1`.
    var name: String { get }
    /// How the format carries a correction.
    var correction: CorrectionForm { get }
    /// The most items that one message may hold; 1: a message is one item.
    var batchLimit: Int { get }
    /// Encodes items; times bear the offset of `calendar`.
    ///
    /// - Parameter items: 1 to `batchLimit`, oldest first.
    func encode(_ items: [UplinkItem], calendar: SiteCalendar) -> EncodedMessage
    /// What has to be said once on a connection before these items are, in order.
    func introduction(of items: [UplinkItem]) -> [EncodedMessage]
    /// What the answer to a POST means for all items of the message.
    func outcome(of answer: HTTPAnswer) -> Outcome
    /// A message that is marked as a trial and counts for nothing; nil where the format has no room
    /// for one.
    func trial(of site: SiteID, at time: Timestamp, calendar: SiteCalendar) -> EncodedMessage?
}

extension UplinkFormat {
    package var batchLimit: Int { 1 }
    /// Nothing.
    package func introduction(of items: [UplinkItem]) -> [EncodedMessage] { [] }
    /// As the status says.
    package func outcome(of answer: HTTPAnswer) -> Outcome { answer.outcome }
    /// None.
    package func trial(
        of site: SiteID, at time: Timestamp, calendar: SiteCalendar
    ) -> EncodedMessage? { nil }

    /// Encodes one item.
    package func encode(_ item: UplinkItem, calendar: SiteCalendar) -> EncodedMessage {
        encode([item], calendar: calendar)
    }
}

/// The formats that need no file of their own.
package enum UplinkFormats {
    /// All of them, in the order in which `check` lists them. The conformance suite runs over it.
    package static let all: [any UplinkFormat] = [
        PlumblineJSONFormat(), RemoteWriteFormat(), InfluxLineFormat(), ThingsBoardFormat(),
    ]

    /// The format of that name, nil when there is none.
    package static func named(_ name: String) -> (any UplinkFormat)? {
        all.first { $0.name == name }
    }
}
