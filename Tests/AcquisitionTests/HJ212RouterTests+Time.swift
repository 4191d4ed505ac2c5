import DeviceProfiles
import FieldLinks
import Frames
import Telemetry
import Testing

@testable import Acquisition

/// What was kept, what came in parts, and what has no time.
extension HJ212RouterTests {
    @Test("what is old when it arrives is history")
    func backfill() throws {
        var router = try StationSite.router()
        func flags(_ cn: String, _ age: Duration) throws -> ScanFlags? {
            var upload = try packet(cn, at: Self.noon - age)
            upload.qn = try packet().qn.map { String($0.dropLast(3)) + "00\(cn.last ?? "0")" }
            return router.route([try event(upload)], now: StillClock.reading()).awaited.scans
                .first?.flags
        }
        #expect(try flags("2011", .seconds(600)) == [])
        #expect(try flags("2051", .seconds(3600)) == [])
        #expect(try flags("2051", .seconds(9000)) == .backfill)
        #expect(try flags("2061", .seconds(6000)) == [])
        #expect(try flags("2061", .seconds(10_800)) == .backfill)
        #expect(try flags("2011", .seconds(4000)) == .backfill)
    }

    @Test("what was kept with its old QN is believed of a station whose clock has been right")
    func keptQN() throws {
        var router = try StationSite.router()
        let old = try event(packet(at: Self.noon - .seconds(7200)))
        let unproven = router.route([old], now: StillClock.reading())
        #expect(unproven.awaited.scans.map(\.flags) == [.arrivalTime])
        router.settle(unproven, isCommitted: false)
        _ = router.route([try event(packet())], now: StillClock.reading())
        let proven = router.route([old], now: StillClock.reading())
        #expect(proven.awaited.scans.map(\.time) == [Self.noon - .seconds(7200)])
        #expect(proven.awaited.scans.map(\.flags) == [.backfill])
    }

    @Test("without a clock history stays with the station, and real time gets its arrival")
    func untrusted() throws {
        var router = try StationSite.router()
        let now = StillClock.reading(isTrusted: false)
        let history = router.route([try event(packet("2051"))], now: now)
        #expect(history.awaited.scans.isEmpty && history.replies.isEmpty)
        let live = router.route([try event(packet())], now: now)
        #expect(live.awaited.scans.map(\.flags) == [[.arrivalTime, .monotonicTime]])
    }

    private func part(
        _ number: Int, _ items: String, at seconds: Int64 = 0, flag: Int = 7
    ) throws -> HJ212Listener.Event {
        try sent(
            "2011", about: Self.noon, items,
            now: StillClock.reading(Self.noon + .seconds(seconds)), flag: flag,
            part: "PNUM=2;PNO=\(number);")
    }

    private static let dust = "a34002-Rtd=180,a34002-Flag=N"
    private static let wind = "a01007-Rtd=2,a01007-Flag=N"

    @Test("the parts of an upload make one scan, and each is acknowledged when that is committed")
    func parts() throws {
        var router = try StationSite.router()
        func at(_ seconds: Int64) -> ClockReading {
            StillClock.reading(Self.noon + .seconds(seconds))
        }
        let first = router.route([try part(1, Self.dust)], now: at(0))
        #expect(first.awaited.scans.isEmpty && first.replies.isEmpty)
        // Sent again while the rest is waited for.
        let again = router.route([try part(1, Self.dust)], now: at(1))
        #expect(again.awaited.scans.isEmpty && again.replies.isEmpty)
        let whole = router.route([try part(2, Self.wind, at: 1)], now: at(1))
        #expect(try whole.awaited.scans.map(good) == [["pm10": 180, "wind_speed": 2]])
        #expect(whole.awaited.deliveries.count == 2)
        #expect(texts(whole.acknowledgements).map { $0.contains("CN=9014") } == [true, true])
        router.settle(whole, isCommitted: true)
        let third = router.route([try part(1, Self.dust)], now: at(10))
        #expect(third.awaited.scans.isEmpty && third.replies.count == 1)
        #expect(router.route([], now: at(60)).awaited.scans.isEmpty)
    }

    @Test("who waits for each acknowledgement gets it, and no value is stored twice")
    func partsOneByOne() throws {
        var router = try StationSite.router()
        func at(_ seconds: Int64) -> ClockReading {
            StillClock.reading(Self.noon + .seconds(seconds))
        }
        #expect(router.route([try part(1, Self.dust)], now: at(0)).awaited.scans.isEmpty)
        #expect(router.route([], now: at(1)).awaited.scans.isEmpty)
        let one = router.route([], now: at(3))
        #expect(try one.awaited.scans.map(good) == [["pm10": 180]])
        #expect(one.acknowledgements.count == 1)
        router.settle(one, isCommitted: true)
        let two = router.route(
            [try part(2, "\(Self.dust);\(Self.wind)", at: 4)], now: at(4))
        #expect(try two.awaited.scans.map(good) == [["wind_speed": 2]])
        #expect(two.acknowledgements.count == 1)
    }

    @Test("uploads without a time, or with one that stands still, are each their own")
    func timelessParts() throws {
        var router = try StationSite.router()
        let binding = try StationSite.binding("dust-1")
        for time in ["", "DataTime=20000101000000;", nil] {
            for minute in [0, 60, 120] as [Int64] {
                let now = StillClock.reading(Self.noon + .seconds(minute))
                let data = time ?? "DataTime=\(binding.stamp(Self.noon).prefix(14));"
                for (number, items) in [(1, Self.dust), (2, Self.wind)] {
                    let text =
                        "QN=\(binding.stamp(now.wall + .seconds(number)));ST=39;CN=2011;PW=1;"
                        + "MN=\(StationSite.mn);Flag=7;PNUM=2;PNO=\(number);CP=&&\(data)\(items)&&"
                    let outcome = router.route(
                        [.received(connection: 1, try StationSite.received(segment: text))],
                        now: now)
                    router.settle(outcome, isCommitted: true)
                    #expect(
                        try outcome.awaited.scans.map(good)
                            == (number == 2 ? [["pm10": 180, "wind_speed": 2]] : []))
                }
            }
        }
    }

    @Test("parts of which the rest never comes are stored all the same")
    func lonelyParts() throws {
        // A failed commit takes nothing away from the parts that come again.
        var router = try StationSite.router()
        func at(_ seconds: Int64) -> ClockReading {
            StillClock.reading(Self.noon + .seconds(seconds))
        }
        _ = router.route([try part(1, Self.dust)], now: at(0))
        router.settle(router.route([], now: at(3)), isCommitted: false)
        _ = router.route([try part(1, Self.dust)], now: at(10))
        #expect(try router.route([], now: at(13)).awaited.scans.map(good) == [["pm10": 180]])
        // Another upload, and the end of the gateway, do not wait.
        router = try StationSite.router()
        _ = router.route([try part(1, Self.dust, flag: 6)], now: at(0))
        let other = router.route(
            [try sent("2051", about: Self.noon, "LA-Avg=50", flag: 6, part: "PNUM=2;PNO=1;")],
            now: at(0))
        #expect(try other.unawaited.scans.map(good) == [["pm10": 180]])
        let rest = router.finish(now: at(0))
        #expect(try rest.unawaited.scans.map(good) == [["sound_level": 50]])
    }
}
