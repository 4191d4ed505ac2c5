import ArgumentParser
import EnergyAccounting
import Foundation
import Telemetry

/// How a statement leaves a verb: its form, its period, and where to.
struct DocumentArguments: ParsableArguments {
    /// The forms in which it is written.
    enum Form: String, ExpressibleByArgument, CaseIterable {
        case table, json, csv, html
    }

    @Option(
        help: ArgumentHelp(
            say(
                "2026, 2026-03, 2026-03-01 or 2026-03-01..2026-03-15. (default: this month)",
                "2026、2026-03、2026-03-01 或 2026-03-01..2026-03-15（默认：本月）。")))
    var period: String?

    @Option(help: ArgumentHelp("table, json, csv, html"))
    var format: Form = .table

    @Option(
        help: ArgumentHelp(
            say("Writes to a file instead.", "写入文件。"), valueName: "file"))
    var out: String?

    /// The period that is asked for; it has begun.
    func wanted(_ now: Timestamp, _ calendar: SiteCalendar) throws -> AccountingPeriod {
        let today = CivilDate(now, calendar: calendar)
        let text = period ?? String("\(today)".prefix(7))
        guard let wanted = AccountingPeriod(text) else {
            throw Failure.badInput(
                say(
                    "'\(text)' is not a period; write 2026, 2026-03 or 2026-03-01..2026-03-15",
                    "'\(text)' 不是期间；可写 2026、2026-03 或 2026-03-01..2026-03-15"))
        }
        guard wanted.first <= today else {
            throw Failure.badInput(
                say("the period \(text) has not begun", "期间 \(text) 尚未开始"))
        }
        return wanted
    }

    /// Writes the document to the file, or to standard output.
    func write(_ document: StatementDocument) throws {
        let language: StatementLanguage = Language.isChinese ? .zh : .en
        let text =
            switch format {
            case .table: Self.text(document, language)
            case .json: String(decoding: StatementJSON.bytes(document), as: UTF8.self) + "\n"
            case .csv: StatementCSV(.machine).document(document)
            case .html: StatementHTML(language).page(document)
            }
        guard let out else { return print(text, terminator: "") }
        do {
            try Data(text.utf8).write(to: URL(fileURLWithPath: out), options: .atomic)
        } catch {
            throw Failure.inputOutput(
                say(
                    "'\(out)' cannot be written: \(error.localizedDescription)",
                    "无法写入 '\(out)'：\(error.localizedDescription)"))
        }
    }

    private static func text(
        _ document: StatementDocument, _ language: StatementLanguage
    ) -> String {
        var parts = [
            "\(document.title[language]), \(document.site), \(document.period)\n"
                + document.facts.map { "\($0.title[language]): \(value($0, language))\n" }.joined()
        ]
        for table in document.tables {
            let body =
                table.rows.isEmpty
                ? StatementWords.noRows[language]
                : TextTable(table, language: language).text
            let lines = [table.title[language], body]
            let remarks = TextTable.remarks(of: table, language: language)
            parts.append((lines + remarks).joined(separator: "\n") + "\n")
        }
        parts.append(document.notes.map { $0[language] + "\n" }.joined())
        return parts.joined(separator: "\n")
    }

    private static func value(
        _ fact: StatementDocument.Fact, _ language: StatementLanguage
    ) -> String {
        switch fact.value {
        case .text(let text): text[language]
        case .number(let number): fact.unit.isEmpty ? number.text : "\(number.text) \(fact.unit)"
        case .missing(let reason): "\(StatementWords.missingMark) (\(reason[language]))"
        }
    }
}
