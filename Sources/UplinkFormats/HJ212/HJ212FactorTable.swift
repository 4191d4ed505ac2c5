import LocatedText
import Telemetry

/// What a platform calls the points of a station, as data: `hj212-factors/1`.
///
/// Units are symbols of the vocabulary; whoever reads the vocabulary turns them into units.
package struct HJ212FactorTable: Hashable, Sendable {
    /// How well a line of the table is known.
    package enum Evidence: String, Hashable, Sendable, CaseIterable {
        case verified, secondary
        case fromMemory = "from-memory"
        case project
    }

    /// One point of the vocabulary.
    package struct Factor: Hashable, Sendable {
        package var point: PointKey
        package var code: String
        /// nil: the unit of particulates, which the platform has to say.
        package var unit: String?
        /// nil: that of the particulates' unit.
        package var decimals: Int?
        package var statistics: [Statistic]
        package var source: String
        package var evidence: Evidence
        package var location: Location
    }

    /// The unit of particulates when the uplink says none, and what to tell about it.
    package struct Particulates: Hashable, Sendable {
        package var unit: String
        /// By unit: the units that may be chosen.
        package var decimals: [String: Int]
        package var warning: LocalizedText
        package var source: String
        package var evidence: Evidence
    }

    package var particulates: Particulates
    /// By the name of the dialect.
    package var dialects: [String: [Factor]]

    /// How a point goes out; nil for one that the dialect does not know.
    ///
    /// - Parameters:
    ///   - particulates: the unit that the platform takes for them; nil is the table's.
    ///   - unit: finds the vocabulary's unit of a symbol; nil from it leaves the canonical unit.
    package func point(
        _ key: PointKey, dialect: String, particulates: String? = nil, unit: (String) -> Unit?
    ) -> UplinkPoint? {
        guard let factor = dialects[dialect]?.first(where: { $0.point == key }) else { return nil }
        let symbol = factor.unit ?? particulates ?? self.particulates.unit
        return UplinkPoint(
            name: factor.code, unit: unit(symbol),
            decimals: factor.decimals ?? self.particulates.decimals[symbol],
            statistics: factor.statistics)
    }

    /// Whether the unit of a point is the one that a packet does not tell.
    package func isParticulate(_ key: PointKey, dialect: String) -> Bool {
        dialects[dialect]?.contains { $0.point == key && $0.unit == nil } ?? false
    }
}
