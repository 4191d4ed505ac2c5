import FeedFormats
import Subprocess
import Telemetry

/// Hands mail to the system's `sendmail`, which queues and delivers it.
package struct SendmailTransport: FeedTransport {
    private let program: String
    private let limit: Duration
    private let clock: any Clock<Duration>

    /// - Parameters:
    ///   - program: the path of a program that takes `-t -i` and a message.
    ///   - limit: how long it may take.
    package init(
        program: String = "/usr/sbin/sendmail", limit: Duration = .seconds(30),
        clock: any Clock<Duration>
    ) {
        self.program = program
        self.limit = limit
        self.clock = clock
    }

    /// Hands one message over and says what came of it; accepted means that it is queued.
    package func send(
        _ message: FeedMessage, of notice: AlarmNotice, at time: Timestamp
    ) async -> Outcome {
        let (program, limit, clock, body) = (program, limit, clock, message.body)
        return await withTaskGroup(of: Outcome.self) { group in
            group.addTask { await Self.run(program, body) }
            group.addTask {
                try? await clock.sleep(for: limit)
                return .retry(after: .seconds(60), reason: "sendmail took longer than \(limit)")
            }
            let first = await group.next() ?? .retry(after: .seconds(60), reason: "no answer")
            // Cancelling ends the program.
            group.cancelAll()
            return first
        }
    }

    private static func run(_ program: String, _ body: [UInt8]) async -> Outcome {
        do {
            let result = try await Subprocess.run(
                .path(.init(program)), arguments: ["-t", "-i"], input: .array(body),
                output: .discarded, error: .discarded)
            guard case .exited(let status) = result.terminationStatus else {
                return .retry(after: .seconds(60), reason: "sendmail was ended by a signal")
            }
            return MailMessage.outcome(exitStatus: Int(status))
        } catch {
            return .retry(after: .seconds(300), reason: "\(program): \(error)")
        }
    }
}
