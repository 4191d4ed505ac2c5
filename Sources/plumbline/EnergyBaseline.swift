import ArgumentParser
import EnergyAccounting
import Foundation
import Gateway
import Store
import Telemetry

extension BaselineMethod.Interval: ExpressibleByArgument {}

/// `plumbline energy baseline`: fits a model of a meter's energy and freezes it.
struct EnergyBaseline: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "baseline",
        abstract: say(
            "Fits a baseline of a meter and freezes it in a file.", "建立并冻结计量点的节能量基准。"),
        discussion: say(
            """
            Examples:
              plumbline energy baseline --meter main --period 2025 --variables hdd,cdd
              plumbline energy baseline --meter main --period 2025 --variables hdd,cdd \\
                --out baselines/main-2025.yaml
              plumbline energy baseline --meter office --period 2025 --interval day --format json
            The site names the method and the variables:
              energy:
                outdoor: { temperature: station-1.air_temperature }
                variables: [ { variable: hdd, heating_below: 18 }, { variable: cdd, cooling_above: 26 } ]
                baselines: { method: baselines/method.yaml, frozen: [baselines/main-2025.yaml] }
            A model that fails a limit of the method is refused with every reason; nothing is written then.
            """,
            """
            示例：
              plumbline energy baseline --meter main --period 2025 --variables hdd,cdd
              plumbline energy baseline --meter main --period 2025 --variables hdd,cdd \\
                --out baselines/main-2025.yaml
              plumbline energy baseline --meter office --period 2025 --interval day --format json
            方法与变量由站点配置给出：
              energy:
                outdoor: { temperature: station-1.air_temperature }
                variables: [ { variable: hdd, heating_below: 18 }, { variable: cdd, cooling_above: 26 } ]
                baselines: { method: baselines/method.yaml, frozen: [baselines/main-2025.yaml] }
            模型不满足方法限值时逐条说明原因，且不写文件。
            """))

    @OptionGroup var source: EnergyArguments

    @Option(help: ArgumentHelp(say("The meter.", "计量点。"))) var meter: String

    @Option(
        help: ArgumentHelp(
            say("Variables of the site, with commas.", "站点变量，以逗号分隔。"), valueName: "names"))
    var variables: String = ""

    @Option(help: ArgumentHelp(say("month or day.", "month（按月）或 day（按日）。")))
    var interval: BaselineMethod.Interval = .month

    @Option(
        help: ArgumentHelp(
            say("The baseline's name; else meter-period.", "基准名称；默认“计量点-期间”。")))
    var name: String?

    @Option(help: ArgumentHelp(say("Where to write.", "输出文件。"), valueName: "file"))
    var out: String?

    @Option(help: ArgumentHelp("table, csv, json")) var format: OutputFormat = .table

    func run() async throws {
        try await reportingFailures {
            let opened = try source.open()
            defer { opened.close() }
            let plan = opened.configuration.energy
            guard let method = plan.baselines?.method else {
                throw Failure.badInput(
                    say(
                        "the configuration names no method; add "
                            + "'energy: { baselines: { method: baselines/method.yaml } }'",
                        "配置中没有方法文件；请添加 'energy: { baselines: { method: baselines/method.yaml } }'"
                    ))
            }
            try check(meter, plan)
            let chosen = try chosenVariables(plan)
            let period = try source.span(opened, isYearly: true)
            let accounts = try await opened.accounts(for: [period])
            let observations = accounts.observations(
                of: meter, by: interval, in: period, variables: chosen, method: method)
            let site = opened.configuration.site.name
            let model: BaselineModel
            do throws(BaselineRefusals) {
                model = try BaselineModel.fit(
                    observations, variables: chosen.map(\.baselineVariable), method: method)
            } catch {
                show(
                    EnergyView.refusedBaseline(
                        error, observations, chosen, site: site, period: period), format)
                throw Failure.badInput(
                    say(
                        "no baseline: \(error.reasons.count) reason(s), see above",
                        "未建立基准：共 \(error.reasons.count) 条原因，见上表"))
            }
            let baseline = FrozenBaseline(
                id: name ?? Self.name(meter, period), subject: meter,
                frozenOn: CivilDate(opened.now, calendar: opened.calendar), method: method.name,
                methodVersion: method.version, model: model,
                dataDigest: Fingerprint(of: observations.canonicalText).description)
            try write(baseline)
            show(
                EnergyView.baseline(
                    baseline, observations, chosen, site: site,
                    fingerprints: (
                        Fingerprint(of: baseline.canonicalText).description,
                        Fingerprint(of: baseline.modelText).description
                    )), format)
        }
    }

    private func check(_ meter: String, _ plan: EnergyPlan) throws {
        guard let found = plan.tree[meter] else {
            let ids = plan.tree.meters.map(\.id)
            throw Failure.badInput(
                say(
                    "no meter has the id '\(meter)'; the meters are "
                        + ids.joined(separator: ", "),
                    "没有计量点 '\(meter)'；现有：" + ids.joined(separator: "、")))
        }
        guard found.carrier.unit == "kWh" else {
            throw Failure.badInput(
                say(
                    "'\(meter)' counts \(found.carrier.unit); a baseline is in kWh",
                    "'\(meter)' 以 \(found.carrier.unit) 计量；基准须以 kWh 计"))
        }
        if let name, !FrozenBaseline.isName(name) {
            throw Failure.badInput(
                say(
                    "'\(name)' is not a name: small letters a to z, digits, '-' and '_'",
                    "'\(name)' 不是有效名称：仅限小写字母、数字、'-' 和 '_'"))
        }
    }

    private func chosenVariables(_ plan: EnergyPlan) throws -> [EnergyVariable] {
        try variables.split(separator: ",").map { word in
            let name = word.trimmingCharacters(in: .whitespaces)
            if let found = plan.variables.first(where: { $0.name == name }) { return found }
            let names = plan.variables.map(\.name)
            throw Failure.badInput(
                say(
                    "the site has no variable '\(name)'; there are: "
                        + (names.isEmpty ? "none" : names.joined(separator: ", ")),
                    "站点没有变量 '\(name)'；现有："
                        + (names.isEmpty ? "无" : names.joined(separator: "、"))))
        }
    }

    private static func name(_ meter: String, _ period: AccountingPeriod) -> String {
        "\(meter)-\(period.label.replacing("..", with: "_"))"
    }

    /// A frozen baseline is never written over.
    private func write(_ baseline: FrozenBaseline) throws {
        guard let out else { return }
        guard !FileManager.default.fileExists(atPath: out) else {
            throw Failure.badInput(
                say(
                    "'\(out)' is there already; a frozen baseline is not written over",
                    "'\(out)' 已存在；已冻结的基准不会被覆盖"))
        }
        do {
            try Data(baseline.canonicalText.utf8).write(to: URL(filePath: out), options: .atomic)
        } catch {
            throw Failure.inputOutput("\(out): \(error.localizedDescription)")
        }
        complain(say("written: \(out)", "已写入：\(out)"))
    }
}
