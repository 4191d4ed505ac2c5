import Telemetry
import Testing
import UplinkFormats

@Suite("Commands of an HJ 212 platform")
struct HJ212CommandTests {
    private func bench(
        settings: [PlatformSetting] = [], stations: [HJ212Station] = [northStation],
        _ change: (inout HJ212Options) -> Void = { _ in }
    ) -> HJ212Bench {
        let bench = HJ212Bench(
            hj212Options(change), stations: stations, at: site("20261121080000"),
            settings: settings)
        bench.open()
        return bench
    }

    /// What is answered to one command, as `CN area`.
    private func ask(
        _ bench: HJ212Bench, _ cn: String, _ area: String = "", qn: String,
        pw: String = "123456", flag: Int = 5
    ) -> [String] {
        let before = bench.sent.count
        bench.command(
            "QN=\(qn);ST=39;CN=\(cn);PW=\(pw);MN=\(exampleMN);Flag=\(flag);CP=&&\(area)&&")
        return bench.sent[before...].map { packet in
            let area = packet.split(separator: "CP=&&").last ?? ""
            let text = area.split(separator: "&&").first ?? ""
            return PlatformFrame.value("CN", in: packet) + (text.count > 4 ? " " + text : "")
        }
    }

    private func qn(_ number: Int) -> String { "2026112108000\(1000 + number)" }

