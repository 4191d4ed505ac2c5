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
        let period = try period(
            query.text("period"), today: CivilDate(now, calendar: context.calendar))
        let ledger = try await context.store.complianceLedger(
            of: context.energy, in: period, uplinks: context.uplinks, now: now)
        let document = ComplianceStatement(ledger).document(site: context.site.name)
        return Answer.bytes(
            StatementJSON.bytes(document), type: "application/json; charset=utf-8")
    }

    private func period(_ text: String?, today: CivilDate) throws(Problem) -> AccountingPeriod {
        let text = text ?? String("\(today)".prefix(7))
        guard let period = AccountingPeriod(text) else {
            throw .badParameter(
                "period", "'\(text)' is not a period",
                remedy: "for example 2026, 2026-03 or 2026-03-01..2026-03-15")
        }
        guard period.first <= today else {
            throw .badParameter(
                "period", "the period \(text) has not begun", remedy: "ask for one that has")
        }
        guard period.days <= Self.mostDays else {
            throw .badParameter(
                "period", "\(period.days) days are too many",
                remedy: "at most \(Self.mostDays), for example a year")
        }
        return period
    }
}
