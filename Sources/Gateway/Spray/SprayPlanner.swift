import Acquisition
import Telemetry

/// Decides when a spray runs: at most so long, at least so long, with a rest, never while forbidden.
///
///     idle ──wanted, rested, allowed──▶ running ──most, or forbidden, or unwanted after least──▶ resting
///      ▲                                                                                           │
///      └───────────────────────────────────────────────────────────────────────────────────────────┘
///
/// A value without clocks or devices; its time is that of any watch that does not go back.
struct SprayPlanner: Hashable, Sendable {
    /// How long it runs, and how long it rests before it may run again.
    struct Run: Hashable, Sendable {
        var least: Duration
        var most: Duration
        var rest: Duration
    }

    enum Step: Hashable, Sendable {
        case switchOn
        /// And why.
        case switchOff(String)
    }

    let run: Run
    private(set) var runningSince: Duration?
    /// Nobody knows whether it runs, so it is to be switched off.
    private var isInDoubt = false
    /// Before this it is not switched again.
    private var notBefore = Duration.zero

    /// An order that was refused is not given again before so long.
    static let pauseAfterRefusal = Duration.seconds(60)
    /// One to switch off is.
    static let pauseAfterFailedStop = Duration.seconds(5)

    init(_ run: Run) { self.run = run }

    /// What has to be ordered now; nil: nothing.
    func step(at now: Duration, isWanted: Bool, isForbidden: Bool) -> Step? {
        guard now >= notBefore else { return nil }
        guard let since = runningSince else {
            return isWanted && !isForbidden ? .switchOn : nil
        }
        if isInDoubt { return .switchOff("not confirmed") }
        if isForbidden { return .switchOff("forbidden") }
        if now - since >= run.most { return .switchOff("longest run") }
        if !isWanted, now - since >= run.least { return .switchOff("no alarm") }
        return nil
    }

    /// Takes in what came of a step.
    mutating func ended(_ step: Step, _ outcome: DeviceOrder.Outcome, at now: Duration) {
        switch (step, outcome) {
        case (.switchOn, .done): runningSince = now
        case (.switchOn, .refused): notBefore = now + Self.pauseAfterRefusal
        case (.switchOn, .unconfirmed):
            runningSince = now
            isInDoubt = true
        case (.switchOff, .done):
            runningSince = nil
            isInDoubt = false
            notBefore = now + run.rest
        case (.switchOff, .refused), (.switchOff, .unconfirmed):
            notBefore = now + Self.pauseAfterFailedStop
        }
    }
}
