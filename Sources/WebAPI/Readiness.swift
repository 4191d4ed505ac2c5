import Synchronization

/// How far the start has come, and whether something now prevents the gateway from doing its work.
///
/// The composition flips it while requests read it from other threads: hence a lock in this leaf.
package final class Readiness: Sendable {
    /// What has to be done before the gateway is ready, in the order of the start.
    package enum Stage: String, Hashable, Sendable, CaseIterable {
        case storeOpen = "store_open"
        case historyEvaluated = "history_evaluated"
        case listening = "listening"
    }

    private struct State {
        var done: Set<Stage> = []
        var fault: String?
    }

    private let state = Mutex(State())

    package init() {}

    /// Marks a stage as reached.
    package func reach(_ stage: Stage) { state.withLock { _ = $0.done.insert(stage) } }

    /// Says why the gateway is not ready although it has started (stopping, store cannot write);
    /// nil takes it back.
    package func setFault(_ reason: String?) { state.withLock { $0.fault = reason } }

    /// The stages still ahead, in order.
    package var missing: [Stage] {
        state.withLock { state in Stage.allCases.filter { !state.done.contains($0) } }
    }

    package var fault: String? { state.withLock { $0.fault } }

    package var isReady: Bool { missing.isEmpty && fault == nil }
}
