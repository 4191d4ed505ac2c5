import DeviceProfiles
import Foundation
import LocatedText
import Telemetry
import Testing

@testable import Gateway

@Suite("A site's configuration")
struct ConfigurationTests {
    private struct NoSuchFile: Error, CustomStringConvertible {
        let description = "no such file"
    }

    static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path(percentEncoded: false)

    private static func faults(
        _ text: String, include: (String) throws -> String = { _ in throw NoSuchFile() }
    ) throws -> String {
        let faults = FaultCollector()
        let library = try SiteFiles.library(at: root + "/Devices")
        let site = SiteConfiguration.parse(
            text, file: "site.yaml", faults: faults, readFile: include)
        if let site { _ = BoundSite(site, library: library, faults: faults) }
        do throws(Faults) {
            try faults.throwIfAny()
            return ""
        } catch {
            return error.description
        }
    }

    private static let bad = """
        site:
          id: Test Site
          name: 测试
          timezone: Asia/Shangai
          floor_area: 12 km2
        data:
          directory: /tmp/none
          commit_interval: 15min
          durabilty: power
        links:
          - id: meters
            modbus: 127.0.0.1:502
            devices:
              - { id: m-1, profile: eastron/sdm360, unit: 300 }
              - { id: m-1, profile: eastron/sdm630 }
          - id: broker
            devices: []
        alarms:
          - include: nowhere.yaml
        uplinks:
          - { id: city, mqtt: "mqtt://127.0.0.1", topic: "a/+/b", resolution: 5min }
          - { id: county, mqtt: "mqtt://127.0.0.1", topic: "a", since: 2026-11-21 }
        """

    @Test("tells every mistake at once, each with its place and what to do")
    func golden() throws {
        let text = try Self.faults(Self.bad)
        #expect(text == Self.golden, "as it is now:\n\(text)")
    }

    private static let golden = """
        site.yaml:2:7: 'Test Site' is not a name; 1 to 64 of the letters a-z, digits and '-'
        site.yaml:4:13: the time zone 'Asia/Shangai' is not known on this machine; an IANA name, for example Asia/Shanghai
        site.yaml:5:15: a floor area is a positive number of m2; for example '103000 m2'
        site.yaml:8:20: the commit interval must lie between 10 ms and 1 min
        site.yaml:9:3: unknown key 'durabilty'; did you mean 'durability'?
        site.yaml:12:13: '127.0.0.1:502' is not the address of a bus; tcp://HOST:502, rtu:///dev/ttyUSB0?baud=9600, rtu+tcp://HOST:4001 or rtu+listen://0.0.0.0:4001
        site.yaml:14:9: there is no profile 'eastron/sdm360'; did you mean 'eastron/sdm630'?
        site.yaml:14:51: a unit id lies between 0 and 255
        site.yaml:15:9: the device 'm-1' stands twice, first at site.yaml:14:9; give each device a name of its own
        site.yaml:16:5: a link has one address; one of 'modbus: tcp://HOST:502', 'mqtt: mqtt://HOST:1883' and 'hj212: listen://0.0.0.0:9212'
        site.yaml:19:14: 'nowhere.yaml' cannot be read: no such file; paths are relative to this file
        site.yaml:21:50: 'a/+/b' cannot be a topic to publish under; levels joined by '/', without + and #, without a final '/'
        site.yaml:21:71: '5min' is not accepted here; did you mean '15min'?
        site.yaml:22:64: '2026-11-21' is not a time with its offset; write it as '2026-11-21T00:00:00+08:00'
        """

    @Test(
        "has no device under a name of the gateway's own",
        arguments: ["site", "operators", "gateway"])
    func reservedNames(name: String) throws {
        let faults = try BoundText(
            """
            links: [ { id: a, bus: "tcp://10.0.0.1",
              devices: [ { id: \(name), profile: acrel/adl3000, unit: 1 } ] } ]
            """
        ).faults
        #expect(faults.contains("'\(name)' is a name that the gateway itself uses"), "\(faults)")
    }

