import Telemetry

/// Whether a station's clock is right, by what its packets say of the moment they were sent.
///
///     QN agrees with the arrival                    right, for a day
///     QN to come, or of a notice, disagrees         wrong: nobody keeps these
///     QN of data is old, once, or out of step       kept while the line was down: says nothing
///     QN of data stays as old for half a minute     wrong: a clock that runs, at another time
struct HJ212ClockProof: Sendable {
    /// How long a clock is believed after it was seen to be right, in milliseconds: a day.
    private static let lasts: Int64 = 86_400_000
    /// What two old QN have to be apart to be compared, likewise.
    private static let apart: Int64 = 30_000
    /// How far such two may differ at least, likewise.
    private static let slack: Int64 = 10_000

    private var provenAt: Int64?
    private var doubt: (skew: Int64, since: Int64)?

    /// - Parameter now: monotonic milliseconds, as everywhere here.
    func holds(at now: Int64) -> Bool { provenAt.map { now - $0 < Self.lasts } ?? false }

    /// Takes in how far a QN is ahead of the arrival.
    mutating func take(_ skew: Duration, isTolerable: Bool, isNotice: Bool, at now: Int64) {
        let skew = skew.milliseconds
        if isTolerable {
            provenAt = now
            doubt = nil
        } else if skew > 0 || isNotice {
            provenAt = nil
            doubt = nil
        } else if let doubt, now - doubt.since < Self.apart {
            return
        } else {
            if let doubt {
                let waited = now - doubt.since
                // A backlog is sent faster, or slower, than it grew.
                if abs(skew - doubt.skew) <= max(Self.slack, waited / 10) { provenAt = nil }
            }
            doubt = (skew, now)
        }
    }
}
