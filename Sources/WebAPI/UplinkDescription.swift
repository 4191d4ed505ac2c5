import EnergyAccounting
import Telemetry

/// One platform, as people are told of it.
package struct UplinkDescription: Hashable, Sendable {
    package var id: String
    /// Where it is, without secrets.
    package var address: String
    /// What it is told in.
    package var format: String
    /// The stations that it is told of, and the series in each; empty when it is told of devices.
    package var stations: [String: Set<SeriesID>]

    package init(
        id: String, address: String = "", format: String = "",
        stations: [String: Set<SeriesID>] = [:]
    ) {
        self.id = id
        self.address = address
        self.format = format
        self.stations = stations
    }

    /// For the compliance ledger, which reads by itself how it stands.
    package var platform: ComplianceLedger.Platform {
        ComplianceLedger.Platform(uplink: id, stations: stations)
    }
}
