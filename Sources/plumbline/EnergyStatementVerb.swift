import ArgumentParser
import EnergyAccounting
import Foundation
import Gateway
import Spreadsheets
import Store
import Telemetry

extension EnergyStatement: ExpressibleByArgument {}

/// How a statement is written.
enum StatementFormat: String, ExpressibleByArgument, CaseIterable {
    case table
    case csv
    case json
    case html
    case xlsx
}

/// `plumbline energy statement`: one statement, on the terminal or as a file that can be filed.
struct EnergyStatementVerb: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "statement",
        abstract: say("Makes a statement: HTML, XLSX, CSV, JSON.", "生成报表：HTML、XLSX、CSV、JSON。"),
        discussion: say(
            """
            Examples:
              plumbline energy statement monthly --period 2026-03 --out march.html
              plumbline energy statement annual-return --period 2026 --out return.xlsx --lang zh
              plumbline energy statement site-declaration --period 2026-03 --format csv
            The kinds: \(EnergyStatement.allCases.map(\.rawValue).joined(separator: ", ")).
            A file's ending says its format: .html, .xlsx, .csv, .json.
            """,
            """
            示例：
              plumbline energy statement monthly --period 2026-03 --out march.html
              plumbline energy statement annual-return --period 2026 --out return.xlsx --lang zh
              plumbline energy statement site-declaration --period 2026-03 --format csv
            种类：\(EnergyStatement.allCases.map(\.rawValue).joined(separator: "、"))。
            输出格式由文件扩展名决定：.html、.xlsx、.csv、.json。
            """))

    @OptionGroup var source: EnergyArguments

    @Argument(help: ArgumentHelp(say("Which statement.", "报表种类。")))
    var kind: EnergyStatement

    @Option(help: ArgumentHelp("table, csv, json, html, xlsx")) var format: StatementFormat?

    @Option(help: ArgumentHelp(say("Where to write.", "输出文件。"), valueName: "file"))
    var out: String?

    @Option(help: ArgumentHelp("en, zh"))
    var lang: StatementLanguage?

    @Flag(
        help: ArgumentHelp(
            say("As it comes out now, also where the period is closed.", "按现有数据重算，不采用已结账报表。")))
    var recomputed = false

    func run() async throws {
        try await reportingFailures {
            let format = try chosenFormat()
            let opened = try source.open()
            defer { opened.close() }
            let period = try source.span(opened, isYearly: kind.isYearly)
            if kind.isYearly, period.kind != .year {
                throw Failure.badInput(
                    say(
                        "'\(kind.rawValue)' is made for a year, not for '\(period.label)'",
                        "'\(kind.rawValue)' 按年编制，而不是 '\(period.label)'"))
            }
            let accounts = try await opened.accounts(
                for: kind.periods(for: period), isBilled: kind.isBilled)
            let today = kind.document(
                of: period, accounts: accounts, site: opened.configuration.site.name)
            let document = try await opened.closed(today, open: recomputed)
            try write(document, format, created: period.end(calendar: opened.calendar))
        }
    }

    private func chosenFormat() throws -> StatementFormat {
        if let format { return format }
        guard let out else { return .table }
        let ending = URL(filePath: out).pathExtension.lowercased()
        if let format = StatementFormat(rawValue: ending), format != .table { return format }
        throw Failure.badInput(
            say(
                "'.\(ending)' says no format; end the name in .html, .xlsx, .csv or .json",
                "'.\(ending)' 不是已知格式；文件名请以 .html、.xlsx、.csv 或 .json 结尾"))
    }

    /// - Parameter created: the date that the file bears; the period's end, so that the same
    ///   statement is the same file.
    private func write(
        _ document: StatementDocument, _ format: StatementFormat, created: Timestamp
    ) throws {
        let language = lang ?? (Language.isChinese ? .zh : .en)
        switch format {
        case .table:
            guard out == nil else {
                throw Failure.badInput(
                    say("a table goes to the terminal, not into a file", "表格只输出到终端"))
            }
            show(document, .table)
        case .csv:
            let text = StatementCSV(.machine, hasByteOrderMark: out != nil).document(document)
            try put(Data(text.utf8))
        case .json: try put(Data(StatementJSON.bytes(document)))
        case .html: try put(Data(StatementHTML(language).page(document).utf8))
        case .xlsx:
            guard let out else {
                throw Failure.badInput(
                    say("a workbook needs a file: --out NAME.xlsx", "工作簿需要文件：--out NAME.xlsx"))
            }
            do {
                try StatementWorkbook.write(document, language: language, created: created, to: out)
            } catch {
                throw Failure.inputOutput("\(error)")
            }
            complain(say("written: \(out)", "已写入：\(out)"))
        }
    }

    private func put(_ data: Data) throws {
        guard let out else {
            FileHandle.standardOutput.write(data)
            return
        }
        do {
            try data.write(to: URL(filePath: out), options: .atomic)
        } catch {
            throw Failure.inputOutput("\(out): \(error.localizedDescription)")
        }
        complain(say("written: \(out)", "已写入：\(out)"))
    }
}

extension StatementLanguage: ExpressibleByArgument {}
