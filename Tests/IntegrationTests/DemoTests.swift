import Foundation
import Subprocess
import Telemetry
import TestPeers
import Testing

@Suite("The demo", .serialized)
struct DemoTests {
    @Test("shows every simulated device, and leaves nothing behind", .timeLimit(.minutes(5)))
    func everyDeviceSpeaks() async throws {
        let port = try freePort()
        let (left, status, log) = try await withDaemon(
            ["demo", "--port", "\(port)", "--history", "2", "--share", packageRoot], port: port
        ) { daemon in
            try await eventually("every device in order", within: .seconds(60)) {
                let states = try await Self.states(daemon)
                return states.count == 8 && states.values.allSatisfy { $0 == "ok" }
            }
            try await eventually("the energy of the day", within: .seconds(60)) {
                try await Self.energyToday(daemon) > 0
            }
            try await Self.checkHandOver(daemon)
            try await Self.runVerbs(beside: daemon)
            let page = "http://127.0.0.1:\(port)"
            try await Self.look(
                at: page + "/?lang=zh", for: ["示范工地", "1号塔机", "北门扬尘站", "总电表", "kWh/m²"])
            try await Self.look(
                at: page + "/energy.html?lang=zh", for: ["示范工地", "照明插座用电", "月度用能报表"])
            try await Self.look(
                at: page + "/uplinks.html?lang=zh", for: ["示范工地", "上报完整率", "上报缺口图", "补传"])
            return Leftovers(demo: daemon.processIdentifier, port: port)
        }
        #expect(status == .exited(0), "\(log.suffix(2000))")
        #expect(left.found.isEmpty, "\(left.found)")
        #expect(left.demo > 0)
    }

    @Test(
        "stops in order while its history is entered: exit 0, nothing left",
        arguments: [(Duration.milliseconds(300), Signal.interrupt), (.seconds(2), .terminate)])
    func interrupted(after: Duration, by signal: Signal) async throws {
        let port = try freePort()
        let outcome = try await run(
            .path(.init(Program.path)),
            arguments: ["demo", "--port", "\(port)", "--history", "72", "--share", packageRoot],
            input: .none, output: .discarded, error: .string(limit: 1 << 20)
        ) { execution in
            try await Task.sleep(for: after)
            try execution.send(signal: signal)
            return Leftovers(demo: execution.processIdentifier.value, port: port)
        }
        let log = outcome.standardError
        #expect(outcome.terminationStatus == .exited(0), "\(log)")
        #expect(outcome.closureResult.found.isEmpty, "\(outcome.closureResult.found)")
        // Without a terminal the progress is lines; an end that was asked for is no error.
        #expect(log.split(separator: "\n").allSatisfy { $0.hasSuffix(" %") }, "\(log)")
    }

    @Test("refuses a port that is taken, says what to do, exit 69")
    func takenPort() async throws {
        try await withBroker { broker in
            let (status, _, error) = try await Program.run(
                ["demo", "--port", "\(broker.port)", "--share", packageRoot])
            #expect(status == .exited(69))
            #expect(error.contains("PORT="))
        }
    }

    /// No reading is missing between the history and the live ones, nothing of it is owed, and
    /// housekeeping has come by.
    private static func checkHandOver(_ daemon: Daemon) async throws {
        let begin = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        for series in ["crane-1.load_mass", "meter-main.active_power.total"] {
            try await eventually("a live reading of \(series)", within: .seconds(30)) {
                try await Self.times(daemon, series).last.map { $0 > begin } ?? false
            }
            let times = try await Self.times(daemon, series)
            #expect(times.count > 600)
            let gaps = zip(times, times.dropFirst()).filter { $1 - $0 != .seconds(5) }
            #expect(gaps.isEmpty, "\(series): \(gaps)")
        }
        let owed = try await daemon.metric("plumbline_uplink_owed_items")
        let tried = try await daemon.metric("plumbline_uplink_attempts_total")
        #expect(owed + tried < 200, "minutes of two hours of history would be more")
        try await eventually("the byte budget", within: .seconds(10)) {
            try await daemon.metric("plumbline_store_budget_bytes") > 0
        }
    }

