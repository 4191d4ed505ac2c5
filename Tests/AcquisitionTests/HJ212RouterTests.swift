import DeviceProfiles
import FieldLinks
import Frames
import Telemetry
import Testing

@testable import Acquisition

@Suite("The platform of HJ 212 stations")
struct HJ212RouterTests {
    private static let noon = StillClock.noon

    private func packet(
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

    private func event(_ packet: HJ212Packet, on id: Int = 1) throws -> HJ212Listener.Event {
        .received(connection: id, try StationSite.received(packet))
    }

    private func texts(_ replies: [HJ212Listener.Reply]) -> [String] {
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

    @Test("means fill gaps: what is stored in finer steps is acknowledged and not stored again")
    func gaps() throws {
        var router = try StationSite.router()
        let hour = Timestamp(milliseconds: Self.noon.milliseconds - 7_200_000).slot(
            every: .seconds(3600))
        func route(_ cn: String, _ time: Timestamp) throws -> HJ212Router.Outcome {
            var upload = try packet(cn, at: time)
            // Sent now, about then.
            upload.qn = try packet().qn
            let outcome = router.route([try event(upload)], now: StillClock.reading())
            router.settle(outcome, isCommitted: true)
            return outcome
        }
        #expect(try route("2011", hour + .seconds(90)).awaited.scans.count == 1)
        let covered = try route("2051", hour + .seconds(60))
        #expect(covered.awaited.scans.isEmpty)
        #expect(texts(covered.replies).map { $0.contains("CN=9014") } == [true])
        #expect(try route("2051", hour + .seconds(600)).awaited.scans.count == 1)
        #expect(try route("2061", hour).awaited.scans.isEmpty)
        let gap = try route("2061", hour - .seconds(3600))
        #expect(gap.awaited.scans.count == 1)
    }

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

    @Test("the parts of an upload are acknowledged one by one, and the last is the whole")
    func parts() throws {
        var router = try StationSite.router()
        var first = try packet()
        first.flag = 7
        (first.pnum, first.pno) = (2, 1)
        var second = first
        second.pno = 2
        second.qn = first.qn.map { $0.dropLast() + "1" }
        first.items.removeLast()
        second.items.remove(at: 1)
        let one = router.route([try event(first)], now: StillClock.reading())
        router.settle(one, isCommitted: true)
        let two = router.route([try event(second)], now: StillClock.reading())
        #expect(one.acknowledgements.count == 1 && two.acknowledgements.count == 1)
        let series = try StationSite.target().group.series.map(\.id.point)
        func value(_ outcome: HJ212Router.Outcome, _ key: String) -> Reading? {
            zip(series, outcome.awaited.scans.first?.readings ?? []).first {
                $0.0 == PointKey(key)
            }?.1
        }
        #expect(value(one, "pm10") == .number(180))
        #expect(value(one, "wind_speed") == .bad(.absent))
        #expect(value(two, "pm10") == .number(180))
        #expect(value(two, "wind_speed") == .number(2.3))
    }
}
