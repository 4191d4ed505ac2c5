import LocatedText
import Telemetry

/// One point of an interface: where its raw value is, and how it becomes a canonical value.
package struct ProfilePoint: Sendable {
    package var key: PointKey
    package var description: PointDescription
    package var origin: PointOrigin
    /// Sentinels, as raw bits of exactly the value's width (Modbus).
    package var invalidBits: [UInt64] = []
    /// Sentinels as text (MQTT).
    package var invalidTexts: [String] = []
    package var bits: ClosedRange<Int>?
    package var scale: PointScale = .number(1)
    /// In the device's unit.
    package var offset = 0.0
    /// Names of parameters whose product multiplies the value.
    package var times: [String] = []
    /// What the device sends after scale, offset and times; nil for states and text.
    package var unit: Unit?
    /// The plausible range in the device's unit.
    package var valid: ClosedRange<Double>?
    /// Raw code to word, for states; a code that is not listed is no value.
    package var values: [String: String] = [:]
    /// Bit to word, for states that are bit fields: the gravest word whose bit is set counts, and
    /// the quantity's first word when none is.
    package var flags: [Int: String] = [:]
    /// The modulus is in the device's unit, before `times`.
    package var counter: CounterPolicy?
    /// The poll class (Modbus).
    package var poll = ""
    /// Read by a request of its own.
    package var isAlone = false
    package var isOptional = false
    /// Personal data: dropped from every scan.
    package var isPersonal = false
    /// A change commits at once.
    package var isUrgent = false
    package var doc: String?
    package var note: String?
    package var status: Provenance.Status?
    package var location: Location
}

/// What multiplies the raw number.
package enum PointScale: Hashable, Sendable {
    case number(Double)
    case parameter(String)
    /// 10 to the power of sign × register + bias.
    case power10(RegisterSource, sign: Int, bias: Int)
}

/// Where the raw value is.
package enum PointOrigin: Sendable {
    case register(RegisterSource)
    /// Integer and fraction in different registers.
    case sum([SumPart])
    /// A place in a message; true: a text of zeros and ones, the rightmost is bit 0.
    case payload(PayloadPlace, isBitText: Bool)
    /// A factor of HJ 212.
    case factor(HJ212Source)
    /// A place in the data of a meter's item.
    case meter(MeterSource)

    /// One summand and what multiplies it.
    package struct SumPart: Hashable, Sendable {
        package var source: RegisterSource
        package var scale: Double
    }
}

/// The four address spaces of Modbus.
package enum RegisterArea: String, Hashable, Sendable, CaseIterable {
    case coil, discrete, input, holding

    /// Whether one address holds one bit instead of sixteen.
    package var isBits: Bool { self == .coil || self == .discrete }
}

/// Which half of a value comes first.
package enum HalfOrder: String, Hashable, Sendable, CaseIterable {
    case highFirst = "high_first"
    case lowFirst = "low_first"
}

/// The type of a raw value in registers.
package enum RegisterType: String, Hashable, Sendable, CaseIterable {
    case bool, uint16, int16, uint32, int32, uint64, int64, float32, float64, bcd16, bcd32, text

    /// Registers that a value takes; texts say their own length.
    package var registers: Int {
        switch self {
        case .bool, .uint16, .int16, .bcd16, .text: 1
        case .uint32, .int32, .float32, .bcd32: 2
        case .uint64, .int64, .float64: 4
        }
    }
}

/// How the bits of a number are meant.
package enum RegisterEncoding: String, Hashable, Sendable, CaseIterable {
    /// Two's complement for signed types.
    case plain = "twos_complement"
    /// The top bit is the sign.
    case signMagnitude = "sign_magnitude"
    /// Each word counts 0 to 9999.
    case mod10k
    /// |v| > 1 stands for 2 − v, or −2 − v.
    case powerFactorQuadrant = "power_factor_quadrant"
}

/// One raw value in registers. Addresses are 0-based, as on the wire.
package struct RegisterSource: Hashable, Sendable {
    package var area: RegisterArea
    package var address: Int
    package var type: RegisterType
    /// Registers, or 1 for a coil.
    package var count: Int
    package var wordOrder: HalfOrder
    package var byteOrder: HalfOrder
    package var encoding: RegisterEncoding = .plain
    /// The SunSpec model that the value belongs to; its address is found on the device.
    package var model: Int?
    /// The device does not have the model, or has not been searched.
    package var isUnplaced = false

    package var addresses: Range<Int> { address..<(address + count) }
}
