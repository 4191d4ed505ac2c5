import Store
import Telemetry
import TestSeeds
import Testing

@testable import Gateway

@Suite("How hard a receiver is tried")
struct DeliveryProgressTests {
    private func at(_ milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: milliseconds) }

    private func settlements(_ outcomes: [Outcome]) -> [Settlement] {
        outcomes.map { outcome in
            Settlement(
                OwedItem(
                    uplink: "feed/ding", kind: "notice/raised", scope: "*", start: at(0),
                    revision: 0, due: at(0)), outcome)
        }
    }

    /// Asks as fast as it may for ten minutes; a robot that allows both spans counts.
    @Test("never sends more than any of its rates allows", arguments: 0..<10)
    func rates(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        var policy = DeliveryPolicy()
        policy.rates = [
            DeliveryPolicy.Rate(count: 4, per: .seconds(1)),
            DeliveryPolicy.Rate(count: 90, per: .seconds(60)),
        ]
        var progress = DeliveryProgress()
        var sent: [Int64] = []
        var now: Int64 = 0
        while now < 600_000 {
            let room = progress.room(policy, at: at(now))
            if room > 0 {
                let count = Int.random(in: 1...room, using: &random)
                _ = progress.note(
                    settlements([Outcome](repeating: .accepted, count: count)), policy,
                    at: at(now))
                sent += [Int64](repeating: now, count: count)
            }
            now += Int64.random(in: 1...400, using: &random)
        }
        for rate in policy.rates {
            for time in sent {
                let count = sent.count { $0 >= time && $0 < time + rate.per.milliseconds }
                #expect(count <= rate.count)
            }
        }
        #expect(sent.count > 800)
    }

    @Test("pauses longer and longer while nobody takes anything, and knocks with one item")
    func pauses() {
        let policy = DeliveryPolicy()
        var progress = DeliveryProgress()
        let failed = settlements([.retry(after: .seconds(1), reason: "down")])
        let pauses = (0..<8).map { _ in progress.note(failed, policy, at: at(0)) }
        #expect(pauses == [1, 2, 4, 8, 16, 30, 30, 30].map { Duration.seconds($0) })
        #expect(progress.room(policy, at: at(0)) == 1)
        #expect(progress.note(settlements([.accepted]), policy, at: at(0)) == nil)
        #expect(progress.room(policy, at: at(0)) == policy.inFlight)
    }

    @Test("goes on at once when some were taken, and believes who says when to come back")
    func mixed() {
        let policy = DeliveryPolicy()
        var progress = DeliveryProgress()
        #expect(
            progress.note(
                settlements([.accepted, .retry(after: .seconds(9), reason: "busy")]), policy,
                at: at(0)) == nil)
        #expect(
            progress.note(
                settlements([.retry(after: .seconds(9), reason: "busy")]), policy, at: at(0))
                == .seconds(9))
    }

    @Test(
        "sets an item aside that fails while others pass, together with it or between its attempts")
    func disliked() {
        var policy = DeliveryPolicy()
        policy.tries = 3
        func item(_ quarter: Int) -> OwedItem {
            OwedItem(
                uplink: "city", kind: "rollup/15min", scope: "a",
                start: Timestamp(milliseconds: Int64(quarter) * 900_000), revision: 0,
                due: Timestamp(milliseconds: 0))
        }
        let poison = Settlement(item(0), .retry(after: .seconds(1), reason: "HTTP 500"))
        let good = Settlement(item(1), .accepted)
        func isSetAside(_ settlements: [Settlement]) -> Bool {
            settlements.contains {
                if case .rejected = $0.outcome { $0.item == poison.item } else { false }
            }
        }
        var progress = DeliveryProgress()
        // Nobody is there: a thousand attempts are no fault of the item.
        for _ in 0..<1000 { #expect(!isSetAside(progress.judged([poison], policy))) }
        // Once with others in one handful, then with others in between.
        #expect(!isSetAside(progress.judged([good, poison], policy)))
        #expect(!isSetAside(progress.judged([good], policy)))
        #expect(!isSetAside(progress.judged([poison], policy)))
        #expect(!isSetAside(progress.judged([poison], policy)), "nothing passed since")
        #expect(!isSetAside(progress.judged([good], policy)))
        #expect(isSetAside(progress.judged([poison], policy)))
        policy.tries = nil
        for _ in 0..<10 { #expect(!isSetAside(progress.judged([good, poison], policy))) }
    }
}
