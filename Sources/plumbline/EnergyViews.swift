import ArgumentParser
import EnergyAccounting
import Gateway
import Store
import Telemetry

/// `plumbline energy now`: today, this month and this year, meter by meter.
struct EnergyNow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "now",
        abstract: say("Today, this month, this year.", "今日、本月、本年用量。"),
        discussion: say(
            "Example: plumbline energy now --config site.yaml --format json",
            "示例：plumbline energy now --config site.yaml --format json"))

    @OptionGroup var source: EnergyArguments
    @Option(help: ArgumentHelp("table, csv, json")) var format: OutputFormat = .table

    func run() async throws {
        try await reportingFailures {
            let opened = try source.open()
            defer { opened.close() }
            let today = CivilDate(opened.now, calendar: opened.calendar)
            guard let day = AccountingPeriod(from: today, through: today),
                let month = AccountingPeriod(year: today.year, month: today.month),
                let year = AccountingPeriod(year: today.year)
            else { return }
            let accounts = try await opened.accounts(for: [year])
            show(
                EnergyView.now(
                    accounts, day: day, month: month, year: year,
                    site: opened.configuration.site.name), format)
        }
    }
}

/// `plumbline energy intensity`: per m², per head, per output, in kWh, coal, CO₂ and money.
struct EnergyIntensity: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "intensity",
        abstract: say(
            "Per m², per head, per output; meters beside their peers.",
            "单位面积、人均、单位产值指标，及同类计量点排名。"),
        discussion: say(
            "Example: plumbline energy intensity --period 2026-03 --format csv",
            "示例：plumbline energy intensity --period 2026-03 --format csv"))

    @OptionGroup var source: EnergyArguments
    @Option(help: ArgumentHelp("table, csv, json")) var format: OutputFormat = .table

    func run() async throws {
        try await reportingFailures {
            let opened = try source.open()
            defer { opened.close() }
            let period = try source.span(opened)
            let accounts = try await opened.accounts(for: EnergyView.periods(beside: period))
            show(
                EnergyView.intensity(
                    accounts, period: period, site: opened.configuration.site.name), format)
        }
    }
}

/// `plumbline energy balance`: each meter beside those below it, and what nobody measures.
struct EnergyBalance: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "balance",
        abstract: say(
            "Meters beside those below them, and by end use, zone, machine, organisation.",
            "上下级计量平衡，及分项、分区、分设备、分组织用电。"),
        discussion: say(
            "Example: plumbline energy balance --period 2026-03",
            "示例：plumbline energy balance --period 2026-03"))

    @OptionGroup var source: EnergyArguments
    @Option(help: ArgumentHelp("table, csv, json")) var format: OutputFormat = .table

    func run() async throws {
        try await reportingFailures {
            let opened = try source.open()
            defer { opened.close() }
            let period = try source.span(opened)
            let accounts = try await opened.accounts(for: EnergyView.periods(beside: period))
            show(
                EnergyView.balance(
                    accounts, period: period, site: opened.configuration.site.name), format)
        }
    }
}

