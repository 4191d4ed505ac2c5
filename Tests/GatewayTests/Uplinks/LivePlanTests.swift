import Store
import Telemetry
import Testing

@testable import Gateway

/// A station with real-time values every minute and minutes of ten.
private func plan(keeps: Bool = false) -> UplinkPlan {
    let group = RollupsOfTheStoreTests.group()
    var plan = UplinkPlan(
        uplink: "city", site: SiteID("s"),
        subjects: [
            .init(
                scope: "MN1", device: group.device,
                members: group.series.map { .init(group: group, series: $0) })
        ], kinds: ["2051/10min", "2061/1h"], instants: "2011/60s", hasStations: true,
        gather: .seconds(35))
    plan.keepsInstants = keeps
    return plan
}

private func at(_ seconds: Int) -> Timestamp {
    Timestamp(rfc3339: "2026-11-20T08:00:00Z")! + .seconds(seconds)
}

@Suite("A plan that the platform changes")
struct LivePlanTests {
    @Test("owes each instant once, from the first one after the start, when its readings are there")
    func instants() {
        let live = LivePlan(plan(), selections: OwedSelections([]))
        #expect(live.owedByTime(at: at(10)).isEmpty)
        #expect(live.owedByTime(at: at(62)).isEmpty, "readings of 08:01:00 may be on their way")
        #expect(live.owedByTime(at: at(63)).map(\.start) == [at(60)])
        #expect(live.owedByTime(at: at(64)).isEmpty)
        // A round that comes late owes the newest instant, not the missed ones.
        #expect(live.owedByTime(at: at(200)).map(\.start) == [at(180)])
        #expect(live.owedByTime(at: at(100)).isEmpty, "the clock was set back")
    }

    @Test("tells how often is told what as the platform has set it last")
    func intervals() {
        let selections = OwedSelections([plan().selection])
        let live = LivePlan(plan(), selections: selections)
        live.apply(PlatformSetting(name: "minute_interval", value: "5"))
        #expect(live.plan.kinds == ["2051/5min", "2061/1h"])
        #expect(selections.all.first?.cadences.map(\.kind) == ["2051/5min", "2061/1h"])
        #expect(selections.all.first?.cadences.first?.span == .seconds(300))
        live.apply(PlatformSetting(name: "realtime_interval", value: "30"))
        #expect(live.plan.instants == "2011/30s")
        for value in ["0", "-5", "many", "1441"] {
            live.apply(PlatformSetting(name: "minute_interval", value: value))
        }
        live.apply(PlatformSetting(name: "password", value: "5"))
        #expect(live.plan.kinds == ["2051/5min", "2061/1h"])
    }

    @Test("stops real-time values and takes them up again at the interval set meanwhile")
    func pause() {
        let live = LivePlan(plan(), selections: OwedSelections([]))
        _ = live.owedByTime(at: at(0))
        live.apply(PlatformSetting(name: "realtime", value: "off"))
        #expect(live.owedByTime(at: at(90)).isEmpty)
        #expect(live.plan.isInstant("2011/60s"), "what was owed before is still an instant")
        live.apply(PlatformSetting(name: "realtime_interval", value: "30"))
        #expect(live.plan.instants == nil)
        live.apply(PlatformSetting(name: "realtime", value: "on"))
        #expect(live.owedByTime(at: at(125)).map(\.kind) == ["2011/30s"])
    }

    @Test("owes a start once, where the platform is told of starts")
    func boot() {
        let silent = LivePlan(plan(), selections: OwedSelections([]))
        #expect(silent.owedByTime(at: at(1)).isEmpty)
        let telling = LivePlan(plan(), selections: OwedSelections([]), owesBoot: true)
        let owed = telling.owedByTime(at: at(1))
        #expect(owed.map(\.kind) == ["2081/start"] && owed.map(\.scope) == ["MN1"])
        #expect(telling.owedByTime(at: at(2)).isEmpty)
    }
}
