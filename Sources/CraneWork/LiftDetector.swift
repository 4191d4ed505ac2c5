import Telemetry

/// Turns the instants of one crane into lifts, overloads and near misses.
///
///     idle ──load ≥ start──▶ rising ──for `startHold`──▶ loaded ──load < end──▶ falling
///       ▲                      │                            ▲                     │
///       └──────< start─────────┘                            └──≥ start, held──────┤
///       ◀───────────────────────for longer than `longestDropout`: a lift──────────┘
///
/// Loads are judged above the empty hook's zero (`EmptyHook`). What was too short or never moved is
/// no lift: a hook block at rest, a drift of the load cell.
///
/// A pure fold in constant space: the same instants in the same order give the same records. A bad
/// reading changes nothing by itself; readings that stay away for `longestGap` end what is open, at
/// the last good reading and marked as truncated.
package struct LiftDetector: Sendable {
    package let crane: DeviceID
    package let options: LiftOptions
    /// How often an instant is expected; nil when nobody has said so, and then coverage is unknown.
    package let period: Duration?
    /// Everything that decides what later instants bring.
    package internal(set) var state = LiftDetectorState()

    package init(crane: DeviceID, options: LiftOptions, period: Duration? = nil) {
        self.crane = crane
        self.options = options
        self.period = period
    }

    /// Instants that were ignored: older than the newest, or of an impossible year.
    package var lateInstants: Int { state.lateInstants }
    /// Loads that were no lift: too short, or never moved.
    package var restingLoads: Int { state.restingLoads }
    /// Tonnes that the empty hook is taken to weigh now.
    package var zeroLoad: Double { state.hook.zero }
    /// When the lift began that is not over; nil while the hook is free.
    package var openLift: Timestamp? {
        switch state.phase {
        case .idle, .rising: nil
        case .loaded(let lift), .falling(let lift, _): lift.start
        }
    }

    /// Goes on from a stored state; options that have changed since hold from the next instant.
    package mutating func restore(_ state: LiftDetectorState) { self.state = state }

    /// Takes the next instant in.
    /// - Returns: what it has finished, each record once: lifts first, then episodes.
    package mutating func handle(_ instant: CraneInstant) -> [CraneRecord] {
        guard Self.years.contains(instant.time), state.newest.map({ $0 <= instant.time }) ?? true
        else {
            state.lateInstants += 1
            return []
        }
        let instant = instant.plausible
        var out = lapse(to: instant.time)
        let previousLoad = state.newestLoad
        state.newest = instant.time
        state.isBackfill = instant.isBackfill
        state.logged = instant.logged ?? state.logged
        state.rated = instant.ratedLoad ?? state.rated
        if let load = instant.load {
            state.newestLoad = instant.time
            follow(load, instant, previousLoad, &out)
        } else {
            goOnWithoutLoad(instant)
        }
        for hazard in Hazard.allCases { watch(hazard, instant, &out) }
        return out
    }

    /// Lets time pass without an instant: what has been silent for `longestGap` ends.
    ///
    /// The records are those that the next instant would bring, so a call is never needed for the
    /// result, only for its coming in time. `now` has to leave room for what may still arrive.
    /// History has no silence: its time runs with its instants alone.
    package mutating func advance(to now: Timestamp) -> [CraneRecord] {
        state.isBackfill ? [] : lapse(to: now)
    }

    private mutating func lapse(to now: Timestamp) -> [CraneRecord] {
        var out: [CraneRecord] = []
        if let newest = state.newestLoad, now - newest > options.longestGap {
            switch state.phase {
            case .idle, .rising: break
            case .loaded(let lift): finish(lift, at: lift.newest, .endUnseen, &out)
            case .falling(_, let landing):
                finish(landing.lift, at: landing.end, .endUnseen, &out)
            }
            state.phase = .idle
            state.hook.forgetStillness()
            state.newestLoad = nil
        }
        for hazard in Hazard.allCases {
            guard let excursion = state.excursions[hazard.rawValue],
                now - excursion.newest > options.longestGap
            else { continue }
            close(hazard, at: excursion.newest, isTruncated: true, &out)
        }
        if let newest = state.newest, now - newest > options.longestGap {
            // Nobody knows who has climbed up since.
            state.logged = nil
            state.rated = nil
        }
        return out
    }

    /// Instants that can be stored and reckoned with: the years 1 to 9999.
    private static let years =
        Timestamp(
            milliseconds: -62_135_596_800_000)...Timestamp(milliseconds: 253_402_300_799_999)

    // MARK: Lifts

    private typealias Landing = LiftDetectorState.Landing

    private mutating func follow(
        _ load: Double, _ instant: CraneInstant, _ previous: Timestamp?, _ out: inout [CraneRecord]
    ) {
        state.hook.takeBack(load, at: instant.time, options)
        let net = load - state.hook.zero
        let limit = options.thresholds(rated: state.rated)
        switch state.phase {
        case .idle where net >= limit.start:
            var lift = OpenLift(
                start: instant.time, zero: state.hook.zero, isStartUnseen: previous == nil,
                heightReference: instant.heightReference)
            add(load, instant, to: &lift)
            state.phase = .rising(lift)
        case .idle:
            let passed = previous.map { instant.time - $0 } ?? .zero
            state.hook.follow(load, seconds: Double(passed.milliseconds) / 1000, options)
        case .rising where net < limit.start:
            state.phase = .idle
        case .rising(var lift):
            add(load, instant, to: &lift)
            let stood = instant.time - lift.start
            state.phase =
                stood > .zero && stood >= options.startHold ? .loaded(lift) : .rising(lift)
        case .loaded(var lift) where net < limit.end:
            lift.addPosition(instant, options)
            var landed = lift
            landed.pass(to: instant.time, options)
            state.phase = .falling(lift, Landing(lift: landed, end: instant.time))
        case .loaded(var lift):
            add(load, instant, to: &lift)
            state.phase = .loaded(lift)
        case .falling(var lift, var landing) where net >= limit.start:
            // A spike on the hook that was just freed is no load that came back.
            add(load, instant, to: &lift)
            let since = landing.back ?? instant.time
            landing.back = since
            let stood = instant.time - since
            state.phase =
                stood > .zero && stood >= options.startHold
                ? .loaded(lift) : .falling(lift, landing)
        case .falling(var lift, var landing):
            lift.addPosition(instant, options)
            landing.back = nil
            state.phase = .falling(lift, landing)
            if instant.time - landing.end > options.longestDropout {
                finish(landing.lift, at: landing.end, [], &out)
                state.phase = .idle
            }
        }
        judgeZero(load, instant, &out)
    }

    private mutating func add(_ load: Double, _ instant: CraneInstant, to lift: inout OpenLift) {
        lift.add(load: load, instant, options)
        lift.addPosition(instant, options)
        lift.addOperator(state.logged)
    }

    /// What else an instant says counts, although nobody knows what hangs on the hook.
    private mutating func goOnWithoutLoad(_ instant: CraneInstant) {
        switch state.phase {
        case .idle, .rising: break
        case .loaded(var lift):
            lift.add(load: nil, instant, options)
            lift.addPosition(instant, options)
            lift.addOperator(state.logged)
            state.phase = .loaded(lift)
        case .falling(var lift, let landing):
            lift.addPosition(instant, options)
            state.phase = .falling(lift, landing)
        }
    }

    /// Looks whether what hangs there is the empty hook after all.
    private mutating func judgeZero(
        _ load: Double, _ instant: CraneInstant, _ out: inout [CraneRecord]
    ) {
        guard case .loaded(let lift) = state.phase, lift.hasMoved(options) else {
            // The hook is empty, or what hangs on it has never moved.
            guard state.hook.jump(instant, load, options) else { return }
            if case .loaded = state.phase { state.restingLoads += 1 }
            state.phase = .idle
            return
        }
        // A load that has moved and now hangs still is waiting to be fixed.
        state.hook.still = nil
        guard instant.time - lift.start >= options.longestLift else { return }
        finish(lift, at: lift.newest, .cutForLength, &out)
        state.phase = .idle
        // If more hangs on, nobody has seen it being picked up.
        state.newestLoad = nil
        if let least = lift.load.least { _ = state.hook.jump(to: least, options) }
    }

    private mutating func finish(
        _ lift: OpenLift, at end: Timestamp, _ quality: LiftQuality, _ out: inout [CraneRecord]
    ) {
        guard lift.isLift(endingAt: end, options) else {
            state.restingLoads += 1
            return
        }
        out.append(
            .lift(
                lift.record(
                    crane: crane, end: end, quality: quality, period: period,
                    isBackfill: state.isBackfill)))
    }
}
