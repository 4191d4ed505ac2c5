import Foundation
import LocatedText
import Telemetry
import Testing
import UplinkFormats

@testable import Gateway

/// A site with a dust station and a meter, and the uplinks of a test.
private struct ReportingSite {
    static let factors = try? String(
        contentsOfFile: ConfigurationTests.root + "/Config/uplinks/hj212-factors.yaml",
        encoding: .utf8)

    let bound: BoundText

    init(_ uplink: String, factors: String? = factors) throws {
        bound = try BoundText(
            """
            links:
              - id: line
                modbus: tcp://127.0.0.1:502
                devices:
                  - { id: meter-1, profile: eastron/sdm630, unit: 1 }
                  - { id: dust-1, profile: renke/louvre-500, unit: 21 }
            uplinks:
              - id: city
            \(uplink.split(separator: "\n").map { "    " + $0 }.joined(separator: "\n"))
            """, include: try #require(factors))
    }

    var faults: String { bound.faults }

    func uplink() throws -> SiteConfiguration.Uplink {
        #expect(bound.faults == "")
        return try #require(bound.site?.configuration.uplinks.first)
    }

    func plan() throws -> UplinkPlan {
        let site = try #require(bound.site)
        return try #require(
            site.configuration.uplinkPlans(of: site.groups + site.ownGroups, units: site.units)
                .first)
    }

    /// The points that are told, as `device.point`, in order.
    func points() throws -> [String] {
        try plan().subjects.values.flatMap { $0.members.map(\.series.id.description) }.sorted()
    }
}

@Suite("What a platform is told")
struct UplinkConfigurationTests {
    @Test("is every point but the gateway's own, as quarters, when nothing else is said")
    func defaults() throws {
        let site = try ReportingSite("mqtt: mqtt://127.0.0.1\ntopic: city/a")
        let uplink = try site.uplink()
        guard case .mqtt(_, let topic, let format, let tellsStatus) = uplink.way else {
            Issue.record("it is no MQTT")
            return
        }
        #expect(topic == "city/a" && format.name == "plumbline-json/1" && tellsStatus)
        #expect(try site.plan().kinds == ["rollup/15min"])
        let points = try site.points()
        #expect(points.contains("dust-1.pm10") && points.contains("meter-1.active_power.total"))
        #expect(points.allSatisfy { $0.hasPrefix("dust-1.") || $0.hasPrefix("meter-1.") })
        #expect(uplink.pace.policy.needsTrustedTime && uplink.pace.policy.tries == 5)
    }