    /// What only reads works beside the running gateway; what would write says who is in the way.
    private static func runVerbs(beside daemon: Daemon) async throws {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "plumbline-demo-\(daemon.processIdentifier)")
            .path(percentEncoded: false)
        let data = folder + "/data"
        for verb in [
            ["verify", "--data", data], ["backup", folder + "/copy.sqlite", "--data", data],
        ] {
            let (status, output, error) = try await Program.run(verb)
            #expect(status == .exited(0), "\(verb): \(output)\(error)")
        }
        for verb in [
            ["replay", "--data", data], ["replay", "--data", data, "--dry-run"],
            ["compact", "--data", data],
            ["salvage", data + "/plumbline.sqlite", folder + "/rescued.sqlite"],
        ] {
            let (status, _, error) = try await Program.run(verb)
            #expect(status == .exited(74), "\(verb)")
            #expect(error.contains("stop the gateway first"), "\(verb): \(error)")
            #expect(error.contains("\(daemon.processIdentifier)"), "\(verb): \(error)")
        }
        // The copy is nobody's: what is refused of the original can be done with it.
        let (status, _, error) = try await Program.run(
            ["salvage", folder + "/copy.sqlite", folder + "/rescued.sqlite"])
        #expect(status == .exited(0), "\(error)")
    }

    /// When a series was read during the last hour.
    private static func times(_ daemon: Daemon, _ series: String) async throws -> [Timestamp] {
        let object = try await daemon.json("/api/v1/series/\(series)/samples")
        return (object["rows"] as? [[Any]] ?? []).compactMap {
            ($0.first as? String).flatMap(Timestamp.init(rfc3339:))
        }
    }

    private static func states(_ daemon: Daemon) async throws -> [String: String] {
        guard let object = try? await daemon.json("/api/v1/devices"),
            let devices = object["devices"] as? [[String: Any]]
        else { return [:] }
        return Dictionary(
            devices.map { ("\($0["id"] ?? "")", "\($0["state"] ?? "")") },
            uniquingKeysWith: { first, _ in first })
    }

    /// kWh of the main meter today.
    private static func energyToday(_ daemon: Daemon) async throws -> Double {
        guard let object = try? await daemon.json("/api/v1/energy"),
            let meters = object["meters"] as? [[String: Any]],
            let main = meters.first(where: { $0["id"] as? String == "main" }),
            let figures = main["figures"] as? [[String: Any]]
        else { return 0 }
        return figures.last?["amount"] as? Double ?? 0
    }

    /// Loads the page in a real browser, if one is installed, and reads what it has drawn.
    private static func look(at address: String, for words: [String]) async throws {
        guard
            let browser = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].first(where: {
                FileManager.default.isExecutableFile(atPath: $0)
            })
        else {
            print("page test skipped because chromium is not installed")
            return
        }
        for (width, height) in [(390, 844), (1280, 900)] {
            let result = try await run(
                .path(.init(packageRoot + "/.venv/bin/python")),
                arguments: [
                    packageRoot + "/Tests/Peers/page.py", browser, address, "\(width)",
                    "\(height)",
                ], input: .none, output: .string(limit: 4 << 20), error: .string(limit: 1 << 20))
            let answer = try JSONSerialization.jsonObject(with: Data(result.standardOutput.utf8))
            let page = try #require(answer as? [String: Any], "\(result.standardError)")
            let text = page["text"] as? String ?? ""
            #expect(page["ready"] as? Bool == true, "the page has not drawn all its panels")
            #expect(page["overflow"] as? Int == 0, "at \(width) pixels")
            #expect((page["errors"] as? [String])?.isEmpty == true, "\(page["errors"] ?? "")")
            for words in words { #expect(text.contains(words), "\(words) is not on the page") }
        }
    }
}

/// What a demo might leave behind: looked for after it has gone.
private struct Leftovers: Sendable {
    let demo: Int32
    let port: Int

    var found: [String] {
        var found: [String] = []
        if isListening(port) { found.append("a listener on port \(port)") }
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "plumbline-demo-\(demo)").path(percentEncoded: false)
        if FileManager.default.fileExists(atPath: folder) { found.append(folder) }
        for entry in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard Int32(entry) != nil,
                let line = try? String(contentsOfFile: "/proc/\(entry)/cmdline", encoding: .utf8),
                line.contains("plumbline-demo-\(demo)")
            else { continue }
            found.append(line.replacing("\0", with: " "))
        }
        return found
    }
}
