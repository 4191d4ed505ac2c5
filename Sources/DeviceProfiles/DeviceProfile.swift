import LocatedText
import Telemetry

/// What a file of `Devices/` says about one model of device.
package struct DeviceProfile: Sendable {
    /// The path of the file below `Devices/`, without `.yaml`: `acrel/adl3000`.
    package var id: String
    package var title: BilingualText
    package var vendor: BilingualText
    package var models: [String]
    package var firmware: String?
    /// Look-alikes that have another map.
    package var notThese: [String]
    /// A word of the schema, for example `meter.electric`.
    package var kind: String
    package var provenance: Provenance
    /// What the installer must say, by name.
    package var params: [String: ProfileParameter]
    /// Where the points of SunSpec models are; empty when no interface names any.
    package var sunspec = SunSpecModels()
    /// By name; each has its own points, because units and names differ by interface.
    package var interfaces: [String: ProfileInterface]
    /// Where the file begins.
    package var location: Location

    /// The names of the interfaces that speak `wanted`, sorted.
    package func interfaces(speaking wanted: FieldProtocol) -> [String] {
        interfaces.filter { $0.value.fieldProtocol == wanted }.map(\.key).sorted()
    }
}

/// A text in the two languages of the product.
package struct BilingualText: Hashable, Sendable {
    package var en: String
    package var zh: String
}

/// How well a profile is known, and from where.
package struct Provenance: Hashable, Sendable {
    /// Best first.
    package enum Status: String, Hashable, Sendable, CaseIterable {
        case measured
        case vendorDocument = "vendor-doc"
        case openSource = "open-source"
        case community
        case unverified

        /// Whether this status claims more than hearsay.
        var isAboveCommunity: Bool { self != .community && self != .unverified }
    }

    /// One source and what it covers (`addresses`, `types`, `fields`, …).
    package struct Source: Hashable, Sendable {
        package var ref: String
        package var covers: [String]
    }

    package var status: Status
    /// The day of the last check, `2026-11-21`.
    package var checked: String
    package var sources: [Source]
    package var openQuestions: [String]
}

/// A number that only the installer knows: a transformer ratio, a pulse weight.
package struct ProfileParameter: Hashable, Sendable {
    package var title: BilingualText
    package var isInteger: Bool
    /// The accepted values; empty when a range or nothing limits them.
    package var oneOf: [Double]
    package var minimum: Double?
    package var maximum: Double?
    package var defaultValue: Double
    /// Where the device itself offers the value.
    package var readFrom: RegisterSource?

    /// What is accepted, in words; nil when `value` is.
    package func refusal(of value: Double) -> String? {
        if !value.isFinite { return "a finite number" }
        if isInteger, value != value.rounded() { return "a whole number" }
        if !oneOf.isEmpty, !oneOf.contains(value) {
            return "one of \(oneOf.map { "\($0)" }.joined(separator: ", "))"
        }
        if let minimum, value < minimum { return "at least \(minimum)" }
        if let maximum, value > maximum { return "at most \(maximum)" }
        return nil
    }
}

/// The field protocols that profiles may describe.
package enum FieldProtocol: String, Hashable, Sendable, CaseIterable {
    case modbus
    case mqtt
    case hj212
    case dlt645
    case cjt188
}

/// One way to talk to the device.
package enum ProfileInterface: Sendable {
    case modbus(ModbusInterface)
    case mqtt(MQTTInterface)
    case hj212(HJ212Interface)
    /// DL/T 645 or CJ/T 188.
    case meter(MeterInterface)

    package var fieldProtocol: FieldProtocol {
        switch self {
        case .modbus: .modbus
        case .mqtt: .mqtt
        case .hj212: .hj212
        case .meter(let interface): interface.fieldProtocol
        }
    }

    /// The points in order of key.
    package var points: [ProfilePoint] {
        get {
            switch self {
            case .modbus(let interface): interface.points
            case .mqtt(let interface): interface.points
            case .hj212(let interface): interface.points
            case .meter(let interface): interface.points
            }
        }
        set {
            switch self {
            case .modbus(var interface):
                interface.points = newValue
                self = .modbus(interface)
            case .mqtt(var interface):
                interface.points = newValue
                self = .mqtt(interface)
            case .hj212(var interface):
                interface.points = newValue
                self = .hj212(interface)
            case .meter(var interface):
                interface.points = newValue
                self = .meter(interface)
            }
        }
    }

    /// The vectors by which the interface proves itself.
    package var tests: [ProfileTest] {
        switch self {
        case .modbus(let interface): interface.tests
        case .mqtt(let interface): interface.tests
        case .hj212(let interface): interface.tests
        case .meter(let interface): interface.tests
        }
    }
}
