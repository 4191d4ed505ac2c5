import Foundation
import LocatedText
import Testing

@testable import Gateway

/// The examples of `docs/uplinks`, each in the configuration of a site that has what they name.
@Suite("The examples of docs/uplinks")
struct DocumentedUplinksTests {
    private static let site = """
        site: { id: hz-qt-0172, name: 示范, timezone: Asia/Shanghai, phase: operation }
        data: { directory: /tmp/none }
        links:
          - id: meters
            modbus: tcp://192.0.2.1
            devices:
              - { id: main, profile: acrel/adl3000, unit: 1 }
              - { id: plant, profile: acrel/adl3000, unit: 2 }
              - { id: pumps, profile: acrel/adl3000, unit: 3 }
              - { id: water-1, profile: 2flow/mag-11, unit: 4 }
          - id: dust
            modbus: tcp://192.0.2.2
            devices:
              - { id: dust-north, profile: boling/wall-dust, unit: 1 }
              - { id: weather-1, profile: lambrecht/14523, unit: 2 }
              - { id: dust-south, profile: renke/louvre-500, unit: 3 }
              - { id: tsp-2, profile: boling/wall-dust, unit: 4 }
          - id: broker
            mqtt: mqtt://192.0.2.3
            devices: [ { id: crane-1, profile: deye/tower-crane-mqtt, key: TC0001 } ]

        """

    /// The YAML blocks of a document that configure uplinks.
    private static func examples(in name: String) throws -> [String] {
        let text = try String(
            contentsOfFile: ConfigurationTests.root + "/docs/uplinks/" + name, encoding: .utf8)
        return text.components(separatedBy: "```yaml\n").dropFirst().compactMap { part in
            let block = part.components(separatedBy: "\n```").first ?? ""
            return block.hasPrefix("uplinks:") ? block : nil
        }
    }

    private static var documents: [String] {
        get throws {
            try FileManager.default.contentsOfDirectory(
                atPath: ConfigurationTests.root + "/docs/uplinks"
            ).filter { $0.hasSuffix(".md") }.sorted()
        }
    }

    @Test("are read without a fault, and tell something")
    func read() throws {
        let library = try SiteFiles.library(at: ConfigurationTests.root + "/Devices")
        let documents = try Self.documents
        #expect(documents.count >= 8)
        for document in documents {
            let examples = try Self.examples(in: document)
            #expect(!examples.isEmpty, "\(document)")
            for example in examples {
                let faults = FaultCollector()
                let configuration = SiteConfiguration.parse(
                    Self.site + example, file: document, faults: faults
                ) { path in
                    let name = path.hasPrefix("uplinks/") ? path : "uplinks/" + path
                    return try String(
                        contentsOfFile: ConfigurationTests.root + "/Config/" + name,
                        encoding: .utf8)
                }
                let site = configuration.flatMap {
                    BoundSite($0, library: library, faults: faults)
                }
                #expect(throws: Never.self, "\(document)") { try faults.throwIfAny() }
                let plans = site.map {
                    $0.configuration.uplinkPlans(of: $0.groups, units: $0.units)
                }
                for plan in plans ?? [] {
                    #expect(
                        plan.subjects.values.contains { !$0.members.isEmpty }, "\(document)")
                }
            }
        }
    }
}
