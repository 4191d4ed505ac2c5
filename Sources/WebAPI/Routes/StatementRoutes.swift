import EnergyAccounting
import Foundation
import HTTPTypes
import Hummingbird
import LocatedText
import Spreadsheets
import Telemetry

/// `/api/v1/energy/statement` and `/api/v1/energy/explain`: statements as JSON, as a page that
/// prints, as CSV and as a workbook, and how each of their numbers came about.
struct StatementRoutes {
    let context: WebAPIContext

    func add(to router: Router<BasicRequestContext>) {
        router.get("api/v1/energy/statement") { request, _ in try await statement(request) }
        router.get("api/v1/energy/explain") { request, _ in try await explanation(request) }
        router.get("api/v1/energy/diagnosis") { request, _ in try await diagnosis(request) }
    }

    private enum Form: String, CaseIterable {
        case json
        case csv
        case html
        case xlsx
    }

    private func statement(_ request: Request) async throws -> Response {
        let query = try QueryParameters(
            request, allowed: ["kind", "period", "format", "lang", "recomputed"])
        let words = EnergyStatement.allCases.map(\.rawValue)
        let word = try query.word("kind", among: words, or: EnergyStatement.monthly.rawValue)
        let kind = EnergyStatement(rawValue: word) ?? .monthly
        let period = try period(query, isYearly: kind.isYearly)
        if kind.isYearly, period.kind != .year {
            throw Problem.badParameter(
                "period", "'\(word)' is made for a year", remedy: "for example '2026'")
        }
        let form = Form(
            rawValue: try query.word(
                "format", among: Form.allCases.map(\.rawValue), or: Form.json.rawValue))
        let language = StatementLanguage(
            rawValue: try query.word("lang", among: ["en", "zh"], or: "en"))
        let accounts = try await context.store.energyAccounts(
            of: context.energy, for: kind.periods(for: period), now: context.now,
            isBilled: kind.isBilled)
        let today = kind.document(of: period, accounts: accounts, site: context.site.name)
        let document =
            try query.flag("recomputed")
            ? today : try await context.store.told(today, calendar: context.calendar)
        return try answer(
            document, form ?? .json, language ?? .en,
            created: period.end(calendar: context.calendar))
    }

    private func explanation(_ request: Request) async throws -> Response {
        let query = try QueryParameters(request, allowed: ["trace"])
        let text = query.text("trace") ?? ""
        guard let trace = StatementTrace(text), trace.period.days <= Self.longestPeriod else {
            throw Problem.badParameter(
                "trace", "'\(text)' is no trace", remedy: "for example 'main@2026-03'")
        }
        let accounts = try await context.store.energyAccounts(
            of: context.energy, for: [trace.period], now: context.now)
        guard
            let document = EnergyView.explanation(of: trace, accounts, site: context.site.name)
        else {
            throw Problem(
                status: .notFound, code: "unknown_meter", title: "The meter is not known",
                detail: "nothing stands for '\(text)'", field: "trace",
                remedy: "the meters are: "
                    + context.energy.tree.meters.map(\.id).joined(separator: ", "))
        }
        return Answer.bytes(
            StatementJSON.bytes(document), type: "application/json; charset=utf-8")
    }

    private func diagnosis(_ request: Request) async throws -> Response {
        let query = try QueryParameters(request, allowed: ["period"])
        let period = try period(query, isYearly: false)
        guard let thresholds = context.energy.diagnosis else {
            throw Problem(
                status: .notFound, code: "no_diagnosis", title: "Nothing is diagnosed here",
                detail: "the configuration names no thresholds",
                remedy: "add 'energy: { diagnosis: diagnosis/meters.yaml }'")
        }
        let ledger = try await context.store.meterLedger(
            of: context.energy, on: CountGrid(.hour, of: period, calendar: context.calendar),
            now: context.now)
        let inputs = try await context.store.diagnosisInputs(for: ledger, now: context.now)
        let document = EnergyView.diagnosis(
            ledger, inputs, thresholds: thresholds, period: period, calendar: context.calendar,
            site: context.site.name)
        return Answer.bytes(
            StatementJSON.bytes(document), type: "application/json; charset=utf-8")
    }

    /// Longer ones are for the command line, which keeps nobody else waiting.
    private static let longestPeriod = 366

    private func period(
        _ query: QueryParameters, isYearly: Bool
    ) throws(Problem) -> AccountingPeriod {
        let today = CivilDate(context.now, calendar: context.calendar)
        let standard =
            isYearly
            ? AccountingPeriod(year: today.year)
            : AccountingPeriod(year: today.year, month: today.month)
        guard let text = query.text("period") else {
            return standard ?? AccountingPeriod(today)
        }
        if let period = AccountingPeriod(text), period.days <= Self.longestPeriod {
            return period
        }
        throw .badParameter(
            "period", "'\(text)' is not a period of at most a year",
            remedy: "2026, 2026-03, 2026-03-01 or 2026-03-01..2026-03-15")
    }

    private func answer(
        _ document: StatementDocument, _ form: Form, _ language: StatementLanguage,
        created: Timestamp
    ) throws -> Response {
        let name = "\(document.kind)-\(document.period)"
        switch form {
        case .json:
            return Answer.bytes(
                StatementJSON.bytes(document), type: "application/json; charset=utf-8")
        case .csv:
            let text = StatementCSV(.machine, hasByteOrderMark: true).document(document)
            return Answer.csv(Array(text.utf8), name: name)
        case .html:
            let page = StatementHTML(language).page(document)
            return Answer.bytes(Array(page.utf8), type: "text/html; charset=utf-8")
        case .xlsx:
            var response = Answer.bytes(
                try workbook(document, language, created),
                type: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
            response.headers[.contentDisposition] = "attachment; filename=\"\(name).xlsx\""
            return response
        }
    }

    /// The library writes files only; this one is gone before the answer leaves.
    private func workbook(
        _ document: StatementDocument, _ language: StatementLanguage, _ created: Timestamp
    ) throws -> [UInt8] {
        let folder = FileManager.default.temporaryDirectory
        let path = folder.appending(path: "plumbline-\(UUID().uuidString).xlsx").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        do {
            try StatementWorkbook.write(document, language: language, created: created, to: path)
        } catch {
            throw Problem(
                status: .internalServerError, code: "no_workbook",
                title: "The workbook could not be written", detail: "\(error)",
                remedy: "ask for format=html or csv, or make room in the temporary folder")
        }
        return Array(FileManager.default.contents(atPath: path) ?? Data())
    }
}
