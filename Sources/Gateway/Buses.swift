import Acquisition
import FieldLinks
import ServiceLifecycle
import Store
import Synchronization
import Telemetry

/// The ports that serial servers call, one for each address however many links share it.
struct DialIns {
    private var ports: [String: DialInPort] = [:]

    /// - Parameter onRefusal: hears on which port a caller was turned away, and what it said.
    init(
        _ links: [BoundSite.Link],
        onRefusal: @escaping @Sendable (_ port: String, _ said: String) -> Void
    ) throws(BusError) {
        var callers: [String: [DialInPort.Caller]] = [:]
        for link in links {
            if case .bus(_, let address, _) = link, case .dialIn(let caller) = address.place {
                callers["\(caller.host):\(caller.port)", default: []].append(caller)
            }
        }
        for (name, callers) in callers.sorted(by: { $0.key < $1.key }) {
            guard let first = callers.first else { continue }
            ports[name] = try DialInPort(host: first.host, port: first.port, callers: callers) {
                onRefusal(name, $0)
            }
        }
    }

    /// The port on which the serial server of `place` calls; nil for places that are called.
    func port(of place: BusPlace) -> DialInPort? {
        if case .dialIn(let caller) = place { ports["\(caller.host):\(caller.port)"] } else { nil }
    }

    var services: [any Service] {
        ports.sorted { $0.key < $1.key }.map { _, port in
            Running(start: { await port.run() }, stop: { port.stop() })
        }
    }
}

/// Which loop owns which device, for orders that come from elsewhere.
package final class Buses: Sendable {
    private let owners = Mutex<[DeviceID: BusAcquisition]>([:])

    func add(_ acquisition: BusAcquisition, for devices: [DeviceID]) {
        owners.withLock { owners in for device in devices { owners[device] = acquisition } }
    }

    /// Switches a device; returns when its own read-back says so, or why not.
    package func execute(_ order: DeviceOrder) async -> DeviceOrder.Outcome {
        guard let owner = owners.withLock({ $0[order.device] }) else {
            return .refused("there is no device '\(order.device)' on a bus")
        }
        return await owner.execute(order)
    }
}