    @Test("reads includes from the folder of its own file, whatever the working directory")
    func includes() async throws {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "plumbline-\(UUID().uuidString)/deep/rules")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let site = folder.deletingLastPathComponent()
        defer { try? FileManager.default.removeItem(at: site.deletingLastPathComponent()) }
        try String(contentsOfFile: Self.root + "/Config/alarms/dust.yaml", encoding: .utf8)
            .write(to: folder.appending(path: "own.yaml"), atomically: true, encoding: .utf8)
        try """
        site: { id: a, name: A, timezone: UTC }
        data: { directory: /tmp/none }
        links: []
        alarms:
          - include: rules/own.yaml
        """.write(to: site.appending(path: "site.yaml"), atomically: true, encoding: .utf8)
        let configuration = try SiteFiles.configuration(
            at: site.appending(path: "site.yaml").path(percentEncoded: false))
        #expect(!configuration.alarms.isEmpty)
    }

    @Test("the example that is shipped binds to the shipped profiles, rules and meters")
    func example() throws {
        let (site, library) = try SiteFiles.site(
            at: Self.root + "/Config/site.example.yaml", devices: Self.root + "/Devices")
        let configuration = site.configuration
        #expect(configuration.site.floorArea == 103_000)
        #expect(configuration.site.phase == "construction")
        #expect(configuration.data.retention.quarterHour > .seconds(2 * 365 * 86_400))
        #expect(configuration.data.commitInterval == .seconds(1))
        #expect(!configuration.alarms.isEmpty)
        #expect(configuration.uplinks.map(\.resolution) == [.quarterHour])
        #expect(site.links.count == 2)
        #expect(site.calendar.offset(at: RollupsOfTheStoreTests.start) == 8 * 3600)
        let devices = Set(site.groups.map(\.device.text))
        #expect(devices == ["meter-main", "meter-plant", "dust-north", "crane-1"])
        #expect(configuration.links.flatMap(\.devices).allSatisfy { library[$0.profile] != nil })
        guard case .mqtt(_, let mqtt, _) = site.links[1] else {
            Issue.record("the second link is a broker")
            return
        }
        #expect(mqtt.window == 200)
        #expect(
            site.groups.filter { $0.device == DeviceID("crane-1") }
                .allSatisfy { $0.lateness == .seconds(30) })
    }

    @Test("a start reads the profiles that its devices name, and all of them where one is missing")
    func neededProfiles() throws {
        let devices = Self.root + "/Devices"
        let all = try SiteFiles.library(at: devices)
        let some = try SiteFiles.library(at: devices, only: ["chint/dtsu666"])
        #expect(some.ids == ["chint/dtsu666"] && all.ids.count > 1)
        #expect(some["chint/dtsu666"]?.interfaces.keys == all["chint/dtsu666"]?.interfaces.keys)
        let missing = try SiteFiles.library(at: devices, only: ["chint/dtsu666", "chint/dtsu667"])
        #expect(missing.ids == all.ids)
        let example = Self.root + "/Config/site.example.yaml"
        let (site, library) = try SiteFiles.site(at: example, devices: devices, readsAll: false)
        #expect(site.groups == (try SiteFiles.site(at: example, devices: devices)).site.groups)
        #expect(
            Set(library.ids)
                == Set(site.configuration.links.flatMap(\.devices).map(\.profile)))
    }

    private static func stations(_ lines: String) throws -> String {
        try faults(
            """
            site: { id: a, name: a, timezone: Asia/Shanghai }
            data: { directory: /tmp/none }
            links:
              - id: stations
            \(lines)
            """)
    }

    @Test("a link on which stations call is read with all it may say")
    func stationLink() throws {
        let good = """
                hj212: listen://0.0.0.0:9212
                password: { file: /etc/plumbline/stations }
                crc: modbus
                idle_close: 2 h
                history_after: 30 min
                devices:
                  - { id: d-1, profile: generic/hj212-dust-2017, interface: hj212-mg, key: MN1 }
                  - { id: d-2, profile: renke/louvre-500, key: MN2 }
            """
        #expect(try Self.stations(good) == "")
        for (right, wrong, message) in [
            ("listen://", "tcp://", "write it as 'listen://HOST:9212'"),
            ("{ file: /etc/plumbline/stations }", "\"123456\"", "does not stand in this file"),
            ("crc: modbus", "crc: ccitt", "'ccitt' is not accepted here"),
            ("idle_close: 2 h", "idle_close: 1 s", "between 1 min and 24 h"),
            ("key: MN2", "key: MN1", "'d-1' has the MN 'MN1' too"),
            (", key: MN2", "", "the station's MN"),
            (", interface: hj212-mg", "", "has several hj212 interfaces"),
            ("renke/louvre-500", "acrel/adl3000", "does not speak hj212"),
            ("hj212: listen", "mqtt: mqtt://h\n    hj212: listen", "a link has one address"),
            ("crc: modbus", "window: 20", "unknown key 'window'"),
        ] {
            let text = good.replacing(right, with: wrong)
            try #require(text != good)
            let faults = try Self.stations(text)
            #expect(faults.contains(message), "\(wrong): \(faults)")
            #expect(!faults.contains("123456"))
        }
    }
}
