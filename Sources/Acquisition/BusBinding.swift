import DeviceProfiles
import Telemetry

/// A device of a bus and its protocol.
package enum BusBinding: Sendable {
    case modbus(ModbusBinding)
    case meter(MeterBinding)

    /// One group for each poll class.
    package var groups: [ScanGroup] {
        switch self {
        case .modbus(let binding): binding.groups
        case .meter(let binding): binding.groups
        }
    }

    /// The longest wait for an answer.
    package var responseTimeout: Duration {
        switch self {
        case .modbus(let binding): binding.responseTimeout
        case .meter(let binding): binding.responseTimeout
        }
    }

    /// The pause between an answer and the next request.
    package var quietTime: Duration {
        switch self {
        case .modbus(let binding): binding.quietTime
        case .meter(let binding): binding.quietTime
        }
    }

    /// The pause between connecting and the first request.
    var afterConnect: Duration {
        switch self {
        case .modbus(let binding): binding.afterConnect
        case .meter: .zero
        }
    }

    /// The Modbus binding; nil for meters.
    package var modbus: ModbusBinding? {
        if case .modbus(let binding) = self { binding } else { nil }
    }
}
