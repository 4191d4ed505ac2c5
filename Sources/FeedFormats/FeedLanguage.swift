import Telemetry

/// The language in which a feed speaks to people.
package enum FeedLanguage: String, Hashable, Sendable, Codable, CaseIterable {
    case zh
    case en

    /// The language tag of RFC 5646, for XML and mail.
    package var tag: String { self == .zh ? "zh-CN" : "en" }

    /// The part of a text that is in this language.
    package func of(_ text: LocalizedText) -> String { self == .zh ? text.zh : text.en }
}
