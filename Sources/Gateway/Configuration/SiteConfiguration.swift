import Alarms
import EnergyAccounting
import LocatedText
import Store
import Telemetry
import WebAPI

/// Everything that the owner of a gateway decides, checked and typed (design 7.2).
///
/// After the reading nobody sees a text where an enumeration will do.
package struct SiteConfiguration: Sendable {
    /// What and where the site is.
    package struct Site: Hashable, Sendable {
        package var id: SiteID
        package var name: String
        package var timezone: String
        package var phase: String
        /// Square metres; nil leaves intensities unknown.
        package var floorArea: Double?
        package var occupants: Int?
    }

    /// Where and how durably readings are kept.
    package struct Data: Hashable, Sendable {
        package var directory: String
        package var durability: Durability = .power
        package var commitInterval: Duration = .seconds(1)
        package var retention = Retention()
        /// What the store may take on the disk, in bytes: 64 MiB or more.
        package var maximumBytes: Int64 = 8 << 30
    }

    /// How long each kind of data is kept.
    package struct Retention: Hashable, Sendable {
        package var raw: Duration = .seconds(30 * 86_400)
        package var minute: Duration = .seconds(2 * 86_400)
        package var quarterHour: Duration = .seconds(3 * 365 * 86_400)
        package var hour: Duration = .seconds(10 * 365 * 86_400)
        package var day: Duration = .seconds(20 * 365 * 86_400)
    }

    /// Whose word counts for the time of day.
    package enum ClockTrust: String, Hashable, Sendable, CaseIterable {
        /// The kernel says that it is synchronised.
        case kernel
        /// The wall clock is believed as it is.
        case system
    }

    /// A network address.
    package struct Endpoint: Hashable, Sendable {
        package var host: String
        package var port: Int
    }

    /// What people on the site call a device, in the two languages of the page.
    package struct Name: Hashable, Sendable {
        package var en: String
        package var zh: String
    }

    /// One device as the installer described it.
    package struct Device: Hashable, Sendable {
        package var id: DeviceID
        /// What people on the site call it, in one language or two; nil takes the profile's title.
        package var name: Name?
        package var profile: String
        package var interface: String?
        /// The Modbus unit id; nil takes the profile's.
        package var unit: Int?
        /// The device's own name on the broker.
        package var key: String?
        package var parameters: [String: Double]
        /// The points whose commands the site grants; nothing else of the device is ever written.
        package var commands: [PointKey] = []
        /// Points that are personal data and that the site keeps all the same.
        package var personal: [PointKey] = []
        /// The part of the site in which it stands; nil when nobody has said.
        package var area: String?
        /// False where the owner knows better than the profile's `identify`.
        package var checksIdentity = true
        package var location: Location
    }

    /// How a link reaches its devices.
    package enum Transport: Hashable, Sendable {
        case bus(BusAddress)
        case mqtt(MQTT)
        case hj212(HJ212)
    }

    /// One connection and the devices on it.
    package struct Link: Hashable, Sendable {
        package var id: String
        package var transport: Transport
        package var lateness: Duration?
        package var devices: [Device]
        package var location: Location
    }

    package var site: Site
    package var data: Data
    package var clockTrust: ClockTrust
    /// How long a step of the clock must last before it is believed; nil is the default.
    package var clockConfirmation: Duration?
    package var links: [Link]
    /// The meters, and what the site has decided about its accounts.
    package var energy: EnergyPlan
    package var alarms: [AlarmRule]
    package var circumstances: [Circumstance]
    /// nil: nobody says what counts as a lift.
    package var cranes: Cranes?
    package var feeds: [Feed]
    /// What else is told of alarms.
    package var evidence: [Evidence]
    /// What is switched while alarms stand.
    package var sprays: [Spray]
    /// nil: instructions come over the API alone.
    package var instructions: InstructionTopic?
    package var uplinks: [Uplink]
    package var listen: Endpoint
    /// Who may give instructions over the API.
    package var tokens: AccessTokens
}
