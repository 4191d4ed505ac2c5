import Delivery
import Telemetry
import UplinkFormats

/// Tries the way to one platform without a store and without telling it any reading.
package struct UplinkTrial: Sendable {
    private let connector: UplinkConnector
    private let uplink: SiteConfiguration.Uplink
    private let kind: String

    /// - Parameters:
    ///   - name: the uplink's id; nil is returned for one that the site does not have.
    ///   - onEvent: told of each step of the conversation, secrets hidden.
    package init?(
        of name: String, in site: BoundSite, clock: any Clock<Duration> & Sendable,
        wallClock: any WallClock, onEvent: @escaping @Sendable (UplinkEvent) -> Void
    ) {
        let plans = site.configuration.uplinkPlans(of: site.groups, units: site.units)
        guard
            let (uplink, plan) = zip(site.configuration.uplinks, plans).first(where: {
                $0.0.id == name
            })
        else { return nil }
        self.uplink = uplink
        kind = plan.kinds.first ?? ""
        connector = UplinkConnector(
            site: site, clock: clock, wallClock: wallClock, history: NoHistory(),
            keep: { _ in }, onEvent: onEvent, isTrial: true)
    }

    /// Connects, tries, and lets go.
    ///
    /// - Throws: `Faults` for a secret, key or certificate that cannot be read.
    package func run() async throws -> Trial {
        let (transport, connection) = try connector.way(to: uplink, kind: kind, [])
        let (site, now) = (connector.site.configuration.site.id, connector.wallClock.read().wall)
        return await withTaskGroup(of: Trial?.self) { group in
            group.addTask {
                try? await connection.run()
                return nil
            }
            group.addTask { await transport.tryOut(site, at: now) }
            var found: Trial?
            for await trial in group where trial != nil {
                found = trial
                break
            }
            group.cancelAll()
            return found ?? .closed(reason: "stopped")
        }
    }
}

/// A trial tells nothing of the past.
private struct NoHistory: UplinkHistory {
    func items(
        of request: HistoryRequest, after: Timestamp?, limit: Int
    ) async throws -> [UplinkItem] { [] }
}
