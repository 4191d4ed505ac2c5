import Acquisition
import Logging
import ServiceLifecycle
import Store
import Telemetry
import WebAPI

/// Switches one spray while alarms stand, by the write path of the field side: granted, read back,
/// taken back on a stop and after a lost link, and audited with the alarm that wanted it.
///
///     open alarms (store) ─┐
///     circumstances ───────┴─▶ SprayPlanner ──▶ Buses.execute ──▶ done, refused, unconfirmed
struct SprayLink: Service {
    let spray: SiteConfiguration.Spray
    let conditions: SprayConditions
    let store: Store
    let buses: Buses
    let readiness: Readiness
    let clock: any Clock<Duration> & Sendable
    let wallClock: any WallClock
    let logger: Logger

    /// The longest that a change waits to be seen.
    private static let interval = Duration.seconds(1)

    func run() async throws {
        await cancelWhenGracefulShutdown { await decide() }
    }

    private func decide() async {
        let watch = Stopwatch(clock)
        var planner = SprayPlanner(spray.run)
        var told: String?
        while !Task.isCancelled {
            let generation = store.reader.effectsGeneration
            let now = wallClock.read()
            let latest = store.reader.latest()
            // An alarm that nobody can read wants nothing: what runs ends by itself.
            let open = (try? await store.reader.alarms(openOnly: true, limit: 1000)) ?? []
            let cause = conditions.cause(open: open, latest: latest, now: now.wall)
            // Before the past is evaluated the alarms of yesterday stand, and while nobody knows the
            // time people cannot say that it must not run.
            let isForbidden =
                !readiness.isReady || !now.isTrusted
                || conditions.isForbidden(latest: latest)
            if let step = planner.step(
                at: watch.elapsed, isWanted: cause != nil, isForbidden: isForbidden)
            {
                let outcome = await order(step, cause)
                planner.ended(step, outcome, at: watch.elapsed)
                tell(step, outcome, &told)
            }
            await store.reader.waitForEffects(
                after: generation, within: Self.interval, on: clock)
        }
    }

    private func order(_ step: SprayPlanner.Step, _ cause: String?) async -> DeviceOrder.Outcome {
        let (word, why) =
            switch step {
            case .switchOn: (spray.on, cause ?? "")
            case .switchOff(let why): (spray.off, why)
            }
        return await buses.execute(
            DeviceOrder(
                device: spray.device, point: spray.point, word: word,
                actor: "spray \(spray.id): \(why)"))
    }

    /// Logs an order, and one that ends as the one before it only once.
    private func tell(
        _ step: SprayPlanner.Step, _ outcome: DeviceOrder.Outcome, _ told: inout String?
    ) {
        let text = "\(step) \(outcome)"
        if outcome != .done, told == text { return }
        told = text
        let metadata: Logger.Metadata = [
            "spray": "\(spray.id)", "step": "\(step)", "outcome": "\(outcome)",
        ]
        if outcome == .done {
            logger.info("spray switched", metadata: metadata)
        } else {
            logger.warning("the spray was not switched", metadata: metadata)
        }
    }
}
