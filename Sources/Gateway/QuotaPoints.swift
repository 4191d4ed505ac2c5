import Acquisition
import EnergyAccounting
import Logging
import ServiceLifecycle
import Store
import Telemetry

/// How the year stands beside its quotas, once an hour, as a device among the others: rules warn
/// while there is still time.
///
///     accounts.quota_used.<quota>       1   counted so far, of what the quota allows for the year
///     accounts.quota_expected.<quota>   1   expected at the end of the year, of the same
///     accounts.quota_high.<quota>       1   the upper end of the interval of what is expected
///
/// A quota that nobody can judge (open, from memory, no area, no forecast) has no readings.
struct QuotaPoints: Service {
    let group: ScanGroup
    let plan: EnergyPlan
    let store: Store
    let wallClock: any WallClock
    let calendar: SiteCalendar
    let ingestion: Ingestion
    let clock: any Clock<Duration> & Sendable
    let logger: Logger

    static let period = Duration.seconds(3_600)
    /// The first time comes soon after the start, when what was stored late has been folded.
    private static let firstPause = Duration.seconds(60)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            try? await clock.sleep(for: Self.firstPause)
            while !Task.isCancelled {
                await report()
                try? await clock.sleep(for: Self.period)
            }
        }
    }

    private func report() async {
        let now = wallClock.read()
        // Without a time of day nobody knows which year it is.
        guard now.isTrusted,
            let year = AccountingPeriod(year: CivilDate(now.wall, calendar: calendar).year)
        else { return }
        do {
            let accounts = try await store.reader.energyAccounts(
                of: plan, for: EnergyStatement.quota.periods(for: year), now: now.wall)
            let readings = Self.readings(accounts.quotaJudgements(of: year))
            let scan = Scan(
                group: group.id, time: now.wall,
                readings: group.series.map { readings[$0.id.point] ?? .bad(.absent) })
            _ = try await ingestion.admit(Admission(scans: [scan]))
        } catch {
            logger.warning(
                "how the year stands beside its quotas is not known",
                metadata: ["error": "\(error)"])
        }
    }

    /// What judgements say, by point; what is not known has none.
    static func readings(_ judgements: [QuotaJudgement]) -> [PointKey: Reading] {
        var readings: [PointKey: Reading] = [:]
        for judgement in judgements {
            guard let allowed = judgement.allowance?.amount, allowed > .zero else { continue }
            func set(_ figure: Figure, _ amount: Exact?) {
                readings[figure.point(of: judgement.quota.id)] = amount.map {
                    .number(($0 / allowed).double)
                }
            }
            set(.used, judgement.counted)
            set(.expected, judgement.forecast?.expected)
            set(.high, judgement.forecast?.high)
        }
        return readings
    }

    enum Figure: String, CaseIterable {
        case used = "quota_used"
        case expected = "quota_expected"
        case high = "quota_high"

        func point(of quota: String) -> PointKey { PointKey("\(rawValue).\(quota)") }
    }
}

extension BoundSite {
    static let accountsDevice = DeviceID("accounts")

    /// The group of the site's quotas, not yet numbered by a store; nil without quotas.
    var quotaPoints: ScanGroup? {
        guard let quotas = configuration.energy.quotas, !quotas.quotas.isEmpty else { return nil }
        // A quota of several years may stand in the book more than once.
        let ids = Set(quotas.quotas.map(\.id)).sorted()
        return ScanGroup(
            device: Self.accountsDevice, interface: "gateway", name: "quotas",
            series: ids.flatMap { id in
                QuotaPoints.Figure.allCases.map { figure in
                    Series(
                        id: SeriesID(device: Self.accountsDevice, point: figure.point(of: id)),
                        kind: .gauge, unit: "1")
                }
            }, period: QuotaPoints.period, isPolled: false)
    }
}
