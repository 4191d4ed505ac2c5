import Gateway
import SiteSimulator
import Telemetry

/// The demo's past: entered before the services run, up to the moment when the devices themselves
/// speak.
struct DemoHistory {
    let site: SimulatedSite
    let bindings: SimulatedBindings
    let gateway: SiteGateway
    let clock: SystemClock
    let hours: Int

    /// What the services are given to start in: no reading is due before it has passed.
    private static let handOver = Duration.seconds(2)
    /// A machine too slow to get ahead of its clock starts all the same, with a gap.
    private static let mostPasses = 20

    /// Enters the hours before the site's epoch, what has passed while they were entered, and so on
    /// until the next reading is far enough away for the services to start before it.
    ///
    /// - Throws: `CancellationError`, or what the store reported.
    func enter() async throws {
        guard hours > 0 else { return }
        let progress = ProgressLine(
            say("entering the past day", "正在补入过去的数据"), withoutTerminalEvery: .seconds(5))
        defer { progress.end() }
        var reached = site.epoch - .seconds(hours * 3600)
        for _ in 0..<Self.mostPasses {
            let (from, to) = (reached, clock.read().wall)
            let whole = Double((to - from).milliseconds)
            try await gateway.enter(
                try site.history(from: from, to: to, bindings: bindings, groups: gateway.groups),
                onProgress: { progress.show(Double(($0 - from).milliseconds) / whole) })
            reached = to
            guard
                let next = try site.nextScan(
                    from: reached, bindings: bindings, groups: gateway.groups)
            else { return }
            let left = next - clock.read().wall
            if left >= Self.handOver { return }
            if left > .zero { try await Task.sleep(for: left) }
        }
    }
}
