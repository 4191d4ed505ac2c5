import Acquisition
import TestSeeds
import Testing

@testable import Gateway

@Suite("A spray that is switched by alarms")
struct SprayPlannerTests {
    private static let run = SprayPlanner.Run(
        least: .seconds(180), most: .seconds(1200), rest: .seconds(600))

    /// Lets a planner decide each second, with a device that always does what it is told.
    private func play(
        _ seconds: Int, wanted: (Int) -> Bool, forbidden: (Int) -> Bool = { _ in false }
    ) -> [String] {
        var planner = SprayPlanner(Self.run)
        var out: [String] = []
        for t in 0..<seconds {
            let now = Duration.seconds(t)
            let step = planner.step(at: now, isWanted: wanted(t), isForbidden: forbidden(t))
            guard let step else { continue }
            out.append("\(t) \(step)")
            planner.ended(step, .done, at: now)
        }
        return out
    }

    @Test("runs while an alarm stands, for its least time at least")
    func runs() {
        #expect(
            play(900) { (100..<130).contains($0) }
                == ["100 switchOn", "280 switchOff(\"no alarm\")"])
        #expect(
            play(900) { (100..<500).contains($0) }
                == ["100 switchOn", "500 switchOff(\"no alarm\")"])
    }

    @Test("rests after its longest run, however long the alarm stands")
    func rests() {
        #expect(
            play(3000) { _ in true } == [
                "0 switchOn", "1200 switchOff(\"longest run\")", "1800 switchOn",
            ])
    }

    @Test("stops at once when it is forbidden, and does not begin")
    func forbidden() {
        #expect(
            play(2000, wanted: { _ in true }, forbidden: { (50..<1000).contains($0) })
                == ["0 switchOn", "50 switchOff(\"forbidden\")", "1000 switchOn"])
        #expect(play(2000, wanted: { _ in true }, forbidden: { _ in true }).isEmpty)
    }

    @Test("is switched off when nobody knows whether it runs, and again until it is off")
    func doubt() {
        var planner = SprayPlanner(Self.run)
        planner.ended(.switchOn, .unconfirmed("no answer"), at: .zero)
        let off = SprayPlanner.Step.switchOff("not confirmed")
        #expect(planner.step(at: .seconds(1), isWanted: true, isForbidden: false) == off)
        planner.ended(off, .refused("the link is down"), at: .seconds(1))
        #expect(planner.step(at: .seconds(5), isWanted: true, isForbidden: false) == nil)
        #expect(planner.step(at: .seconds(6), isWanted: true, isForbidden: false) == off)
        planner.ended(off, .done, at: .seconds(6))
        #expect(planner.step(at: .seconds(605), isWanted: true, isForbidden: false) == nil)
        #expect(planner.step(at: .seconds(606), isWanted: true, isForbidden: false) == .switchOn)
        // A refusal is not asked again each second.
        planner.ended(.switchOn, .refused("the link is down"), at: .seconds(606))
        #expect(planner.step(at: .seconds(665), isWanted: true, isForbidden: false) == nil)
        #expect(planner.step(at: .seconds(666), isWanted: true, isForbidden: false) == .switchOn)
    }

    /// The device, the alarms and the people do what they like; the water never runs too long, never
    /// while it is forbidden, and never without a rest.
    @Test("keeps its bounds whatever happens", arguments: 0..<20)
    func bounds(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        var planner = SprayPlanner(Self.run)
        var (wanted, forbidden) = (false, false)
        var runsSince: Int?
        var endedAt: Int?
        var runs = 0
        var stops = 0
        var lastStep = -60
        for t in 0..<40_000 {
            if Int.random(in: 0..<400, using: &random) == 0 { wanted.toggle() }
            if Int.random(in: 0..<1500, using: &random) == 0 { forbidden.toggle() }
            let step = planner.step(
                at: .seconds(t), isWanted: wanted, isForbidden: forbidden)
            if let runsSince { #expect(t - runsSince <= 1230, "\(t): too long") }
            if forbidden { #expect(step != .switchOn) }
            if forbidden, runsSince != nil, t - lastStep >= 5 {
                guard case .switchOff = step else {
                    Issue.record("\(t): it runs although it is forbidden")
                    return
                }
                stops += 1
            }
            guard let step else { continue }
            lastStep = t
            let luck = Int.random(in: 0..<10, using: &random)
            let outcome: DeviceOrder.Outcome =
                luck < 8 ? .done : luck == 8 ? .refused("busy") : .unconfirmed("silence")
            planner.ended(step, outcome, at: .seconds(t))
            switch (step, outcome) {
            case (.switchOn, .done), (.switchOn, .unconfirmed):
                if let endedAt { #expect(t - endedAt >= 600, "\(t): no rest") }
                runsSince = t
                runs += 1
            case (.switchOff, .done):
                runsSince = nil
                endedAt = t
            default: break
            }
        }
        #expect(runs > 5 && stops > 0)
    }
}
