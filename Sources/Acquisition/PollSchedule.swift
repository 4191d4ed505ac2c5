import Telemetry

/// What to ask next on one link: a value without a clock, told the time by its caller.
///
/// Every entry is one scan group of one unit. Its slots are the multiples of its period of UTC, and
/// each is answered exactly once: polled, skipped because the unit is silent, or missed.
///
///     next(now) ─▶ poll(entry, slot)      ask the unit, then call `polled`
///               ─▶ skip(entry, slot, why) the scan of that slot is bad with this reason
///               ─▶ wait(until)            nothing is due before
package struct PollSchedule: Sendable {
    /// One group to poll.
    package struct Entry: Hashable, Sendable {
        /// Names the unit whose silence is shared: groups of one unit back off together.
        package var unit: Int
        package var period: Duration
        package init(unit: Int, period: Duration) {
            self.unit = unit
            self.period = period
        }
    }

    /// What the caller should do now.
    package enum Step: Hashable, Sendable {
        case poll(entry: Int, slot: Timestamp)
        case skip(entry: Int, slot: Timestamp, reason: BadReason)
        /// Nothing is due before this instant; nil when nothing is scheduled at all.
        case wait(until: Timestamp?)
    }

    /// How a poll ended, as far as the schedule cares.
    package enum Ending: Hashable, Sendable {
        /// The unit spoke, be it an exception.
        case answered
        /// The unit did not speak; the reason is given to the slots skipped until it is asked again.
        case silent(BadReason)
    }

    /// The silence of one unit.
    private struct Silence {
        var wait: Duration
        var until: Timestamp
        var reason: BadReason
    }

    /// The longest wait between two questions to a silent unit that cost next to nothing.
    package static let longestWait = Duration.seconds(60)
    private static let firstWait = Duration.seconds(1)
    /// Asking silent units takes one part in so many of the bus, all of them together.
    private static let silentShare = 25
    /// A silent unit whose time has come gives way for so many of its slots.
    private static let longestPassing: Int64 = 2
    /// However dear the questions are, a silent unit is asked again after this time.
    private static let patience = Duration.seconds(300)
    /// The slots of an entry that are told as missed one by one; older ones are passed over, so
    /// that a clock set right by years does not bring millions of them.
    private static let longestBacklog: Int64 = 64
    /// Longer periods than ten years, in milliseconds, are as long as that.
    private static let longestPeriod: Int64 = 316_000_000_000
    /// A clock that goes back further than this, in milliseconds, was wrong before: the schedule
    /// begins anew.
    private static let longestStepBack: Int64 = 60_000
    /// Both clocks may part so far, in milliseconds, before the time of day counts as set.
    private static let longestDrift: Int64 = 1000

    private let entries: [Entry]
    /// For each entry its period in milliseconds: every entry is looked at before every poll, and a
    /// `Duration` is 128 bits.
    private let periods: [Int64]
    /// For each entry the slot to be answered next.
    private var due: [Timestamp]
    /// For each entry the slots in a row that passed before it could be polled.
    private var starved: [Int64]
    /// For each entry a number that grows with every poll of the schedule.
    private var lastPoll: [Int]
    private var polls = 0
    /// The poll that is under way, and since when.
    private var underWay: (entry: Int, since: Timestamp)?
    private var silences: [Int: Silence] = [:]
    /// Milliseconds from the monotonic clock to the instants of this schedule; nil until it is
    /// told, 0 while they are monotonic times.
    private var offset: Int64?

    /// - Parameter start: slots before this instant are nobody's; the first ones are at or after it.
    package init(_ entries: [Entry], start: Timestamp) {
        // A period below one millisecond would have no slots.
        self.entries = entries.map {
            Entry(unit: $0.unit, period: max($0.period, .milliseconds(1)))
        }
        periods = self.entries.map { min($0.period.milliseconds, Self.longestPeriod) }
        starved = self.entries.map { _ in 0 }
        lastPoll = self.entries.map { _ in 0 }
        due = self.entries.map { entry in
            let slot = start.slot(every: entry.period)
            return slot < start ? slot + entry.period : slot
        }
    }

    /// As `init(_:start:)`, for a schedule that is told of both clocks with `follow`.
    package init(_ entries: [Entry], start: ClockReading) {
        self.init(entries, start: start.wall)
        offset = start.wall.milliseconds &- start.monotonic
    }

    /// Takes note of both clocks; comes before `next` and `polled`.
    ///
    /// When a time of day is found, the slots of monotonic time become those that their scans are
    /// stamped with, so that none is met twice and none left out. When the time of day is set
    /// forward, the slots in between have not been: nobody is told that they were missed.
    package mutating func follow(_ now: ClockReading) {
        let shown = now.wall.milliseconds &- now.monotonic
        guard var known = offset else {
            offset = shown
            return
        }
        offset = shown
        if known == 0, now.isTrusted, let stamped = now.stampOffset, stamped != 0 {
            for index in entries.indices {
                due[index] = Timestamp(milliseconds: due[index].milliseconds &+ stamped)
                    .slot(every: entries[index].period)
            }
            shiftSilences(stamped)
            known = stamped
        }
        let step = shown &- known
        guard step > Self.longestDrift else { return }
        for index in entries.indices {
            due[index] = max(due[index], now.wall.slot(every: entries[index].period))
        }
        shiftSilences(step)
    }

    private mutating func shiftSilences(_ step: Int64) {
        for unit in silences.keys { silences[unit]?.until.milliseconds &+= step }
        underWay?.since.milliseconds &+= step
    }

    /// What to do at `now`. Each slot comes up once; the caller acts on it before asking again.
    ///
    /// A wall clock that is set back a little leaves the slots as they are: they wait until it has
    /// caught up, because a slot is met once. Set forward, the slots passed over are missed.
    package mutating func next(now: Timestamp) -> Step {
        var best: Int?
        var bestDeadline = Timestamp(milliseconds: .max)
        var earliest: Timestamp?
        for index in entries.indices {
            keepNear(index, now: now)
            let slot = due[index]
            if earliest.map({ slot < $0 }) ?? true { earliest = slot }
            guard slot <= now else { continue }
            let deadline = Timestamp(milliseconds: slot.milliseconds &+ periods[index])
            if deadline <= now {
                starved[index] += 1
                return take(index, reason: .missed)
            }
            if !silences.isEmpty, let silence = silences[entries[index].unit], now < silence.until {
                return take(index, reason: silence.reason)
            }
            // A unit that was silent is asked last, so that it costs the others the least.
            // On a bus that is asked for more than it can do, whoever was left out comes first, so
            // that the loss is shared.
            let claim = Timestamp(
                milliseconds: deadline.milliseconds
                    &- periods[index] &* min(starved[index], Self.longestBacklog))
            if isBefore(index, claim, than: best, bestDeadline) {
                best = index
                bestDeadline = claim
            }
        }
        guard let best else { return .wait(until: earliest) }
        let slot = due[best]
        due[best].milliseconds &+= periods[best]
        starved[best] = 0
        polls += 1
        lastPoll[best] = polls
        underWay = (best, now)
        return .poll(entry: best, slot: slot)
    }

    /// Says how the poll of `entry` ended at `now`.
    package mutating func polled(entry: Int, _ ending: Ending, now: Timestamp) {
        guard entries.indices.contains(entry) else { return }
        let unit = entries[entry].unit
        switch ending {
        case .answered: if !silences.isEmpty { silences[unit] = nil }
        case .silent(let reason):
            let step = min(
                Self.longestWait, silences[unit].map { $0.wait * 2 } ?? Self.firstWait)
            let cost = underWay?.entry == entry ? (underWay.map { now - $0.since } ?? .zero) : .zero
            let others = silences.keys.count { $0 != unit }
            // A bus on which nobody else lives has nobody to spare.
            let isShared = entries.contains { $0.unit != unit && silences[$0.unit] == nil }
            let share = isShared ? Self.silentShare * (others + 1) : 0
            let budget = min(Self.patience, max(.zero, cost) * share)
            silences[unit] = Silence(wait: step, until: now + max(step, budget), reason: reason)
        }
    }

    /// Whether `unit` has not spoken since it was last asked.
    package func isSilent(unit: Int) -> Bool { silences[unit] != nil }

    /// Keeps the entry's slot near a clock that was set.
    private mutating func keepNear(_ index: Int, now: Timestamp) {
        let period = periods[index]
        let backlog = now.milliseconds &- due[index].milliseconds
        if backlog > period &* Self.longestBacklog {
            due[index] = slot(of: index, at: now)
            due[index].milliseconds &-= period &* Self.longestBacklog
        } else if backlog < -period - Self.longestStepBack {
            due[index] = slot(of: index, at: now)
            due[index].milliseconds &+= period
        }
    }

    private func slot(of index: Int, at now: Timestamp) -> Timestamp {
        Timestamp(
            milliseconds: now.milliseconds &- now.milliseconds.modulo(periods[index]))
    }

    private mutating func take(_ index: Int, reason: BadReason) -> Step {
        let slot = due[index]
        due[index].milliseconds &+= periods[index]
        return .skip(entry: index, slot: slot, reason: reason)
    }

    /// Whether the entry gives way to all others: its unit was silent, and has not yet been passed
    /// over so often that on a busy line it would never be asked again.
    private func isLast(_ index: Int) -> Bool {
        !silences.isEmpty && silences[entries[index].unit] != nil
            && starved[index] < Self.longestPassing
    }

    private func isBefore(
        _ index: Int, _ deadline: Timestamp, than best: Int?, _ bestDeadline: Timestamp
    ) -> Bool {
        guard let best else { return true }
        let isLast = isLast(index)
        if isLast != self.isLast(best) { return !isLast }
        if deadline != bestDeadline { return deadline < bestDeadline }
        return lastPoll[index] < lastPoll[best]
    }
}
