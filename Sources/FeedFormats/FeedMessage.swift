/// One message as it goes out to a feed; how it travels is the caller's part.
package struct FeedMessage: Hashable, Sendable {
    /// The media type, for the header `Content-Type`.
    package var contentType: String
    package var body: [UInt8]
    /// Equal for every attempt of the same message, different for every other message.
    package var idempotencyKey: String

    package init(contentType: String, body: [UInt8], idempotencyKey: String) {
        self.contentType = contentType
        self.body = body
        self.idempotencyKey = idempotencyKey
    }
}

/// What a format needs to know beside the notice; each format looks at its own part only.
package struct FeedSettings: Hashable, Sendable {
    package var cap: CAPSettings
    package var mail: MailEnvelope

    package init(cap: CAPSettings = CAPSettings(), mail: MailEnvelope = .local) {
        self.cap = cap
        self.mail = mail
    }
}
