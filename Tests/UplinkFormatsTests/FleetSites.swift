import Foundation
import Telemetry
import TestPeers
import UplinkFormats

/// Two sites with a dust station and a meter each, for the tests against real engines.
struct Fleet {
    /// The last whole hour: engines refuse what is too far from their own time.
    let end: Timestamp
    let sites = ["hz-1", "hz-2"]
    static let floorArea = 20_000.0

    init() {
        let now = Int64(Date().timeIntervalSince1970)
        end = Timestamp(milliseconds: (now - now % 3600) * 1000)
    }

    /// What a series has, by its name and labels: values by the millisecond.
    typealias Holding = [String: [Int64: Double]]

    /// The quarter that ends `n` quarters before `end`.
    func start(_ n: Int) -> Timestamp { end - .seconds(900 * (n + 1)) }

    /// How much dust there was, and how much the meter counted: numbers by which a mix-up shows.
    func dust(_ site: Int, _ n: Int) -> Double { 100 + Double(site) * 50 + Double(n % 40) / 4 }
    func energy(_ site: Int, _ n: Int) -> Double { Double(8 + n % 8 + 16 * site) / 8 }
    func register(_ site: Int, _ n: Int) -> Double { 71_204.5 - Double(n) * 4 + Double(site) }
    func isEstimated(_ n: Int) -> Bool { n % 7 == 3 }

    /// The items of all sites for these quarters, oldest first.
    func items(_ quarters: Range<Int>) -> [UplinkItem] {
        quarters.reversed().flatMap { n in
            sites.indices.flatMap { [dustItem($0, n), meterItem($0, n)] }
        }
    }

    private func item(
        _ site: Int, _ n: Int, _ device: String, _ series: Series, _ rollup: Rollup
    ) -> UplinkItem {
        UplinkItem(
            site: SiteID(sites[site]), kind: UplinkItem.kind(.rollup, .quarterHour),
            scope: "\(device)/rs485/normal", device: DeviceID(device), start: start(n),
            end: start(n) + .seconds(900), revision: 0,
            entries: [.init(series: series, rollup: rollup)])
    }

    func dustItem(_ site: Int, _ n: Int) -> UplinkItem {
        let mean = dust(site, n)
        var sum = ExactSum()
        sum.add(mean * 80)
        let rollup = Rollup(
            count: 80, bad: 10, expected: 90, sum: sum, minimum: mean - 5, maximum: mean + 20,
            first: .init(time: start(n), value: mean),
            last: .init(time: start(n) + .seconds(890), value: mean))
        return item(site, n, "dust-north", series("dust-north.pm10", .gauge, "ug/m3"), rollup)
    }

    func meterItem(_ site: Int, _ n: Int) -> UplinkItem {
        let rollup = Rollup(
            count: 15, expected: 15, first: .init(time: start(n), value: register(site, n) - 1),
            last: .init(time: start(n) + .seconds(840), value: register(site, n)),
            increase: ScaledInteger(mantissa: Int128(energy(site, n) * 1000), exponent: 3),
            isEstimated: isEstimated(n))
        return item(
            site, n, "meter-main", series("meter-main.active_energy.import.total", .counter, "kWh"),
            rollup)
    }

    /// What an engine has to hold after a remote write of these quarters.
    func remoteWriteHolding(_ quarters: Range<Int>) -> Holding {
        var holding: Holding = [:]
        for site in sites.indices {
            let dustLabels =
                "device=dust-north,point=pm10,resolution=15min,site=\(sites[site])"
            let meterLabels =
                "device=meter-main,point=active_energy.import.total,resolution=15min,"
                + "site=\(sites[site])"
            func expect(_ series: String, _ value: (Int) -> Double) {
                for n in quarters {
                    holding[series, default: [:]][start(n).milliseconds + 899_999] = value(n)
                }
            }
            let pm10 = "plumbline_pm10_ug_per_m3{\(dustLabels),stat="
            expect(pm10 + "mean}") { dust(site, $0) }
            expect(pm10 + "min}") { dust(site, $0) - 5 }
            expect(pm10 + "max}") { dust(site, $0) + 20 }
            expect("plumbline_coverage_ratio{\(dustLabels)}") { _ in 80.0 / 90 }
            expect("plumbline_active_energy_kWh{\(meterLabels),stat=increase}") {
                energy(site, $0)
            }
            expect("plumbline_active_energy_kWh_total{\(meterLabels),stat=last}") {
                register(site, $0)
            }
            expect("plumbline_increase_estimated{\(meterLabels)}") { isEstimated($0) ? 1 : 0 }
            expect("plumbline_coverage_ratio{\(meterLabels)}") { _ in 1 }
            expect("plumbline_site_floor_area_m2{site=\(sites[site])}") { _ in Self.floorArea }
        }
        return holding
    }
}
