/// Why a profile cannot be bound to a device as the site describes it.
package enum BindingError: Error, Hashable, Sendable, CustomStringConvertible {
    case unknownInterface(String, known: [String])
    case wrongProtocol(interface: String, is: FieldProtocol, wanted: FieldProtocol)
    case unknownParameter(String, known: [String])
    case parameterRefused(String, value: Double, accepted: String)
    /// The device's key cannot be one level of a topic.
    case badKey(String)
    /// The device's key is not the address of a meter.
    case badAddress(String, digits: Int)
    /// The device's key cannot be an MN.
    case badStation(String)
    /// The key does not name a Sparkplug node or device.
    case badSparkplugKey(String)

    package var description: String {
        switch self {
        case .unknownInterface(let name, let known):
            "the profile has no interface '\(name)'; it has \(known.joined(separator: ", "))"
        case .wrongProtocol(let name, let actual, let wanted):
            "the interface '\(name)' speaks \(actual.rawValue), not \(wanted.rawValue)"
        case .unknownParameter(let name, let known):
            "the profile has no parameter '\(name)'; "
                + (known.isEmpty ? "it has none" : "it has \(known.joined(separator: ", "))")
        case .parameterRefused(let name, let value, let accepted):
            "the parameter '\(name)' is \(value), accepted is \(accepted)"
        case .badAddress(let key, let digits):
            "the key '\(key)' is not the address of such a meter; write the \(digits) digits from its "
                + "face in quotes"
        case .badStation(let key):
            "the key '\(key)' cannot be an MN; write it as the station sends it"
        case .badKey(let key):
            "the key '\(key)' cannot be a level of a topic; write one without '/', '+' and '#'"
        case .badSparkplugKey(let key):
            "the key '\(key)' names no Sparkplug device; write GROUP/NODE/DEVICE, or GROUP/NODE for "
                + "the node's own metrics"
        }
    }
}

extension DeviceProfile {
    /// The value of each parameter: the installer's, else the default.
    func resolve(_ given: [String: Double]) throws(BindingError) -> [String: Double] {
        for (name, value) in given.sorted(by: { $0.key < $1.key }) {
            guard let parameter = params[name] else {
                throw .unknownParameter(name, known: params.keys.sorted())
            }
            if let accepted = parameter.refusal(of: value) {
                throw .parameterRefused(name, value: value, accepted: accepted)
            }
        }
        return params.mapValues(\.defaultValue).merging(given) { _, given in given }
    }

    func find(_ name: String) throws(BindingError) -> ProfileInterface {
        guard let found = interfaces[name] else {
            throw .unknownInterface(name, known: interfaces.keys.sorted())
        }
        return found
    }
}
