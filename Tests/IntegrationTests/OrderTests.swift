import Acquisition
import FieldLinks
import Foundation
import Gateway
import Logging
import ServiceLifecycle
import Store
import Telemetry
import TestPeers
import Testing
import WebAPI

/// A relay board of the library behind a whole gateway, judged by a server that is not ours.
@Suite("Orders to a device of a site", .serialized)
struct OrderTests {
    private func order(_ point: String, _ word: String) -> DeviceOrder {
        DeviceOrder(
            device: DeviceID("pumps"), point: PointKey(point), word: word, actor: "the test")
    }

    /// The coils 0 and 1 of the board, as another master reads them.
    private func coils(_ port: Int) async throws -> [Bool] {
        let link = BusLink(host: "127.0.0.1", port: port)
        return try await link.perform { link in
            try link.connect()
            return try link.readBits(unit: 1, function: .coil, address: 0, count: 2)
        }
    }

    @Test("a granted order is done, read back, stored and audited, and the stop takes it back")
    func order() async throws {
        let board = [
            "--coil", "0=0,0,0,0,0,0,0,0", "--holding", "0x4000=1", "--holding", "0x8000=200",
        ]
        try await withTemporaryFolder { folder in
            let files = try TestSite(folder: folder)
            try await withPythonPeer("modbus_server.py", board) { port in
                var written = files
                written.links = [
                    """
                      - id: relays
                        bus: tcp://127.0.0.1:\(port)
                        devices:
                          - id: pumps
                            profile: waveshare/relay-8ch
                            unit: 1
                            commands: [switch.ch1]
                    """
                ]
                _ = try written.write()
                let (site, library) = try SiteFiles.site(
                    at: files.configurationPath, devices: packageRoot + "/Devices")
                let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
                let gateway = try await SiteGateway(
                    site, library: library,
                    surroundings: Surroundings(
                        clock: ContinuousClock(), wallClock: MachineClock(), logger: logger,
                        dashboards: DashboardFiles(directory: nil, vendor: [:])))
                let services = ServiceGroup(
                    services: try await gateway.services(), logger: logger)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await services.run() }
                    try await switchIt(gateway, port)
                    try await eventually("the reading is stored") {
                        try await files.samples("pumps.switch.ch1")
                            .contains { $0.reading == .good(.text("on")) }
                    }
                    await services.triggerGracefulShutdown()
                    try await group.waitForAll()
                }
                #expect(try await coils(port) == [false, false])
            }
            let store = try Store.openReadOnly(directory: files.dataFolder, calendar: .utc)
            defer { try? store.close() }
            let audit = try await store.reader.audit().filter { $0.action == "device.commanded" }
            #expect(
                audit.contains {
                    $0.actor == "the test" && $0.detail == "pumps.switch.ch1 = on: done"
                })
            #expect(audit.last?.actor == "plumbline")
            #expect(audit.last?.detail == "pumps.switch.ch1 = off: done")
        }
    }

    private func switchIt(_ gateway: SiteGateway, _ port: Int) async throws {
        // The board is taken to its safe state first, and may not change again at once.
        try await eventually("the order is done", within: .seconds(40)) {
            await gateway.buses.execute(order("switch.ch1", "on")) == .done
        }
        #expect(try await coils(port) == [true, false])
        for (point, word) in [("switch.ch2", "on"), ("switch.ch1", "half")] {
            guard case .refused = await gateway.buses.execute(order(point, word)) else {
                Issue.record("\(point) \(word) was not refused")
                continue
            }
        }
        let stranger = DeviceOrder(
            device: DeviceID("nobody"), point: PointKey("switch.ch1"), word: "on", actor: "the test"
        )
        #expect(
            await gateway.buses.execute(stranger)
                == .refused("there is no device 'nobody' on a bus"))
        #expect(try await coils(port) == [true, false])
    }
}
