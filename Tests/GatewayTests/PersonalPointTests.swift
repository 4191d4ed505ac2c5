import LocatedText
import Telemetry
import Testing

@testable import Gateway

@Suite("Personal data of a device")
struct PersonalPointTests {
    private static func site(_ address: String, _ device: String) throws -> (BoundSite?, String) {
        let text = """
            site: { id: test, name: 测试, timezone: Asia/Shanghai, phase: construction }
            data: { directory: /tmp/none }
            links:
              - { id: a, \(address), devices: [ { \(device) } ] }
            """
        let faults = FaultCollector()
        let library = try SiteFiles.library(at: ConfigurationTests.root + "/Devices")
        let configuration = SiteConfiguration.parse(
            text, file: "site.yaml", faults: faults, readFile: { _ in "" })
        let site = configuration.flatMap { BoundSite($0, library: library, faults: faults) }
        do throws(Faults) {
            try faults.throwIfAny()
            return (site, "")
        } catch {
            return (nil, error.description)
        }
    }

    private static let crane = "id: c, profile: deye/tower-crane-mqtt, key: TC0001"
    private static let broker = "mqtt: \"mqtt://127.0.0.1\""

    @Test("is kept only where the site says so")
    func kept() throws {
        func points(_ device: String) throws -> Set<String> {
            let (site, faults) = try Self.site(Self.broker, device)
            #expect(faults == "")
            return Set(site?.groups.flatMap(\.series).map(\.id.point.text) ?? [])
        }
        let usual = try points(Self.crane)
        #expect(usual.contains("load_mass") && !usual.contains("operator_id"))
        let all = try points(Self.crane + ", personal: [operator_id]")
        #expect(all.subtracting(usual) == ["operator_id"])
    }

    @Test(
        "that is none is refused",
        arguments: [
            (broker, crane + ", personal: [load_mass]", "it has: operator_id"),
            (
                "bus: \"tcp://10.0.0.1\"", "id: m, profile: acrel/adl3000, personal: [voltage]",
                "belongs to a device that publishes over MQTT"
            ),
        ])
    func refused(address: String, device: String, words: String) throws {
        let (_, faults) = try Self.site(address, device)
        #expect(faults.contains(words), "\(faults)")
    }
}
