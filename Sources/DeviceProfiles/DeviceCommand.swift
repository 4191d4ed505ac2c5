import Telemetry

/// A write that a profile describes, bound to one device: what is sent for each word, and how the
/// device says that it has been done.
package struct DeviceCommand: Sendable {
    package let device: DeviceID
    package let key: PointKey
    package let unit: UInt8
    /// 5, 6, 15 or 16.
    package let function: UInt8
    /// 0-based, as on the wire.
    package let address: Int
    /// Word to what is written, as registers; bits are 0xFF00 and 0x0000.
    package let values: [String: [UInt16]]
    /// The word that the device is left with on a stop and after a lost link; nil: as it is.
    package let safe: String?
    /// The longest that another word than the safe one may stay.
    package let revertAfter: Duration?
    /// The least time between two changes.
    package let minInterval: Duration?
    /// What to read to see the device's own state.
    package let confirmation: RegisterRequest
    fileprivate let point: RegisterPoint

    /// The word that the device reads back; nil when it says nothing that is known.
    package func word(in answer: RegisterAnswer) -> String? {
        if case .good(.text(let word)) = point.decode([answer]) { word } else { nil }
    }
}

extension ModbusBinding {
    /// The command of the profile for one point.
    ///
    /// - Parameter unit: the unit's number on the bus.
    /// - Returns: nil when the profile has no such command, or cannot read back what it does.
    package func command(_ key: PointKey, unit: UInt8) -> DeviceCommand? {
        guard let command = interface.commands.first(where: { $0.key == key }),
            let point = interface.points.first(where: { $0.key == command.confirm }),
            let source = point.registerSources.first, point.registerSources.count == 1,
            let device = groups.first?.device
        else { return nil }
        let request = RegisterRequest(
            area: source.area, address: source.address, count: source.count)
        let areBits = command.area.isBits
        return DeviceCommand(
            device: device, key: key, unit: unit, function: UInt8(clamping: command.function),
            address: command.address,
            values: command.values.mapValues { value in
                // A profile may write 1 for on; on the wire a coil is 0xFF00.
                [areBits ? (value == 0 ? 0 : 0xFF00) : UInt16(clamping: value)]
            },
            safe: command.safe, revertAfter: command.revertAfter,
            minInterval: command.minInterval, confirmation: request,
            point: RegisterPoint(point, plan: [request], parameters: [:]))
    }
}
