import DeviceProfiles
import FieldLinks
import LocatedText

/// Where a bus is, as a configuration writes it.
///
///     tcp://HOST:502?answers=any_unit                 Modbus TCP
///     rtu:///dev/serial/by-path/…?baud=9600&parity=none&data_bits=8&stop_bits=1&rs485=driver
///     rtu+tcp://HOST:4001?baud=9600                   a serial server that carries the bytes
///     rtu+listen://0.0.0.0:4001?registration=DTU01    a serial server that calls the gateway
///
/// What the address leaves out of a line's settings, the profile of the first device gives.
package struct BusAddress: Hashable, Sendable {
    /// The place, with 9600 8N1 where nothing was said.
    package var place: BusPlace
    /// The line behind a serial server, as far as the load of the bus is concerned; nil for TCP.
    package var line: SerialLine?
    /// Whether an answer of any unit is the one device's own.
    package var believesAnyUnit = false
    /// The settings that the address names.
    var given: Set<String> = []

    /// The address with what it left out taken from a profile's `serial`.
    func completed(baud: Int, dataBits: Int, parity: String, stopBits: Int) -> BusAddress {
        guard var line else { return self }
        if !given.contains("baud") { line.baud = baud }
        if !given.contains("data_bits") { line.dataBits = dataBits }
        if !given.contains("parity") { line.parity = .init(rawValue: parity) ?? line.parity }
        if !given.contains("stop_bits") { line.stopBits = stopBits }
        var copy = self
        copy.line = line
        if case .serial = place { copy.place = .serial(line) }
        return copy
    }

    /// What may be spoken there: meters of other protocols need a line.
    package var protocols: [FieldProtocol] {
        if case .modbusTCP = place { [.modbus] } else { [.modbus, .dlt645, .cjt188] }
    }

    static let standIn = BusAddress(place: .modbusTCP(host: "", port: 0))

    static func parse(_ node: LocatedNode, _ faults: FaultCollector) -> BusAddress? {
        guard let text = node.string(faults) else { return nil }
        let parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let place = String(parts.first ?? "")
        var reader = BusAddressReader(
            node: node, faults: faults, query: parts.count > 1 ? String(parts[1]) : "")
        if place.hasPrefix("rtu:///") || place.hasPrefix("serial:///") {
            let path = String(place.dropFirst(place.hasPrefix("rtu") ? 6 : 9))
            let line = reader.line(path: path)
            reader.finish()
            guard let line else { return nil }
            return BusAddress(place: .serial(line), line: line, given: reader.used)
        }
        let stand = LocatedNode(content: .scalar(place, isQuoted: true), location: node.location)
        func endpoint(_ scheme: String, _ port: Int) -> SiteConfiguration.Endpoint? {
            SiteConfiguration.Endpoint.parse(
                stand, scheme: scheme, defaultPort: port, faults)
        }
        if place.hasPrefix("rtu+tcp:") {
            let line = reader.line(path: "")
            reader.finish()
            return endpoint("rtu+tcp", 4001).map {
                BusAddress(
                    place: .serialServer(host: $0.host, port: $0.port), line: line,
                    given: reader.used)
            }
        }
        if place.hasPrefix("rtu+listen:") {
            let line = reader.line(path: "")
            let registration = reader.text("registration")
            reader.finish()
            return endpoint("rtu+listen", 4001).map {
                BusAddress(
                    place: .dialIn(
                        .init(host: $0.host, port: $0.port, registration: registration)),
                    line: line, given: reader.used)
            }
        }
        let answers = place.hasPrefix("tcp:") ? reader.answers() : nil
        reader.finish()
        guard place.hasPrefix("tcp:") else {
            faults.add(
                node.location, "'\(text)' is not the address of a bus",
                remedy: "tcp://HOST:502, rtu:///dev/ttyUSB0?baud=9600, rtu+tcp://HOST:4001 "
                    + "or rtu+listen://0.0.0.0:4001")
            return nil
        }
        return endpoint("tcp", 502).map {
            BusAddress(
                place: .modbusTCP(host: $0.host, port: $0.port), believesAnyUnit: answers ?? false)
        }
    }
}

/// Reads `name=value&name=value`, and refuses what nobody asked for.
private struct BusAddressReader {
    let node: LocatedNode
    let faults: FaultCollector
    private var values: [String: String] = [:]
    private(set) var used: Set<String> = []

    init(node: LocatedNode, faults: FaultCollector, query: String) {
        self.node = node
        self.faults = faults
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1)
            values[String(parts[0])] = parts.count > 1 ? String(parts[1]) : ""
        }
    }

    mutating func text(_ name: String) -> String? {
        guard let text = values[name] else { return nil }
        used.insert(name)
        return text
    }

    private mutating func word<T>(_ name: String, _ accepted: [(String, T)]) -> T? {
        guard let text = text(name) else { return nil }
        let found = accepted.first { $0.0 == text }?.1
        if found == nil {
            faults.add(
                node.location, "'\(name)=\(text)' is not possible",
                remedy: "one of \(accepted.map(\.0).joined(separator: ", "))")
        }
        return found
    }

    mutating func answers() -> Bool? {
        word("answers", [("unit", false), ("any_unit", true)])
    }

    mutating func line(path: String) -> SerialLine? {
        var line = SerialLine(path: path)
        line.baud =
            word("baud", SerialLine.bauds.map { ("\($0)", $0) }) ?? line.baud
        line.dataBits = word("data_bits", [("7", 7), ("8", 8)]) ?? line.dataBits
        line.stopBits = word("stop_bits", [("1", 1), ("2", 2)]) ?? line.stopBits
        line.parity =
            word("parity", SerialLine.Parity.allCases.map { ($0.rawValue, $0) }) ?? line.parity
        if !path.isEmpty {
            line.direction =
                word("rs485", SerialLine.Direction.allCases.map { ($0.rawValue, $0) })
                ?? line.direction
        }
        return line
    }

    func finish() {
        for name in values.keys.sorted() where !used.contains(name) {
            faults.add(
                node.location, "'\(name)' is no setting of this address",
                remedy: "a line has baud, data_bits, parity, stop_bits and rs485; a port that is "
                    + "called has registration; tcp has answers")
        }
    }
}
