import Telemetry

/// One device of the simulated site: which profile it follows and where it is reached.
package struct SimulatedDevice: Hashable, Sendable, Identifiable {
    /// How a device is told from its neighbours.
    package enum Address: Hashable, Sendable {
        /// A unit on a Modbus bus.
        case unit(Int)
        /// The name in the topics of a broker.
        case key(String)
    }

    package let id: DeviceID
    /// The profile's id, for example `renke/louvre-500`.
    package let profile: String
    /// The link on which the configuration lists it; devices of one link share one bus.
    package let link: String
    package let address: Address
    /// What an installer would have to say, by the profile's parameter names.
    package let parameters: [String: Double]

    init(
        _ id: String, _ profile: String, link: String, _ address: Address,
        parameters: [String: Double] = [:]
    ) {
        self.id = DeviceID(id)
        self.profile = profile
        self.link = link
        self.address = address
        self.parameters = parameters
    }

    /// The unit on the bus; nil for a device behind the broker.
    package var unit: Int? { if case .unit(let unit) = address { unit } else { nil } }
    /// The key in the topics; nil for a device on a bus.
    package var key: String? { if case .key(let key) = address { key } else { nil } }
}
