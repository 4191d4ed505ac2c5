import Store
import Telemetry

/// How a device stands, judged by the age of its newest good reading.
///
///     ok      the newest good reading is at most three periods old
///     stale   it answers, but has given no good value for longer
///     dead    it is asked and does not answer (time-out, exception, no connection)
///     silent  it reports by itself and has said nothing for longer
///     never   nothing has been heard of it since the store was made
enum DeviceState: String, Hashable, Sendable, CaseIterable {
    case ok, stale, dead, silent, never
}

/// The judgement over one device, with what it rests on.
struct DeviceCondition: Hashable, Sendable {
    var state: DeviceState
    /// The longest age of a good reading at which the device is still `ok`.
    var limit: Duration
    /// How often a reading is expected; nil when nobody has said.
    var period: Duration?
    /// Of the newest good reading; nil without one.
    var age: Duration?
    var lastReading: Timestamp?
    var lastGood: Timestamp?
    /// Why the newest reading has no value; nil when it has one.
    var badReason: BadReason?

    /// For a device of which nobody has said how often it reports.
    static let undeclaredLimit = Duration.seconds(900)
    /// Periods without a good reading after which a device is not ok.
    static let periods = 3

    /// - Parameter allowance: how long a reading may take to become visible; added to the limit.
    init(
        _ groups: [ScanGroup], latest: [Int: LatestReading], now: Timestamp, allowance: Duration
    ) {
        let judged = groups.map { Self.judge($0, latest, now, allowance) }
        // The group that is heard most often says how the device is; the others can only show
        // that a part of it is missing.
        let lead = judged.min {
            ($0.period ?? .seconds(1 << 40)) < ($1.period ?? .seconds(1 << 40))
        }
        guard var condition = lead else {
            self.init(state: .never, limit: Self.undeclaredLimit)
            return
        }
        if condition.state == .ok, let other = judged.first(where: { $0.state != .ok }),
            other.state != .never
        {
            condition.state = .stale
            condition.badReason = other.badReason
        }
        condition.lastReading = judged.compactMap(\.lastReading).max()
        self = condition
    }

    private init(state: DeviceState, limit: Duration) {
        self.state = state
        self.limit = limit
    }

    private static func judge(
        _ group: ScanGroup, _ latest: [Int: LatestReading], _ now: Timestamp, _ allowance: Duration
    ) -> DeviceCondition {
        let limit = (group.period.map { $0 * periods } ?? undeclaredLimit) + allowance
        var condition = DeviceCondition(state: .never, limit: limit)
        condition.period = group.period
        let readings = group.series.compactMap { latest[$0.number] }
        let newest = readings.map(\.time).max()
        condition.lastReading = newest
        condition.lastGood = readings.compactMap(\.goodTime).max()
        // A device's clock may run ahead; an age is never negative.
        condition.age = condition.lastGood.map { max(.zero, now - $0) }
        guard let newest else { return condition }
        let last = readings.filter { $0.time == newest }
        if !last.contains(where: \.reading.isGood) {
            condition.badReason =
                last.lazy.compactMap { entry in
                    if case .bad(let reason) = entry.reading { reason } else { nil }
                }.first
        }
        if let age = condition.age, age <= limit {
            condition.state = .ok
            return condition
        }
        if now - newest > limit {
            // A polled group always says something; when it does not, the gateway does not ask.
            condition.state = group.isPolled ? .stale : .silent
        } else {
            condition.state = condition.badReason?.isOfTheWire == true ? .dead : .stale
        }
        return condition
    }
}

extension BadReason {
    /// Whether no answer came at all, in contrast to an answer that holds no value.
    var isOfTheWire: Bool {
        switch self {
        case .timeout, .exception, .foreignAnswer, .disconnected, .missed: true
        case .absent, .invalid, .outOfRange, .unknownCode, .stale, .malformed,
            .notIdentified:
            false
        }
    }
}
