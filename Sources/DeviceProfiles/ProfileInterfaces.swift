import LocatedText
import Telemetry

/// How a device speaks Modbus.
package struct ModbusInterface: Sendable {
    /// The settings of the serial line as delivered.
    package struct SerialLine: Hashable, Sendable {
        package var baud: Int
        package var dataBits: Int
        package var parity: String
        package var stopBits: Int
    }

    /// How the device wants to be connected to over TCP.
    package struct TCP: Hashable, Sendable {
        package var port: Int?
        /// The pause between connecting and the first request.
        package var afterConnect: Duration?
        package var idleClose: Duration?
        package var connections: Int?
    }

    /// What the device can take in one request, and how long it may need.
    package struct Limits: Hashable, Sendable {
        /// Registers a request, 1 to 125.
        package var maxRegisters: Int
        /// Coils a request, 1 to 2000.
        package var maxBits: Int
        package var responseTimeout: Duration
        /// The pause between a reply and the next request.
        package var quietTime: Duration
        /// How many undeclared registers a merged read may cross.
        package var joinGaps: Int
    }

    /// A condition by which a scan tells look-alikes apart; kept as data.
    package struct Identification: Sendable {
        package var source: RegisterSource
        package var between: ClosedRange<Double>?
        package var equals: String?
        /// The read has to be refused.
        package var isAbsent: Bool
    }

    /// A write that profile and site may allow; kept as data.
    package struct Command: Sendable {
        package var key: PointKey
        package var area: RegisterArea
        package var address: Int
        package var function: Int
        package var values: [String: Int]
        package var confirm: PointKey
        package var safe: String?
        package var revertAfter: Duration?
        package var minInterval: Duration?
    }

    package var unit: Int
    package var serial: SerialLine?
    package var tcp: TCP?
    package var limits: Limits
    /// The only reads allowed, if any are named.
    package var blocks: [RegisterRequest]
    package var identify: [Identification]
    /// Poll classes and how often each is read.
    package var polls: [String: Duration]
    package var points: [ProfilePoint]
    package var commands: [Command]
    package var tests: [ProfileTest]
    /// The addresses of SunSpec points are found on the device.
    package var isDiscovered: Bool
    package var location: Location
}

/// How a device publishes over MQTT.
package struct MQTTInterface: Sendable {
    /// What says of which device a message, or an element of one, is.
    package enum DeviceKey: Hashable, Sendable {
        /// The level of the topic where the pattern has `{device}`.
        case topic
        case payload(PayloadPlace)
        /// The name of the member, where `each` is an object.
        case memberName
    }

    /// A condition that a message or element must meet to belong to the interface.
    package struct Selector: Hashable, Sendable {
        package var place: PayloadPlace
        /// Any of these.
        package var texts: [String]
    }

    /// With `{device}` in place of the level that names the device, if one does.
    package var topicPattern: String
    package var qos: Int
    package var format = PayloadFormat.json
    package var deviceKey = DeviceKey.topic
    /// The list whose elements are of different devices.
    package var each: JSONPath?
    /// The list whose elements are scans of one device at different times.
    package var samples: JSONPath?
    package var select: [Selector] = []
    /// Where the payload repeats the device's key.
    package var agree: PayloadPlace?
    package var time: PayloadTime
    /// No message for this long: the device is offline.
    package var silentAfter: Duration?
    /// How often a message is expected; nil: unknown, and so is the coverage.
    package var every: Duration?
    package var points: [ProfilePoint]
    package var tests: [ProfileTest]
    package var location: Location
}

/// One vector: raw bytes in, canonical values out.
package struct ProfileTest: Sendable {
    /// What the decoder is given: registers, a message, or bytes from a line.
    package enum Given: Sendable {
        case registers([RegisterArea: [Int: UInt16]])
        /// The last is the one that is looked at; those before it may set the stage.
        case messages([Message], device: String?)
        /// A packet of HJ 212 with its line end.
        case packet([UInt8])
        /// What stood on the line of a meter with this address.
        case meterFrames(key: String, [[UInt8]])
    }

    /// A message of a vector.
    package struct Message: Sendable {
        package var topic: String
        package var payload: [UInt8]
    }

    /// What one point must read; nil for no value.
    package struct Expectation: Sendable {
        package var key: PointKey
        /// nil: no value.
        package var value: Value?
        package var location: Location
    }

    package var name: String
    package var given: Given
    package var parameters: [String: Double]
    package var expect: [Expectation]
    /// The time that the scan must bear.
    package var time: Timestamp?
    package var location: Location
}
