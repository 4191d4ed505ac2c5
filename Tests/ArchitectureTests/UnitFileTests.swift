import Foundation
import Subprocess
import Testing

@Suite("The shipped unit")
struct UnitFileTests {
    /// The executable beside the test's own build products; any program does where it is not built.
    private var binary: String {
        let built = SourceTree.root.appending(path: ".build/debug/plumbline").path
        return FileManager.default.isExecutableFile(atPath: built) ? built : "/bin/true"
    }

    @Test("systemd accepts a copy with the built binary, without a word, and finds it hardened")
    func verify() async throws {
        let script = SourceTree.root.appending(path: "scripts/verify-unit").path
        let result = try await run(
            .path("/bin/bash"), arguments: [script, binary],
            output: .string(limit: 65_536), error: .string(limit: 65_536))
        if result.terminationStatus == .exited(77) {
            print(result.standardOutput)
            return
        }
        #expect(result.terminationStatus == .exited(0))
        #expect(result.standardError == "")
        print(result.standardOutput)
    }

    @Test("the unit keeps what the gateway's promises rest on")
    func promises() {
        let unit = SourceTree.read("Config/systemd/plumbline.service").text
        for line in [
            "Type=notify", "NotifyAccess=main", "WatchdogSec=60", "User=plumbline",
            "StateDirectory=plumbline", "LimitNOFILE=1024", "Restart=always",
            "CapabilityBoundingSet=", "NoNewPrivileges=yes", "ProtectSystem=strict",
        ] {
            #expect(unit.contains("\n\(line)\n"), "\(line)")
        }
    }

    @Test("the shipped broker configuration keeps what waits for the gateway")
    func broker() {
        let broker = SourceTree.read("Config/mosquitto/plumbline.conf").text
        for line in ["max_queued_messages 0", "max_queued_bytes 0", "persistence true"] {
            #expect(broker.contains("\n\(line)\n"), "\(line)")
        }
    }
}
