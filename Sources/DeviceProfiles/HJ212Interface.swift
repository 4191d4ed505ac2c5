import Frames
import LocatedText
import Telemetry

/// How a station reports over HJ 212.
package struct HJ212Interface: Sendable {
    /// The system codes that are taken; empty takes any.
    package var systems: Set<String>
    /// The data commands that are taken: real-time 2011, minute 2051, hour 2061, day 2031.
    package var commands: Set<String>
    package var checksum: HJ212Packet.Checksum
    /// Whether a checksum in lower case is one.
    package var acceptsLowerCase: Bool
    /// The name of the field that holds the time.
    package var timeField: String
    package var time: PayloadTime
    /// Whether a value without a data mark is a normal one.
    package var isUnmarkedNormal: Bool
    /// How often a packet is expected; nil: unknown, and so is the coverage.
    package var every: Duration?
    /// No packet for this long: the station is offline.
    package var silentAfter: Duration?
    package var points: [ProfilePoint]
    package var tests: [ProfileTest]
    package var location: Location

    /// The commands with measured values that a profile may ask for.
    package static let dataCommands: Set<String> = ["2011", "2051", "2061", "2031"]
    /// Those that no profile can ask for yet: 2025's raw data, single noise measurements and
    /// furnace means.
    package static let unreadDataCommands: Set<String> = ["2013", "2052", "2111"]
    /// What a station says of the moment and does not keep: its QN is that of now.
    package static let notices: Set<String> = ["1001", "1013", "9015"]
}

/// Where a value of HJ 212 is: `hj212/a34004`, or a name in full such as `hj212/LA-td`.
package struct HJ212Source: Hashable, Sendable {
    /// The factor, without what follows its last dash in a full name.
    package var factor: String
    /// The name in full, which is looked for in every packet; nil takes `-Rtd`, `-Avg` or `-Data`.
    package var fullName: String?
    /// Whether a missing data mark is a normal one; nil takes the interface's.
    package var isUnmarkedNormal: Bool?

    /// The names under which the value may stand in a packet with this command, best first.
    package func names(in command: String) -> [String] {
        if let fullName { return [fullName] }
        if command == "2011" { return ["\(factor)-Rtd"] }
        // The standard's noise packets give the mean of a period as Leq.
        let factors = factor == "LA" ? ["LA", "Leq"] : [factor]
        return factors.flatMap { ["\($0)-Avg", "\($0)-Data"] }
    }

    /// The name of the data mark that goes with the value `name`.
    package static func markName(of name: String) -> String {
        String(name.lastIndex(of: "-").map { name[..<$0] } ?? name[...]) + "-Flag"
    }
}
