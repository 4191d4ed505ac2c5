import Telemetry
import Testing

@testable import Alarms

@Suite("A rule on several clocks")
struct SilenceTests {
    @Test("listens to whole devices and links, and not while the gateway itself was away")
    func silentDevices() throws {
        func rule(_ name: String, _ scope: String) throws -> AlarmRule {
            try #require(
                try AlarmRuleFile.parse(
                    """
                    format: alarm-rules/1
                    rules:
                      - { alarm: \(name), title: { en: a, zh: a }, severity: info, source: s,
                          status: project, when: { silent_for: 60s, of: \(scope) } }
                    """, file: "f.yaml"
                ).first)
        }
        let groups = [dustGroup(1), dustGroup(2, device: "dust-south")]
        let devices = Dictionary(
            uniqueKeysWithValues: ["dust-north", "dust-south"].map {
                (DeviceID($0), AlarmSite.Device(kind: "dust_monitor", link: "bus"))
            })
        var machine = AlarmMachine(
            rules: [try rule("silent_device", "device"), try rule("silent_link", "link")],
            site: AlarmSite(groups: groups, devices: devices))
        var out: [AlarmTransition] = []
        func scan(_ t: Double, _ group: Int, _ isGood: Bool) {
            let reading: Reading = isGood ? .number(1) : .bad(.timeout)
            out += machine.handle(
                Scan(group: ScanGroup.ID(group), time: at(t), readings: [reading, reading]))
        }
        for t in stride(from: 0.0, through: 200, by: 10) {
            scan(t, 1, true)
            scan(t, 2, t < 50)
            out += machine.advance(to: at(t))
        }
        #expect(
            out.map { "\($0.rule) \($0.series) \($0.short)" } == [
                "silent_device dust-south.communication normal>active_unacknowledged@100"
            ])
        out = []
        for t in stride(from: 210.0, through: 400, by: 10) {
            scan(t, 1, false)
            scan(t, 2, false)
            out += machine.advance(to: at(t))
        }
        #expect(
            out.map { "\($0.rule) \($0.series) \($0.short)" } == [
                "silent_device dust-north.communication normal>active_unacknowledged@260",
                "silent_link link/bus.communication normal>active_unacknowledged@260",
            ])
        out = []
        scan(410, 1, true)
        scan(410, 2, true)
        #expect(out.filter { $0.to == .returnedUnacknowledged }.count == 3)
        out = machine.advance(to: at(411))
        // The gateway was off for an hour: nobody was silent.
        out += machine.advance(to: at(4000))
        out += machine.advance(to: at(4059))
        #expect(out.isEmpty)
        // 30 s of lateness on top: these groups are polled, but nothing at all comes.
        out += machine.advance(to: at(4090))
        #expect(out.map(\.time) == [at(4060), at(4060), at(4060)])
    }

    @Test("hears a link's devices in any order and calls none of them late")
    func anyOrder() throws {
        let rule = try #require(
            try AlarmRuleFile.parse(
                """
                format: alarm-rules/1
                rules:
                  - { alarm: a, title: { en: a, zh: a }, severity: info, source: s,
                      status: project, when: { silent_for: 60s, of: link } }
                """, file: "f.yaml"
            ).first)
        var machine = AlarmMachine(
            rules: [rule],
            site: AlarmSite(
                groups: [dustGroup(1), dustGroup(2, device: "dust-south")],
                devices: Dictionary(
                    uniqueKeysWithValues: ["dust-north", "dust-south"].map {
                        (DeviceID($0), AlarmSite.Device(kind: "dust_monitor", link: "bus"))
                    })))
        for t in stride(from: 0.0, through: 300, by: 10) {
            #expect(machine.handle(scan(t, 1, group: 1)).isEmpty)
            #expect(machine.handle(scan(t - 5, 1, group: 2)).isEmpty)
            #expect(machine.advance(to: at(t)).isEmpty)
        }
        #expect(machine.lateScans == 0)
    }

    @Test("on two devices does not go deaf because one clock is ahead")
    func clocksApart() throws {
        let rule = try #require(
            try AlarmRuleFile.parse(
                """
                format: alarm-rules/1
                rules:
                  - alarm: both
                    title: { en: a, zh: a }
                    severity: info
                    source: s
                    status: project
                    devices: [dust-north]
                    when: { point: pm10, input: reading, above: 150 ug/m3 }
                    unless: [ { point: pm10, device: site, input: reading, above: 0 ug/m3 } ]
                """, file: "f.yaml"
            ).first)
        var machine = AlarmMachine(
            rules: [rule],
            site: AlarmSite(
                groups: [
                    dustGroup(1, period: nil, isPolled: false),
                    dustGroup(2, device: "site", period: nil, isPolled: false),
                ], standing: [DeviceID("site")]))
        func take(_ scan: Scan) -> [String] {
            (machine.handle(scan) + machine.endRow()).map(\.short)
        }
        #expect(take(scan(0, 100)).isEmpty)
        // The site's word is half a minute ahead of the station's clock.
        #expect(take(scan(35, 1, group: 2)).isEmpty)
        #expect(take(scan(6, 200)) == ["normal>suppressed@35"])
        #expect(take(scan(41, 0, group: 2)) == ["suppressed>active_unacknowledged@41"])
        #expect(take(scan(11, 100)) == ["active_unacknowledged>returned_unacknowledged@41"])
        // What is older than the station's own last word is late all the same.
        #expect(take(scan(10, 300)).isEmpty)
        #expect(machine.lateScans == 1)
    }
}