    @Test("is chosen by patterns, in the platform's names and units")
    func selection() throws {
        let site = try ReportingSite(
            """
            http: https://fleet.example/in
            points: ["*.pm*", "meter-1.active_energy.import.*"]
            except: ["*.pm2_5"]
            statistics: [mean, max]
            units: { ug/m3: mg/m3 }
            names: { dust-1.pm10: PM10 }
            resolution: 1min
            """)
        let points = try site.points()
        #expect(points.contains("dust-1.pm10") && !points.contains("dust-1.pm2_5"))
        #expect(
            !points.contains("dust-1.wind_speed") && points.contains { $0.hasPrefix("meter-1") })
        let members = try site.plan().subjects.values.flatMap(\.members)
        let dust = try #require(members.first { $0.series.id.description == "dust-1.pm10" })
        #expect(dust.point.name == "PM10" && dust.point.unit?.symbol == "mg/m3")
        #expect(dust.point.statistics == [.mean, .maximum])
        #expect(try site.plan().kinds == ["rollup/1min"])
    }

    @Test("has the labels, figures and corrections of its engine")
    func engines() throws {
        let remote = try ReportingSite(
            """
            http: http://127.0.0.1:8428/api/v1/write
            format: remote-write/1
            labels: { city: hangzhou }
            figures: { floor_area_m2: 12400 }
            overwrites: true
            """)
        guard case .http(_, let format as RemoteWriteFormat) = try remote.uplink().way else {
            Issue.record("it is no remote write")
            return
        }
        #expect(format.labels == ["city": "hangzhou"] && format.figures == ["floor_area_m2": 12400])
        #expect(format.correction == .replace)
        #expect(try remote.plan().sendsCorrections)
        let plain = try ReportingSite(
            "http: http://127.0.0.1:8428/api/v1/write\nformat: remote-write/1")
        #expect(try plain.plan().sendsCorrections == false)
        let influx = try ReportingSite(
            "http: http://127.0.0.1/write\nformat: influx-line/1\ntags: { city: hangzhou }")
        guard case .http(_, let lines as InfluxLineFormat) = try influx.uplink().way else {
            Issue.record("it is no line protocol")
            return
        }
        #expect(lines.tags == ["city": "hangzhou"])
    }

    @Test("is what the factors name of a station's devices, and single points over them")
    func hj212() throws {
        let site = try ReportingSite(
            """
            hj212: tcp://127.0.0.1:9001
            password: { credential: pw }
            factors: factors.yaml
            particulates: mg/m3
            minutes: 5 min
            days: off
            stations: [ { mn: MN1, devices: [dust-1], codes: { a34002: dust-1.pm2_5 } } ]
            """.replacing("days: off", with: "days: false"))
        let plan = try site.plan()
        #expect(plan.kinds == ["2051/5min", "2061/1h"] && plan.instants == "2011/1min")
        let members = try #require(plan.subjects["MN1"]?.members)
        let named = Dictionary(
            grouping: members, by: { $0.point.name ?? "" }
        ).mapValues { $0.map(\.series.id.description) }
        #expect(named["a34002"] == ["dust-1.pm2_5"], "the code is given away by name")
        #expect(named["a34004"] == nil && named["a01001"] == ["dust-1.air_temperature"])
        #expect(!members.contains { $0.series.id.device == DeviceID("meter-1") })
    }

    @Test("goes to a Sparkplug host under the node's own names")
    func sparkplug() throws {
        let site = try ReportingSite(
            """
            mqtt: mqtts://broker.example
            sparkplug: { group: hz, node: gw-1, primary_host: scada }
            resolution: raw
            """)
        guard case .sparkplug(let broker, let identity) = try site.uplink().way else {
            Issue.record("it is no Sparkplug")
            return
        }
        #expect(broker.endpoint.port == 8883)
        #expect(
            identity.group == "hz" && identity.node == "gw-1" && identity.primaryHost == "scada")
        #expect(try site.plan().kinds == ["raw/1min"])
    }

    @Test("needs no topic for ThingsBoard, and has a status for those who read our JSON alone")
    func topics() throws {
        let board = try ReportingSite(
            "mqtt: mqtt://127.0.0.1\nformat: thingsboard\ndevice_prefix: hz-")
        guard
            case .mqtt(_, let topic, let format as ThingsBoardFormat, let tellsStatus) =
                try board.uplink().way
        else {
            Issue.record("it is no ThingsBoard")
            return
        }
        #expect(topic == "" && format.devicePrefix == "hz-" && !tellsStatus)
        let batches = try ReportingSite("http: https://a/b\nbatch: 50")
        guard case .http(_, let json) = try batches.uplink().way else {
            Issue.record("it is no HTTP")
            return
        }
        #expect(json.batchLimit == 50)
    }

    @Test("is a platform's own JSON, of the devices that its template knows, with what it asks for")
    func template() throws {
        let text = """
            format: uplink-template/1
            name: city-dust
            source: "made up"
            status: project
            checked: "2026-11-21"
            correction: none
            body:
              id: { $text: "{device}" }
              noise: { $point: sound_level, statistic: leq, decimals: 1 }
              pm10: { $point: pm10, unit: mg/m3, decimals: 3 }
            """
        let site = try ReportingSite(
            """
            http: https://a/b
            format: { template: city-dust.yaml }
            ids: { dust-1: YC-07 }
            """, factors: text)
        guard case .http(_, let format as TemplateFormat) = try site.uplink().way else {
            Issue.record("it is no template")
            return
        }
        #expect(format.ids == ["dust-1": "YC-07"])
        let plan = try site.plan()
        #expect(Set(plan.subjects.values.compactMap(\.device)) == [DeviceID("dust-1")])
        #expect(!plan.sendsCorrections)
        let members = plan.subjects.values.flatMap(\.members)
        let noise = members.first { $0.series.id.description == "dust-1.sound_level" }
        #expect(noise?.point.statistics == [.energeticMean], "so that its readings are looked up")
        let wrong = try ReportingSite(
            "http: https://a/b\nformat: { template: city-dust.yaml }",
            factors: text.replacing("unit: mg/m3", with: "unit: kWh"))
        #expect(wrong.faults.contains("does not measure"), "\(wrong.faults)")
    }

    @Test(
        "is refused with the place and what to do, where it cannot be",
        arguments: [
            ("mqtt: mqtt://127.0.0.1\ntopic: a/#", "cannot be a topic"),
            ("mqtt: mqtt://127.0.0.1", "topic"),
            ("topic: a", "goes to one place"),
            ("http: https://a/b\nmqtt: mqtt://127.0.0.1\ntopic: a", "goes to one place"),
            ("http: ftp://a/b", "is not an address"),
            ("http: http://a/b\ntls: { ca: ca.pem }", "not encrypted"),
            ("http: https://a/b\nformat: xml", "plumbline-json/1"),
            ("http: https://a/b\nlabels: { a: b }", "labels"),
            ("http: https://a/b\npoints: [dust-1.pm100]", "is no point of this site"),
            ("http: https://a/b\nunits: { ug/m3: kWh }", "do not measure the same"),
            ("http: https://a/b\nunits: { mg/m3: ug/m3 }", "are not kept"),
            ("http: https://a/b\nbatch: 0", "between 1 and 500"),
            ("mqtt: mqtt://a\nsparkplug: { group: STATE, node: a }", "not called STATE"),
            ("mqtt: mqtt://a\nsparkplug: { group: a/b, node: a }", "cannot be an id"),
            ("mqtt: mqtt://a\nsparkplug: { group: a, node: a }\ntopic: b", "topic"),
            (
                """
                mqtt: mqtt://a
                sparkplug: { group: a, node: a }
                names: { dust-1.pm10: dust, dust-1.pm2_5: dust }
                """, "would both be told as 'dust'"
            ),
            (
                """
                mqtt: mqtt://a
                sparkplug: { group: a, node: a }
                names: { dust-1.pm10: pm2_5 }
                """, "'dust-1.pm2_5' and 'dust-1.pm10' would both be told as 'pm2_5'"
            ),
            ("http: https://a/b\ntries: 0", "between 1 and 1000"),
            ("http: https://a/b\nrate: { most: 0, per: 1 s }", "at least one message"),
            ("http: https://a/b\nresolution: 7min", "is not accepted"),
            ("http: https://a/b\nsince: yesterday", "not a time with its offset"),
            (
                """
                hj212: tcp://127.0.0.1
                password: { credential: pw }
                factors: factors.yaml
                stations: [ { mn: MN1, devices: [dust-9] } ]
                """, "is no device of this site"
            ),
            (
                """
                hj212: tcp://127.0.0.1
                password: { credential: pw }
                factors: factors.yaml
                stations: [ { mn: MN1, codes: { a1: dust-1.pm10, a2: dust-1.pm10 } } ]
                """, "stands for two codes"
            ),
            (
                """
                hj212: tcp://127.0.0.1
                password: { credential: pw }
                factors: factors.yaml
                dialect: mars
                stations: [ { mn: MN1, devices: [dust-1] } ]
                """, "know no dialect 'mars'"
            ),
            (
                """
                building_energy: tcp://127.0.0.1
                building: 330302D110
                gateway: "01"
                secret: { credential: s }
                key: { credential: k }
                initial_vector: { credential: v }
                meters: [ { meter: "01", series: meter-1.active_energy.import.total } ]
                """, "nobody says what is counted"
            ),
        ])
    func faults(uplink: String, word: String) throws {
        let site = try ReportingSite(uplink)
        #expect(site.faults.contains(word), "\(site.faults)")
        #expect(site.faults.contains("site.yaml:"))
    }

    @Test("two devices of one HJ 212 station that say the same are told apart, or it is a fault")
    func doubled() throws {
        func faults(_ station: String) throws -> String {
            try BoundText(
                """
                links:
                  - id: line
                    modbus: tcp://127.0.0.1:502
                    devices:
                      - { id: dust-1, profile: renke/louvre-500, unit: 21 }
                      - { id: dust-2, profile: renke/louvre-500, unit: 22 }
                uplinks:
                  - id: city
                    hj212: tcp://127.0.0.1
                    password: { credential: pw }
                    factors: factors.yaml
                    stations: [ \(station) ]
                """, include: try #require(ReportingSite.factors)
            ).faults
        }
        let both = try faults("{ mn: MN1, devices: [dust-1, dust-2] }")
        #expect(
            both.contains("'dust-1.pm10' and 'dust-2.pm10' would both be told as 'a34002'"),
            "\(both)")
        let chosen = try faults("{ mn: MN1, devices: [dust-1], codes: { x1: dust-2.pm10 } }")
        #expect(chosen == "")
        #expect(try faults("{ mn: MN1, devices: [dust-1] }, { mn: MN2, devices: [dust-2] }") == "")
    }

    @Test("an included file is a list of uplinks, and its faults name it")
    func included() throws {
        func site(_ file: String, _ entry: String = "include: uplinks/fleet.yaml") throws
            -> BoundText
        {
            try BoundText(
                """
                links: []
                uplinks:
                  - \(entry)
                  - { id: city, mqtt: "mqtt://127.0.0.1", topic: city/a }
                """, include: file)
        }
        let found = try site(
            "- { id: fleet, http: https://a/b }\n- { id: more, http: https://a/c }")
        #expect(found.faults == "")
        #expect(found.site?.configuration.uplinks.map(\.id) == ["fleet", "more", "city"])
        let wrong = try site("- { id: fleet, http: https://a/b, topick: a }").faults
        #expect(wrong.contains("uplinks/fleet.yaml:1") && wrong.contains("topick"), "\(wrong)")
        #expect(try site("- { id: city, http: https://a/b }").faults.contains("stands twice"))
        #expect(try site("a: 1").faults.contains("uplinks/fleet.yaml:1"))
        let both = try site("[]", "{ include: a.yaml, http: https://a/b }").faults
        #expect(both.contains("unknown key 'http'"), "\(both)")
    }

    @Test(
        "a pattern stands for any characters where it has a star, and for nothing else",
        arguments: [
            ("*", true), ("dust-1.pm10", true), ("dust-1.pm1", false), ("dust-*.pm10", true),
            ("*.pm*0", true), ("*pm10*", true), ("*.pm10.*", false), ("d*t-1*1*0", true),
            ("d*1*1*1*0", false), ("", false),
        ])
    func patterns(pattern: String, matches: Bool) {
        let series = SeriesID(device: DeviceID("dust-1"), point: PointKey("pm10"))
        let location = Location(file: "site.yaml", line: 1, column: 1)
        #expect(PointPattern(text: pattern, location: location).matches(series) == matches)
    }
}
