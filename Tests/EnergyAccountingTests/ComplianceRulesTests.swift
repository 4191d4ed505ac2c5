import EnergyAccounting
import Foundation
import LocatedText
import Telemetry
import Testing

@Suite("The file of the metering duty")
struct ComplianceRulesTests {
    private static let file = URL(filePath: #filePath)
        .appending(path: "../../../Config/energy/compliance.yaml").standardizedFileURL

    private func shipped() throws -> String { try String(contentsOf: Self.file, encoding: .utf8) }

    private func faults(_ text: String) -> [Fault] {
        do throws(Faults) {
            _ = try ComplianceRules.parse(text, file: "compliance.yaml")
            return []
        } catch {
            return error.all
        }
    }

    @Test("the shipped file names the duty, its area, the fine and where they stand")
    func shippedFile() throws {
        let rules = try ComplianceRules.parse(try shipped(), file: "compliance.yaml")
        #expect(rules.fromArea == Exact(10_000))
        #expect(rules.source == "浙江省绿色建筑条例 第二十二条、第四十八条")
        #expect(rules.duty.zh.contains("接入公共建筑运行能耗监管信息平台，并保证运行正常"))
        #expect(rules.fine.zh == "处五万元以上十万元以下罚款")
        #expect(rules.status == .secondary)
        #expect(rules.certificateSoon == 60)
        #expect(rules.uploadGrace == .seconds(86_400))
    }

    @Test("a building of exactly the area is meant too, and an unknown one is not judged")
    func area() throws {
        let rules = try ComplianceRules.parse(try shipped(), file: "compliance.yaml")
        #expect(rules.holds(forArea: Exact(text: "9999.99")) == false)
        #expect(rules.holds(forArea: Exact(10_000)) == true)
        #expect(rules.holds(forArea: nil) == nil)
    }

    @Test(
        "a key that is missing is named",
        arguments: [
            "format", "title", "duty", "from_area", "fine", "source", "status",
            "certificate_soon", "upload_grace",
        ])
    func missing(_ key: String) throws {
        let lines = try shipped().split(separator: "\n", omittingEmptySubsequences: false)
        var kept: [Substring] = []
        var isLeftOut = false
        for line in lines {
            if !line.hasPrefix(" ") { isLeftOut = line.hasPrefix("\(key):") }
            if !isLeftOut { kept.append(line) }
        }
        let found = faults(kept.joined(separator: "\n"))
        #expect(found.count == 1)
        #expect(found.first?.description.contains(key) == true, "\(found)")
    }

    @Test(
        "what cannot be meant is refused with its line",
        arguments: [
            ("10000 m2", "10000"), ("10000 m2", "10000 mu"), ("10000 m2", "0 m2"),
            ("60 d", "60 h"), ("60 d", "1.5 d"), ("60 d", "-1 d"), ("24 h", "24"),
            ("status: secondary", "status: sure"), ("format: compliance/1", "format: compliance/2"),
            ("source: 浙江省绿色建筑条例 第二十二条、第四十八条", "source: ' '"),
            ("certificate_soon:", "certificate_son:"), ("zh: 处五万元以上十万元以下罚款", "zh: ' '"),
        ])
    func wrong(_ from: String, _ to: String) throws {
        let text = try shipped()
        #expect(text.contains(from))
        let found = faults(text.replacing(from, with: to))
        #expect(!found.isEmpty, "\(to)")
        #expect(found.allSatisfy { $0.location.line > 1 }, "\(found)")
    }
}
