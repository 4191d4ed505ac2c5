import ArgumentParser
import EnergyAccounting
import Foundation
import Gateway
import Store
import Telemetry

/// `plumbline energy`: how much, for what, compared with what, and whether the quota holds.
struct Energy: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: say(
            "Energy accounts: amounts, intensity, balance, profile, quota, statements.",
            "用能核算：用量、强度、平衡、负荷曲线、限额、报表。"),
        discussion: say(
            """
            Examples:
              plumbline energy now --config site.yaml
              plumbline energy intensity --period 2026-03
              plumbline energy balance --period 2026
              plumbline energy quota
              plumbline energy statement monthly --period 2026-03 --out march.xlsx
              plumbline energy baseline --meter main --period 2025 --variables hdd,cdd
              plumbline energy statement savings --period 2026
              plumbline energy explain main@2026-03
              plumbline energy close 2026-03 --by 'Li Wei'
            A period is a year, a month, a day, or 2026-03-01..2026-03-15 with its last day.
            """,
            """
            示例：
              plumbline energy now --config site.yaml
              plumbline energy intensity --period 2026-03
              plumbline energy balance --period 2026
              plumbline energy quota
              plumbline energy statement monthly --period 2026-03 --out march.xlsx
              plumbline energy baseline --meter main --period 2025 --variables hdd,cdd
              plumbline energy statement savings --period 2026
              plumbline energy explain main@2026-03
              plumbline energy close 2026-03 --by '李伟'
            期间可写年、月、日，或 2026-03-01..2026-03-15（含末日）。
            """),
        subcommands: [
            EnergyNow.self, EnergyIntensity.self, EnergyBalance.self, EnergyProfile.self,
            EnergyQuota.self, EnergyStatementVerb.self, EnergyExplain.self, EnergyDiagnose.self,
            EnergyBaseline.self, EnergyChanges.self, EnergyClose.self,
        ], defaultSubcommand: EnergyNow.self)
}

/// Whose accounts are made, and over which period.
struct EnergyArguments: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(say("The site's configuration.", "站点配置文件。"), valueName: "file"))
    var config: String = "/etc/plumbline/site.yaml"

    @Option(
        help: ArgumentHelp(
            say(
                "The period, 2026, 2026-03 or 2026-03-01..2026-03-15.",
                "期间，如 2026、2026-03 或 2026-03-01..2026-03-15。")))
    var period: String?

    @Option(
        help: ArgumentHelp(
            say("The accounts as they stood at an instant.", "以该时刻为“现在”核算。"),
            valueName: "time"))
    var at: String?

    /// A site, its calendar, and the instant for which it is asked.
    struct Opened {
        var configuration: SiteConfiguration
        var reader: StoreReader
        var calendar: SiteCalendar
        var now: Timestamp
        var close: () -> Void

        /// The closed statement with what was corrected since, or the one of today while it is open.
        func closed(
            _ today: StatementDocument, open isOpen: Bool
        ) async throws -> StatementDocument {
            do {
                return isOpen ? today : try await reader.told(today, calendar: calendar)
            } catch {
                throw Failure.inputOutput("\(error)")
            }
        }

        func accounts(
            for periods: [AccountingPeriod], isBilled: Bool = false
        ) async throws -> EnergyAccounts {
            do {
                return try await reader.energyAccounts(
                    of: configuration.energy, for: periods, now: now, isBilled: isBilled)
            } catch {
                throw Failure.inputOutput("\(error)")
            }
        }
    }

    /// Opens the store of the site for reading, beside a running gateway or without one.
    func open() throws -> Opened {
        let configuration = try SiteFiles.configuration(at: config)
        guard !configuration.energy.tree.meters.isEmpty else {
            throw Failure.badInput(
                say(
                    "\(config) has no 'meters:', so there is nothing to account for",
                    "\(config) 中没有 'meters:'，无可核算的计量点"))
        }
        guard let calendar = SiteCalendar(systemZone: configuration.site.timezone) else {
            throw Failure.badInput(
                say(
                    "the time zone '\(configuration.site.timezone)' is not known here",
                    "本机没有时区 '\(configuration.site.timezone)'"))
        }
        var now = SystemClock(believesWall: true).read().wall
        if let at { now = try InstantArgument.parse(at, now: now, calendar: calendar) }
        do {
            let store = try Store.openReadOnly(
                directory: configuration.data.directory, calendar: calendar)
            return Opened(
                configuration: configuration, reader: store.reader, calendar: calendar, now: now,
                close: { try? store.close() })
        } catch {
            throw Failure.inputOutput(
                say(
                    "the store in '\(configuration.data.directory)' cannot be opened: \(error)",
                    "无法打开 '\(configuration.data.directory)' 中的数据：\(error)"))
        }
    }

    /// The period that is asked for, else the month in which `now` lies.
    func span(_ opened: Opened, isYearly: Bool = false) throws -> AccountingPeriod {
        let today = CivilDate(opened.now, calendar: opened.calendar)
        guard let period else {
            return
                (isYearly
                ? AccountingPeriod(year: today.year)
                : AccountingPeriod(year: today.year, month: today.month))
                ?? AccountingPeriod(from: today, through: today)!
        }
        return try Self.parse(period)
    }

    static func parse(_ text: String) throws -> AccountingPeriod {
        if let period = AccountingPeriod(text) {
            guard period.days <= 3_660 else {
                throw Failure.badInput(
                    say("'\(text)' is longer than ten years", "'\(text)' 超过十年"))
            }
            return period
        }
        throw Failure.badInput(
            say(
                "'\(text)' is not a period; write 2026, 2026-03, 2026-03-01 "
                    + "or 2026-03-01..2026-03-15",
                "'\(text)' 不是期间；可写 2026、2026-03、2026-03-01 或 2026-03-01..2026-03-15"))
    }
}

/// Shows tables of a document as people, spreadsheets or programs want them.
func show(_ document: StatementDocument, _ format: OutputFormat) {
    let language: StatementLanguage = Language.isChinese ? .zh : .en
    switch format {
    case .json: print(String(decoding: StatementJSON.bytes(document), as: UTF8.self))
    case .csv: print(StatementCSV(.machine).document(document), terminator: "")
    case .table:
        print(
            [document.title[language], document.site, document.period].filter { !$0.isEmpty }
                .joined(separator: "  "))
        var tables = document.tables
        if !document.facts.isEmpty { tables.insert(document.factsTable(language), at: 0) }
        for table in tables {
            print("")
            print(table.title[language])
            print(TextTable(table, language: language).text)
            for remark in TextTable.remarks(of: table, language: language) { print(remark) }
        }
        if !document.notes.isEmpty { print("") }
        for note in document.notes { print("* \(note[language])") }
    }
}
