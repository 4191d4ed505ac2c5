import EnergyAccounting
import LocatedText
import Telemetry
import TestSeeds
import Testing

private let shanghai = SiteCalendar(zone: "Asia/Shanghai", initialOffset: 8 * 3600)
/// Midnight of the site, 2026-11-21.
private let midnight = Timestamp(milliseconds: 1_795_190_400_000)
private let day = Bucket(.day, containing: midnight, calendar: shanghai)

private func meter(_ id: String, parent: String? = nil) -> Meter {
    Meter(
        id: id, parent: parent, item: nil, carrier: "electricity",
        counter: SeriesID(device: DeviceID(id), point: PointKey("active_energy.import.total")),
        location: Location(file: "site.yaml", line: 1, column: 1))
}

private func counted(_ hundredths: Int128, estimated: Bool = false) -> Rollup {
    Rollup(
        count: 90, expected: 90, increase: ScaledInteger(mantissa: hundredths, exponent: 2),
        isEstimated: estimated)
}

@Suite("Energy figures")
struct EnergyFigureTests {
    private let tree = MeterTree([meter("main")])

    private func figure(
        _ rollups: [Rollup], now: Timestamp = day.end, area: Double? = 103_000
    ) -> EnergyFigure {
        tree.figure(of: "main", in: day, now: now, floorAreaSquareMetres: area) { series in
            series.device.text == "main" ? rollups : []
        }
    }

    @Test("are kWh and kWh per square metre of the site's day")
    func figures() {
        let figure = figure([counted(123_456)])
        #expect(figure.meter == "main")
        #expect(figure.start == midnight)
        #expect(figure.end == midnight + .seconds(86_400))
        #expect(figure.kilowattHours == 1234.56)
        #expect(figure.kilowattHoursPerSquareMetre == 1234.56 / 103_000)
        #expect(figure.coverage == 1)
        #expect(!figure.isEstimated)
        #expect(!figure.isPartial)
    }

    @Test("are nil when nothing is known, and zero only when zero was counted")
    func nothing() {
        #expect(figure([]).kilowattHours == nil)
        #expect(figure([]).kilowattHoursPerSquareMetre == nil)
        #expect(figure([]).coverage == nil)
        #expect(figure([Rollup(bad: 90, expected: 90)]).kilowattHours == nil)
        #expect(figure([Rollup(bad: 90, expected: 90)]).coverage == 0)
        #expect(figure([counted(0)]).kilowattHours == 0)
        let unknown = tree.figure(
            of: "nobody", in: day, now: day.end, floorAreaSquareMetres: 1
        ) { _ in [counted(1)] }
        #expect(unknown.kilowattHours == nil)
    }

    @Test(
        "have no value per area without a floor area", arguments: [nil, 0, -5, .nan] as [Double?])
    func noArea(area: Double?) {
        let figure = figure([counted(100)], area: area)
        #expect(figure.kilowattHours == 1)
        #expect(figure.kilowattHoursPerSquareMetre == nil)
    }

    @Test("are partial until the day has ended")
    func partial() {
        #expect(figure([counted(1)], now: day.end - .milliseconds(1)).isPartial)
        #expect(!figure([counted(1)], now: day.end).isPartial)
    }

    @Test("add up to the counter's increase over every partition of the day", arguments: 1...20)
    func partitions(number: UInt64) throws {
        var random = SeededGenerator(seed: number)
        let series = Series(
            id: meter("main").counter, kind: .counter, unit: "kWh",
            counter: CounterPolicy(modulus: nil, resets: .never))
        // A counter of hundredths that is read at random instants from before to after the day.
        var readings: [(time: Timestamp, value: Int)] = []
        var time = midnight - .seconds(1000)
        var value = Int.random(in: 0...99_999_999, using: &random)
        while time < day.end + .seconds(2000) {
            readings.append((time, value))
            time = time + .seconds(Int.random(in: 5...1500, using: &random))
            value += Int.random(in: 0...500, using: &random)
        }
        func rollup(_ bucket: Bucket) -> Rollup {
            func timed(_ r: (time: Timestamp, value: Int)) -> Rollup.Timed {
                Rollup.Timed(time: r.time, value: Double(r.value) / 100)
            }
            let inside = readings.filter { bucket.contains($0.time) }
            return Rollup.fold(
                series, over: bucket,
                previous: readings.last { $0.time < bucket.start }.map(timed),
                samples: inside.map { ($0.time, Reading.number(Double($0.value) / 100)) },
                next: readings.first { $0.time >= bucket.end }.map(timed), period: .seconds(10),
                expected: nil)
        }
        func parts(_ resolution: Resolution) -> [Rollup] {
            var all: [Rollup] = []
            var bucket = Bucket(resolution, containing: midnight, calendar: shanghai)
            while bucket.start < day.end {
                all.append(rollup(bucket))
                bucket = bucket.next(calendar: shanghai)
            }
            return all
        }
        let whole = figure([rollup(day)]).kilowattHours
        #expect(whole != nil)
        for resolution in [Resolution.minute, .quarterHour, .hour] {
            #expect(figure(parts(resolution)).kilowattHours == whole, "seed \(number)")
        }
        // Gaps of up to 25 minutes at a period of 10 s: the figure says that it is an estimate.
        #expect(figure(parts(.quarterHour)).isEstimated)
    }

    @Test("say that one of their parts is an estimate, and how much of the day is covered")
    func carried() {
        let figure = figure([counted(10), counted(20, estimated: true)])
        #expect(figure.kilowattHours == 0.3)
        #expect(figure.isEstimated)
        let half = self.figure([
            Rollup(count: 90, expected: 90), Rollup(count: 0, bad: 90, expected: 90),
        ])
        #expect(half.coverage == 0.5)
        #expect(self.figure([Rollup(count: 90, expected: nil)]).coverage == nil)
    }

    @Test("compare a meter with the sum of those below it, exactly")
    func balance() throws {
        let tree = MeterTree([
            meter("main"), meter("crane", parent: "main"), meter("office", parent: "main"),
        ])
        // 0.1 + 0.2 is 0.3 here.
        let amounts: [String: [Rollup]] = [
            "main": [counted(15), counted(15)], "crane": [counted(10)], "office": [counted(20)],
        ]
        let balance = try #require(
            tree.balance(of: "main", in: day) { amounts[$0.device.text] ?? [] })
        #expect(balance.kilowattHours == 0.3)
        #expect(balance.sumOfChildren == 0.3)
        #expect(balance.unaccounted == 0)
        #expect(balance.missing == [])
        #expect(tree.balance(of: "office", in: day) { _ in [] } == nil)
        #expect(tree.balance(of: "nobody", in: day) { _ in [] } == nil)
    }

    @Test("leave the unaccounted part open while a child is unknown")
    func openBalance() throws {
        let tree = MeterTree([
            meter("main"), meter("crane", parent: "main"), meter("office", parent: "main"),
        ])
        let amounts: [String: [Rollup]] = [
            "main": [counted(1000)], "crane": [counted(300, estimated: true)],
        ]
        let balance = try #require(
            tree.balance(of: "main", in: day) { amounts[$0.device.text] ?? [] })
        #expect(balance.sumOfChildren == 3)
        #expect(balance.unaccounted == nil)
        #expect(balance.missing == ["office"])
        #expect(balance.isEstimated)
    }
}
