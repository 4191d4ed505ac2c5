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

    private static func bound(
        _ spray: String, commands: String = "[switch.ch1]"
    ) throws -> BoundText {
        try BoundText(
            """
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
            """, include: rules)
    }

    @Test("is read, and off unless it says that it is on")
    func read() throws {
        let bound = try Self.bound(Self.good)
        #expect(bound.faults == "")
        let spray = try #require(bound.site?.configuration.sprays.first)
        #expect(spray.isEnabled)
        #expect(spray.run == .init(least: .seconds(60), most: .seconds(600), rest: .seconds(300)))
        let off = try Self.bound(Self.good.replacing("enabled: true, ", with: ""))
        #expect(off.site?.configuration.sprays.first?.isEnabled == false)
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
        let faults = try Self.bound(Self.good.replacing(old, with: new)).faults
        #expect(faults.contains(words), "\(faults)")
        #expect(faults.hasPrefix("site.yaml:"))
    }

    @Test("has its switch for itself")
    func shared() throws {
        let other = Self.good.replacing("id: north", with: "id: south")
        let faults = try Self.bound(Self.good + " }\n  - { " + other).faults
        #expect(faults.contains("another spray switches 'pumps.switch.ch1'"), "\(faults)")
    }

    @Test("needs a command that the device grants")
    func grants() throws {
        let faults = try Self.bound(Self.good, commands: "[]").faults
        #expect(faults.contains("add 'commands: [switch.ch1]' to the device"), "\(faults)")
    }
}
