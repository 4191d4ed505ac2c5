/// Where a bus is and how its bytes travel.
package enum BusPlace: Hashable, Sendable, CustomStringConvertible {
    /// A server that speaks Modbus TCP, or a gateway in front of a serial line that does.
    case modbusTCP(host: String, port: Int)
    /// A serial port of this machine.
    case serial(SerialLine)
    /// A serial server that carries the bytes of the line as they are (RTU over TCP).
    case serialServer(host: String, port: Int)
    /// A serial server that calls the gateway, and may say who it is.
    case dialIn(DialInPort.Caller)

    package var description: String {
        switch self {
        case .modbusTCP(let host, let port): "\(host):\(port)"
        case .serial(let line): line.path
        case .serialServer(let host, let port): "\(host):\(port) (serial server)"
        case .dialIn(let caller): "\(caller)"
        }
    }
}

/// A serial port and its settings.
package struct SerialLine: Hashable, Sendable {
    /// The parity of a character.
    package enum Parity: String, Hashable, Sendable, CaseIterable {
        case none, even, odd
    }

    /// Who turns the direction of an RS-485 transceiver.
    package enum Direction: String, Hashable, Sendable, CaseIterable {
        /// The adapter itself, as nearly all USB adapters do; nothing is asked of the driver.
        case adapter
        /// The driver, asked with TIOCSRS485; one that cannot refuses, and the link says so.
        case driver
        /// The RTS line, up while sending.
        case rts
    }

    /// The device file; one below `/dev/serial/by-path` keeps its name when adapters are renumbered.
    package var path: String
    /// Bits a second, one of the rates that the system knows.
    package var baud: Int
    /// 7 or 8.
    package var dataBits: Int
    package var parity: Parity
    /// 1 or 2.
    package var stopBits: Int
    package var direction: Direction

    package init(
        path: String, baud: Int = 9600, dataBits: Int = 8, parity: Parity = .none,
        stopBits: Int = 1, direction: Direction = .adapter
    ) {
        self.path = path
        self.baud = baud
        self.dataBits = dataBits
        self.parity = parity
        self.stopBits = stopBits
        self.direction = direction
    }

    /// The rates that can be set, in bits a second.
    package static let bauds = [
        110, 300, 600, 1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200, 230_400, 460_800,
        921_600,
    ]

    /// Bits on the wire for one character, the start bit included.
    package var bitsPerCharacter: Int { 1 + dataBits + (parity == .none ? 0 : 1) + stopBits }

    /// How long so many characters take on the line.
    package func time(ofCharacters count: Int) -> Duration {
        .nanoseconds(1_000_000_000 * bitsPerCharacter / max(1, baud) * count)
    }

    /// The silence that ends a frame: 3.5 characters, above 19,200 baud 1.75 ms (Modbus over serial
    /// line, 2.5.1.1).
    package var frameGap: Duration {
        baud > 19_200 ? .microseconds(1750) : time(ofCharacters: 7) / 2
    }

    /// `9600 8N1`, as people write it.
    package var settings: String {
        let letter =
            switch parity {
            case .none: "N"
            case .even: "E"
            case .odd: "O"
            }
        return "\(baud) \(dataBits)\(letter)\(stopBits)"
    }
}