/// `plumbline energy profile`: base load, load factor, peak, and the mean day.
struct EnergyProfile: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "profile",
        abstract: say(
            "Base load at night, load factor, peak demand, the mean day, load duration.",
            "夜间基础负荷、负荷率、最大需量、典型日曲线、负荷持续曲线。"),
        discussion: say(
            "Example: plumbline energy profile --meter main --period 2026-03 --night 23:00-05:00",
            "示例：plumbline energy profile --meter main --period 2026-03 --night 23:00-05:00"))

    @OptionGroup var source: EnergyArguments
    @Option(help: ArgumentHelp(say("The meter; else the first.", "计量点；省略则取第一个。")))
    var meter: String?
    @Option(help: ArgumentHelp(say("The hours of the night.", "夜间时段。")))
    var night: String = "23:00-05:00"
    @Option(
        help: ArgumentHelp(
            say("The period to compare with; else the one before.", "对比期；省略则取上期。")))
    var beside: String?
    @Option(help: ArgumentHelp("table, csv, json")) var format: OutputFormat = .table

    func run() async throws {
        try await reportingFailures {
            let opened = try source.open()
            defer { opened.close() }
            let tree = opened.configuration.energy.tree
            let period = try source.span(opened)
            guard let chosen = meter.map({ tree[$0] }) ?? tree.roots.first else {
                throw Failure.badInput(
                    say(
                        "no meter has the id '\(meter ?? "")'; the meters are "
                            + tree.meters.map(\.id).joined(separator: ", "),
                        "没有计量点 '\(meter ?? "")'；现有："
                            + tree.meters.map(\.id).joined(separator: "、")))
            }
            guard let hours = EnergyView.night(night) else {
                throw Failure.badInput(
                    say(
                        "'\(night)' are no hours; write 23:00-05:00",
                        "'\(night)' 不是时段；可写 23:00-05:00"))
            }
            let other = try beside.map { try EnergyArguments.parse($0) } ?? period.before
            let accounts = try await opened.accounts(for: [period, other])
            let quarters: MeterLedger
            do {
                quarters = try await opened.reader.meterLedger(
                    of: opened.configuration.energy,
                    on: CountGrid(.quarterHour, of: period, calendar: opened.calendar),
                    now: opened.now)
            } catch {
                throw Failure.inputOutput("\(error)")
            }
            show(
                EnergyView.profile(
                    accounts, of: chosen, period: period, beside: other, night: hours,
                    quarters: quarters, site: opened.configuration.site.name), format)
        }
    }
}

/// `plumbline energy quota`: how the year stands beside its quotas, and how it will end.
struct EnergyQuota: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quota",
        abstract: say(
            "Quotas, budgets and targets: used, expected, surcharge.",
            "限额、预算与目标：已用、预测、加价估算。"),
        discussion: say(
            "Example: plumbline energy quota --period 2026",
            "示例：plumbline energy quota --period 2026"))

    @OptionGroup var source: EnergyArguments
    @Option(help: ArgumentHelp("table, csv, json")) var format: OutputFormat = .table

    func run() async throws {
        try await reportingFailures {
            let opened = try source.open()
            defer { opened.close() }
            let period = try source.span(opened, isYearly: true)
            guard opened.configuration.energy.quotas != nil else {
                throw Failure.badInput(
                    say(
                        "the configuration names no quotas; add 'energy: { quotas: … }'",
                        "配置中没有限额；请添加 'energy: { quotas: … }'"))
            }
            let statement = EnergyStatement.quota
            let accounts = try await opened.accounts(for: statement.periods(for: period))
            show(
                statement.document(
                    of: period, accounts: accounts, site: opened.configuration.site.name), format)
        }
    }
}

/// `plumbline energy explain`: how a number of a statement came about.
struct EnergyExplain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: say("How a number came about.", "说明一个数字的来源。"),
        discussion: say(
            """
            Examples:
              plumbline energy explain main@2026-03
              plumbline energy explain electricity.net@2026
            Statements in JSON, HTML and CSV carry these words beside their numbers.
            """,
            """
            示例：
              plumbline energy explain main@2026-03
              plumbline energy explain electricity.net@2026
            报表的 JSON、HTML、CSV 中每个数字都带有这样的标识。
            """))

    @OptionGroup var source: EnergyArguments
    @Argument(help: ArgumentHelp(say("What and when, main@2026-03.", "标识，如 main@2026-03。")))
    var trace: String
    @Option(help: ArgumentHelp("table, csv, json")) var format: OutputFormat = .table

    func run() async throws {
        try await reportingFailures {
            guard let found = StatementTrace(trace) else {
                throw Failure.badInput(
                    say(
                        "'\(trace)' is no trace; write meter@period, main@2026-03, "
                            + "or carrier.side@period, electricity.net@2026",
                        "'\(trace)' 不是标识；可写 main@2026-03 或 electricity.net@2026"))
            }
            let opened = try source.open()
            defer { opened.close() }
            let accounts = try await opened.accounts(for: [found.period])
            guard
                let document = EnergyView.explanation(
                    of: found, accounts, site: opened.configuration.site.name)
            else {
                throw Failure.badInput(
                    say(
                        "no meter stands for '\(trace)'; the meters are "
                            + opened.configuration.energy.tree.meters.map(\.id)
                            .joined(separator: ", "),
                        "没有与 '\(trace)' 对应的计量点"))
            }
            show(document, format)
        }
    }
}
