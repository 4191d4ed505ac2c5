import Acquisition
import Alarms
import Store
import Telemetry
import WebAPI

/// Takes what people say: commits it to the journal and waits until it is acted upon.
///
///     instruction ──▶ journal (as the text of a scan) ──▶ AlarmFold ──▶ its record in the store
package struct AlarmInstructions: Sendable {
    let store: Store
    let ingestion: Ingestion
    let groups: [ScanGroup]
    let rules: Set<String>
    let circumstances: [SiteConfiguration.Circumstance]
    let clock: any Clock<Duration>
    let wallClock: any WallClock

    /// How long the fold may take to act.
    private static let patience = Duration.seconds(10)

    /// Gives one instruction; one that was given before answers what came of it then.
    ///
    /// - Throws: `InstructionRefusal`, `IngestionError` while nothing can be stored, `StoreError`.
    package func give(_ instruction: AlarmInstruction) async throws -> InstructionRecord {
        if let known = try await store.reader.instruction(id: instruction.id) { return known }
        try await check(instruction)
        return try await withPatience {
            try await commit(
                .text(instruction.text), to: BoundSite.operators.scope, at: instruction.time)
            return try await acted(instruction.id)
        }
    }

    /// Says a word about the site.
    ///
    /// - Returns: the time for which it was said.
    package func say(_ id: String, _ word: String, by actor: String) async throws -> Timestamp {
        guard let circumstance = circumstances.first(where: { $0.id == id }) else {
            throw InstructionRefusal.unknownCircumstance(id, known: circumstances.map(\.id))
        }
        guard circumstance.states.contains(word) else {
            throw InstructionRefusal.unknownState(word, of: id, known: circumstance.states)
        }
        let now = wallClock.read()
        guard now.isTrusted else { throw InstructionRefusal.timeNotTrusted }
        let scope = groups.first { $0.device == BoundSite.siteDevice && $0.name == id }?.scope
        try await withPatience {
            try await commit(.text(word), to: scope ?? "", at: now.wall)
        }
        try await store.writer.appendAudit(
            actor: actor, action: "circumstance", detail: "\(id) \(word)", at: now.wall)
        return now.wall
    }

    private func check(_ instruction: AlarmInstruction) async throws {
        guard wallClock.read().isTrusted else { throw InstructionRefusal.timeNotTrusted }
        switch instruction.action {
        case .acknowledge(let key), .comment(let key), .hazard(let key, _):
            guard try await store.reader.alarm(key: key.text) != nil else {
                throw InstructionRefusal.unknownAlarm(key.text)
            }
        case .shelve(let target, _), .takeOut(let target):
            guard rules.contains(target.rule) else {
                throw InstructionRefusal.unknownRule(target.rule, known: rules.sorted())
            }
        // What is silent may belong to a rule that is gone.
        case .unsilence: break
        }
    }

    private func commit(_ reading: Reading, to scope: String, at time: Timestamp) async throws {
        guard let group = groups.first(where: { $0.scope == scope }) else {
            throw InstructionRefusal.unknownCircumstance(scope, known: [])
        }
        let scan = Scan(group: group.id, time: time, readings: [reading])
        let ticket = try await ingestion.admit(Admission(scans: [scan], holdsWindow: true))
        _ = try await ticket.committed()
    }

    /// Waits until the fold has acted, which leaves a record in the store.
    private func acted(_ id: String) async throws -> InstructionRecord {
        while true {
            let generation = store.reader.effectsGeneration
            if let record = try await store.reader.instruction(id: id) { return record }
            _ = await store.reader.waitForEffects(after: generation)
            try Task.checkCancellation()
        }
    }

    private func withPatience<T: Sendable>(
        _ body: @escaping @Sendable () async throws -> T
    ) async throws -> T {
        try await withThrowingTaskGroup(of: T.self) { [clock] group in
            group.addTask { try await body() }
            group.addTask {
                try await clock.sleep(for: Self.patience)
                throw InstructionRefusal.slow
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw InstructionRefusal.slow }
            return first
        }
    }
}
