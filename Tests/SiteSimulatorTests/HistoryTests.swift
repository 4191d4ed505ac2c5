import DeviceProfiles
import LocatedText
import Telemetry
import Testing

@testable import SiteSimulator

@Suite struct HistoryTests {
    private let site = SimulatedSite(seed: 7, epoch: epoch, calendar: shanghai)

    /// The site's groups, numbered as a registry would.
    private func registered(_ bindings: SimulatedBindings) -> [ScanGroup] {
        bindings.groups.enumerated().map { index, group in
            var group = group
            group.id = ScanGroup.ID(index + 1)
            return group
        }
    }

    @Test("history comes in order of time, one scan a slot and group, all of it backfill and good")
    func order() throws {
        let bindings = try SimulatedBindings(library: Profiles.library())
        let groups = registered(bindings)
        let from = epoch - .seconds(1830)
        var last = from
        var times: [ScanGroup.ID: [Timestamp]] = [:]
        var chunks = 0
        for chunk in try site.history(from: from, to: epoch, bindings: bindings, groups: groups) {
            chunks += 1
            #expect(chunk.count < 5000)
            for scan in chunk {
                #expect(scan.time >= last && scan.time < epoch)
                last = scan.time
                #expect(scan.flags == .backfill)
                #expect(scan.readings.allSatisfy { $0.isGood })
                times[scan.group, default: []].append(scan.time)
            }
        }
        #expect((3...5).contains(chunks))
        for group in groups {
            let period = group.period ?? SimulatedPublisher.defaultPeriod
            let slots = try #require(times[group.id])
            #expect(slots.first.map { $0 - from < period } == true)
            #expect(slots.last.map { epoch - $0 <= period } == true)
            #expect(zip(slots, slots.dropFirst()).allSatisfy { $1 - $0 == period })
        }
    }

    @Test("history that is entered in two parts is that of one, and says when the next scan comes")
    func parts() throws {
        let bindings = try SimulatedBindings(library: Profiles.library())
        let groups = registered(bindings)
        let (from, to) = (epoch - .seconds(600), epoch + .milliseconds(61_003))
        func scans(_ from: Timestamp, _ to: Timestamp) throws -> [Scan] {
            Array(
                try site.history(from: from, to: to, bindings: bindings, groups: groups).joined())
        }
        let whole = try scans(from, to)
        for cut in [epoch, epoch - .milliseconds(1), epoch + .milliseconds(5000)] {
            let parts = try scans(from, cut) + scans(cut, to)
            #expect(parts == whole, "\(cut)")
            let next = try #require(
                try site.nextScan(from: cut, bindings: bindings, groups: groups))
            #expect(next == whole.first { $0.time >= cut }?.time)
        }
        #expect(try site.nextScan(from: epoch, bindings: bindings, groups: []) == nil)
    }

    @Test("the dust of the decoded past raises the rolling mean as the event promises")
    func dust() throws {
        let bindings = try SimulatedBindings(library: Profiles.library())
        let groups = registered(bindings)
        let group = try #require(
            groups.first {
                $0.device.text == "dust-north" && $0.series.contains { $0.id.point.text == "pm10" }
            })
        let column = try #require(group.series.firstIndex { $0.id.point.text == "pm10" })
        var samples: [(time: Timestamp, value: Double)] = []
        let past = try site.history(
            from: epoch - .seconds(3600), to: epoch + .seconds(1500), bindings: bindings,
            groups: [group])
        for scan in past.joined() {
            samples.append((scan.time, try #require(scan.readings[column].number)))
        }
        func mean(_ end: Timestamp) -> Double {
            let window = samples.filter { $0.time >= end - .seconds(900) && $0.time < end }
            return window.map(\.value).reduce(0, +) / Double(window.count)
        }
        #expect(mean(epoch) < 150)
        #expect(mean(epoch + .seconds(30)) < 150)
        #expect(mean(epoch + .seconds(120)) > 150)
        #expect(mean(epoch + .seconds(1400)) > 150)
        #expect(mean(epoch - .seconds(720)) < 110)
    }

    @Test("read through their registers, the tree's counters agree to within the main's step")
    func tree() throws {
        let bindings = try SimulatedBindings(library: Profiles.library())
        let point = PointKey("active_energy.import.total")
        let groups = registered(bindings).filter {
            $0.device.text.hasPrefix("meter-") && $0.series.contains { $0.id.point == point }
        }
        try #require(groups.count == 4)
        var latest: [Timestamp: [DeviceID: Double]] = [:]
        let past = try site.history(
            from: epoch - .seconds(7200), to: epoch, bindings: bindings, groups: groups)
        for scan in past.joined() {
            let group = groups[try #require(groups.firstIndex { $0.id == scan.group })]
            let column = try #require(group.series.firstIndex { $0.id.point == point })
            latest[scan.time, default: [:]][group.device] = scan.readings[column].number
        }
        var compared = 0
        for (time, energy) in latest where energy.count == 4 {
            let parts = ["meter-plant", "meter-office", "meter-living"].reduce(0.0) {
                $0 + (energy[DeviceID($1)] ?? .nan)
            }
            #expect(abs((energy[DeviceID("meter-main")] ?? .nan) - parts) < 0.32, "\(time)")
            compared += 1
        }
        #expect(compared > 20)
    }

    @Test("a group that is not the profile's is refused by its name")
    func foreign() throws {
        let bindings = try SimulatedBindings(library: Profiles.library())
        var group = try #require(bindings.groups.first)
        group.series.removeLast()
        #expect(throws: SimulationError.self) {
            _ = try site.history(
                from: epoch, to: epoch + .seconds(60), bindings: bindings, groups: [group])
        }
    }

    @Test("the configuration names every device, the tree, and what it was given")
    func configuration() throws {
        let bindings = try SimulatedBindings(library: Profiles.library())
        var endpoints = SimulatedEndpoints()
        endpoints.broker = .init(host: "127.0.0.1", port: 1884)
        for link in SimulatedBindings.modbusLinks { endpoints.modbusPorts[link] = 1502 }
        let text = site.configuration(
            endpoints: endpoints, bindings: bindings, dataDirectory: "/tmp/a \"b\"",
            alarms: ["/x/dust.yaml"], uplink: .init(host: "127.0.0.1", port: 1885),
            reportingSince: epoch)
        let root = try LocatedNode.parse(text, file: "demo.yaml")
        _ = root
        for device in SimulatedSite.devices {
            #expect(text.contains("id: \(device.id), profile: \(device.profile)"))
        }
        #expect(text.contains("params: { ct_ratio: 60 }"))
        #expect(text.contains("counter: meter-main.active_energy.import.total"))
        #expect(text.contains("mqtt: mqtt://127.0.0.1:1885"))
        #expect(text.contains("    since: \(shanghai.rfc3339(epoch))\n"))
    }
}
