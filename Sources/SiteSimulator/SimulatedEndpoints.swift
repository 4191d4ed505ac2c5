import Telemetry

/// Where the devices of a running simulation are reached.
package struct SimulatedEndpoints: Hashable, Sendable {
    /// One device's place.
    package enum Place: Hashable, Sendable {
        case modbus(host: String, port: Int, unit: Int)
        case mqtt(host: String, port: Int, topic: String, key: String)
    }

    /// The port of each Modbus link on 127.0.0.1, by the link's id.
    package internal(set) var modbusPorts: [String: Int] = [:]
    /// The broker to which the others publish.
    package internal(set) var broker: Broker?
    package internal(set) var devices: [DeviceID: Place] = [:]

    /// A broker's address.
    package struct Broker: Hashable, Sendable {
        package var host: String
        package var port: Int
        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }
}
