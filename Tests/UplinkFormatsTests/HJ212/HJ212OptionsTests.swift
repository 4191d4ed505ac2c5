import Telemetry
import Testing
import UplinkFormats

@Suite("Options of HJ 212")
struct HJ212OptionsTests {
    @Test("the defaults are sound")
    func defaults() {
        #expect(hj212Options().faults == [])
        #expect(hj212Options().warnings == [])
        #expect(HJ212Station.faults([northStation]) == [])
        #expect(northStation.warnings(.v2017) == [])
    }

    @Test("encryption is refused, with the reason")
    func encryption() {
        let options = hj212Options { $0.sm4 = .on }
        #expect(options.faults == [HJ212Options.encryptionRefusal])
        #expect(HJ212Options.encryptionRefusal.contains("not verified"))
    }

    @Test("each option that cannot be meant is told by its key")
    func faults() {
        let changes: [(String, (inout HJ212Options) -> Void)] = [
            ("password", { $0.password = "a;b" }), ("password", { $0.password = "" }),
            ("st", { $0.st = "3" }), ("noise_st", { $0.noiseST = "2,3" }),
            ("packet_limit", { $0.packetLimit = 100_000 }),
            ("area_limit", { $0.areaLimit = 2000 }), ("window", { $0.window = 0 }),
            ("timeout", { $0.timeout = .zero }), ("resends", { $0.resends = -1 }),
            ("gap", { $0.gap = .seconds(-1) }), ("heartbeat", { $0.heartbeat = .zero }),
            ("day_hours", { $0.dayHours = 0..<2000 }),
            ("largest_age", { $0.largestAge = .zero }),
            ("time_tolerance", { $0.timeTolerance = .zero }),
            ("realtime_interval", { $0.realtimeInterval = 29 }),
            ("minute_interval", { $0.minuteInterval = 7 }),
            ("longest_history", { $0.longestHistory = .zero }),
            ("history_patience", { $0.historyPatience = .zero }),
            ("marks", { $0.marks.goodShare = 1.5 }), ("marks", { $0.marks.otherwise = "dd" }),
        ]
        for (key, change) in changes {
            let faults = hj212Options(change).faults
            #expect(faults.count == 1)
            #expect(faults.first?.hasPrefix(key) == true, "\(key): \(faults)")
        }
    }

    @Test("what is unusual is told, and works")
    func warnings() {
        #expect(hj212Options { $0.edition = .v2025 }.warnings.count == 1)
        #expect(hj212Options { $0.acknowledged = false }.warnings.count == 1)
        #expect(hj212Options { $0.crc = .modbus }.warnings.count == 1)
        #expect(hj212Options { $0.password = "secret-word" }.warnings.count == 1)
        #expect(HJ212Station(scope: "a", mn: "ABCDEFG1234567").warnings(.v2005) == [])
        #expect(HJ212Station(scope: "a", mn: "ABCDEFG1234567").warnings(.v2017).count == 2)
    }

    @Test("stations are apart from each other")
    func stations() {
        #expect(HJ212Station.faults([]).count == 1)
        let other = HJ212Station(scope: "south", mn: exampleMN)
        #expect(HJ212Station.faults([northStation, other]).count == 1)
        #expect(HJ212Station.faults([northStation, northStation]).count == 2)
        let odd = HJ212Station(
            scope: "x", mn: "a b", st: "1", password: "a,b", marks: ["a34002": "mm"])
        #expect(HJ212Station.faults([odd]).count == 4)
    }

    @Test("even options that cannot be meant do not trap")
    func oddOptions() {
        let bench = HJ212Bench(
            hj212Options {
                $0.window = -3
                $0.timeout = .zero
                $0.resends = -2
                $0.packetLimit = -1
                $0.minuteInterval = 0
                $0.password = "a;b"
            }, stations: [HJ212Station(scope: "north", mn: "&&")], at: site("20261121080000"))
        bench.open()
        bench.submit(report("2011/1min", from: morning, lasting: .seconds(60), dust()))
        bench.wait(.seconds(10))
        #expect(bench.sent == [])
    }

