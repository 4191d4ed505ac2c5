import Acquisition
import Foundation
import Gateway
import Store
import Telemetry
import TestPeers
import Testing

/// A relay board of the library behind a whole gateway, judged by a server that is not ours.
@Suite("Orders to a device of a site", .serialized)
struct OrderTests {
    private func order(_ point: String, _ word: String) -> DeviceOrder {
        DeviceOrder(
            device: DeviceID("pumps"), point: PointKey(point), word: word, actor: "the test")
    }

    @Test("a granted order is done, read back, stored and audited, and the stop takes it back")
    func order() async throws {
        try await withTemporaryFolder { folder in
            let files = try TestSite(folder: folder)
            try await RelayBoard.run(files) { board in
                try await switchIt(board)
                try await eventually("the reading is stored") {
                    try await files.samples("pumps.switch.ch1")
                        .contains { $0.reading == .good(.text("on")) }
                }
            } after: { board in
                let coils = try await board.coils()
                #expect(coils == [false, false])
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

    private func switchIt(_ board: RelayBoard) async throws {
        // The board is taken to its safe state first, and may not change again at once.
        try await eventually("the order is done", within: .seconds(40)) {
            await board.gateway.buses.execute(order("switch.ch1", "on")) == .done
        }
        #expect(try await board.coils() == [true, false])
        for (point, word) in [("switch.ch2", "on"), ("switch.ch1", "half")] {
            guard case .refused = await board.gateway.buses.execute(order(point, word)) else {
                Issue.record("\(point) \(word) was not refused")
                continue
            }
        }
        let stranger = DeviceOrder(
            device: DeviceID("nobody"), point: PointKey("switch.ch1"), word: "on", actor: "the test"
        )
        #expect(
            await board.gateway.buses.execute(stranger)
                == .refused("there is no device 'nobody' on a bus"))
        #expect(try await board.coils() == [true, false])
    }
}
