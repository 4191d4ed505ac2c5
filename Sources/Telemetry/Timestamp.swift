/// An instant: milliseconds since 1970-01-01T00:00:00Z, leap seconds ignored, as POSIX counts.
///
/// Range: every `Int64`. Rendering is defined for the years 0001 to 9999.
package struct Timestamp: Hashable, Comparable, Sendable, Codable {
    /// Milliseconds since the epoch.
    package var milliseconds: Int64

    package init(milliseconds: Int64) { self.milliseconds = milliseconds }

    package static func < (a: Self, b: Self) -> Bool { a.milliseconds < b.milliseconds }

    package static func + (a: Self, b: Duration) -> Self {
        Self(milliseconds: a.milliseconds &+ b.milliseconds)
    }

    package static func - (a: Self, b: Duration) -> Self {
        Self(milliseconds: a.milliseconds &- b.milliseconds)
    }

    package static func - (a: Self, b: Self) -> Duration {
        .milliseconds(a.milliseconds &- b.milliseconds)
    }

    /// The start of the slot of length `period` that holds this instant; slots are multiples of
    /// `period` of UTC. A period below one millisecond leaves the instant as it is.
    package func slot(every period: Duration) -> Timestamp {
        let length = period.milliseconds
        guard length > 0 else { return self }
        return Timestamp(milliseconds: milliseconds &- milliseconds.modulo(length))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(milliseconds)
    }

    package init(from decoder: any Decoder) throws {
        milliseconds = try decoder.singleValueContainer().decode(Int64.self)
    }
}

extension Duration {
    /// The whole milliseconds of this duration, rounded toward zero and clamped to `Int64`.
    package var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        if overflow { return seconds < 0 ? .min : .max }
        return product &+ attoseconds / 1_000_000_000_000_000
    }
}

extension Int64 {
    /// The remainder that lies in `0 ..< divisor`, also for negative numbers.
    package func modulo(_ divisor: Int64) -> Int64 {
        let remainder = self % divisor
        return remainder < 0 ? remainder + divisor : remainder
    }
}
