import EnergyAccounting
import Telemetry

extension StoreReader {
    /// Reads what the compliance statement of a period rests on.
    ///
    /// - Parameter configured: the platforms of the configuration; how they stand is read.
    package func complianceLedger(
        of plan: EnergyPlan, in period: AccountingPeriod,
        platforms configured: [ComplianceLedger.Platform], now: Timestamp
    ) async throws(StoreError) -> ComplianceLedger {
        let calendar = shared.calendar
        let counted = try await meterLedger(
            of: plan, on: CountGrid(.hour, of: period, calendar: calendar), now: now)
        let recent = try await meterLedger(
            of: plan, on: ComplianceLedger.recentGrid(now: now, calendar: calendar), now: now)
        let (registry, latest) = (shared.registry.value, latest())
        var lastGoods: [SeriesID: Timestamp] = [:]
        for id in plan.tree.meters.compactMap(\.counter) {
            lastGoods[id] = registry.series(id).flatMap { latest[$0.number]?.goodTime }
        }
        var platforms: [ComplianceLedger.Platform] = []
        for var platform in configured {
            let status = try await uplinkStatus(uplink: platform.uplink)
            (platform.lastAccepted, platform.oldestOwed) = (
                status.lastAccepted, status.oldestOwed
            )
            platforms.append(platform)
        }
        return ComplianceLedger(
            plan: plan, period: period, calendar: calendar, now: now, counted: counted,
            recent: recent, lastGoods: lastGoods, platforms: platforms,
            deliveries: try await deliveryDays(from: period.first, through: period.last))
    }
}
