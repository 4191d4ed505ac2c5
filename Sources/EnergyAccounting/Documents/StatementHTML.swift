import Telemetry

// A statement as one page of HTML: nothing is fetched, nothing is run.
//
//     header     site, title, period, facts in two columns
//     section    one per table: title, table, and under it what the marks in it mean
//     section    notes
//     section    blocks for signatures and stamps, side by side
//
// Numbers have the printed places. The thin space between thousands is drawn by the style sheet and
// is no character, so that a number that is searched for or copied into a spreadsheet is one number;
// minus is U+2212. `≈` stands before a number of which a part is estimated. `–` stands where nobody
// knows, with its reason as a footnote under the table and, on a screen, under the pointer. What can
// be traced carries `data-trace`, which is what `plumbline energy explain` takes.
//
// On paper (A4) each table is upright in letters of up to 9 pt; where that would need letters
// below 7.5 pt, it lies across. What belongs to no table goes with its neighbour, so that no sheet is
// turned for two lines. How wide a table is drawn is reckoned from its texts and not measured: the
// figures that turn widths into points are in `StatementPaper`.

/// Writes a statement as a page of HTML; the form is drawn above.
package struct StatementHTML: Hashable, Sendable {
    package var language: StatementLanguage
    /// Whether titles stand in the other language too, small and below.
    package var hasBothTitles: Bool

    package init(_ language: StatementLanguage, hasBothTitles: Bool = false) {
        self.language = language
        self.hasBothTitles = hasBothTitles
    }

    /// The whole page; equal documents give equal text.
    package func page(_ document: StatementDocument) -> String {
        let papers = document.tables.map { StatementPaper(of: $0, in: languages) }
        let tables = zip(document.tables, papers).map { section(of: $0, on: $1) }
        let title = "\(document.title[language]) \(document.period) \(document.site)"
        let runningTitle = [document.site, document.title[language], document.period]
            .filter { !$0.isEmpty }.joined(separator: " · ")
        return """
            <!DOCTYPE html>
            <html lang="\(language.tag)">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>\(Self.escaped(title))</title>
            <style>
            \(StatementStyle.sheet(language, runningTitle: runningTitle))
            </style>
            </head>
            <body>
            <main>
            \(heading(of: document, on: papers.first ?? .standard))
            \(tables.joined(separator: "\n"))
            \(closing(of: document, on: papers.last ?? .standard))</main>
            </body>
            </html>

            """
    }

    private var languages: [StatementLanguage] {
        hasBothTitles ? [language, language.other] : [language]
    }

    // MARK: Blocks

    private func heading(of document: StatementDocument, on paper: StatementPaper) -> String {
        var lines = [
            "<header class=\"\(paper.turn)\">",
            "<p class=\"site\">\(Self.escaped(document.site))</p>",
            "<h1>\(title(document.title))</h1>",
            "<p class=\"period\">\(Self.escaped(document.period))</p>",
        ]
        if !document.facts.isEmpty {
            lines.append("<dl>")
            lines += document.facts.map(line)
            lines.append("</dl>")
        }
        if document.facts.contains(where: { $0.value.isEstimated }) { lines.append(legend) }
        return (lines + ["</header>"]).joined(separator: "\n")
    }

    private func line(of fact: StatementDocument.Fact) -> String {
        let name = "<dt>\(title(fact.title))</dt>"
        var value = content(of: fact.value, footnote: nil)
        if case .missing = fact.value {
            if let reason = fact.value.reason { value += " " + Self.escaped(reason[language]) }
        } else if !fact.unit.isEmpty {
            value += "\u{A0}<span class=\"unit\">\(Self.escaped(fact.unit))</span>"
        }
        return "<div>\(name)<dd\(attributes(of: fact.value))>\(value)</dd></div>"
    }

    private func section(
        of table: StatementDocument.Table, on paper: StatementPaper
    ) -> String {
        let footnotes = StatementFootnotes(table)
        var lines = [
            "<section class=\"\(paper.turn)\" style=\"--letters:\(paper.letters)pt\">",
            "<h2>\(title(table.title))</h2>",
        ]
        if table.rows.isEmpty {
            lines.append("<p class=\"none\">\(StatementWords.noRows[language])</p>")
        } else {
            let kind = paper.isNarrow ? " class=\"narrow\"" : ""
            lines += ["<div class=\"wide\"><table\(kind)>", "<thead><tr>"]
            lines += table.columns.map(columnHead)
            lines += ["</tr></thead>", "<tbody>"]
            lines += table.rows.indices.map { row($0, of: table, footnotes) }
            lines += ["</tbody>", "</table></div>"]
        }
        if table.hasEstimates { lines.append(legend) }
        if !footnotes.reasons.isEmpty {
            lines.append("<ol class=\"reasons\">")
            lines += footnotes.reasons.map { "<li>\(Self.escaped($0[language]))</li>" }
            lines.append("</ol>")
        }
        return (lines + ["</section>"]).joined(separator: "\n")
    }

    private var legend: String {
        "<p class=\"legend\">\(StatementWords.estimatedMark) "
            + "\(StatementWords.estimatedLegend[language])</p>"
    }

    /// Notes and signatures; nothing where there are neither.
    private func closing(of document: StatementDocument, on paper: StatementPaper) -> String {
        var lines: [String] = []
        if !document.notes.isEmpty {
            lines += [
                "<section class=\"notes \(paper.turn)\">",
                "<h2>\(StatementWords.notes[language])</h2>", "<ol>",
            ]
            lines += document.notes.map { "<li>\(Self.escaped($0[language]))</li>" }
            lines += ["</ol>", "</section>"]
        }
        if !document.signatures.isEmpty {
            lines.append("<section class=\"signatures \(paper.turn)\">")
            lines += document.signatures.map {
                "<div><p>\(title($0))</p><p>\(StatementWords.date[language])</p></div>"
            }
            lines.append("</section>")
        }
        return lines.map { $0 + "\n" }.joined()
    }

    // MARK: Tables

    private func columnHead(_ column: StatementDocument.Column) -> String {
        let unit =
            column.unit.isEmpty ? "" : " <span class=\"unit\">\(Self.escaped(column.unit))</span>"
        let kind = column.isNumber ? " class=\"n\"" : ""
        return "<th scope=\"col\"\(kind)>\(title(column.title))\(unit)</th>"
    }

    private func row(
        _ row: Int, of table: StatementDocument.Table, _ footnotes: StatementFootnotes
    ) -> String {
        let cells = table.columns.indices.map { column in
            let cell = table.cell(row, column)
            // The first column names the row, unless it is a number itself.
            let isHead = column == 0 && !table.columns[column].isNumber
            let tag = isHead ? "th" : "td"
            let kind = table.columns[column].isNumber ? " class=\"n\"" : word(cell)
            return "<\(tag)\(isHead ? " scope=\"row\"" : "")\(kind)\(attributes(of: cell))>"
                + "\(content(of: cell, footnote: footnotes.number(of: cell)))</\(tag)>"
        }
        let kind = table.sums.contains(row) ? " class=\"sum\"" : ""
        return "<tr\(kind)>\(cells.joined())</tr>"
    }

    /// The class of a cell that is one word, `2026-03-01`: browsers break at its hyphens.
    private func word(_ cell: StatementDocument.Cell) -> String {
        guard case .text(let text) = cell, text[language].contains("-"),
            TextWidth.cells(text[language]) <= 16
        else { return "" }
        return " class=\"w\""
    }

    // MARK: Cells

    private func content(of cell: StatementDocument.Cell, footnote: Int?) -> String {
        switch cell {
        case .text(let text): return Self.escaped(text[language])
        case .number(let number):
            let mark =
                number.isEstimated ? "<span class=\"e\">\(StatementWords.estimatedMark)</span>" : ""
            return mark + Self.grouped(number.text)
        case .missing:
            return StatementWords.missingMark + (footnote.map { "<sup>\($0)</sup>" } ?? "")
        }
    }

    /// Where it comes from and why it is missing, for the pointer and for programs.
    private func attributes(of cell: StatementDocument.Cell) -> String {
        var titles: [String] = []
        var trace = ""
        if cell.isEstimated { titles.append(StatementWords.estimatedLegend[language]) }
        if let text = cell.trace {
            trace = " data-trace=\"\(Self.escaped(text))\""
            titles.append(
                "\(StatementWords.trace[language])\(language == .zh ? "：" : ": ")\(text)")
        }
        if let reason = cell.reason { titles.append(reason[language]) }
        guard !titles.isEmpty else { return "" }
        let separator = language == .zh ? "；" : "; "
        return trace + " title=\"\(Self.escaped(titles.joined(separator: separator)))\""
    }

    /// A text in one language or in both.
    private func title(_ text: LocalizedText) -> String {
        let (main, other) = (text[language], text[language.other])
        guard hasBothTitles, main != other else { return Self.escaped(main) }
        return Self.escaped(main)
            + "<span class=\"other\" lang=\"\(language.other.tag)\"> \(Self.escaped(other))</span>"
    }

    // MARK: Characters

    /// A printed number with its thousands set apart by the style sheet.
    static func grouped(_ text: String) -> String {
        let isNegative = text.hasPrefix("-")
        let digits = text.dropFirst(isNegative ? 1 : 0)
        let whole = digits.prefix { $0 != "." }
        var groups: [Substring] = []
        var rest = whole
        while rest.count > 3 {
            groups.append(rest.suffix(3))
            rest = rest.dropLast(3)
        }
        return (isNegative ? "\u{2212}" : "") + rest
            + groups.reversed().map { "<span class=\"g\">\($0)</span>" }.joined()
            + digits.dropFirst(whole.count)
    }

    /// A text that nothing in it can end or turn into markup, in elements and in attributes.
    ///
    /// By scalars and not by characters: `<` with a combining mark behind it is another character,
    /// and a browser still sees `<`. Control characters, which HTML refuses, become U+FFFD.
    package static func escaped(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result.append(contentsOf: "&amp;".unicodeScalars)
            case "<": result.append(contentsOf: "&lt;".unicodeScalars)
            case ">": result.append(contentsOf: "&gt;".unicodeScalars)
            case "\"": result.append(contentsOf: "&quot;".unicodeScalars)
            case "'": result.append(contentsOf: "&#39;".unicodeScalars)
            case "\n", "\t": result.append(scalar)
            case "\r": break
            case "\u{0}"..<" ", "\u{7F}"..<"\u{A0}": result.append("\u{FFFD}")
            default: result.append(scalar)
            }
        }
        return String(result)
    }
}
