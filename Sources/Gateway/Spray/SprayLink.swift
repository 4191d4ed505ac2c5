import Acquisition
import Logging
import ServiceLifecycle
import Store
import Telemetry

/// Switches one spray while alarms stand, by the write path of the field side: granted, read back,
/// taken back on a stop and after a lost link, and audited with the alarm that wanted it.
///
///     open alarms (store) ─┐
///     circumstances ───────┴─▶ SprayPlanner ──▶ Buses.execute ──▶ done, refused, unconfirmed
struct SprayLink: Service {
    let spray: SiteConfiguration.Spray
    let areas: [DeviceID: String]
    /// The numbers of the circumstances' series, by their names.
    let circumstances: [String: Int]
    let store: Store
    let buses: Buses
    let clock: any Clock<Duration> & Sendable
    let logger: Logger

    /// The longest that a change waits to be seen.
    private static let interval = Duration.seconds(1)

    func run() async throws {
        await cancelWhenGracefulShutdown { await decide() }
    }

    private func decide() async {
        let watch = Stopwatch(clock)
        var planner = SprayPlanner(spray.run)
        while !Task.isCancelled {
            let cause = await cause()
            let isForbidden = isForbidden()
            if let step = planner.step(
                at: watch.elapsed, isWanted: cause != nil, isForbidden: isForbidden)
            {
                let outcome = await order(step, cause)
                planner.ended(step, outcome, at: watch.elapsed)
                tell(step, outcome)
            }
            await rest()
        }
    }

    /// Waits until something has changed, but not long.
    private func rest() async {
        let (reader, clock) = (store.reader, clock)
        let generation = reader.effectsGeneration
        await withTaskGroup(of: Void.self) { group in
            group.addTask { _ = await reader.waitForEffects(after: generation) }
            group.addTask { try? await clock.sleep(for: Self.interval) }
            await group.next()
            group.cancelAll()
        }
    }

    /// The alarm that wants it: active, of one of the rules, in one of the areas.
    private func cause() async -> String? {
        // An alarm that nobody can read wants nothing: what runs ends by itself.
        let open = (try? await store.reader.alarms(openOnly: true, limit: 1000)) ?? []
        return open.first { alarm in
            (alarm.state == .activeUnacknowledged || alarm.state == .activeAcknowledged)
                && spray.alarms.contains(alarm.rule) && !alarm.isBackfill
                && (spray.areas.map { list in
                    areas[alarm.series.device].map(list.contains) ?? false
                } ?? true)
        }?.key
    }

    private func isForbidden() -> Bool {
        let latest = store.reader.latest()
        return spray.never.contains { circumstance in
            guard let number = circumstances[circumstance.id] else { return true }
            // What nobody has said yet is the first word, which the configuration checked.
            guard case .text(let word) = latest[number]?.goodValue else {
                return circumstance.words.contains(circumstance.first)
            }
            return circumstance.words.contains(word)
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

    private func tell(_ step: SprayPlanner.Step, _ outcome: DeviceOrder.Outcome) {
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
