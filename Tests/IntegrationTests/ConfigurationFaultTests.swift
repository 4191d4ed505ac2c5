import Foundation
import TestPeers
import Testing

@Suite("A configuration with mistakes")
struct ConfigurationFaultTests {
    static let text = """
        site:
          id: Test Site
          name: 测试
          timezone: Asia/Shangai
          floor_area: 12 km2
        data:
          directory: /tmp/none
          commit_interval: 15m
          durabilty: power
        links:
          - id: meters
            modbus: 127.0.0.1:502
            devices:
              - { id: m-1, profile: eastron/sdm360, unit: 300 }
              - { id: m-1, profile: eastron/sdm630 }
          - id: broker
            devices: []
        uplinks:
          - { id: city, mqtt: "mqtt://127.0.0.1", topic: "a/+/b", resolution: 5min }
        """

    @Test("is refused with every mistake at once: where, what, what to do; exit 65")
    func allFaultsAtOnce() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/site.yaml"
            try Self.text.write(toFile: path, atomically: true, encoding: .utf8)
            for verb in ["check", "run"] {
                let arguments =
                    verb == "check" ? [verb, path] : [verb, "--config", path]
                let (status, output, error) = try await Program.run(
                    arguments + ["--share", packageRoot])
                #expect(status == .exited(65), "\(verb)")
                let lines = (output + error).split(separator: "\n").filter {
                    $0.hasPrefix(path + ":")
                }
                #expect(lines.count >= 10, "\(verb): \(error)")
                for line in lines {
                    let place = line.dropFirst(path.count + 1).split(separator: ":")
                    #expect(Int(place[0]) != nil && Int(place[1]) != nil, "\(line)")
                }
                #expect(error.contains("15min"))
                #expect(error.contains("did you mean 'durability'?"))
            }
        }
    }

    @Test("without mistakes is told what is off, what is passed by and what is not known")
    func remarks() async throws {
        try await withTemporaryFolder { folder in
            var site = try TestSite(folder: folder)
            site.links = [TestSite.craneLink(port: 1883)]
            site.ruleFiles = ["crane", "dust"].map { "\(packageRoot)/Config/alarms/\($0).yaml" }
            site.more = """
                circumstances: [ { id: maintenance, states: ["off", "on"] } ]
                """
            _ = try site.write()
            let (status, output, error) = try await Program.run(
                ["check", site.configurationPath, "--share", packageRoot])
            #expect(status == .exited(0), "\(error)")
            let notes = output.split(separator: "\n").filter { $0.hasPrefix("note: ") }
            func isTold(_ words: String...) -> Bool {
                notes.contains { note in words.allSatisfy { note.contains($0) } }
            }
            #expect(isTold("crane.yaml: off are", "'enable:' turns them on"), "\(output)")
            #expect(isTold("lifts are not counted"))
            #expect(isTold("crane-1: how often a message comes is not documented"))
        }
    }
}
