import ArgumentParser
import EnergyAccounting
import Gateway
import Store
import Telemetry

/// `plumbline energy diagnose`: stuck meters, swapped phases, wrong ratios, leaks, jumps at night.
struct EnergyDiagnose: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diagnose",
        abstract: say("What the meters say of themselves.", "计量自诊断。"),
        discussion: say(
            """
            Example: plumbline energy diagnose --config site.yaml
            Without a period: the last 35 days. Thresholds stand in the file that
            `energy: { diagnosis: diagnosis/meters.yaml }` names.
            """,
            """
            示例：plumbline energy diagnose --config site.yaml
            省略期间则为最近 35 天。判定阈值在配置 `energy: { diagnosis: … }` 所指的文件中。
            """))

    @OptionGroup var source: EnergyArguments
    @Option(help: ArgumentHelp("table, csv, json")) var format: OutputFormat = .table

    func run() async throws {
        try await reportingFailures {
            let opened = try source.open()
            defer { opened.close() }
            guard let thresholds = opened.configuration.energy.diagnosis else {
                throw Failure.badInput(
                    say(
                        "the configuration names no thresholds; add 'energy: { diagnosis: diagnosis/meters.yaml }'",
                        "配置中没有判定阈值；请添加 'energy: { diagnosis: diagnosis/meters.yaml }'"))
            }
            let yesterday = CivilDate(opened.now, calendar: opened.calendar).advanced(days: -1)
            let recent = AccountingPeriod(
                from: yesterday.advanced(days: -34), through: yesterday)
            guard let period = try source.period.map(EnergyArguments.parse) ?? recent else {
                return
            }
            do {
                let ledger = try await opened.reader.meterLedger(
                    of: opened.configuration.energy,
                    on: CountGrid(.hour, of: period, calendar: opened.calendar), now: opened.now)
                let inputs = try await opened.reader.diagnosisInputs(for: ledger, now: opened.now)
                show(
                    EnergyView.diagnosis(
                        ledger, inputs, thresholds: thresholds, period: period,
                        calendar: opened.calendar, site: opened.configuration.site.name), format)
            } catch let error as StoreError {
                throw Failure.inputOutput("\(error)")
            }
        }
    }
}
