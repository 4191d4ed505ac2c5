import DeviceProfiles
import FieldLinks
import Telemetry

/// How much of a bus the polls of its devices take, worked out before anything is wired.
///
///     one request on a line = request 8 bytes + turnaround + answer 5 bytes and data + silence
///
/// `least` leaves the turnaround out, which only the devices know: what does not fit then, fits never.
package struct BusLoad: Sendable {
    /// A unit's time to think, as assumed where nobody has measured it.
    static let turnaround = Duration.milliseconds(20)
    /// A request over a local network, the server's time included.
    static let networkTrip = Duration.milliseconds(3)

    /// Bus time that one round of a group takes.
    package struct Group: Sendable {
        package var group: ScanGroup
        package var requests: Int
        package var expected: Duration
        package var least: Duration
    }

    package var groups: [Group] = []

    /// - Parameter line: the serial line at the end; nil when there is none.
    package init(_ devices: [BusBinding], line: SerialLine?) {
        let thinking = line == nil ? Self.networkTrip : Self.turnaround
        for binding in devices {
            for (index, group) in binding.groups.enumerated() {
                let least: [Duration]
                switch binding {
                case .modbus(let modbus):
                    least = modbus.requests(group: index).map {
                        Self.least($0, quiet: modbus.quietTime, line)
                    }
                case .meter(let meter):
                    least = meter.requests(group: index).map {
                        Self.least($0, quiet: meter.quietTime, line)
                    }
                }
                let sum = least.reduce(.zero, +)
                groups.append(
                    Group(
                        group: group, requests: least.count,
                        expected: sum + thinking * least.count, least: sum))
            }
        }
    }

    private static func least(
        _ request: MeterRequest, quiet: Duration, _ line: SerialLine?
    ) -> Duration {
        guard let line else { return quiet }
        // A meter wakes its neighbour with four bytes and answers with at least sixteen.
        return line.time(ofCharacters: request.bytes.count + 20) + max(quiet, line.frameGap)
    }

    private static func least(
        _ request: RegisterRequest, quiet: Duration, _ line: SerialLine?
    ) -> Duration {
        guard let line else { return quiet }
        let data = request.area.isBits ? (request.count + 7) / 8 : 2 * request.count
        return line.time(ofCharacters: 8 + 5 + data) + max(quiet, line.frameGap)
    }

    /// The share of the bus that is asked for; above 1 slots are missed.
    package var expected: Double { share(\.expected) }
    /// The same without the units' own time.
    package var least: Double { share(\.least) }
    /// How long all groups take, one after the other.
    package var cycle: Duration { groups.reduce(.zero) { $0 + $1.expected } }

    private func share(_ time: KeyPath<Group, Duration>) -> Double {
        groups.reduce(0) { sum, group in
            guard let period = group.group.period, period > .zero else { return sum }
            return sum + group[keyPath: time] / period
        }
    }
}

extension RequestCost {
    /// What a request costs on a line beside its data, counted in registers.
    package init(_ line: SerialLine?, quietTime: Duration) {
        guard let line else {
            self = .network
            return
        }
        let fixed =
            line.time(ofCharacters: 13) + max(quietTime, line.frameGap) + BusLoad.turnaround
        self.init(overhead: fixed / line.time(ofCharacters: 2))
    }
}
