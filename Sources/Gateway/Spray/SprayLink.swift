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
    let areas: [DeviceID: String]
    /// The numbers of the circumstances' series, by their names.
    let circumstances: [String: Int]
    /// How old the newest good reading of an alarm's series may be, by the series' name; what people
    /// say does not grow old and is not here.
    let freshness: [SeriesID: (number: Int, most: Duration)]
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
            let now = wallClock.read()
            let latest = store.reader.latest()
            let cause = await cause(latest, now.wall)
            // Before the past is evaluated the alarms of yesterday stand, and while nobody knows the
            // time people cannot say that it must not run.
            let isForbidden = !readiness.isReady || !now.isTrusted || isForbidden(latest)
            if let step = planner.step(
                at: watch.elapsed, isWanted: cause != nil, isForbidden: isForbidden)
            {
                let outcome = await order(step, cause)
                planner.ended(step, outcome, at: watch.elapsed)
                tell(step, outcome, &told)
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

    /// The alarm that wants it: active, of one of the rules, in one of the areas, on a series that
    /// still speaks.
    private func cause(_ latest: [Int: LatestReading], _ now: Timestamp) async -> String? {
        // An alarm that nobody can read wants nothing: what runs ends by itself.
        let open = (try? await store.reader.alarms(openOnly: true, limit: 1000)) ?? []
        return open.first { alarm in
            (alarm.state == .activeUnacknowledged || alarm.state == .activeAcknowledged)
                && spray.alarms.contains(alarm.rule) && !alarm.isBackfill
                && (spray.areas.map { list in
                    areas[alarm.series.device].map(list.contains) ?? false
                } ?? true) && isFresh(alarm.series, latest, now)
        }?.key
    }

    /// Whether the series has spoken of late: the alarm of a dead sensor stands, and says nothing of
    /// the air any more.
    private func isFresh(
        _ series: SeriesID, _ latest: [Int: LatestReading], _ now: Timestamp
    ) -> Bool {
        guard let (number, most) = freshness[series] else {
            return series.device == BoundSite.siteDevice
        }
        return latest[number]?.goodTime.map { now - $0 <= most } ?? false
    }

    private func isForbidden(_ latest: [Int: LatestReading]) -> Bool {
        spray.never.contains { circumstance in
            // As long as nobody has said how it stands, people may be there.
            guard let number = circumstances[circumstance.id],
                case .text(let word) = latest[number]?.goodValue
            else { return true }
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
