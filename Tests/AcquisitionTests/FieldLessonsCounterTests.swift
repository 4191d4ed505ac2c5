import DeviceProfiles
import FieldLinks
import Telemetry
import TestPeers
import Testing

@testable import Acquisition

/// Energy that is booked twice, lost or dumped into one hour elsewhere.
@Suite("Field lessons: counters")
struct FieldLessonsCounterTests {
    private static let hour: Int64 = 3_600_000
    private static let kilowattHours = CounterPolicy(modulus: nil, resets: .never)

    /// What each hour from 0 on counts, out of readings `(minute, value)`.
    private func hours(
        _ count: Int, _ readings: [(minute: Int64, value: Double)],
        _ policy: CounterPolicy = kilowattHours
    ) -> [Double?] {
        (0..<Int64(count)).map { number in
            let bucket = Bucket(
                .hour, containing: Timestamp(milliseconds: number * Self.hour),
                calendar: .utc)
            let timed = readings.map {
                Rollup.Timed(time: Timestamp(milliseconds: $0.minute * 60_000), value: $0.value)
            }
            let series = Series(
                id: SeriesID(device: DeviceID("m"), point: PointKey("active_energy.import.total")),
                kind: .counter, unit: "kWh", counter: policy)
            let rollup = Rollup.fold(
                series, over: bucket, previous: timed.last { $0.time < bucket.start },
                samples: timed.filter { $0.time >= bucket.start && $0.time < bucket.end }
                    .map { (time: $0.time, reading: Reading.number($0.value)) },
                next: timed.first { $0.time >= bucket.end }, period: .seconds(900), expected: 4)
            return rollup.increase?.double
        }
    }

    @Test("a lifetime of 15.5 MWh is not today's energy when the first reading comes")
    func lifetime() {
        let counted = hours(2, [(70, 15_500), (85, 15_500.2), (119, 15_500.6)])
        #expect(counted == [nil, 0.6])
    }

    @Test("a counter that dips by 0.1 does not count its total again")
    func dip() {
        let hours = hours(1, [(0, 215.5), (15, 215.6), (30, 215.5), (45, 215.7)])
        #expect(hours == [0.3], "at most the dip itself, never the 215.6 once more")
    }

    @Test("a counter that is set back counts nothing for the fall and goes on from there")
    func reset() {
        let counted = hours(1, [(0, 9113), (15, 9114), (30, 0), (45, 0.5)])
        #expect(counted == [1.5])
    }

    @Test(
        "a counter that passes its end counts on",
        arguments: [
            // 23 bits of 0.1; 32 bits with a sign, of 0.001; six digits.
            (838_860.8, 838_860.7, 0.4), (2_147_483.648, 2_147_483.1, 0.2),
            (1_000_000, 999_999.5, 1),
        ] as [(Double, Double, Double)])
    func rollOver(modulus: Double, last: Double, next: Double) throws {
        let policy = CounterPolicy(modulus: modulus, resets: .never)
        let counted = try #require(hours(1, [(0, last), (30, next)], policy)[0])
        #expect(abs(counted - (modulus - last + next)) < 1e-6)
    }

    @Test("energy of hours without readings is spread over them, not dumped into the next one")
    func missingHours() throws {
        let spread = hours(4, [(0, 100), (30, 101), (210, 107)]).compactMap(\.self)
        #expect(spread == [2, 2, 2, 1], "seven in three and a half hours")
        #expect(spread.reduce(0, +) == 7)
    }

    @Test("no difference of a counter is ever negative")
    func neverNegative() {
        for value in [1400, 1399.9, 700, 0.1, 0] {
            let hours = hours(2, [(0, 1400), (30, value), (90, value + 1)]).compactMap(\.self)
            #expect(hours.allSatisfy { $0 >= 0 }, "\(value)")
        }
    }

    // MARK: A meter that reads 0 while it starts

    private func judge(_ values: [(second: Int, value: Double)], _ policy: CounterPolicy)
        -> [Reading]
    {
        let id = SeriesID(device: DeviceID("m"), point: PointKey("active_energy.import.total"))
        var watch = CounterWatch([Series(id: id, kind: .counter, unit: "kWh", counter: policy)])
        return values.map {
            watch.judge([.number($0.value)], now: .seconds($0.second))[0]
        }
    }

