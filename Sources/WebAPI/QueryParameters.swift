import EnergyAccounting
import Hummingbird
import LocatedText
import Telemetry

/// The query of a request, read strictly: a misspelt parameter is an error, not silence.
struct QueryParameters {
    private var values: [String: String] = [:]

    /// - Throws: `Problem` for a parameter that is unknown or stands twice.
    init(_ request: Request, allowed: [String]) throws(Problem) {
        for (name, value) in request.uri.queryParameters {
            let name = String(name)
            guard allowed.contains(name) else {
                throw Problem(
                    status: .badRequest, code: "unknown_parameter",
                    title: "A parameter is not known", detail: "'\(name)' is not a parameter here",
                    field: name,
                    remedy: Spelling.nearest(to: name, among: allowed).map {
                        "did you mean '\($0)'?"
                    }
                        ?? (allowed.isEmpty
                            ? "leave it out: this address takes none"
                            : "known here: \(allowed.joined(separator: ", "))"))
            }
            guard values.updateValue(String(value), forKey: name) == nil else {
                throw .badParameter(name, "'\(name)' stands twice", remedy: "write it once")
            }
        }
    }

    func text(_ name: String) -> String? { values[name] }

    /// One of a closed list of words.
    func word(_ name: String, among words: [String], or standard: String) throws(Problem) -> String
    {
        guard let text = values[name] else { return standard }
        if words.contains(text) { return text }
        throw .badParameter(
            name, "'\(text)' is not a value of '\(name)'",
            remedy: Spelling.nearest(to: text, among: words).map { "did you mean '\($0)'?" }
                ?? "one of: \(words.joined(separator: ", "))")
    }

    func flag(_ name: String) throws(Problem) -> Bool {
        try word(name, among: ["true", "false"], or: "false") == "true"
    }

    /// A number of items, 1 to `most`.
    func limit(_ standard: Int, most: Int) throws(Problem) -> Int {
        try count("limit", standard, most: most)
    }

    /// A number of something, 1 to `most`.
    func count(_ name: String, _ standard: Int, most: Int) throws(Problem) -> Int {
        guard let text = values[name] else { return standard }
        if let number = Int(text), (1...most).contains(number) { return number }
        throw .badParameter(
            name, "'\(text)' is not a number of items", remedy: "a whole number, 1 to \(most)")
    }

    func time(_ name: String) throws(Problem) -> Timestamp? {
        guard let text = values[name] else { return nil }
        if let time = Timestamp(rfc3339: text) { return time }
        throw .badParameter(
            name, "'\(text)' is not a time",
            remedy: "write RFC 3339 with an offset: 2026-11-21T08:05:00+08:00 or …Z")
    }

    /// A period that has begun; without one this month.
    func period(today: CivilDate, mostDays: Int) throws(Problem) -> AccountingPeriod {
        let text = values["period"] ?? String("\(today)".prefix(7))
        guard let period = AccountingPeriod(text) else {
            throw .badParameter(
                "period", "'\(text)' is not a period",
                remedy: "for example 2026, 2026-03 or 2026-03-01..2026-03-15")
        }
        guard period.first <= today else {
            throw .badParameter(
                "period", "the period \(text) has not begun", remedy: "ask for one that has")
        }
        guard period.days <= mostDays else {
            throw .badParameter(
                "period", "\(period.days) days are too many",
                remedy: "at most \(mostDays), for example a year")
        }
        return period
    }

    /// The half-open range `from` to `to`; without `to` until now, without `from` for `standard`.
    func range(now: Timestamp, standard: Duration) throws(Problem) -> Range<Timestamp> {
        let to = try time("to") ?? now
        let from = try time("from") ?? to - standard
        guard from < to else {
            throw .badRange(
                "'from' (\(from.rfc3339())) is not before 'to' (\(to.rfc3339()))",
                remedy: "exchange them, or leave 'to' out for now")
        }
        return from..<to
    }
}

/// How an answer is written.
enum AnswerForm {
    case json
    case csv

    /// `format=` wins over the Accept header, so that a link can ask for a file.
    init(_ request: Request, _ query: QueryParameters) throws(Problem) {
        if query.text("format") != nil {
            self =
                try query.word("format", among: ["json", "csv"], or: "json") == "csv" ? .csv : .json
            return
        }
        let accepted = request.headers[.accept]?.lowercased() ?? ""
        self =
            accepted.contains("text/csv") && !accepted.contains("application/json") ? .csv : .json
    }
}
