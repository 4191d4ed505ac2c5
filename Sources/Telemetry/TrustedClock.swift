/// Decides which time of day may be used: a value without a clock, told what the machine shows.
///
///     no time of day ──believed──▶ anchored ──a believed step──▶ anchored anew
///          │                         ▲  └────the wall clock steps──▶ goes on by the anchor
///          └──patience is over──▶ estimated ──believed──┘
///
/// An anchor is the distance from the monotonic to the wall clock. Once there is one, the time given
/// out follows the monotonic clock, leans slowly towards the wall clock while both agree, and never
/// goes back: a wall clock that steps is not followed before its new time is confirmed, and a
/// confirmed step back is caught up with by running a little slower.
package struct TrustedClock: Sendable {
    /// Whose word counts for the time of day.
    package enum Trust: Sendable {
        /// The wall clock counts when the kernel says that it is synchronised.
        case kernel
        /// The wall clock counts as it is.
        case system
    }

    /// The bounds within which a wall clock is believed.
    package struct Rules: Sendable {
        package var trust: Trust
        /// No time before this one is ever believed: the program did not exist.
        package var notBefore = Timestamp(milliseconds: 0)
        /// The newest time that the store holds; nil when it holds none.
        package var newestStored: Timestamp?
        /// The distance found by a process before this one in the same boot.
        package var previous: Previous?
        /// Differences up to this are corrected; larger ones are steps.
        package var tolerance = Duration.seconds(1)
        /// How long a step must last, synchronised all the time, before it is believed.
        package var confirmation: Duration
        /// How long an unsynchronised clock waits for the kernel before the hardware clock counts.
        package var hardwarePatience = Duration.seconds(30)
        /// How long readings wait for a time of day before it is estimated.
        package var patience = Duration.seconds(600)
        /// A first time so far after the newest stored one has to be confirmed.
        package var horizon = Duration.seconds(366 * 86_400)
        /// A larger step back is not caught up with: it would take months.
        package var longestCatchUp = Duration.seconds(2 * 86_400)

        package init(trust: Trust, confirmation: Duration? = nil) {
            self.trust = trust
            self.confirmation = confirmation ?? .seconds(trust == .kernel ? 600 : 60)
        }
    }

    /// What an earlier process of this boot went by.
    package struct Previous: Hashable, Sendable {
        package var bootID: String
        /// Wall minus monotonic time, in milliseconds.
        package var offset: Int64
        package var isEstimated: Bool
        /// When it was last known to hold, on the monotonic clock.
        package var monotonic: Int64

        package init(bootID: String, offset: Int64, isEstimated: Bool, monotonic: Int64) {
            self.bootID = bootID
            self.offset = offset
            self.isEstimated = isEstimated
            self.monotonic = monotonic
        }
    }

    /// A change of what the clock goes by, for the log.
    package enum Event: Hashable, Sendable {
        /// The time of day is known from now on.
        case anchored
        /// Nobody has confirmed a time of day: it is worked out from the newest stored one.
        case estimated
        /// The wall clock has stepped by so much and is not followed.
        case stepDisbelieved(Duration)
        /// A step has been confirmed and is followed; a negative one by running slower.
        case stepBelieved(Duration)
        /// The wall clock agrees again, and its step is forgotten.
        case agrees
    }

    private enum Source { case confirmed, unconfirmed, estimated }

    /// Where the wall clock says that it has stepped to.
    private struct Claim {
        var offset: Int64
        var since: Int64
        var isBelieved = false
    }

    private let rules: Rules
    private var offset: Int64?
    private var source = Source.estimated
    private var claim: Claim?
    /// Whether the present disagreement has been told.
    private var isReported = false
    private var stampOffset: Int64?
    private var start: Int64?
    private var slewedAt: Int64 = 0
    private var reportedAt: Int64?
    private var last = Timestamp(milliseconds: .min)
    private var since: Timestamp?
    private var state = ClockStatus.State.untrusted
    /// The wall clock's time minus the one given out, as last seen.
    private var difference = Duration.zero
    /// The fraction of the passing time by which the time given out may be corrected.
    private static let slew: Int64 = 20
    /// Disbelieved steps are told no more often than this, in milliseconds.
    private static let reportSpacing: Int64 = 60_000

    package init(_ rules: Rules) { self.rules = rules }

    /// Takes a reading of the machine in and answers with the time to use.
    ///
    /// - Parameter raw: `isTrusted` says whether the kernel reports the wall clock synchronised.
    /// - Returns: the reading to go by, and what has changed with it.
    package mutating func read(_ raw: ClockReading) -> (reading: ClockReading, events: [Event]) {
        var events: [Event] = []
        let shown = raw.wall.milliseconds &- raw.monotonic
        let isBelievable =
            (rules.trust == .system || raw.isTrusted) && raw.wall >= rules.notBefore
        if offset == nil {
            find(raw, shown, isBelievable, &events)
        } else {
            compare(raw, shown, isBelievable, &events)
        }
        var reading = raw
        guard let offset else {
            reading.wall = Timestamp(milliseconds: raw.monotonic)
            reading.isTrusted = false
            return (reading, events)
        }
        // The readings of several threads may be taken in in another order than they were made.
        last = max(last, Timestamp(milliseconds: raw.monotonic &+ offset))
        reading.wall = last
        reading.isTrusted = true
        reading.isEstimated = source == .estimated
        reading.stampOffset = stampOffset
        difference = raw.wall - last
        let state: ClockStatus.State = reading.isEstimated ? .estimated : .trusted
        if state != self.state {
            self.state = state
            since = last
        }
        return (reading, events)
    }

    /// How the clock stood at the last reading.
    package var status: ClockStatus {
        guard offset != nil else { return ClockStatus(state: .untrusted) }
        return ClockStatus(
            state: state, since: since,
            offsetSeconds: Double(difference.milliseconds) / 1000,
            isStepDisbelieved: difference.milliseconds.magnitude
                > UInt64(rules.tolerance.milliseconds))
    }

    // MARK: the first anchor

    private mutating func find(
        _ raw: ClockReading, _ shown: Int64, _ isBelievable: Bool, _ events: inout [Event]
    ) {
        let begin = start ?? raw.monotonic
        start = begin
        if let previous = rules.previous, previous.bootID == raw.bootID,
            previous.monotonic <= raw.monotonic
        {
            anchor(
                previous.offset, previous.isEstimated ? .estimated : .unconfirmed, raw, &events)
            return compare(raw, shown, isBelievable, &events)
        }
        let waited = Duration.milliseconds(raw.monotonic &- begin)
        let isPlausible = isNotBeforeStored(raw.wall) && raw.wall >= rules.notBefore
        if isBelievable, isPlausible {
            note(shown, raw)
            if isNear(raw.wall) ?? true || isConfirmed(raw) {
                return anchor(atLeastStored(shown, raw), .confirmed, raw, &events)
            }
        } else {
            claim = nil
            if isPlausible, isNear(raw.wall) ?? false, waited >= rules.hardwarePatience {
                return anchor(atLeastStored(shown, raw), .unconfirmed, raw, &events)
            }
        }
        guard waited >= rules.patience else { return }
        let floor = max(rules.newestStored ?? rules.notBefore, rules.notBefore)
        // Without anything stored, a hardware clock that is not absurd says more than the program.
        let isUsable =
            rules.newestStored == nil && isPlausible && raw.wall - floor <= rules.horizon * 10
        anchor(isUsable ? shown : floor.milliseconds, .estimated, raw, &events)
    }

    private func isNotBeforeStored(_ time: Timestamp) -> Bool {
        rules.newestStored.map { time >= $0 - rules.tolerance } ?? true
    }

    /// Whether a time is no more than the horizon after the newest stored one; nil without one.
    private func isNear(_ time: Timestamp) -> Bool? {
        rules.newestStored.map { time - $0 <= rules.horizon }
    }

    private func atLeastStored(_ shown: Int64, _ raw: ClockReading) -> Int64 {
        max(shown, (rules.newestStored?.milliseconds).map { $0 &- raw.monotonic } ?? shown)
    }

    private mutating func anchor(
        _ offset: Int64, _ source: Source, _ raw: ClockReading, _ events: inout [Event]
    ) {
        self.offset = offset
        self.source = source
        stampOffset = stampOffset ?? offset
        slewedAt = raw.monotonic
        claim = nil
        isReported = false
        events.append(source == .estimated ? .estimated : .anchored)
    }

    // MARK: against the wall clock

    private mutating func compare(
        _ raw: ClockReading, _ shown: Int64, _ isBelievable: Bool, _ events: inout [Event]
    ) {
        guard let offset else { return }
        let step = shown &- offset
        if step.magnitude <= UInt64(rules.tolerance.milliseconds) {
            agree(raw, shown, isBelievable, &events)
            return
        }
        guard isBelievable else {
            claim = nil
            return dispute(step, raw, &events)
        }
        note(shown, raw)
        let isForward = step > 0
        // Whoever had nothing better than a guess takes the first word that counts.
        let isWelcome = isForward && source != .confirmed && isNear(raw.wall) ?? true
        if isWelcome || isConfirmed(raw) {
            if isForward {
                anchor(shown, .confirmed, raw, &events)
                events[events.count - 1] = .stepBelieved(.milliseconds(step))
            } else {
                fallBehind(step, shown, raw, &events)
            }
        } else {
            dispute(step, raw, &events)
        }
    }

    private mutating func agree(
        _ raw: ClockReading, _ shown: Int64, _ isBelievable: Bool, _ events: inout [Event]
    ) {
        claim = nil
        lean(to: shown, raw)
        if isBelievable, source != .confirmed {
            if source == .estimated { events.append(.anchored) }
            source = .confirmed
        } else if isReported {
            events.append(.agrees)
        }
        isReported = false
    }

    /// A confirmed step back: time goes on from where it is, slower, and says that it is estimated.
    private mutating func fallBehind(
        _ step: Int64, _ shown: Int64, _ raw: ClockReading, _ events: inout [Event]
    ) {
        if claim?.isBelieved == false {
            claim?.isBelieved = true
            source = .estimated
            isReported = true
            slewedAt = raw.monotonic
            events.append(.stepBelieved(.milliseconds(step)))
        }
        if step.magnitude <= UInt64(rules.longestCatchUp.milliseconds) {
            lean(to: shown, raw)
        } else {
            slewedAt = raw.monotonic
        }
    }

    private mutating func dispute(
        _ step: Int64, _ raw: ClockReading, _ events: inout [Event]
    ) {
        slewedAt = raw.monotonic
        if isReported { return }
        if let reportedAt, raw.monotonic &- reportedAt < Self.reportSpacing { return }
        isReported = true
        reportedAt = raw.monotonic
        events.append(.stepDisbelieved(.milliseconds(step)))
    }

    /// Moves the anchor by a small part of the time that has passed, so that time goes forward.
    private mutating func lean(to shown: Int64, _ raw: ClockReading) {
        guard let offset else { return }
        let allowed = (raw.monotonic &- slewedAt) / Self.slew
        let rest = shown &- offset
        if rest.magnitude <= UInt64(max(0, allowed)) {
            self.offset = shown
            slewedAt = raw.monotonic
        } else if allowed > 0 {
            self.offset = offset &+ (rest > 0 ? allowed : -allowed)
            // What is too short for a millisecond counts next time.
            slewedAt += allowed * Self.slew
        }
    }

    /// Remembers what the wall clock claims, and since when without a break.
    private mutating func note(_ shown: Int64, _ raw: ClockReading) {
        if let claim,
            (shown &- claim.offset).magnitude <= UInt64(rules.tolerance.milliseconds)
        {
            return
        }
        claim = Claim(offset: shown, since: raw.monotonic)
    }

    private func isConfirmed(_ raw: ClockReading) -> Bool {
        guard let claim else { return false }
        return raw.monotonic &- claim.since >= rules.confirmation.milliseconds
    }
}
