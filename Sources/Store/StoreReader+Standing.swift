import EnergyAccounting
import Telemetry

extension StoreReader {
    /// The speed at which a backlog goes is that of so long.
    private static let catchUpWindow = Duration.seconds(600)

    /// How a platform stands now.
    ///
    /// - Parameters:
    ///   - address: where it is, without secrets.
    ///   - format: what it is told in.
    package func standing(
        of uplink: String, address: String = "", format: String = "", now: Timestamp
    ) async throws(StoreError) -> DeliveryStanding {
        let status = try await uplinkStatus(uplink: uplink)
        let recent = try await attempts(uplink: uplink, since: now - Self.catchUpWindow)
        var standing = DeliveryStanding(
            uplink: uplink, address: address, format: format, open: status.owed,
            oldestOpen: status.oldestOwed, lastAccepted: status.lastAccepted,
            lastReason: status.lastReason)
        let accepted = recent["accepted"] ?? 0
        if status.owed == 0 {
            standing.catchUp = .zero
        } else if accepted > 0 {
            standing.catchUp = Self.catchUpWindow * status.owed / accepted
        }
        return standing
    }

    /// What a platform was owed and took over a period, for its operator.
    package func deliveryStatement(
        of standing: DeliveryStanding, in period: AccountingPeriod, now: Timestamp
    ) async throws(StoreError) -> DeliveryStatement {
        let (from, to) = (
            period.start(calendar: calendar), period.end(calendar: calendar)
        )
        let days = try await deliveryDays(
            uplink: standing.uplink, from: period.first,
            through: period.first.advanced(days: period.days - 1))
        let reasons = try await deliveryReasons(uplink: standing.uplink, from: from, to: to)
        return DeliveryStatement(
            standing: standing, period: period, days: days,
            failures: reasons.map {
                DeliveryFailure(
                    kind: $0.kind, isRefusal: $0.outcome == "rejected", reason: $0.reason,
                    count: $0.count, first: $0.first, last: $0.last)
            }, calendar: calendar, now: now)
    }
}
