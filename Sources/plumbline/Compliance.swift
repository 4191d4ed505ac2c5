import ArgumentParser
import EnergyAccounting
import Gateway
import Store
import Telemetry

/// `plumbline compliance`: shows that the metering is connected and running.
struct Compliance: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: say(
            "Shows whether the metering is connected and running, for an inspector.",
            "出具用能计量接入及运行情况表，供检查使用。"),
        discussion: say(
            """
            Examples:
              plumbline compliance --config site.yaml                      this month
              plumbline compliance --config site.yaml --period 2026-03
              plumbline compliance --config site.yaml --format html --out compliance.html
            What the law demands stands in the file that `energy: { compliance: … }` names.
            """,
            """
            示例：
              plumbline compliance --config site.yaml                      本月
              plumbline compliance --config site.yaml --period 2026-03
              plumbline compliance --config site.yaml --format html --out compliance.html
            法规要求在配置 `energy: { compliance: … }` 所指的文件中。
            """))

    @OptionGroup var source: StoreArguments

    @OptionGroup var document: DocumentArguments

    func run() async throws {
        try await reportingFailures {
            guard let site = try source.configuration() else {
                throw Failure.badInput(
                    say(
                        "the meters stand in the configuration; give it with --config",
                        "计量表在配置文件中定义，请用 --config 指定"))
            }
            let (reader, calendar, close) = try source.open()
            defer { close() }
            let now = SystemClock(believesWall: true).read().wall
            let ledger = try await reader.complianceLedger(
                of: site.energy, in: try document.wanted(now, calendar),
                platforms: site.uplinkDescriptions.map(\.platform), now: now)
            try document.write(ComplianceStatement(ledger).document(site: site.site.name))
        }
    }
}
