import FieldLinks
import Telemetry

extension Outcome {
    /// Publishes by `body` and says what came of it; accepted means PUBACK.
    ///
    /// - Parameter retryAfter: how long an item rests after a failed attempt.
    static func publishing(
        retryAfter: Duration, _ body: () async throws -> Void
    ) async -> Outcome {
        do {
            try await body()
            return .accepted
        } catch let error as MQTTError {
            switch error.code {
            // Asking again would change nothing.
            case .oversize, .invalid: return .rejected(reason: error.cause)
            default: return .retry(after: retryAfter, reason: error.cause)
            }
        } catch {
            return .retry(after: retryAfter, reason: "\(error)")
        }
    }
}
