import DeviceProfiles
import FieldLinks
import Frames
import Telemetry
import Testing

@testable import Acquisition

@Suite("The platform of HJ 212 stations")
struct HJ212RouterTests {
    static let noon = StillClock.noon

    func packet(
        _ cn: String = "2011", at time: Timestamp = noon, pm10: Double = 180, flag: Int = 5,
        mn: String = StationSite.mn
    ) throws -> HJ212Packet {
        let binding = try StationSite.binding("dust-1")
        var packet = binding.packet(
            [PointKey("pm10"): .number(pm10), PointKey("wind_speed"): .number(2.3)], at: time,
            command: cn)
        packet.flag = flag
        packet.mn = mn
        return packet
    }

    func event(_ packet: HJ212Packet, on id: Int = 1) throws -> HJ212Listener.Event {
        .received(connection: id, try StationSite.received(packet))
    }

    func texts(_ replies: [HJ212Listener.Reply]) -> [String] {
        replies.map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    @Test("data is acknowledged after the commit, with its QN; what has no A is not")
    func acknowledgement() throws {
        var router = try StationSite.router()
        let wanted = try packet()
        let outcome = router.route(
            [try event(wanted), try event(packet(pm10: 7, flag: 4))], now: StillClock.reading())
        #expect(outcome.replies.isEmpty)
        #expect(outcome.awaited.scans.count == 1)
        #expect(outcome.unawaited.scans.count == 1)
        #expect(outcome.awaited.scans[0].time == Self.noon)
        #expect(outcome.awaited.scans[0].flags == [])
        let answers = texts(outcome.acknowledgements)
        #expect(answers.count == 1)
        #expect(answers[0].contains("QN=\(wanted.qn ?? "");ST=91;CN=9014;"))
        #expect(answers[0].contains("MN=\(StationSite.mn);Flag=4;CP=&&&&"))
    }

    @Test("a resend is admitted once: while it is being committed, and after")
    func resend() throws {
        var router = try StationSite.router()
        let upload = try event(packet())
        let first = router.route([upload], now: StillClock.reading())
        let second = router.route([upload], now: StillClock.reading())
        #expect(second.awaited.scans.isEmpty && second.replies.isEmpty)
        router.settle(first, isCommitted: true)
        let third = router.route([upload], now: StillClock.reading())
        #expect(third.awaited.scans.isEmpty)
        #expect(texts(third.replies).map { $0.contains("CN=9014") } == [true])
        // The memory outlives the process.
        var next = try StationSite.router(recent: first.awaited.deliveries)
        #expect(next.route([upload], now: StillClock.reading()).awaited.scans.isEmpty)
    }

    @Test("what was not committed is taken again")
    func failed() throws {
        var router = try StationSite.router()
        let upload = try event(packet())
        let first = router.route([upload], now: StillClock.reading())
        router.settle(first, isCommitted: false)
        #expect(router.route([upload], now: StillClock.reading()).awaited.scans.count == 1)
    }

    @Test("1013 is answered with 9013 and the time, which only a clock that is right may tell")
    func calibration() throws {
        var router = try StationSite.router()
        var request = try packet("1013")
        request.items = []
        let outcome = router.route([try event(request)], now: StillClock.reading())
        let answers = texts(outcome.replies)
        #expect(answers.count == 2)
        #expect(answers[0].contains("QN=\(request.qn ?? "");ST=91;CN=9013;"))
        #expect(answers[1].contains("ST=22;CN=1012;"))
        #expect(answers[1].contains("CP=&&SystemTime=\((request.qn ?? "").prefix(14))&&"))
        let doubtful = router.route(
            [try event(request)], now: StillClock.reading(isTrusted: false))
        #expect(texts(doubtful.replies).map { $0.contains("CN=9013") } == [true])
        var estimated = StillClock.reading()
        estimated.isEstimated = true
        let unconfirmed = router.route([try event(request)], now: estimated)
        #expect(unconfirmed.replies.count == 1)
    }

    @Test("heartbeats, states and answers to our requests")
    func others() throws {
        var router = try StationSite.router()
        func answers(_ cn: String) throws -> [String] {
            var packet = try packet(cn)
            packet.items = []
            let outcome = router.route([try event(packet)], now: StillClock.reading())
            #expect(outcome.awaited.scans.isEmpty && outcome.unawaited.scans.isEmpty)
            return texts(outcome.replies).compactMap { text in
                text.split(separator: ";").first { $0.hasPrefix("CN=") }.map(String.init)
            }
        }
        #expect(try answers("9015") == ["CN=9013"])
        #expect(try answers("2081") == ["CN=9014"])
        #expect(try answers("2021") == ["CN=9014"])
        for cn in ["9011", "9012", "9013", "9014"] { #expect(try answers(cn).isEmpty) }
    }

    @Test("a stranger, a wrong password and a wrong checksum are counted and not answered")
    func refused() throws {
        var router = try StationSite.router(password: "654321")
        let outcome = router.route(
            [
                try event(packet(mn: "NOBODY\u{1B}[2J")), try event(packet(mn: "NOBODY\u{1B}[2J")),
                try event(packet()),
                .received(
                    connection: 1,
                    .refused(.init(reason: .checksum, detail: "the CRC is 0, computed 1"))),
            ], now: StillClock.reading())
        #expect(outcome.replies.isEmpty && outcome.acknowledgements.isEmpty)
        #expect(outcome.awaited.scans.isEmpty)
        #expect(
            outcome.refused.map(\.reason) == [
                .unknownStation, .unknownStation, .wrongPassword, .badChecksum,
            ])
        #expect(
            outcome.events == [.stationUnknown(link: "stations", peer: "?", name: "NOBODY[2J")])
    }

