import ServiceLifecycle
import Telemetry

extension SiteGateway {
    /// One loop for each spray that is enabled.
    var sprays: [any Service] {
        let circumstances = Dictionary(
            groups.filter { $0.device == BoundSite.siteDevice }.flatMap(\.series)
                .map { ($0.id.point.text, $0.number) }, uniquingKeysWith: { first, _ in first })
        var freshness: [SeriesID: (number: Int, most: Duration)] = [:]
        for group in groups where !BoundSite.ownDevices.contains(group.device) {
            let most = max(group.period.map { $0 * 3 + group.lateness } ?? .zero, .seconds(300))
            for series in group.series { freshness[series.id] = (series.number, most) }
        }
        let areas = site.alarmSite(groups: []).devices.compactMapValues(\.area)
        return site.configuration.sprays.filter(\.isEnabled).map { spray in
            SprayLink(
                spray: spray,
                conditions: SprayConditions(
                    spray: spray, areas: areas, circumstances: circumstances,
                    freshness: freshness),
                store: store, buses: buses, readiness: readiness, clock: surroundings.clock,
                wallClock: surroundings.wallClock, logger: surroundings.logger)
        }
    }
}
