import DeviceProfiles
import Synchronization
import Telemetry

/// The writes that are allowed on one link, the orders that wait, and what must be taken back.
///
///     order ─▶ waits ─▶ sent, read back ─▶ stands ─▶ [revert_after | stop | link was lost] ─▶ safe
///
/// Orders come from anywhere and are carried out by the loop of the link, before its next read.
final class DeviceCommands: Sendable {
    /// Something to write now.
    struct Work: Sendable {
        /// Where the command stands among those of the link.
        var index: Int
        var command: DeviceCommand
        var word: String
        /// The order behind it; nil when the gateway takes a device back to its safe state.
        var number: Int?
        var actor: String
    }

    private struct Waiting {
        var number: Int
        /// Where its command stands.
        var index: Int
        var order: DeviceOrder
        var continuation: CheckedContinuation<DeviceOrder.Outcome, Never>
    }

    /// One command as it stands.
    private struct Standing {
        /// When it was last changed, by the link's clock.
        var changedAt: Duration
        /// When it goes back to its safe word; nil: it stays.
        var revertAt: Duration?
    }

    private struct State {
        var waiting: [Waiting] = []
        var running: [Int: CheckedContinuation<DeviceOrder.Outcome, Never>] = [:]
        var standing: [Int: Standing] = [:]
        /// Commands to be taken back, by place.
        var unsafe: Set<Int>
        var isLost = false
        var isClosed = false
        var nextNumber = 0
    }

    /// More orders than this do not wait.
    private static let longestQueue = 32

    private let commands: [DeviceCommand]
    private let state: Mutex<State>

    init(_ commands: [DeviceCommand]) {
        self.commands = commands
        // What a device was left with by a gateway that was killed is not known.
        state = Mutex(State(unsafe: Set(commands.indices.filter { commands[$0].safe != nil })))
    }

    var isEmpty: Bool { commands.isEmpty }

    /// Waits for the order's end; `onWaiting` is called once it waits.
    func submit(
        _ order: DeviceOrder, now: Duration, onWaiting: () -> Void
    ) async -> DeviceOrder.Outcome {
        await withCheckedContinuation { continuation in
            let refusal: String? = state.withLock { state in
                guard let index = place(of: order) else {
                    return
                        "the configuration grants no command '\(order.point)' of '\(order.device)'"
                }
                if let refusal = objection(to: order, index, now: now, state) { return refusal }
                state.waiting.append(
                    Waiting(
                        number: state.nextNumber, index: index, order: order,
                        continuation: continuation))
                state.nextNumber += 1
                return nil
            }
            if let refusal {
                continuation.resume(returning: .refused(refusal))
            } else {
                onWaiting()
            }
        }
    }

    private func place(of order: DeviceOrder) -> Int? {
        commands.firstIndex { $0.device == order.device && $0.key == order.point }
    }

    private func objection(
        to order: DeviceOrder, _ index: Int, now: Duration, _ state: State
    ) -> String? {
        let command = commands[index]
        if command.values[order.word] == nil {
            return "'\(order.word)' is not one of "
                + command.values.keys.sorted().joined(separator: ", ")
        }
        if state.isClosed { return "the gateway is stopping" }
        if state.isLost { return "the link is down" }
        if state.waiting.count >= Self.longestQueue { return "too many orders wait" }
        return haste(of: order.word, index, now: now, state)
    }

    /// Why the command at `index` may not change yet; going to the safe state is never too early.
    private func haste(
        of word: String, _ index: Int, now: Duration, _ state: State
    ) -> String? {
        guard word != commands[index].safe, let least = commands[index].minInterval,
            let last = state.standing[index]?.changedAt, now - last < least
        else { return nil }
        return "the last change was less than \(least) ago"
    }

    /// The next thing to write; nil when there is nothing at `now`.
    func next(now: Duration) -> Work? {
        if commands.isEmpty { return nil }
        var refused: [(Waiting, String)] = []
        let work = state.withLock { state -> Work? in
            for (index, standing) in state.standing.sorted(by: { $0.key < $1.key }) {
                if let due = standing.revertAt, due <= now { state.unsafe.insert(index) }
            }
            if !state.isLost, let index = state.unsafe.min() {
                state.unsafe.remove(index)
                if let safe = commands[index].safe {
                    return Work(
                        index: index, command: commands[index], word: safe, number: nil,
                        actor: "plumbline")
                }
            }
            while !state.waiting.isEmpty {
                let first = state.waiting.removeFirst()
                // Another order may have switched it while this one waited.
                if let haste = haste(of: first.order.word, first.index, now: now, state) {
                    refused.append((first, haste))
                    continue
                }
                state.running[first.number] = first.continuation
                return Work(
                    index: first.index, command: commands[first.index], word: first.order.word,
                    number: first.number, actor: first.order.actor)
            }
            return nil
        }
        for (order, why) in refused { order.continuation.resume(returning: .refused(why)) }
        return work
    }

    /// When something is to be written without an order, by the link's clock; nil when nothing is.
    var nextDue: Duration? {
        if commands.isEmpty { return nil }
        return state.withLock { state in
            if !state.waiting.isEmpty { return .zero }
            // While the link is down nothing can be taken back; its return does that.
            if state.isLost { return nil }
            if !state.unsafe.isEmpty { return .zero }
            return state.standing.values.compactMap(\.revertAt).min()
        }
    }

    /// Says how `work` ended.
    func finish(_ work: Work, _ outcome: DeviceOrder.Outcome, now: Duration) {
        let continuation = state.withLock { state in
            let isSafe = work.word == work.command.safe
            switch outcome {
            case .refused: break
            // Sent and not confirmed may have been done: it is taken back all the same.
            case .done, .unconfirmed:
                state.standing[work.index] = Standing(
                    changedAt: now,
                    revertAt: isSafe || work.command.safe == nil
                        ? nil : work.command.revertAfter.map { now + $0 })
            }
            if isSafe, outcome != .done {
                // The safe state is asked for until the device confirms it.
                state.standing[work.index] = Standing(changedAt: now, revertAt: now + .seconds(5))
            }
            return work.number.flatMap { state.running.removeValue(forKey: $0) }
        }
        continuation?.resume(returning: outcome)
    }

    /// The link is down: nobody knows what the devices do, and no order waits for its return.
    func linkLost() {
        let waiting = state.withLock { state in
            state.isLost = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for order in waiting { order.continuation.resume(returning: .refused("the link is down")) }
    }

    /// The link is up; after a loss every command goes back to its safe word first.
    func linkReturned(at now: Duration) {
        state.withLock { state in
            guard state.isLost else { return }
            state.isLost = false
            state.unsafe.formUnion(commands.indices.filter { commands[$0].safe != nil })
        }
    }

    /// No more orders; those that wait are refused.
    func close() {
        let waiting = state.withLock { state in
            state.isClosed = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for order in waiting {
            order.continuation.resume(returning: .refused("the gateway is stopping"))
        }
    }

    /// What has to be taken back before the link is closed.
    func standingWork() -> [Work] {
        state.withLock { state in
            let open = state.unsafe.union(
                state.standing.filter { $0.value.revertAt != nil }.keys)
            // A command without a time to revert stands until the stop, and no longer.
            let others = commands.indices.filter {
                commands[$0].revertAfter == nil && state.standing[$0] != nil
            }
            return open.union(others).sorted().compactMap { index in
                commands[index].safe.map {
                    Work(
                        index: index, command: commands[index], word: $0, number: nil,
                        actor: "plumbline")
                }
            }
        }
    }
}
