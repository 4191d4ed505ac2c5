import Acquisition
import Testing

@Suite("Waiting for a commit")
struct CommitTicketTests {
    private struct Full: Error {}

    @Test("all who wait are answered once, before and after the commit")
    func manyWaiters() async throws {
        let promise = CommitPromise()
        let ticket = promise.ticket
        try await withThrowingTaskGroup(of: Int64.self) { group in
            for _ in 0..<20 { group.addTask { try await ticket.committed() } }
            group.addTask {
                promise.succeed(sequence: 7)
                promise.fail(Full())
                return 7
            }
            for try await sequence in group { #expect(sequence == 7) }
        }
        #expect(try await ticket.committed() == 7)
    }

    @Test("a failed commit fails those who wait")
    func failure() async throws {
        let promise = CommitPromise()
        promise.fail(Full())
        await #expect(throws: Full.self) { try await promise.ticket.committed() }
    }

    @Test("cancelling ends the wait of that task alone")
    func cancellation() async throws {
        let promise = CommitPromise()
        let ticket = promise.ticket
        let cancelled = Task { try await ticket.committed() }
        let patient = Task { try await ticket.committed() }
        cancelled.cancel()
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        promise.succeed(sequence: 1)
        #expect(try await patient.value == 1)
    }
}
