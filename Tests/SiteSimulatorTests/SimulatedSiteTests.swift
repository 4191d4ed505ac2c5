import Telemetry
import TestSeeds
import Testing

@testable import SiteSimulator

/// A site whose live hours begin on a Wednesday morning in China.
let epoch = Timestamp(milliseconds: 1_795_050_000_000)
let shanghai = SiteCalendar(zone: "Asia/Shanghai", initialOffset: 8 * 3600)

/// An instant within the days around the epoch.
func randomInstant(_ generator: inout SeededGenerator) -> Timestamp {
    epoch + .milliseconds(Int64.random(in: -172_800_000...604_800_000, using: &generator))
}

func number(_ site: SimulatedSite, _ device: String, _ key: String, _ at: Timestamp) -> Double {
    site.values(of: DeviceID(device), at: at)[PointKey(key)]?.number ?? .nan
}

@Suite struct SimulatedSiteTests {
    @Test("the same seed gives the same values, another seed others")
    func seeds() {
        let a = SimulatedSite(seed: 7, epoch: epoch, calendar: shanghai)
        let b = SimulatedSite(seed: 7, epoch: epoch, calendar: shanghai)
        let c = SimulatedSite(seed: 8, epoch: epoch, calendar: shanghai)
        var generator = SeededGenerator(seed: 1)
        var differing = 0
        for _ in 0..<200 {
            let at = randomInstant(&generator)
            for device in SimulatedSite.devices {
                let values = a.values(of: device.id, at: at)
                #expect(!values.isEmpty)
                #expect(values == b.values(of: device.id, at: at))
                if values != c.values(of: device.id, at: at) { differing += 1 }
            }
        }
        #expect(differing > 1400)
    }

    @Test("main is plant plus office plus living at every instant, power and counter")
    func tree() {
        let site = SimulatedSite(seed: 7, epoch: epoch, calendar: shanghai)
        var generator = SeededGenerator(seed: 2)
        for _ in 0..<500 {
            let at = randomInstant(&generator)
            for key in [
                "active_power.total", "active_energy.import.total",
                "reactive_energy.import.total",
            ] {
                let parts = ["meter-plant", "meter-office", "meter-living"].map {
                    number(site, $0, key, at)
                }
                #expect(number(site, "meter-main", key, at) == parts[0] + parts[1] + parts[2])
                #expect(parts.allSatisfy { $0 > 0 })
            }
        }
    }

    @Test(
        "a counter is the integral of its power",
        arguments: [
            ("meter-plant", "active_energy.import.total", 1.0),
            ("meter-office", "active_energy.import.total", 1),
            ("meter-living", "active_energy.import.total", 1),
            ("meter-main", "active_energy.import.total", 1),
            ("pv-1", "active_energy.export.total", -1),
        ])
    func integral(_ device: String, _ counter: String, _ sign: Double) {
        let site = SimulatedSite(seed: 7, epoch: epoch, calendar: shanghai)
        // Ends that are no multiples of any block, across the Sunday at which the weeks join.
        for (from, hours) in [
            (epoch - .milliseconds(3_723_456), 5.0), (epoch + .seconds(340_000), 9),
        ] {
            let steps = Int(hours * 3600)
            let sum = (0..<steps).reduce(0.0) { sum, step in
                sum
                    + number(
                        site, device, "active_power.total",
                        from + .milliseconds(Int64(step) * 1000 + 500))
            }
            let end = from + .seconds(Int64(steps))
            let increase = number(site, device, counter, end) - number(site, device, counter, from)
            #expect(abs(increase - sign * sum / 3_600_000) < 1e-3)
        }
    }

    @Test("no counter ever falls, and no consumer ever feeds back")
    func monotone() {
        let site = SimulatedSite(seed: 9, epoch: epoch, calendar: shanghai)
        let counters = [
            ("meter-plant", "active_energy.import.total"),
            ("meter-office", "active_energy.import.total"),
            ("meter-living", "active_energy.import.total"),
            ("pv-1", "active_energy.export.total"), ("dust-north", "rainfall"),
        ]
        for (device, key) in counters {
            var last = -Double.infinity
            for step in 0..<6000 {
                let now = number(site, device, key, epoch + .seconds(Int64(step) * 113))
                // Two terms of the closed form may cancel to within a rounding.
                #expect(now >= last - 1e-9)
                last = now
            }
        }
    }

    @Test("the plant works by day, rests at night and works half on a Sunday")
    func dayCurve() {
        let site = SimulatedSite(seed: 7, epoch: epoch, calendar: shanghai)
        func energy(_ device: String, _ day: Int, _ from: Int, _ to: Int) -> Double {
            let monday = shanghai.timestamp(CivilTime(year: 2026, month: 11, day: 16))
            let start = monday + .seconds(Int64(day) * 86_400)
            let key =
                device == "pv-1" ? "active_energy.export.total" : "active_energy.import.total"
            return number(site, device, key, start + .seconds(Int64(to) * 3600))
                - number(site, device, key, start + .seconds(Int64(from) * 3600))
        }
        #expect(energy("meter-plant", 2, 8, 11) > 4 * energy("meter-plant", 2, 0, 3))
        #expect(energy("meter-plant", 6, 8, 11) < 0.7 * energy("meter-plant", 2, 8, 11))
        #expect(energy("pv-1", 2, 10, 14) > 40)
        #expect(energy("pv-1", 2, 19, 24) == 0)
    }

    @Test("the crane's moment is its load times its radius, and its alarms follow its values")
    func crane() {
        let site = SimulatedSite(seed: 7, epoch: epoch, calendar: shanghai)
        let noon = shanghai.timestamp(CivilTime(year: 2026, month: 11, day: 18, hour: 13))
        var lifted = 0
        var highest = 0.0
        var last: [PointKey: Value] = [:]
        for second in 0..<7200 {
            let values = site.values(of: DeviceID("crane-1"), at: noon + .seconds(Int64(second)))
            func n(_ key: PointKey) -> Double { values[key]?.number ?? .nan }
            #expect(abs(n(Key.momentRatio) - n(Key.loadMass) * n(Key.radius) / 80_000) < 2e-3)
            #expect(n(Key.loadMass) <= n(Key.ratedLoadMass))
            let expected = n(Key.momentRatio) >= 0.9 ? "warning" : "normal"
            #expect(
                values[Key.alarmMoment] == .text(expected) || abs(n(Key.momentRatio) - 0.9) < 1e-3)
            if n(Key.loadMass) > 500 { lifted += 1 }
            highest = max(highest, n(Key.height))
            if let before = last[Key.height]?.number {
                #expect(abs(n(Key.height) - before) < 4)
            }
            last = values
        }
        #expect((1000...6000).contains(lifted))
        #expect(highest > 25)
        let night = shanghai.timestamp(CivilTime(year: 2026, month: 11, day: 18, hour: 23))
        #expect(number(site, "crane-1", "load_mass", night) < 200)
    }
}
