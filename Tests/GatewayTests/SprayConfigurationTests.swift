import LocatedText
import Telemetry
import Testing

@testable import Gateway

@Suite("A spray in a site's configuration")
struct SprayConfigurationTests {
    private static let rules = """
        format: alarm-rules/1
        rules:
          - { alarm: dusty, title: { en: a, zh: a }, severity: info, source: s, status: project,
              devices: [site], when: { point: demand, is: ["on"] } }
        """

    private static let good = """
        id: north, enabled: true, switch: pumps.switch.ch1, "on": "on", "off": "off", alarms: [dusty],
          run: { least: 1min, most: 10min, rest: 5min },
          never: [ { circumstance: maintenance, is: ["on"] } ]
        """

    private static func site(_ spray: String, commands: String = "[switch.ch1]") throws
        -> (BoundSite?, String)
    {
        let text = """
            site: { id: test, name: 测试, timezone: Asia/Shanghai, phase: construction }
            data: { directory: /tmp/none }
            links:
              - id: relays
                bus: tcp://10.0.0.1
                devices: [{ id: pumps, profile: waveshare/relay-8ch, unit: 1, commands: \(commands) }]
            circumstances:
              - { id: maintenance, states: ["off", "on"] }
              - { id: demand, states: ["off", "on"] }
            alarms: [ { include: rules.yaml } ]
            sprays:
              - { \(spray) }
            """
        let faults = FaultCollector()
        let library = try SiteFiles.library(at: ConfigurationTests.root + "/Devices")
        let configuration = SiteConfiguration.parse(
            text, file: "site.yaml", faults: faults, readFile: { _ in rules })
        let site = configuration.flatMap { BoundSite($0, library: library, faults: faults) }
        do throws(Faults) {
            try faults.throwIfAny()
            return (site, "")
        } catch {
            return (nil, error.description)
        }
    }

    @Test("is read, and off unless it says that it is on")
    func read() throws {
        let (site, faults) = try Self.site(Self.good)
        #expect(faults == "")
        let spray = try #require(site?.configuration.sprays.first)
        #expect(spray.isEnabled)
        #expect(spray.run == .init(least: .seconds(60), most: .seconds(600), rest: .seconds(300)))
        let (off, _) = try Self.site(Self.good.replacing("enabled: true, ", with: ""))
        #expect(off?.configuration.sprays.first?.isEnabled == false)
    }

    @Test(
        "that could do harm is refused with what to do",
        arguments: [
            ("most: 10min", "most: 20min", "goes back after 900 s already"),
            ("least: 1min", "least: 11min", "such a run cannot be meant"),
            ("\"off\": \"off\"", "\"off\": \"on\"", "not the word to which the device goes back"),
            ("\"on\": \"on\"", "\"on\": \"high\"", "the command has no word 'high'"),
            ("pumps.switch.ch1", "pumps.switch.ch2", "grants no command 'switch.ch2'"),
            ("alarms: [dusty]", "alarms: [dustyy]", "did you mean 'dusty'?"),
            ("maintenance", "revision", "there is no circumstance 'revision'"),
            ("is: [\"on\"]", "is: [\"yes\"]", "some of off, on"),
            (
                "[ { circumstance: maintenance, is: [\"on\"] } ]", "[]",
                "nothing keeps the spray from running in maintenance"
            ),
        ])
    func mistakes(old: String, new: String, words: String) throws {
        try #require(Self.good.contains(old))
        let (_, faults) = try Self.site(Self.good.replacing(old, with: new))
        #expect(faults.contains(words), "\(faults)")
        #expect(faults.hasPrefix("site.yaml:"))
    }

    @Test("has its switch for itself")
    func shared() throws {
        let other = Self.good.replacing("id: north", with: "id: south")
        let (_, faults) = try Self.site(Self.good + " }\n  - { " + other)
        #expect(faults.contains("another spray switches 'pumps.switch.ch1'"), "\(faults)")
    }

    @Test("needs a command that the device grants")
    func grants() throws {
        let (_, faults) = try Self.site(Self.good, commands: "[]")
        #expect(faults.contains("add 'commands: [switch.ch1]' to the device"), "\(faults)")
    }
}
