import Acquisition
import FieldLinks
import Gateway
import Logging
import ServiceLifecycle
import TestPeers
import WebAPI

/// A relay board of the library as the device `pumps` of a whole gateway; the board is a server that
/// is not ours, and grants `switch.ch1` alone.
struct RelayBoard {
    let gateway: SiteGateway
    let port: Int

    /// Its first two coils, as another master reads them.
    func coils() async throws -> [Bool] {
        let link = BusLink(host: "127.0.0.1", port: port)
        return try await link.perform { link in
            try link.connect()
            return try link.readBits(unit: 1, function: .coil, address: 0, count: 2)
        }
    }

    /// Runs `body` beside the gateway, stops it, and runs `after` while the board is still there.
    static func run(
        _ files: TestSite, _ body: @Sendable (RelayBoard) async throws -> Void,
        after: @Sendable (RelayBoard) async throws -> Void
    ) async throws {
        let arguments = [
            "--coil", "0=0,0,0,0,0,0,0,0", "--holding", "0x4000=1", "--holding", "0x8000=200",
        ]
        try await withPythonPeer("modbus_server.py", arguments) { port in
            var files = files
            files.links = [
                """
                  - id: relays
                    bus: tcp://127.0.0.1:\(port)
                    devices:
                      - { id: pumps, profile: waveshare/relay-8ch, unit: 1, commands: [switch.ch1] }
                """
            ]
            _ = try files.write()
            let (site, library) = try SiteFiles.site(
                at: files.configurationPath, devices: packageRoot + "/Devices")
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let gateway = try await SiteGateway(
                site, library: library,
                surroundings: Surroundings(
                    clock: ContinuousClock(), wallClock: MachineClock(), logger: logger,
                    dashboards: DashboardFiles(directory: nil, vendor: [:])))
            let board = RelayBoard(gateway: gateway, port: port)
            let services = ServiceGroup(services: try await gateway.services(), logger: logger)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await services.run() }
                try await body(board)
                await services.triggerGracefulShutdown()
                try await group.waitForAll()
            }
            try await after(board)
        }
    }
}
