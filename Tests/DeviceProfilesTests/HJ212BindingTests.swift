import DeviceProfiles
import Frames
import LocatedText
import Telemetry
import Testing

@Suite("Stations that speak HJ 212")
struct HJ212BindingTests {
    private static let now = Timestamp(milliseconds: 1_795_219_500_000)

    private func binding(
        _ interface: String = "hj212-ug", _ id: String = "generic/hj212-dust-2017"
    ) throws -> HJ212Binding {
        try HJ212Binding(
            profile: try #require(try Shipped.library()[id]), interface: interface,
            device: DeviceID("s"), key: "MN1")
    }

    /// What the station says `age` before now, sent `lag` after that; the time is Beijing's.
    private func packet(
        _ items: String, cn: String = "2011", st: String = "39", age: Duration = .zero,
        sentAgo: Duration = .zero
    ) throws -> HJ212Packet {
        let binding = try binding()
        let time = String(binding.stamp(Self.now - age).prefix(14))
        let qn = binding.stamp(Self.now - sentAgo)
        let text = "QN=\(qn);ST=\(st);CN=\(cn);PW=1;MN=MN1;Flag=5;CP=&&DataTime=\(time);\(items)&&"
        return try #require(HJ212Packet.parse(segment: Array(text.utf8)[...]))
    }

