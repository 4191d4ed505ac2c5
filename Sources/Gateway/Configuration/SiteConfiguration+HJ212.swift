import FieldLinks
import Frames
import LocatedText

//  hj212: listen://0.0.0.0:9212          where stations call; they need no address of their own
//  password: { credential: stations }    or { file: /etc/plumbline/stations }; default: any
//  crc: modbus                           for stations that use Modbus's CRC; default: the profile's
//  idle_close: 2 h                       a connection that brings nothing for so long is closed
//  history_after: 1 h                    what is older when it arrives raises no notification

extension SiteConfiguration {
    /// Where stations that speak HJ 212 call, and what is asked of them.
    package struct HJ212: Hashable, Sendable {
        package var listen: Endpoint
        /// nil accepts any password.
        package var password: Secret?
        package var passwordLocation: Location
        /// nil takes that of each station's profile.
        package var checksum: HJ212Packet.Checksum?
        package var idleClose = Duration.seconds(7200)
        package var historyAfter = Duration.seconds(3600)

        /// Takes the keys of a link that listens for stations.
        static func parse(
            at address: LocatedNode, _ reader: inout MappingReader, _ faults: FaultCollector
        ) -> Self {
            let endpoint = Endpoint.parse(address, scheme: "listen", defaultPort: 9212, faults)
            var link = Self(
                listen: endpoint ?? Endpoint(host: "", port: 0),
                passwordLocation: address.location)
            if let node = reader.optional("password") {
                link.password = Secret.parse(node, faults)
                link.passwordLocation = node.location
            }
            link.checksum = reader.optional("crc")?.word(
                HJ212Packet.Checksum.allCases.map { ($0.rawValue, $0) }, faults)
            if let node = reader.optional("idle_close"), let value = node.duration(faults) {
                // A station may report as seldom as once an hour.
                if value >= .seconds(60), value <= .seconds(86_400) {
                    link.idleClose = value
                } else {
                    faults.add(node.location, "idle_close lies between 1 min and 24 h")
                }
            }
            if let node = reader.optional("history_after"), let value = node.duration(faults) {
                link.historyAfter = value
            }
            return link
        }

        /// The listener's options for stations with these profiles.
        func options(checksums: Set<HJ212Packet.Checksum>) -> HJ212Listener.Options {
            var options = HJ212Listener.Options()
            options.rules = HJ212Stream.Rules(checksums: checksums)
            options.idleClose = idleClose
            return options
        }
    }
}