    @Test("time-out and resends hold at once")
    func timing() {
        let bench = bench()
        #expect(
            ask(bench, "1000", "OverTime=2;ReCount=1", qn: qn(1)) == [
                "9011 QnRtn=1", "9012 ExeRtn=1",
            ])
        bench.submit(report("2011/1min", from: morning, lasting: .seconds(60), dust()))
        bench.wait(.seconds(3))
        #expect(bench.sent.filter { $0.contains("CN=2011") }.count == 2)
        #expect(bench.closing == nil)
        bench.wait(.seconds(2))
        #expect(bench.closing == "no acknowledgement")
    }

    @Test("a time-out alone may be set, and `05` is 5")
    func oneValue() {
        let bench = bench()
        #expect(ask(bench, "1000", "OverTime=05", qn: qn(1)).last == "9012 ExeRtn=1")
        #expect(
            bench.settings == [PlatformSetting(scope: "north", name: "timeout", value: "5")])
    }

    @Test("all of a command's values are taken, or none")
    func allOrNone() {
        let bench = bench()
        #expect(ask(bench, "1000", "OverTime=5;ReCount=0", qn: qn(1)).last == "9012 ExeRtn=3")
        #expect(bench.settings == [])
        bench.submit(report("2011/1min", from: morning, lasting: .seconds(60), dust()))
        bench.wait(.seconds(9))
        #expect(bench.sent.filter { $0.contains("CN=2011") }.count == 1)
    }

    @Test("a setting that holds already is not kept again")
    func keptOnce() {
        let bench = bench(settings: [
            PlatformSetting(scope: "north", name: "realtime_interval", value: "30")
        ])
        #expect(ask(bench, "1061", qn: qn(1))[1] == "1061 RtdInterval=30")
        _ = ask(bench, "1062", "RtdInterval=30", qn: qn(2))
        #expect(bench.settings == [])
        _ = ask(bench, "1062", "RtdInterval=31", qn: qn(3))
        #expect(bench.settings.map(\.value) == ["31"])
    }

    @Test("a new conversation begins with the settings so far; those of a station go first")
    func startsWithSettings() {
        let bench = bench(
            settings: [
                PlatformSetting(scope: "north", name: "minute_interval", value: "5"),
                PlatformSetting(name: "minute_interval", value: "20"),
                PlatformSetting(name: "realtime_interval", value: "45"),
                PlatformSetting(scope: "north", name: "realtime", value: "off"),
                PlatformSetting(scope: "north", name: "timeout", value: "0"),
                PlatformSetting(scope: "north", name: "password", value: "other1"),
                PlatformSetting(scope: "north", name: "unheard_of", value: "1"),
            ],
            stations: [northStation, HJ212Station(scope: "south", mn: "S")])
        #expect(ask(bench, "1063", qn: qn(1))[1] == "1063 MinInterval=5")
        #expect(ask(bench, "1061", qn: qn(2))[1] == "1061 RtdInterval=45")
        let ticket = bench.submit(
            report("2011/1min", from: morning, lasting: .seconds(60), dust()))
        #expect(
            bench.outcomes[ticket]
                == [.expired(reason: "the platform has stopped real-time data (2012)")])
        let south = bench.submit(
            report("2011/1min", "south", from: morning, lasting: .seconds(60), dust()))
        #expect(bench.outcomes[south] == nil)
    }

    @Test("a password that the platform has set counts where it may set one")
    func keptPassword() {
        let setting = PlatformSetting(scope: "north", name: "password", value: "other1")
        let open = bench(settings: [setting]) { $0.obeysPassword = true }
        #expect(ask(open, "1061", qn: qn(1)) == ["9011 QnRtn=3"])
        #expect(ask(open, "1061", qn: qn(1), pw: "other1").count == 3)
        let closed = bench(settings: [setting])
        #expect(ask(closed, "1061", qn: qn(1)).count == 3)
    }

    @Test("1072 that came again because its answer was lost is answered, with its old password")
    func passwordAgain() {
        let bench = bench { $0.obeysPassword = true }
        let first = ask(bench, "1072", "NewPW=abc123", qn: qn(1))
        #expect(first == ["9011 QnRtn=1", "9012 ExeRtn=1"])
        #expect(ask(bench, "1072", "NewPW=abc123", qn: qn(1)) == first)
        #expect(ask(bench, "1072", "NewPW=zzz999", qn: qn(2)) == ["9011 QnRtn=3"])
        #expect(
            ask(bench, "1072", "NewPW=a;b", qn: qn(3), pw: "abc123").last == "9012 ExeRtn=1")
        #expect(bench.settings.map(\.value) == ["abc123", "a"])
    }

    @Test("a command is executed once, whatever comes between", arguments: [1, 63])
    func once(others: Int) {
        let bench = bench()
        _ = ask(bench, "1062", "RtdInterval=30", qn: qn(1))
        for number in 1...others {
            _ = ask(bench, "1062", "RtdInterval=\(60 + number)", qn: qn(1 + number))
        }
        let settings = bench.settings.count
        #expect(
            ask(bench, "1062", "RtdInterval=30", qn: qn(1)) == ["9011 QnRtn=1", "9012 ExeRtn=1"])
        #expect(bench.settings.count == settings)
    }

    @Test("what fell out of memory cannot be replayed")
    func forgotten() {
        let bench = bench()
        for number in 1...70 {
            _ = ask(bench, "1062", "RtdInterval=\(30 + number)", qn: qn(number))
        }
        let settings = bench.settings.count
        #expect(ask(bench, "1062", "RtdInterval=31", qn: qn(1)) == ["9011 QnRtn=7"])
        #expect(ask(bench, "1062", "RtdInterval=32", qn: qn(6)) == ["9011 QnRtn=7"])
        #expect(bench.settings.count == settings)
        #expect(ask(bench, "1061", qn: qn(71))[1] == "1061 RtdInterval=100")
    }

    @Test("memory outlives the connection")
    func overConnections() {
        let bench = bench()
        _ = ask(bench, "2012", qn: qn(1))
        bench.close()
        bench.open()
        _ = ask(bench, "2011", qn: qn(2))
        #expect(ask(bench, "2012", qn: qn(1)) == ["9013"])
        #expect(bench.settings.last?.value == "on")
    }

    @Test("different commands of one number are different: some platforms count seconds")
    func sameNumber() {
        let bench = bench()
        #expect(ask(bench, "1062", "RtdInterval=30", qn: qn(1)).count == 2)
        #expect(ask(bench, "1064", "MinInterval=5", qn: qn(1)).count == 2)
        #expect(bench.settings.count == 2)
    }

    @Test("the two commands about the time of day may come from a clock that is wrong")
    func clocks() {
        let bench = bench()
        let old = "20250101000000000"
        #expect(
            ask(bench, "1012", "SystemTime=20250101000000", qn: old) == [
                "9011 QnRtn=1", "9012 ExeRtn=3",
            ])
        #expect(ask(bench, "1011", qn: old)[1] == "1011 SystemTime=20261121080000")
        #expect(ask(bench, "1061", qn: old) == ["9011 QnRtn=7"])
        #expect(bench.settings.map(\.name) == ["clock_offset_ms"])
        #expect(bench.settings.map(\.scope) == [""])
    }

    @Test("the age of a command that is allowed is an option", arguments: [(59, 3), (61, 1)])
    func age(seconds: Int, answers: Int) {
        let bench = bench { $0.largestAge = .seconds(60) }
        let stamp = HJ212Time.stamp(site("20261121080000") - .seconds(seconds), shanghai)
        #expect(ask(bench, "1061", qn: stamp + "000").count == answers)
    }

    @Test("the tolerance of 1012 is an option", arguments: [(5, 1), (6, 3)])
    func tolerance(seconds: Int, result: Int) {
        for sign in [1, -1] {
            let bench = bench { $0.timeTolerance = .seconds(5) }
            let theirs = HJ212Time.stamp(
                site("20261121080000") + .seconds(sign * seconds), shanghai)
            #expect(
                ask(bench, "1012", "SystemTime=\(theirs)", qn: qn(1)).last
                    == "9012 ExeRtn=\(result)")
            #expect(bench.settings.last?.value == "\(sign * seconds * 1000)")
        }
    }

    @Test("a command for a split packet's place is understood, others of its kind are not")
    func splitCommand() {
        let bench = bench()
        func packet(_ qn: String, _ numbers: String) -> Int {
            let before = bench.sent.count
            bench.command(
                "QN=\(qn);ST=39;CN=1061;PW=123456;MN=\(exampleMN);Flag=7;\(numbers)CP=&&&&")
            return bench.sent.count - before
        }
        #expect(packet(qn(1), "PNUM=1;PNO=1;") == 3)
        #expect(packet(qn(2), "PNUM=2;PNO=1;") == 1)
        #expect(packet(qn(3), "PNUM=x;PNO=1;") == 1)
    }

    @Test("a platform that echoes what it gets commands nothing")
    func echo() {
        let bench = bench()
        for kind in ["2011/1min", "2051/10min", "2081/boot"] {
            let ticket = bench.submit(report(kind, from: morning, lasting: .seconds(60), dust()))
            let packet = bench.sent.last ?? ""
            let count = bench.sent.count
            bench.receive(packet)
            #expect(bench.sent.count == count)
            bench.acknowledge(packet)
            #expect(bench.outcomes[ticket] == [.accepted])
        }
        #expect(bench.settings == [])
    }

    @Test("an MN that cannot be echoed gets no answer, and nothing happens")
    func unanswerable() {
        let bench = bench()
        bench.command("QN=\(qn(1));ST=39;CN=1062;PW=123456;MN=a=b;Flag=5;CP=&&RtdInterval=30&&")
        #expect(bench.sent == [])
        #expect(bench.notes.count == 2)
        #expect(bench.settings == [])
    }

    @Test("a flood of commands leaves nothing behind but the answers to each")
    func flood() {
        let bench = bench()
        bench.submit(report("2011/1min", from: morning, lasting: .seconds(60), dust()))
        for number in 1...500 {
            #expect(!ask(bench, "1064", "MinInterval=5", qn: qn(number)).isEmpty)
        }
        #expect(bench.conversation.room == 0)
        #expect(bench.outcomes.isEmpty)
        bench.acknowledge(bench.sent[0])
        #expect(bench.outcomes.values.map { $0 } == [[.accepted]])
        #expect(bench.conversation.room == 1)
    }
}