    @Test("a meter that reads 0 while it starts does not count its lifetime again")
    func startsAtZero() {
        let values = [(0, 15_500.0), (5, 0), (10, 0), (15, 15_500.2), (20, 15_500.3)]
        let judged = judge(values, Self.kilowattHours)
        #expect(
            judged == [
                .number(15_500), .bad(.outOfRange), .bad(.outOfRange), .number(15_500.2),
                .number(15_500.3),
            ])
        let believed = zip(values, judged).compactMap { value, reading in
            reading.number.map { (minute: Int64(value.0), value: $0) }
        }
        let counted = hours(1, believed)
        #expect(counted == [0.3])
    }

    @Test("a meter that was exchanged is believed after five minutes and three readings")
    func exchanged() {
        let quick = judge(
            [(0, 100)] + (1...80).map { ($0 * 5, Double($0) / 10) }, Self.kilowattHours)
        #expect(quick[1...60].allSatisfy { $0 == .bad(.outOfRange) })
        #expect(quick[61...].allSatisfy { $0.isGood })
        let slow = judge([(0, 100), (900, 1), (1800, 2), (2700, 3), (3600, 4)], Self.kilowattHours)
        #expect(slow.map(\.isGood) == [true, false, false, true, true])
    }

    @Test("what may be set back, and what passes its end, is believed at once")
    func mayFall() {
        for resets in [CounterPolicy.Resets.manual, .command, .powerCycle, .daily] {
            let policy = CounterPolicy(modulus: nil, resets: resets)
            let judged = judge([(0, 100), (5, 0)], policy)
            #expect(judged == [.number(100), .number(0)])
        }
        let six = CounterPolicy(modulus: 1_000_000, resets: .never)
        let passed = judge([(0, 999_999), (5, 3)], six)
        #expect(passed == [.number(999_999), .number(3)])
    }

    @Test("the loop of a bus doubts a counter that falls")
    func onTheBus() async throws {
        let bus = LessonBus()
        let binding = try TestSite.meter("u1", addresses: [0], period: "100ms", isCounter: true)
        let device = BusAcquisition.Device(
            unit: 1, binding: binding, groups: [TestSite.numbered(binding.groups[0], 1)],
            checksIdentity: false)
        try await withPythonPeer("modbus_server.py", ["--holding", "0=5000"]) { port in
            let grant = WriteGrant(
                unit: 1, function: .singleRegister, address: 0, values: [[0], [5001]])
            let other = BusLink(.modbusTCP(host: "127.0.0.1", port: port), grants: [grant])
            try await bus.whilePolling(bus.acquisition(at: bus.place(port), [device])) {
                for (value, expected) in [
                    (nil, Reading.number(5000)), (0, .bad(.outOfRange)), (5001, .number(5001)),
                ] as [(UInt16?, Reading)] {
                    if let value {
                        try await other.perform { link in
                            try link.connect()
                            try link.write(
                                WriteRequest(
                                    unit: 1, function: .singleRegister, address: 0,
                                    values: [value]))
                        }
                    }
                    try await eventually("\(expected)") {
                        bus.sink.scans.last?.readings == [expected]
                    }
                }
            }
        }
        #expect(!bus.sink.scans.contains { $0.readings == [.number(0)] })
    }

    @Test("a power cut that takes meter and gateway together does not make a lifetime out of a 0")
    func powerCut() async throws {
        let bus = LessonBus()
        let binding = try TestSite.meter("u1", addresses: [0], period: "100ms", isCounter: true)
        let group = TestSite.numbered(binding.groups[0], 1)
        let device = BusAcquisition.Device(
            unit: 1, binding: binding, groups: [group], checksIdentity: false)
        let number = try #require(group.series.first?.number)
        try await withPythonPeer("modbus_server.py", ["--holding", "0=0"]) { port in
            let acquisition = bus.acquisition(
                at: bus.place(port), [device], lastValues: [number: 5000])
            try await bus.whilePolling(acquisition) {
                try await eventually("scans") { bus.sink.scans.count >= 3 }
            }
        }
        #expect(bus.sink.scans.allSatisfy { $0.readings == [.bad(.outOfRange)] })
    }
}
