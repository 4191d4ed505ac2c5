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
