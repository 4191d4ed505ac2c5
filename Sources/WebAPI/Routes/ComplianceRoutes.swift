import EnergyAccounting
import Hummingbird
import Telemetry

/// `/api/v1/energy/compliance`: the statement that the metering is connected and running.
struct ComplianceRoutes {
    let context: WebAPIContext

    /// The days of one answer.
    static let mostDays = 366

    func add(to router: Router<BasicRequestContext>) {
        router.get("api/v1/energy/compliance") { request, _ in try await compliance(request) }
    }

    private func compliance(_ request: Request) async throws -> Response {
        let query = try QueryParameters(request, allowed: ["period"])
        let now = context.now
        let period = try query.period(
            today: CivilDate(now, calendar: context.calendar), mostDays: Self.mostDays)
        let ledger = try await context.store.complianceLedger(
            of: context.energy, in: period, platforms: context.uplinks.map(\.platform), now: now)
        let document = ComplianceStatement(ledger).document(site: context.site.name)
        return Answer.bytes(
            StatementJSON.bytes(document), type: "application/json; charset=utf-8")
    }
}
