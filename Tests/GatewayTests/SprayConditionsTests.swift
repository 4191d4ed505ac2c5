import Store
import Telemetry
import Testing

@testable import Gateway

@Suite("What a spray is wanted for")
struct SprayConditionsTests {
    private static let dust = SeriesID(device: DeviceID("dust"), point: PointKey("pm10"))
    private static let now = Timestamp(milliseconds: 3_600_000)
    private static let spoken = [7: LatestReading(time: now - .seconds(60), reading: .number(200))]

    private static func conditions(
        areas: [String]? = nil, of devices: [DeviceID: String] = [DeviceID("dust"): "gate"]
    ) throws -> SprayConditions {
        let site = try BoundText(
            """
            links: [ { id: a, bus: "tcp://10.0.0.1", devices: [
              { id: pumps, profile: waveshare/relay-8ch, unit: 1, commands: [switch.ch1] } ] } ]
            circumstances: [ { id: maintenance, states: ["off", "on"] } ]
            alarms: [ { include: rules.yaml } ]
            sprays:
              - { id: north, enabled: true, switch: pumps.switch.ch1, "on": "on", "off": "off",
                  alarms: [dusty], run: { least: 1min, most: 10min, rest: 5min },
                  never: [ { circumstance: maintenance, is: ["on"] } ] }
            """,
            include: """
                format: alarm-rules/1
                rules:
                  - { alarm: dusty, title: { en: a, zh: a }, severity: info, source: s,
                      status: project, devices: [site], when: { point: maintenance, is: ["on"] } }
                """)
        #expect(site.faults == "")
        var spray = try #require(site.site?.configuration.sprays.first)
        spray.areas = areas
        return SprayConditions(
            spray: spray, areas: devices, circumstances: ["maintenance": 9],
            freshness: [dust: (number: 7, most: .seconds(300))])
    }

    private static func alarm(
        _ state: AlarmState = .activeUnacknowledged, rule: String = "dusty",
        series: SeriesID = dust, isBackfill: Bool = false
    ) -> AlarmRecord {
        AlarmRecord(
            id: 1, key: "\(rule)|\(series)|0", rule: rule, ruleVersion: "1", severity: "info",
            series: series, onset: now, raised: now, state: state, changed: now,
            evidence: AlarmEvidence(
                value: 200, unit: "ug/m3", limit: 150, windowStart: now, windowEnd: now,
                samples: 1, coverage: nil),
            isBackfill: isBackfill)
    }

    @Test("is an active alarm of its rules, acknowledged or not, and no other")
    func cause() throws {
        let conditions = try Self.conditions()
        func cause(_ alarms: [AlarmRecord]) -> String? {
            conditions.cause(open: alarms, latest: Self.spoken, now: Self.now)
        }
        #expect(cause([Self.alarm()]) == "dusty|dust.pm10|0")
        #expect(cause([Self.alarm(.activeAcknowledged)]) != nil)
        for state in AlarmState.allCases
        where state != .activeUnacknowledged && state != .activeAcknowledged {
            #expect(cause([Self.alarm(state)]) == nil, "\(state)")
        }
        #expect(cause([Self.alarm(rule: "noisy")]) == nil)
        #expect(cause([Self.alarm(isBackfill: true)]) == nil, "the dust of yesterday")
        #expect(cause([]) == nil)
        #expect(cause([Self.alarm(rule: "noisy"), Self.alarm()]) != nil)
    }

    @Test("is near, where the site names areas")
    func areas() throws {
        for (areas, isWanted) in [(["gate"], true), (["yard"], false), (["yard", "gate"], true)] {
            let cause = try Self.conditions(areas: areas)
                .cause(open: [Self.alarm()], latest: Self.spoken, now: Self.now)
            #expect((cause != nil) == isWanted, "\(areas)")
        }
        // A device of which nobody has said where it stands is near to nothing.
        let cause = try Self.conditions(areas: ["gate"], of: [:])
            .cause(open: [Self.alarm()], latest: Self.spoken, now: Self.now)
        #expect(cause == nil)
    }

    @Test("still speaks: the alarm of a sensor that has fallen silent wants nothing")
    func freshness() throws {
        let conditions = try Self.conditions()
        func isWanted(_ latest: [Int: LatestReading], _ series: SeriesID = Self.dust) -> Bool {
            conditions.cause(open: [Self.alarm(series: series)], latest: latest, now: Self.now)
                != nil
        }
        func read(_ seconds: Int, _ reading: Reading, _ previous: LatestReading? = nil)
            -> [Int: LatestReading]
        {
            let time = Self.now - .seconds(seconds)
            return [7: LatestReading(time: time, reading: reading, previous: previous)]
        }
        #expect(isWanted(read(300, .number(200))))
        #expect(!isWanted(read(301, .number(200))))
        #expect(!isWanted([:]))
        // It answers, but has measured nothing for ten minutes.
        #expect(!isWanted(read(1, .bad(.timeout), read(600, .number(200))[7])))
        #expect(isWanted(read(1, .bad(.timeout), read(60, .number(200))[7])))
        // What people have said stands until they say something else.
        let said = SeriesID(device: BoundSite.siteDevice, point: PointKey("demand"))
        #expect(isWanted([:], said))
        let unknown = SeriesID(device: DeviceID("gone"), point: PointKey("pm10"))
        #expect(!isWanted(Self.spoken, unknown))
    }

    @Test("is forbidden by the word of people, and as long as nobody has said one")
    func forbidden() throws {
        let conditions = try Self.conditions()
        func isForbidden(_ reading: Reading?) -> Bool {
            conditions.isForbidden(
                latest: reading.map { [9: LatestReading(time: Self.now, reading: $0)] } ?? [:])
        }
        #expect(isForbidden(.text("on")))
        #expect(!isForbidden(.text("off")))
        #expect(isForbidden(nil))
        #expect(isForbidden(.bad(.absent)))
        #expect(isForbidden(.number(0)))
    }
}