    @Test("a station that calls again takes its place; two with one MN are both heard, and told")
    func connections() throws {
        var router = try StationSite.router()
        func at(_ seconds: Int64) -> ClockReading {
            StillClock.reading(Self.noon + .seconds(seconds))
        }
        func upload(_ seconds: Int64, on id: Int) throws -> HJ212Listener.Event {
            try event(packet(at: Self.noon + .seconds(seconds)), on: id)
        }
        _ = router.route(
            [.opened(connection: 1, peer: "10.0.0.1:1000"), try upload(0, on: 1)], now: at(0))
        let again = router.route(
            [.opened(connection: 2, peer: "10.0.0.1:1001"), try upload(30, on: 2)], now: at(30))
        #expect(again.replies == [.init(connection: 1, bytes: [], closes: true)])
        #expect(again.events.isEmpty)
        // A second station with the same MN, while the first goes on.
        let other = router.route(
            [.opened(connection: 3, peer: "10.0.0.9:2000")], now: at(40))
        #expect(other.replies.isEmpty)
        _ = router.route([try upload(60, on: 2)], now: at(60))
        let twice = router.route([try upload(61, on: 3)], now: at(61))
        #expect(twice.replies.isEmpty)
        #expect(
            twice.events == [
                .stationTwice(
                    link: "stations", device: DeviceID("dust-1"),
                    peers: ["10.0.0.1:1001", "10.0.0.9:2000"])
            ])
        let later = router.route([try upload(90, on: 2), try upload(91, on: 3)], now: at(91))
        #expect(later.events.isEmpty && later.replies.isEmpty)
        #expect(later.awaited.scans.count == 2)
    }

    @Test("stations that are turned away are counted, and told once until one is let in")
    func turnedAway() throws {
        var router = try StationSite.router()
        func route(_ event: HJ212Listener.Event) -> HJ212Router.Outcome {
            router.route([event], now: StillClock.reading())
        }
        let away = HJ212Listener.Event.turnedAway(
            peer: "10.0.0.1:1000", cause: "32 stations are connected")
        for round in 0..<2 {
            for attempt in 0..<3 {
                let outcome = route(away)
                #expect(outcome.refused.map(\.reason) == [.refused])
                let told = AcquisitionEvent.messageRefused(
                    link: "stations", device: nil, topic: "call from 10.0.0.1:1000",
                    reason: .refused, detail: "32 stations are connected")
                #expect(outcome.events == (attempt == 0 ? [told] : []))
            }
            #expect(route(.opened(connection: round, peer: "10.0.0.2:1000")).refused.isEmpty)
        }
    }

    @Test("silence is said once, and its end")
    func silence() throws {
        var router = try StationSite.router()
        func at(_ seconds: Int64) -> ClockReading {
            StillClock.reading(Self.noon + .seconds(seconds))
        }
        #expect(router.route([], now: at(0)).events.isEmpty)
        #expect(router.route([], now: at(599)).events.isEmpty)
        #expect(
            router.route([], now: at(601)).events == [
                .deviceSilent(
                    link: "stations", device: DeviceID("dust-1"),
                    cause: "no packet for 600.0 seconds")
            ])
        #expect(router.route([], now: at(900)).events.isEmpty)
        let outcome = router.route(
            [try event(packet(at: Self.noon + .seconds(901)))], now: at(901))
        #expect(
            outcome.events == [.deviceAnswers(link: "stations", device: DeviceID("dust-1"))])
    }

    /// Sent now, about then.
    func sent(
        _ cn: String, about time: Timestamp, _ items: String, st: String = "39",
        now: ClockReading = StillClock.reading(), flag: Int = 5, part: String = ""
    ) throws -> HJ212Listener.Event {
        let binding = try StationSite.binding("dust-1")
        let text =
            "QN=\(binding.stamp(now.wall));ST=\(st);CN=\(cn);PW=123456;MN=\(StationSite.mn);"
            + "Flag=\(flag);\(part)CP=&&DataTime=\(binding.stamp(time).prefix(14));\(items)&&"
        return .received(connection: 1, try StationSite.received(segment: text))
    }

    /// The good readings of a scan.
    func good(_ scan: Scan?) throws -> [String: Double] {
        let keys = try StationSite.target().group.series.map { "\($0.id.point)" }
        var readings: [String: Double] = [:]
        for (key, reading) in zip(keys, scan?.readings ?? []) { readings[key] = reading.number }
        return readings
    }

    @Test("a mean fills the gaps of each series, and what is stored in finer steps is left out")
    func gaps() throws {
        var router = try StationSite.router()
        let hour = Timestamp(milliseconds: Self.noon.milliseconds - 7_200_000).slot(
            every: .seconds(3600))
        func route(
            _ cn: String, _ time: Timestamp, _ items: String, st: String = "39"
        ) throws -> HJ212Router.Outcome {
            let outcome = router.route(
                [try sent(cn, about: time, items, st: st)], now: StillClock.reading())
            router.settle(outcome, isCommitted: true)
            return outcome
        }
        func isDuplicate(_ outcome: HJ212Router.Outcome) -> Bool {
            outcome.awaited.scans.isEmpty && outcome.refused.map(\.reason) == [.duplicate]
                && texts(outcome.replies).map { $0.contains("CN=9014") } == [true]
        }
        let dust = "a34002-Avg=180,a34002-Flag=N"
        let wind = "a01007-Avg=2,a01007-Flag=N"
        let live = "a34002-Rtd=180,a34002-Flag=N;a01007-Rtd=2,a01007-Flag=D"
        #expect(try route("2011", hour + .seconds(90), live).awaited.scans.count == 1)
        #expect(isDuplicate(try route("2051", hour + .seconds(60), dust)))
        // Noise of the same minute, and wind that was bad in it.
        let noise = try route("2051", hour + .seconds(60), "Leq-Data=55.5", st: "23")
        #expect(try good(noise.awaited.scans.first) == ["sound_level": 55.5])
        let both = try route("2051", hour + .seconds(60), "\(dust);\(wind)")
        #expect(try good(both.awaited.scans.first) == ["wind_speed": 2])
        #expect(isDuplicate(try route("2051", hour + .seconds(60), "\(wind);\(dust)")))
        // One minute of an hour is not the hour.
        #expect(try good(route("2061", hour, dust).awaited.scans.first) == ["pm10": 180])
        for minute in 0..<60 where minute != 1 {
            let time = hour + .seconds(60 * minute + 3)
            #expect(try route("2011", time, live).awaited.scans.count == 1)
        }
        #expect(isDuplicate(try route("2061", hour, "\(dust);a34001-Flag=D")))
        #expect(
            try good(route("2061", hour, "\(dust);\(wind)").awaited.scans.first)
                == ["wind_speed": 2])
        #expect(try route("2061", hour - .seconds(3600), dust).awaited.scans.count == 1)
        #expect(try route("2031", hour - .seconds(43_200), dust).awaited.scans.count == 1)
    }

    @Test("a mean fills the gap of what nobody acknowledges and could not be stored")
    func unstored() throws {
        let minute = (Self.noon - .seconds(7200)).slot(every: .seconds(60))
        for (isStored, scans) in [(true, 0), (false, 1)] {
            var router = try StationSite.router()
            let live = try sent(
                "2011", about: minute + .seconds(30), "a34002-Rtd=180,a34002-Flag=N", flag: 4)
            let outcome = router.route([live], now: StillClock.reading())
            #expect(outcome.unawaited.scans.count == 1)
            router.settle(isStored ? outcome : outcome.withoutUnawaited, isCommitted: true)
            let mean = try sent("2051", about: minute, "a34002-Avg=180,a34002-Flag=N")
            let filling = router.route([mean], now: StillClock.reading())
            #expect(filling.awaited.scans.count == scans)
        }
    }

    @Test("measured values that are not asked for are counted and told once, and not sent again")
    func unselected() throws {
        var router = try StationSite.router()
        func route(_ cn: String, _ st: String) throws -> HJ212Router.Outcome {
            router.route(
                [try sent(cn, about: Self.noon, "LA-Rtd=1", st: st)], now: StillClock.reading())
        }
        for (cn, st) in [("2011", "32"), ("2052", "23"), ("2013", "39")] {
            for attempt in 0..<2 {
                let outcome = try route(cn, st)
                #expect(outcome.awaited.scans.isEmpty)
                #expect(texts(outcome.replies).map { $0.contains("CN=9014") } == [true])
                #expect(outcome.refused.map(\.reason) == [.refused])
                let told = outcome.events.filter {
                    if case .messageRefused(_, DeviceID("dust-1"), _, .refused, let detail) = $0 {
                        detail.contains(cn) && detail.contains(st)
                    } else {
                        false
                    }
                }
                #expect(told.count == (attempt == 0 ? 1 : 0))
            }
        }
        // An equipment's state is no measured value.
        #expect(try route("2021", "39").refused.isEmpty)
    }

    @Test("a mean that is refused leaves no scan behind the real time that was good")
    func refusedMean() throws {
        var router = try StationSite.router()
        _ = router.route([try event(packet())], now: StillClock.reading())
        let dust = "a34002-Avg=180,a34002-Flag=N"
        let outcome = router.route(
            [try sent("2061", about: Self.noon + .seconds(7200), dust)], now: StillClock.reading())
        #expect(outcome.awaited.scans.isEmpty && outcome.unawaited.scans.isEmpty)
        #expect(outcome.refused.map(\.reason) == [.refused])
        #expect(texts(outcome.replies).map { $0.contains("CN=9014") } == [true])
    }

    @Test("history of a station whose clock is wrong is left with it until the clock is right")
    func wrongClock() throws {
        var router = try StationSite.router()
        // The station's clock runs in UTC: everything it sends is eight hours old.
        let offset = Duration.seconds(8 * 3600)
        func route(
            _ cn: String, _ seconds: Int64, late: Duration
        ) throws -> HJ212Router.Outcome {
            let now = StillClock.reading(Self.noon + .seconds(seconds))
            let outcome = router.route([try event(packet(cn, at: now.wall - late))], now: now)
            router.settle(outcome, isCommitted: true)
            return outcome
        }
        func isLeft(_ outcome: HJ212Router.Outcome) -> Bool {
            outcome.awaited.scans.isEmpty && outcome.replies.isEmpty
                && outcome.refused.map(\.reason) == [.refused]
        }
        func flags(_ outcome: HJ212Router.Outcome) -> [ScanFlags] {
            outcome.awaited.scans.map(\.flags)
        }
        #expect(isLeft(try route("2051", 0, late: offset)))
        #expect(try flags(route("2011", 1, late: .zero)) == [[]])
        // What was kept is taken now, whatever its QN.
        #expect(try flags(route("2051", 2, late: offset)) == [.backfill])
        #expect(try flags(route("2011", 3, late: .seconds(7200))) == [.backfill])
        // A backlog is sent faster than it grew: it says nothing about the clock.
        #expect(try flags(route("2011", 63, late: .seconds(7200 - 1740))) == [.backfill])
        #expect(try flags(route("2011", 120, late: .zero)) == [[]])
        // It has started anew with a wrong clock, which goes on beside the right one.
        _ = try route("2011", 180, late: offset)
        #expect(try flags(route("2011", 240, late: offset)) == [.arrivalTime])
        #expect(isLeft(try route("2061", 250, late: offset)))
        #expect(try flags(route("2011", 300, late: .zero)) == [[]])
        #expect(try flags(route("2061", 310, late: offset)) == [.backfill])
        // A call that nobody keeps, and a moment that has not come, are enough.
        _ = try route("9015", 320, late: offset)
        #expect(isLeft(try route("2061", 330, late: offset)))
        #expect(try flags(route("2011", 360, late: .zero)) == [[]])
        #expect(try flags(route("2011", 420, late: .seconds(-8 * 3600))) == [.arrivalTime])
        #expect(isLeft(try route("2061", 430, late: offset)))
    }

    @Test("the answer to a request of ours says nothing about the station's clock")
    func borrowedQN() throws {
        var router = try StationSite.router()
        _ = router.route([try event(packet("9011"))], now: StillClock.reading())
        let old = try event(packet("2051", at: Self.noon - .seconds(7200)))
        #expect(router.route([old], now: StillClock.reading()).awaited.scans.isEmpty)
    }

    @Test("a password with any character but ; and , is answered with the same")
    func oddPassword() throws {
        for password in ["a#b", "a=b", "a&b", "##0001", "XCP=1"] {
            var router = try StationSite.router(password: password)
            func route(_ cn: String) throws -> HJ212Router.Outcome {
                let text =
                    "QN=20261121080501000;ST=39;CN=\(cn);PW=\(password);MN=\(StationSite.mn);"
                    + "Flag=5;CP=&&DataTime=20261121080500;LA-Rtd=50&&"
                return router.route(
                    [.received(connection: 1, try StationSite.received(segment: text))],
                    now: StillClock.reading())
            }
            #expect(
                try texts(route("2011").acknowledgements).map {
                    $0.contains(";CN=9014;PW=\(password);MN=")
                } == [true])
            #expect(
                try texts(route("1013").replies).map { $0.contains(";PW=\(password);MN=") }
                    == [true, true])
        }
    }
}
