/// A value of a reading, in the canonical unit of its series.
package enum Value: Hashable, Sendable {
    case number(Double)
    /// A state's word or free text.
    case text(String)

    /// The number, or nil for text.
    package var number: Double? { if case .number(let n) = self { n } else { nil } }
}

/// Why a reading has no value. The raw value is stored: never renumber, only append.
package enum BadReason: UInt8, Hashable, Sendable, Codable, CaseIterable {
    /// The payload or block did not hold the point.
    case absent = 1
    /// A sentinel, NaN, infinity, a wrong type or a digit that cannot be.
    case invalid = 2
    /// Outside the profile's plausible range.
    case outOfRange = 3
    /// A state code that the profile does not list.
    case unknownCode = 4
    /// An old value that the device or broker repeated.
    case stale = 5
    /// No answer in time.
    case timeout = 6
    /// The device answered with a Modbus exception.
    case exception = 7
    /// An answer that does not belong to the request, or is too short.
    case foreignAnswer = 8
    /// The link is not connected.
    case disconnected = 9
    /// The slot passed before its poll could be made.
    case missed = 10
    /// The message could not be read at all.
    case malformed = 11
    /// The device that answers is not the one that the profile describes.
    case notIdentified = 12

    /// The word used in answers, tables and files: lower case with underscores.
    package var word: String {
        switch self {
        case .absent: "absent"
        case .invalid: "invalid"
        case .outOfRange: "out_of_range"
        case .unknownCode: "unknown_code"
        case .stale: "stale"
        case .timeout: "timeout"
        case .exception: "exception"
        case .foreignAnswer: "foreign_answer"
        case .disconnected: "disconnected"
        case .missed: "missed"
        case .malformed: "malformed"
        case .notIdentified: "not_identified"
        }
    }
}

/// What a device said about one point: a good value, or the reason why there is none.
///
/// Absent is never zero, and a failed read is never the value before it.
package enum Reading: Hashable, Sendable {
    case good(Value)
    case bad(BadReason)

    /// A good number.
    package static func number(_ n: Double) -> Reading { .good(.number(n)) }
    /// A good word or free text.
    package static func text(_ t: String) -> Reading { .good(.text(t)) }

    package var value: Value? { if case .good(let v) = self { v } else { nil } }
    package var number: Double? { value?.number }
    package var isGood: Bool { value != nil }
    /// `good`, or the reason's word.
    package var qualityWord: String {
        switch self {
        case .good: "good"
        case .bad(let reason): reason.word
        }
    }
}
