import Testing

@testable import Gateway

@Suite("What a site tells of its alarms besides")
struct EvidenceConfigurationTests {
    private static func bound(_ witness: String) throws -> BoundText {
        try BoundText(
            """
            links: [ { id: a, bus: "tcp://10.0.0.1", devices: [
              { id: fog, profile: acrel/adl3000, unit: 1 },
              { id: pumps, profile: waveshare/relay-8ch, unit: 2 } ] } ]
            evidence: [ { ran: [ { \(witness) } ] } ]
            """)
    }

    private static func running(_ witness: String) throws -> SiteConfiguration.Evidence.Running? {
        let bound = try bound(witness)
        #expect(bound.faults == "")
        return bound.site?.configuration.evidence.first?.witnesses.first?.running
    }

    @Test("compares power in the unit of the meter, whatever the site writes")
    func units() throws {
        let kilowatts = try Self.running("series: fog.active_power.total, above: 0.5 kW")
        let watts = try Self.running("series: fog.active_power.total, above: 500 W")
        guard case .above(let limit, let unit)? = watts else {
            Issue.record("\(String(describing: watts))")
            return
        }
        #expect(kilowatts == watts)
        #expect(["W": 500, "kW": 0.5][unit] == limit, "\(limit) \(unit)")
    }

    @Test(
        "that cannot be is refused with what to do",
        arguments: [
            ("series: fog.active_power.total, above: 5 K", "the limit is in 'K'"),
            ("series: fog.active_power.total, is: [\"on\"]", "has numbers, not words"),
            ("series: pumps.switch.ch1, above: 5 W", "has words, not numbers"),
            ("series: fog.active_power.total", "nobody says when it runs"),
            ("series: mist.active_power.total, above: 5 W", "no device of the site reports"),
            ("series: fog, above: 5 W", "'fog' is not a series"),
        ])
    func mistakes(witness: String, words: String) throws {
        let faults = try Self.bound(witness).faults
        #expect(faults.contains(words), "\(faults)")
        #expect(faults.hasPrefix("site.yaml:"))
    }
}
