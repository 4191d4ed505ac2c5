import Telemetry

/// Decides which messages a feed is sent: changes of state in, few messages out.
///
///     raised ─▶ chatters? ─▶ digest only? ─▶ first of its area and module? ─▶ now
///                  │              │                     └─▶ with the others when the group ends
///                  └─ told once   └─ once a day
///     more than `most` in `per` ─▶ one message for all of it, when there is room again
///
/// A fold like the alarms themselves: the same changes and rows give the same messages, and its
/// state is stored with theirs. Whatever is held back here is in the store as an alarm all the same.
package struct NoticePlanner: Hashable, Sendable {
    package let feed: FeedSubscription
    var state = NoticePlannerState()

    package init(_ feed: FeedSubscription) { self.feed = feed }

    /// Takes in what changed in one row of the journal, and lets time pass to its instant.
    ///
    /// - Parameters:
    ///   - now: the row's trusted wall time; nil while nobody trusts the clock.
    ///   - traits: what is known of an alarm's rule and device.
    package mutating func handle(
        _ changes: [AlarmTransition], now: Timestamp?, calendar: SiteCalendar,
        traits: (AlarmTransition) -> AlarmTraits
    ) -> [PlannedNotice] {
        let newest = [now, changes.map(\.time).max(), state.now].compactMap { $0 }.max()
        guard let time = newest else { return [] }
        state.now = time
        let wanted = changes.filter { change in
            !change.isBackfill && feed.wants(traits(change), change.series.device)
        }
        if feed.audience == .programs { return wanted.compactMap { self.change($0, time) } }
        var raised: [String: [AlarmKey]] = [:]
        for change in wanted {
            let key = AlarmKey(rule: change.rule, series: change.series, onset: change.onset)
            let traits = traits(change)
            switch change.to {
            case .activeUnacknowledged:
                guard raise(key, traits, time) else { continue }
                raised[traits.group, default: []].append(key)
            case .activeAcknowledged: state.open[key]?.isAcknowledged = true
            case .normal, .returnedUnacknowledged, .latched, .shelved, .suppressed, .outOfService:
                fall(key, traits, change.to)
            case .pending: continue
            }
        }
        for (group, keys) in raised.sorted(by: { $0.key < $1.key }) {
            for key in keys { state.wait(key, in: group, \.raised) }
        }
        return due(time, calendar)
    }

    /// A program is told every change but the coming and going before an alarm is one.
    private func change(_ change: AlarmTransition, _ time: Timestamp) -> PlannedNotice? {
        if change.to == .pending || (change.from == .pending && change.to == .normal) { return nil }
        let key = AlarmKey(rule: change.rule, series: change.series, onset: change.onset)
        return PlannedNotice(
            feed: feed.id, kind: .change, time: change.time, subject: key.text, alarms: [key],
            from: change.from, to: change.to)
    }

    /// - Returns: whether the alarm is to be told with its group.
    private mutating func raise(
        _ key: AlarmKey, _ traits: AlarmTraits, _ time: Timestamp
    ) -> Bool {
        state.count(key)
        if feed.waitsForDigest(traits) { return false }
        // One that is back from shelf or latch is told again.
        state.track(key, group: traits.group, at: time)
        if feed.after != nil { return false }
        switch state.chatter(key.rule, key.series, at: time, feed.chatter) {
        case .quiet: return true
        case .begins:
            state.wait(forRoom: [key])
            state.chattering.append(key)
            return false
        case .goesOn: return false
        }
    }

    private mutating func fall(_ key: AlarmKey, _ traits: AlarmTraits, _ to: AlarmState) {
        guard var alarm = state.open[key] else { return }
        if to == .latched {
            alarm.hasFallen = true
            state.open[key] = alarm
        } else {
            state.open[key] = nil
        }
        // Silence that somebody wanted is no return.
        guard to == .normal || to == .returnedUnacknowledged || to == .latched else { return }
        guard alarm.isTold, feed.tellsReturns, !alarm.isReturnTold else { return }
        state.open[key]?.isReturnTold = true
        state.wait(key, in: traits.group, \.returned)
    }

    // MARK: What time brings

    private mutating func due(_ now: Timestamp, _ calendar: SiteCalendar) -> [PlannedNotice] {
        var out: [PlannedNotice] = []
        state.sent.removeAll { $0 + feed.per <= now }
        for (name, group) in state.groups.sorted(by: { $0.key < $1.key }) {
            guard !group.isEmpty else {
                if group.until.map({ $0 <= now }) ?? true { state.groups[name] = nil }
                continue
            }
            if let until = group.until, now < until { continue }
            state.groups[name] = NoticePlannerState.Group(until: now + feed.group)
            guard hasRoom else {
                state.wait(forRoom: group.raised + group.returned)
                continue
            }
            let kind: AlarmNotice.Kind = group.raised.isEmpty ? .returned : .raised
            out.append(
                send(kind, name, inOrder(group.raised) + inOrder(group.returned), now))
        }
        out += escalations(now)
        out += reminders(now)
        if !state.storm.isEmpty, state.sent.count < feed.most {
            let isChatter = Set(state.storm).isSubset(of: state.chattering)
            let keys = inOrder(state.storm)
            state.storm = []
            state.chattering = []
            out.append(send(isChatter ? .chattering : .storm, "*", keys, now))
        }
        if let digest = digest(now, calendar) { out.append(digest) }
        return out
    }

    /// Whether one more message leaves room for the one about everything else.
    private var hasRoom: Bool { state.sent.count < max(1, feed.most - 1) }

    private func inOrder(_ keys: [AlarmKey]) -> [AlarmKey] {
        keys.sorted { ($0.onset, $0.text) < ($1.onset, $1.text) }
    }

    private mutating func send(
        _ kind: AlarmNotice.Kind, _ subject: String, _ keys: [AlarmKey], _ now: Timestamp
    ) -> PlannedNotice {
        state.sent.append(now)
        for key in keys {
            state.open[key]?.isTold = true
            state.open[key]?.toldAt = now
        }
        return PlannedNotice(
            feed: feed.id, kind: kind, time: now, subject: subject, alarms: keys)
    }

    private mutating func escalations(_ now: Timestamp) -> [PlannedNotice] {
        guard let after = feed.after else { return [] }
        let keys = state.open.filter { _, alarm in
            !alarm.isTold && !alarm.isAcknowledged && !alarm.hasFallen
                && alarm.raisedAt + after <= now
        }.keys
        guard !keys.isEmpty else { return [] }
        guard hasRoom else {
            for key in keys { state.open[key]?.isTold = true }
            state.wait(forRoom: Array(keys))
            return []
        }
        return [send(.escalation, "*", inOrder(Array(keys)), now)]
    }

    private mutating func reminders(_ now: Timestamp) -> [PlannedNotice] {
        guard let remind = feed.remind else { return [] }
        let keys = state.open.filter { _, alarm in
            alarm.isTold && !alarm.isAcknowledged && !alarm.hasFallen
                && alarm.toldAt.map { $0 + remind <= now } ?? false
        }.keys
        guard !keys.isEmpty, hasRoom else { return [] }
        return [send(.reminder, "*", inOrder(Array(keys)), now)]
    }

    private mutating func digest(_ now: Timestamp, _ calendar: SiteCalendar) -> PlannedNotice? {
        guard let minute = feed.digest else { return nil }
        guard let next = state.nextDigest else {
            state.nextDigest = Self.next(minute, after: now, calendar)
            state.digestSince = now
            return nil
        }
        // The day's message counts like any other; without room it goes when there is some.
        guard next <= now, state.sent.count < feed.most else { return nil }
        let since = state.digestSince ?? now
        let (keys, total) = (state.raisedSince, state.raisedCount)
        state.nextDigest = Self.next(minute, after: now, calendar)
        state.digestSince = now
        state.raisedSince = []
        state.raisedCount = 0
        // A day without alarms has no digest: nobody reads what says nothing.
        guard total > 0 else { return nil }
        state.sent.append(now)
        return PlannedNotice(
            feed: feed.id, kind: .digest, time: now, subject: "*", alarms: keys, total: total,
            since: since)
    }

    /// The next instant at which the site's clocks show so many minutes after midnight.
    private static func next(
        _ minute: Int, after now: Timestamp, _ calendar: SiteCalendar
    ) -> Timestamp {
        let civil = calendar.civil(now)
        for day in 0...2 {
            let days =
                CivilTime.daysSinceEpoch(
                    year: civil.year, month: civil.month, day: civil.day) + day
            let date = CivilTime.date(daysSinceEpoch: days)
            let time = calendar.timestamp(
                CivilTime(
                    year: date.year, month: date.month, day: date.day, hour: minute / 60,
                    minute: minute % 60))
            if now < time { return time }
        }
        return now + .seconds(86_400)
    }
}

extension AlarmTraits {
    /// What belongs together in one message.
    fileprivate var group: String { "\(area ?? "-")/\(module)" }
}
