import Telemetry

/// What a feed's planner remembers. Bounded: of more open alarms than `capacity` the oldest are no
/// longer reminded of.
struct NoticePlannerState: Hashable, Sendable {
    /// An alarm that was raised and has not returned.
    struct Open: Hashable, Sendable {
        var group: String
        var raisedAt: Timestamp
        var toldAt: Timestamp?
        var isTold = false
        var isAcknowledged = false
        /// Its cause is gone, and somebody has to reset it.
        var hasFallen = false
        var isReturnTold = false
    }

    /// What waits for the others of its area and module.
    struct Group: Hashable, Sendable {
        /// Until when; nil: the next message goes at once.
        var until: Timestamp?
        var raised: [AlarmKey] = []
        var returned: [AlarmKey] = []

        var isEmpty: Bool { raised.isEmpty && returned.isEmpty }
    }

    /// How often one rule has raised an alarm on one series of late.
    struct Raises: Hashable, Sendable {
        var times: [Timestamp] = []
        var isChattering = false
    }

    enum Chattering { case quiet, begins, goesOn }

    static let capacity = 4096

    /// The newest instant it was told.
    var now: Timestamp?
    var open: [AlarmKey: Open] = [:]
    var groups: [String: Group] = [:]
    /// Messages of the last span.
    var sent: [Timestamp] = []
    /// What waits for room.
    var storm: [AlarmKey] = []
    /// Those of them that are told because they chatter.
    var chattering: [AlarmKey] = []
    /// By `rule|series`.
    var raises: [String: Raises] = [:]
    var nextDigest: Timestamp?
    var digestSince: Timestamp?
    var raisedSince: [AlarmKey] = []
    var raisedCount = 0

    /// Puts an alarm with the others of its area and module.
    ///
    /// Beyond `capacity` nobody would read on; what is left out is in the store all the same.
    mutating func wait(
        _ key: AlarmKey, in group: String, _ list: WritableKeyPath<Group, [AlarmKey]>
    ) {
        guard groups[group]?[keyPath: list].count ?? 0 < Self.capacity else { return }
        groups[group, default: Group()][keyPath: list].append(key)
    }

    /// Puts alarms into the one message about everything that found no room.
    mutating func wait(forRoom keys: [AlarmKey]) {
        storm += keys.prefix(max(0, Self.capacity - storm.count))
    }

    mutating func count(_ key: AlarmKey) {
        raisedCount += 1
        if raisedSince.count < PlannedNotice.listed { raisedSince.append(key) }
    }

    mutating func track(_ key: AlarmKey, group: String, at time: Timestamp) {
        if open[key] == nil, open.count >= Self.capacity,
            let oldest = open.min(by: {
                ($0.value.raisedAt, $0.key.text) < ($1.value.raisedAt, $1.key.text)
            })
        {
            open[oldest.key] = nil
        }
        open[key] = Open(group: group, raisedAt: time)
    }

    /// Whether an alarm comes so often that saying so once is enough.
    mutating func chatter(
        _ rule: String, _ series: SeriesID, at time: Timestamp, _ limit: FeedSubscription.Chatter
    ) -> Chattering {
        let name = "\(rule)|\(series)"
        if raises.count >= Self.capacity {
            raises = raises.filter { $0.value.times.last.map { time < $0 + limit.within } ?? false }
        }
        var raises = raises[name] ?? Raises()
        // Quiet for the whole span: what comes now is news again.
        raises.times.removeAll { $0 + limit.within <= time }
        if raises.times.isEmpty { raises.isChattering = false }
        raises.times.append(time)
        if raises.times.count > 32 { raises.times.removeFirst() }
        defer { self.raises[name] = raises }
        if raises.isChattering { return .goesOn }
        guard raises.times.count > limit.times else { return .quiet }
        raises.isChattering = true
        return .begins
    }
}