    private func reading(
        _ key: String, _ items: String, cn: String = "2011", st: String = "39",
        of interface: String = "hj212-ug"
    ) throws -> Reading {
        let binding = try binding(interface)
        let decoded = binding.decode(
            try packet(items, cn: cn, st: st), arrival: Self.now)
        guard case .scan(_, _, let row, _) = decoded else {
            Issue.record("\(decoded)")
            return .bad(.malformed)
        }
        let index = try #require(
            binding.group.series.firstIndex { $0.id.point == PointKey(key) })
        return row[index]
    }

    @Test("real-time packets take -Rtd, those of a period -Avg, noise -Data")
    func names() throws {
        let items = "a34002-Rtd=1,a34002-Avg=2,a34002-Data=3,a34002-Max=9,a34002-Flag=N"
        #expect(try reading("pm10", items) == .number(1))
        for cn in ["2051", "2061", "2031"] {
            #expect(try reading("pm10", items, cn: cn) == .number(2))
        }
        #expect(try reading("sound_level", "Leq-Data=55.5", cn: "2051", st: "23") == .number(55.5))
        #expect(try reading("sound_level", "Leq-Data=55.5") == .bad(.absent))
    }

    @Test("every mark but N is no value, and no mark only where the profile says so")
    func marks() throws {
        #expect(try reading("pm10", "a34002-Rtd=45.0,a34002-Flag=N") == .number(45))
        for mark in ["F", "M", "S", "D", "C", "T", "B", "", "n", "9"] {
            #expect(
                try reading("pm10", "a34002-Rtd=45.0,a34002-Flag=\(mark)") == .bad(.invalid))
        }
        #expect(try reading("pm10", "a34002-Rtd=45.0") == .bad(.invalid))
        #expect(try reading("sound_level", "LA-Rtd=63.2") == .number(63.2))
        #expect(try reading("sound_level", "LA-Rtd=63.2,LA-Flag=D") == .bad(.invalid))
    }

    @Test("a value twice, none, or one that is no number is no value")
    func values() throws {
        #expect(
            try reading("pm10", "a34002-Rtd=1,a34002-Rtd=2,a34002-Flag=N") == .bad(.invalid))
        for text in ["--", "1,2", "1 ug", "0x10", "nan", "1e400"] {
            #expect(
                try !reading("pm10", "a34002-Rtd=\(text),a34002-Flag=N").isGood
                    || text == "1,2", "\(text)")
        }
        #expect(try reading("pm10", "a34002-Rtd=,a34002-Flag=N") == .bad(.absent))
        #expect(try reading("pm10", "a34001-Rtd=5,a34001-Flag=N") == .bad(.absent))
    }

    @Test("the unit is the profile's; the other unit's figures are out of range")
    func units() throws {
        let milligrams = "a34002-Rtd=0.180,a34002-Flag=N"
        let micrograms = "a34002-Rtd=180,a34002-Flag=N"
        #expect(try reading("pm10", milligrams, of: "hj212-mg") == .number(180))
        #expect(try reading("pm10", micrograms, of: "hj212-ug") == .number(180))
        #expect(try reading("pm10", micrograms, of: "hj212-mg") == .bad(.outOfRange))
    }

    @Test("other systems and commands are not asked for")
    func selection() throws {
        let binding = try binding()
        #expect(binding.decode(try packet("x=1", cn: "2021"), arrival: Self.now) == .unselected)
        #expect(binding.decode(try packet("x=1", st: "32"), arrival: Self.now) == .unselected)
    }

    @Test("the time of a station is believed as far as it can be checked")
    func times() throws {
        let binding = try binding()
        func time(
            _ packet: HJ212Packet, isTimeOfDay: Bool = true, isProven: Bool = false
        ) -> HJ212Decoding {
            let decoded = binding.decode(
                packet, arrival: Self.now, isTimeOfDay: isTimeOfDay, isClockProven: isProven)
            if case .scan(let time, let flags, _, let isOwn) = decoded {
                return .scan(time: time, flags: flags, readings: [], hasDeviceTime: isOwn)
            }
            return decoded
        }
        func own(_ age: Duration) -> HJ212Decoding {
            .scan(time: Self.now - age, flags: [], readings: [], hasDeviceTime: true)
        }
        let arrival = HJ212Decoding.scan(
            time: Self.now, flags: .arrivalTime, readings: [], hasDeviceTime: false)
        #expect(time(try packet("x=1", age: .seconds(60))) == own(.seconds(60)))
        // Kept while the line was down, sent now by a clock that is right.
        #expect(time(try packet("x=1", age: .seconds(7200))) == own(.seconds(7200)))
        // A clock that is two hours late.
        #expect(
            time(try packet("x=1", age: .seconds(7200), sentAgo: .seconds(7200))) == arrival)
        #expect(time(try packet("x=1", age: .seconds(-7200))) == arrival)
        // A mean of yesterday, sent now; sent yesterday by a clock that has been right since; and
        // by one of which nobody knows anything, or that says when it was not sent.
        #expect(time(try packet("x=1", cn: "2061", age: .seconds(86_400))) == own(.seconds(86_400)))
        let kept = try packet("x=1", cn: "2061", age: .seconds(86_400), sentAgo: .seconds(86_400))
        #expect(time(kept, isProven: true) == own(.seconds(86_400)))
        guard case .refused(.stale, _) = time(kept) else {
            Issue.record("a mean was placed by a clock that may be wrong")
            return
        }
        var unsigned = kept
        unsigned.qn = nil
        #expect(time(unsigned) == own(.seconds(86_400)))
        guard case .refused(.stale, _) = time(try packet("x=1", cn: "2061", age: .seconds(-7200)))
        else {
            Issue.record("an hour to come was believed")
            return
        }
        // Without a time of day of our own.
        #expect(time(try packet("x=1", age: .seconds(60)), isTimeOfDay: false) == arrival)
        guard case .refused(.stale, _) = time(try packet("x=1", cn: "2051"), isTimeOfDay: false)
        else {
            Issue.record("history was placed without a clock")
            return
        }
    }

    @Test("mistakes are named")
    func faults() throws {
        let text = try Shipped.text("renke/louvre-500.yaml")
        for (right, wrong, message) in [
            ("role: receiver", "role: sender", "what the gateway receives"),
            ("device_key: MN", "device_key: QN", "known by its MN"),
            ("cn: [\"2011\", \"2051\"]", "cn: [\"2012\"]", "is not accepted here"),
            ("at: hj212/a34004", "at: a34004", "is not a factor"),
            ("format: yyyyMMddHHmmss, zone", "format: yyyymmdd, zone", "not a format of time"),
            ("&&D341", "&&D342", "is no packet"),
        ] {
            let wrong = text.replacing(right, with: wrong)
            try #require(wrong != text)
            var found: [String] = []
            do {
                let profile = try DeviceProfile.parse(
                    wrong, file: "renke/louvre-500.yaml", vocabulary: Shipped.vocabulary())
                found = profile.selfTest().map(\.description)
            } catch let faults as Faults {
                found = faults.all.map(\.description)
            }
            #expect(found.contains { $0.contains(message) }, "\(message): \(found)")
        }
        #expect(throws: BindingError.badStation("a;b")) {
            try HJ212Binding(
                profile: try #require(try Shipped.library()["renke/louvre-500"]),
                interface: "hj212", device: DeviceID("s"), key: "a;b")
        }
    }
}
