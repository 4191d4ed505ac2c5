import LocatedText
import Telemetry

@testable import Gateway

/// What becomes of a configuration that is given as text.
struct BoundText {
    /// nil when there are faults.
    let site: BoundSite?
    /// All faults as they are told; empty when there are none.
    let faults: String

    /// - Parameters:
    ///   - rest: what follows on the site and its data.
    ///   - include: the text of every file that it includes.
    init(_ rest: String, include: String = "") throws {
        let text = """
            site: { id: test, name: 测试, timezone: Asia/Shanghai, phase: construction }
            data: { directory: /tmp/none }
            \(rest)
            """
        let faults = FaultCollector()
        let library = try SiteFiles.library(at: ConfigurationTests.root + "/Devices")
        let configuration = SiteConfiguration.parse(
            text, file: "site.yaml", faults: faults, readFile: { _ in include })
        let site = configuration.flatMap { BoundSite($0, library: library, faults: faults) }
        do throws(Faults) {
            try faults.throwIfAny()
            (self.site, self.faults) = (site, "")
        } catch {
            (self.site, self.faults) = (nil, error.description)
        }
    }
}
