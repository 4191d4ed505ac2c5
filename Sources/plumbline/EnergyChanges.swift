import ArgumentParser
import EnergyAccounting
import Foundation
import Gateway
import LocatedText
import Telemetry

/// `plumbline energy changes`: what differs between two states of a tariff or of factors.
struct EnergyChanges: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "changes",
        abstract: say(
            "What a new tariff or new factors change, in words and in figures.",
            "新价格表或新系数的变更内容及影响。"),
        discussion: say(
            """
            Examples:
              plumbline energy changes tariffs/2026.yaml tariffs/2027.yaml
              plumbline energy changes old.yaml new.yaml --config site.yaml --period 2026-03
            With a period the site's accounts are made with either file, whatever its configuration names.
            """,
            """
            示例：
              plumbline energy changes tariffs/2026.yaml tariffs/2027.yaml
              plumbline energy changes old.yaml new.yaml --config site.yaml --period 2026-03
            给出期间时，分别用两个文件核算该站点，与其配置无关。
            """))

    @OptionGroup var source: EnergyArguments
    @Argument(help: ArgumentHelp(say("The older file.", "旧文件。"), valueName: "old"))
    var old: String
    @Argument(help: ArgumentHelp(say("The newer file.", "新文件。"), valueName: "new"))
    var new: String
    @Option(help: ArgumentHelp("table, csv, json")) var format: OutputFormat = .table

    func run() async throws {
        try await reportingFailures {
            let revision = try TableRevision.parse(
                old: (try Self.text(old), old), new: (try Self.text(new), new))
            guard source.period != nil else {
                return show(
                    EnergyView.tableChanges(revision, accounts: nil, period: nil, site: ""), format)
            }
            let opened = try source.open()
            defer { opened.close() }
            let period = try source.span(opened)
            var (before, after) = (opened, opened)
            before.configuration.energy = revision.plan(opened.configuration.energy, isNew: false)
            after.configuration.energy = revision.plan(opened.configuration.energy, isNew: true)
            let accounts = (
                old: try await before.accounts(for: [period]),
                new: try await after.accounts(for: [period])
            )
            show(
                EnergyView.tableChanges(
                    revision, accounts: accounts, period: period,
                    site: opened.configuration.site.name), format)
        }
    }

    private static func text(_ path: String) throws -> String {
        do {
            return try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw Failure.badInput(
                say("'\(path)' cannot be read: \(error.localizedDescription)", "无法读取 '\(path)'"))
        }
    }
}
