import Testing

@testable import Gateway

@Suite("Personal data of a device")
struct PersonalPointTests {
    private static func bound(_ address: String, _ device: String) throws -> BoundText {
        try BoundText("links: [ { id: a, \(address), devices: [ { \(device) } ] } ]")
    }

    private static let crane = "id: c, profile: deye/tower-crane-mqtt, key: TC0001"
    private static let broker = "mqtt: \"mqtt://127.0.0.1\""

    @Test("is kept only where the site says so")
    func kept() throws {
        func points(_ device: String) throws -> Set<String> {
            let bound = try Self.bound(Self.broker, device)
            #expect(bound.faults == "")
            return Set(bound.site?.groups.flatMap(\.series).map(\.id.point.text) ?? [])
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
        let faults = try Self.bound(address, device).faults
        #expect(faults.contains(words), "\(faults)")
    }
}
