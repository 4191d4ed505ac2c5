import Telemetry
import Testing

@testable import SiteSimulator

@Suite struct DustEventTests {
    /// The mean of the 90 readings of ten seconds before each slot, whole µg/m³ as registers hold.
    private func rollingMeans(
        _ site: SimulatedSite, _ device: String, from: Timestamp, slots: Int
    ) -> [Double] {
        let first = from.slot(every: .seconds(10)) - .seconds(900)
        let samples = (0..<(slots + 90)).map {
            number(site, device, "pm10", first + .seconds(Int64($0) * 10)).rounded()
        }
        return (0..<slots).map { slot in samples[slot..<(slot + 90)].reduce(0, +) / 90 }
    }

    @Test(
        "the rolling mean passes 150 between 30 s and two minutes after the epoch and stays there",
        arguments: [0, 5, 6, 8, 12, 17, 23], [1, 2, 77, 4_000_000_007] as [UInt64])
    func crossing(hour: Int64, seed: UInt64) throws {
        // Whatever the hour of the day at which a demonstration begins, and its odd milliseconds.
        let start = epoch + .milliseconds(hour * 3_600_000 + Int64(seed % 9973))
        let site = SimulatedSite(seed: seed, epoch: start, calendar: shanghai)
        let means = rollingMeans(site, "dust-north", from: start, slots: 720)
        #expect(means[0] < 148)
        let crossed = try #require(means.firstIndex { $0 > 150 })
        #expect((4...11).contains(crossed))
        #expect(means[crossed..<(crossed + 120)].allSatisfy { $0 > 150 })
        #expect(means.suffix(60).allSatisfy { $0 < 120 })
        let peak = (0..<240).map { number(site, "dust-north", "pm10", start + .seconds($0 * 10)) }
            .max()
        #expect((285...315).contains(try #require(peak)))
    }

    @Test("outside the event PM10 stays below 110, but for one lorry that moves no mean past 120")
    func quiet() {
        for seed in [1, 2, 77] as [UInt64] {
            let site = SimulatedSite(seed: seed, epoch: epoch, calendar: shanghai)
            for device in ["dust-north", "dust-south"] {
                var above = 0
                for slot in 0..<8500 {
                    let at = epoch - .seconds(86_400) + .seconds(Int64(slot) * 10)
                    let pm10 = number(site, device, "pm10", at)
                    #expect(pm10 > 0)
                    #expect(number(site, device, "pm2_5", at) < pm10)
                    if pm10 >= 110 { above += 1 }
                }
                // One lorry of a minute and a half.
                #expect((1...9).contains(above))
                let means = rollingMeans(
                    site, device, from: epoch - .seconds(85_000), slots: 8400)
                #expect((means.max() ?? 999) < 120)
            }
        }
    }

    @Test(
        "a later beginning still meets the crossing", arguments: [360, 600, 1500, 3600] as [Int64])
    func leads(seconds: Int64) throws {
        let site = SimulatedSite(
            seed: 3, epoch: epoch, calendar: shanghai,
            dustEvent: DustEvent(lead: .seconds(seconds)))
        let means = rollingMeans(site, "dust-north", from: epoch, slots: 60)
        let crossed = try #require(means.firstIndex { $0 > 150 })
        #expect((4...11).contains(crossed))
    }
}
