import Hummingbird
import Telemetry

/// `/health/live` and `/health/ready`.
struct HealthRoutes {
    let context: WebAPIContext

    func add(to router: Router<BasicRequestContext>) {
        router.get("health/live") { _, _ in Answer.json { $0.field("status", "live") } }
        router.get("health/ready") { _, _ in try ready() }
    }

    private func ready() throws -> Response {
        let missing = context.readiness.missing
        let fault = context.readiness.fault
        if missing.isEmpty, fault == nil {
            // A clock that nobody confirms does not keep the gateway from its work.
            let clock = context.clockStatus()
            return Answer.json { json in
                json.field("status", "ready")
                if let clock { json.field("clock", clock.state.rawValue) }
            }
        }
        let waiting = missing.map(\.rawValue)
        throw Problem(
            status: .serviceUnavailable, code: "not_ready", title: "The gateway is not ready",
            detail: fault ?? "not done yet: \(waiting.joined(separator: ", "))",
            remedy: fault == nil ? "ask again in a moment" : "look at the gateway's log",
            headers: [.retryAfter: "1"], lists: [("waiting_for", waiting)])
    }
}
