import DeviceProfiles
import FieldLinks
import LocatedText

extension BusAddress {
    /// Reads an address that somebody typed, as a configuration would write it.
    ///
    /// - Parameter name: where it was typed, for messages.
    package static func parse(_ text: String, name: String) throws(Faults) -> BusAddress {
        let faults = FaultCollector()
        let address = parse(
            LocatedNode(
                content: .scalar(text, isQuoted: true),
                location: Location(file: name, line: 1, column: 1)), faults)
        try faults.throwIfAny()
        guard let address else { throw Faults([]) }
        return address
    }

    /// The same line with the settings of a profile where the address says none.
    package func completed(by profile: DeviceProfile, interface: String) -> BusAddress {
        let serial: ModbusInterface.SerialLine? =
            switch profile.interfaces[interface] {
            case .modbus(let modbus): modbus.serial
            case .meter(let meter): meter.serial
            default: nil
            }
        guard let serial else { return self }
        return completed(
            baud: serial.baud, dataBits: serial.dataBits, parity: serial.parity,
            stopBits: serial.stopBits)
    }

    /// The same line at each of some rates and character forms, for a scan.
    package func variants(bauds: [Int], forms: [(SerialLine.Parity, Int)]) -> [BusPlace] {
        guard case .serial(let line) = place else { return [place] }
        return bauds.flatMap { baud in
            forms.map { parity, stopBits in
                var line = line
                line.baud = baud
                line.parity = parity
                line.stopBits = stopBits
                return BusPlace.serial(line)
            }
        }
    }
}
