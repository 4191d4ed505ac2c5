import Telemetry

/// What a near miss came near to. The raw value is part of stored keys.
package enum NearMissKind: String, Hashable, Sendable, Codable, CaseIterable {
    /// The load came near the rated load.
    case load
    /// The load moment came near the rated moment.
    case moment
    /// The crane's own collision alarm or warning stood during a lift.
    case collision
    /// The wind was at the limit during a lift.
    case wind
}

/// A danger that did not become an accident or an overload.
package struct NearMiss: Hashable, Sendable, Codable {
    package var crane: DeviceID
    package var kind: NearMissKind
    package var start: Timestamp
    /// The first reading that was harmless again; the last reading of a truncated episode.
    package var end: Timestamp
    /// Percent or metres per second; nil for a collision, which is a word (`evidence`).
    package var peak: Double?
    /// The limit in force, in the unit of `peak`.
    package var limit: Double?
    package var evidence: CraneEvidence
    /// Readings at or beyond the limit.
    package var samples: Int
    /// The start of the lift it belongs to; nil outside of lifts.
    package var lift: Timestamp?
    /// Personal data; who was logged on at the start.
    package var operatorID: String?
    /// Readings ended before the danger did.
    package var isTruncated: Bool
    package var isBackfill: Bool

    /// The deterministic key of the near miss: `crane|kind|start`.
    package var key: String { "\(crane)|\(kind.rawValue)|\(start.milliseconds)" }
}

/// What was overloaded. The raw value is part of stored keys.
package enum OverloadQuantity: String, Hashable, Sendable, Codable, CaseIterable {
    case load, moment
}

/// How far an overload went, by the limits in force.
package enum OverloadLevel: String, Hashable, Sendable, Codable, CaseIterable {
    /// At least `LiftOptions.warningPercent`, below `overloadPercent`.
    case warning
    /// At least `LiftOptions.overloadPercent`.
    case overload
}

/// One stay of the load or the moment at or above the warning limit, within a lift or outside.
package struct OverloadEpisode: Hashable, Sendable, Codable {
    package var crane: DeviceID
    package var quantity: OverloadQuantity
    package var level: OverloadLevel
    package var start: Timestamp
    /// The first reading below the warning limit; the last reading of a truncated episode.
    package var end: Timestamp
    /// Percent of the rated load or moment.
    package var peak: Double
    package var evidence: CraneEvidence
    package var timeAtWarning: Duration
    package var timeAtOverload: Duration
    /// Readings at or above the warning limit; one alone may be a sensor's spike.
    package var samples: Int
    /// The start of the lift it belongs to; nil outside of lifts.
    package var lift: Timestamp?
    /// Personal data; who was logged on at the start.
    package var operatorID: String?
    /// Readings ended before the overload did.
    package var isTruncated: Bool
    package var isBackfill: Bool

    /// The deterministic key of the episode: `crane|quantity|start`.
    package var key: String { "\(crane)|\(quantity.rawValue)|\(start.milliseconds)" }
}

/// One finished record of a crane's work.
package enum CraneRecord: Hashable, Sendable {
    case lift(Lift)
    case overload(OverloadEpisode)
    case nearMiss(NearMiss)

    /// The record's deterministic key; with the case it is the identity.
    package var key: String {
        switch self {
        case .lift(let lift): lift.key
        case .overload(let episode): episode.key
        case .nearMiss(let miss): miss.key
        }
    }
}