    @Test("passwords and keys never stand in a note")
    func secrets() {
        let options = hj212Options {
            $0.password = "s3cret"
            $0.obeysPassword = true
        }
        var conversation = HJ212Conversation(
            options, stations: [northStation], calendar: shanghai)
        let time = ConversationTime(elapsed: .zero, wall: site("20261121080000"))
        var steps = conversation.open(at: time)
        steps += conversation.submit(
            report("2011/1min", from: morning, lasting: .seconds(60), dust()), ticket: 1, at: time)
        for (number, area) in [
            "NewPW=n3wone", "PW=n3wone", " NewPW = n3wone,x=1", "x=1;NewPW=n3wone;y=2",
            "NewSK=n3wone",
            "x=1,PW=n3wone",
        ].enumerated() {
            for password in ["s3cret", "n3wone", "wr0ng1"] {
                steps += conversation.receive(
                    Array(
                        PlatformFrame.frame(
                            "QN=2026112108000000\(number);ST=39;CN=1072;PW=\(password);"
                                + "MN=\(exampleMN);Flag=5;CP=&&\(area)&&"
                        ).utf8), at: time)
            }
        }
        var notes = 0
        for case .note(let note) in steps {
            notes += 1
            for secret in ["s3cret", "n3wone", "wr0ng1"] {
                #expect(!note.text.contains(secret), "\(note.text)")
            }
        }
        #expect(notes > 20)
        var sent: [String] = []
        for case .note(let note) in steps where note.direction == .sent { sent.append(note.text) }
        #expect(
            sent.first
                == "##0203QN=20261121080000000;ST=39;CN=2011;PW=******;MN=\(exampleMN);Flag=5;"
                + "CP=&&DataTime=20261121080000;a34001-Rtd=0.217,a34001-Flag=N;a34002-Rtd=0.112,"
                + "a34002-Flag=N;a34004-Rtd=0.048,a34004-Flag=N&&"
                + PlatformFrame.hex(
                    PlatformFrame.crc(
                        "QN=20261121080000000;ST=39;CN=2011;PW=s3cret;MN=\(exampleMN);Flag=5;"
                            + "CP=&&DataTime=20261121080000;a34001-Rtd=0.217,a34001-Flag=N;"
                            + "a34002-Rtd=0.112,a34002-Flag=N;a34004-Rtd=0.048,a34004-Flag=N&&")))
    }

    @Test("control characters of a platform do not reach a terminal")
    func terminal() {
        var conversation = HJ212Conversation(
            hj212Options(), stations: [northStation], calendar: shanghai)
        let time = ConversationTime(elapsed: .zero, wall: site("20261121080000"))
        _ = conversation.open(at: time)
        let steps = conversation.receive(
            Array(
                PlatformFrame.frame(
                    "QN=20261121080000000;ST=39;CN=\u{1B}[31m;PW=1;MN=\(exampleMN);Flag=5;CP=&&&&"
                ).utf8), at: time)
        for case .note(let note) in steps {
            #expect(!note.text.unicodeScalars.contains { $0.value < 0x20 })
        }
        #expect(!steps.isEmpty)
    }
}

@Suite("SM4")
struct SM4Tests {
    private func bytes(_ hex: String) -> [UInt8] {
        stride(from: 0, to: hex.count, by: 2).compactMap {
            UInt8(hex.dropFirst($0).prefix(2), radix: 16)
        }
    }

    @Test("has the standard's example")
    func vector() throws {
        let plain = bytes("0123456789ABCDEFFEDCBA9876543210")
        let cipher = try SM4.encrypt(plain, key: plain)
        #expect(cipher == bytes("681EDF34D206965E86B3E94F536E4246"))
        #expect(try SM4.decrypt(cipher, key: plain) == plain)
    }

    @Test("takes whole blocks and whole keys only", arguments: [0, 15, 17, 32])
    func lengths(count: Int) {
        let (odd, whole) = ([UInt8](repeating: 1, count: count), [UInt8](repeating: 1, count: 16))
        #expect(throws: SM4.Fault.length(key: 16, block: count)) {
            try SM4.encrypt(odd, key: whole)
        }
        #expect(throws: SM4.Fault.length(key: count, block: 16)) {
            try SM4.encrypt(whole, key: odd)
        }
    }
}
