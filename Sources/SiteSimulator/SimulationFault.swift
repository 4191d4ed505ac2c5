import Synchronization
import Telemetry

/// How a simulated device misbehaves.
package enum SimulationFault: Hashable, Sendable {
    /// It does not answer, or publishes nothing.
    case silent
    /// Every request is refused with this Modbus exception; a device behind a broker is silent.
    case exception(UInt8)
    /// Every answer comes this much later, and the bus waits for it as a real one does; a message
    /// bears the time and the values of so long ago.
    case late(Duration)
    /// Bytes that are no answer at all; a payload that is no message.
    case garbage
    /// An answer to another request: its transaction does not match. A device behind a broker
    /// publishes under its neighbour's key.
    case foreign
    /// Values, and the clock in the device's messages, stand still at this instant.
    case frozen(at: Timestamp)
    /// Every answer comes byte by byte, with a pause of a few milliseconds behind each; a message
    /// is published as ever.
    case byteByByte
    /// The answer bears the number of the next unit. A device behind a broker publishes under its
    /// neighbour's key.
    case wrongUnit
    /// The answer holds one register, or one bit, less than was asked for; a message ends half-way.
    case short
    /// Noise that never ends an answer: the bus is full of it for a second; a message is noise.
    case babbling
    /// An answer with the values in other places comes first, under the transaction before; the
    /// right one follows. A device behind a broker repeats the message before.
    case swapped
}

extension SimulationFault {
    /// The words of a command line, each with an example where one takes a figure.
    package static let words = [
        "silent", "exception=6", "late=500ms", "garbage", "foreign", "frozen", "byte-by-byte",
        "wrong-unit", "short", "babbling", "swapped",
    ]

    /// Reads one of `words`; nil when it is none.
    ///
    /// - Parameter now: the instant at which `frozen` stands still.
    package init?(_ text: String, now: Timestamp) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        switch (parts.first, parts.count) {
        case ("silent", 1): self = .silent
        case ("exception", 2):
            guard let code = UInt8(parts[1]), (1...11).contains(code) else { return nil }
            self = .exception(code)
        case ("late", 2):
            guard parts[1].hasSuffix("ms"), let delay = Int(parts[1].dropLast(2)),
                (1...600_000).contains(delay)
            else { return nil }
            self = .late(.milliseconds(delay))
        case ("garbage", 1): self = .garbage
        case ("foreign", 1): self = .foreign
        case ("frozen", 1): self = .frozen(at: now)
        case ("byte-by-byte", 1): self = .byteByByte
        case ("wrong-unit", 1): self = .wrongUnit
        case ("short", 1): self = .short
        case ("babbling", 1): self = .babbling
        case ("swapped", 1): self = .swapped
        default: return nil
        }
    }
}

/// Which device misbehaves how, at this moment.
///
/// A lock, because the threads of the buses look at it between two requests, and whoever sets a
/// fault does so from anywhere.
final class FaultBoard: Sendable {
    private let faults = Mutex<[DeviceID: SimulationFault]>([:])

    subscript(device: DeviceID) -> SimulationFault? {
        get { faults.withLock { $0[device] } }
        set { faults.withLock { $0[device] = newValue } }
    }
}
