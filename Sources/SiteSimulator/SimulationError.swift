import Glibc

/// Why the simulated site cannot run.
package enum SimulationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The library has no profile that a simulated device needs.
    case missingProfile(device: String, profile: String)
    /// A profile has no interface of the protocol by which the device is simulated, or refuses it.
    case unusableProfile(device: String, profile: String, reason: String)
    /// A scan group that was handed in is not the one that the profile makes.
    case foreignGroup(scope: String, reason: String)
    /// The operating system refused something.
    case system(doing: String, number: Int32)

    package var description: String {
        switch self {
        case .missingProfile(let device, let profile):
            "the simulated device \(device) follows \(profile), which the profile library lacks; "
                + "add Devices/\(profile).yaml"
        case .unusableProfile(let device, let profile, let reason):
            "the simulated device \(device) cannot follow \(profile): \(reason)"
        case .foreignGroup(let scope, let reason):
            "the scan group \(scope) is not the simulated one: \(reason)"
        case .system(let doing, let number):
            "\(doing): \(String(cString: strerror(number)))"
        }
    }
}
