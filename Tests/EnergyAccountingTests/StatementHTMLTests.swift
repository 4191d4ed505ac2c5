import Foundation
import Telemetry
import TestSeeds
import TestStatements
import Testing

@testable import EnergyAccounting

@Suite("Statements as a page")
struct StatementHTMLTests {
    private static let none = LocalizedText(en: "", zh: "")

    private func document(
        _ cells: [StatementDocument.Cell], facts: [StatementDocument.Fact] = []
    ) -> StatementDocument {
        StatementDocument(
            kind: "k", title: Self.none, site: "", period: "", facts: facts,
            tables: [
                .init(
                    key: "t", title: LocalizedText(en: "Table", zh: "表"),
                    columns: cells.indices.map { .init("c\($0)", Self.none) }, rows: [cells])
            ])
    }

    private func number(
        _ text: String, trace: String? = nil, isEstimated: Bool = false
    ) -> StatementDocument.Cell {
        .number(
            .init(Exact(text: text) ?? .zero, places: 2, trace: trace, isEstimated: isEstimated))
    }

    @Test(
        "thousands are set apart without a character between them",
        arguments: [
            ("0.00", "0.00"), ("999", "999"), ("1000.5", #"1<span class="g">000</span>.5"#),
            ("-1234567.25", "\u{2212}1<span class=\"g\">234</span><span class=\"g\">567</span>.25"),
        ])
    func grouping(printed: String, markup: String) {
        #expect(StatementHTML.grouped(printed) == markup)
    }

    @Test("a number that can be traced carries its trace, for programs and under the pointer")
    func traces() {
        let page = StatementHTML(.en).page(document([number("12.5", trace: "a|\"b\"")]))
        #expect(
            page.contains(
                #"<td class="n" data-trace="a|&quot;b&quot;" title="trace: a|&quot;b&quot;">12.50</td>"#
            ))
    }

    @Test("estimated numbers are marked, and the mark is explained only where there is one")
    func estimates() {
        let plain = StatementHTML(.zh).page(document([number("1")]))
        #expect(!plain.contains("≈"))
        let marked = StatementHTML(.zh).page(document([number("1", isEstimated: true)]))
        #expect(marked.contains(#"title="含估算值"><span class="e">≈</span>1.00</td>"#))
        #expect(marked.contains(#"<p class="legend">≈ 含估算值</p>"#))
    }

    @Test("what is missing is a dash whose reasons stand below, each once and in order")
    func missing() {
        let none = LocalizedText(en: "no meter", zh: "无表")
        let silent = LocalizedText(en: "silent", zh: "无通信")
        let page = StatementHTML(.en).page(
            document([.missing(none), .missing(silent), .missing(none), .missing(Self.none)]))
        #expect(
            page.contains(
                #"<td class="n" title="no meter">–<sup>1</sup></td>"#
                    + #"<td class="n" title="silent">–<sup>2</sup></td>"#
                    + #"<td class="n" title="no meter">–<sup>1</sup></td><td class="n">–</td>"#))
        #expect(
            page.contains(
                "<ol class=\"reasons\">\n<li>no meter</li>\n<li>silent</li>\n</ol>"))
    }

    @Test("a missing fact tells its reason beside the dash and no unit")
    func missingFact() {
        let page = StatementHTML(.en).page(
            document(
                [],
                facts: [
                    .init(
                        "gas", LocalizedText(en: "Gas", zh: "燃气"),
                        .missing(LocalizedText(en: "no meter", zh: "无表")), unit: "m³")
                ]))
        #expect(
            page.contains(
                #"<div><dt>Gas</dt><dd title="no meter">– no meter</dd></div>"#))
    }

    @Test("titles stand in both languages where that is asked for, equal ones once")
    func bothTitles() {
        let page = StatementHTML(.zh, hasBothTitles: true).page(document([number("1")]))
        #expect(page.contains(#"<h2>表<span class="other" lang="en"> Table</span></h2>"#))
        #expect(page.contains("<h1></h1>"))
        #expect(!StatementHTML(.zh).page(document([number("1")])).contains("Table"))
    }

    @Test("a text that nobody has translated is shown in the language it has")
    func onlyOneLanguage() {
        let text = LocalizedText(en: "Only", zh: "")
        #expect(text[.zh] == "Only" && text[.en] == "Only")
    }

    @Test("the page fetches nothing and runs nothing")
    func selfContained() {
        for document in [SampleStatements.monthly, SampleStatements.yearly] {
            let page = StatementHTML(.zh).page(document)
            for word in ["<script", "<link", "src=", "href=", "url(", "@import", "http"] {
                #expect(!page.contains(word), "\(word)")
            }
        }
    }

    @Test("texts can neither end nor become markup, wherever they stand")
    func hostileTexts() throws {
        for hasBothTitles in [false, true] {
            let page = StatementHTML(.en, hasBothTitles: hasBothTitles)
                .page(SampleStatements.hostile)
            #expect(page.components(separatedBy: "</style>").count == 2)
            let names = try elements(of: page)
            #expect(
                names.isSubset(of: [
                    "html", "head", "meta", "title", "style", "body", "main", "header", "p", "h1",
                    "h2", "dl", "div", "dt", "dd", "section", "table", "thead", "tbody", "tr", "th",
                    "td", "span", "sup", "ol", "li",
                ]))
            #expect(!page.contains(" onclick=\""))
        }
    }

    @Test("whatever a text holds, the page shows it and stays whole")
    func anyText() throws {
        var random = SeededGenerator(0x5EED_17)
        let pieces = [
            "<", ">", "&", "\"", "'", "\u{338}", "a", "/", "电", "</td>", "&lt;", "`", "=",
        ]
        for _ in 0..<300 {
            let text = (0..<6).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            let escaped = StatementHTML.escaped(text)
            #expect(!escaped.unicodeScalars.contains { "<>\"'".unicodeScalars.contains($0) })
            let shown = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'")]
                .reduce(escaped) {
                    $0.replacingOccurrences(of: $1.0, with: $1.1, options: .literal)
                }
                .replacingOccurrences(of: "&amp;", with: "&", options: .literal)
            #expect(Array(shown.unicodeScalars) == Array(text.unicodeScalars))
            _ = try elements(of: StatementHTML(.en).page(document([.word(text)])))
        }
    }

    private struct Malformed: Error { var place: String }

    /// The names of all elements; throws where a tag is not closed in its order or an attribute not
    /// in quotes.
    private func elements(of page: String) throws -> Set<String> {
        let parts = page.replacing("<!DOCTYPE html>", with: "").components(separatedBy: "style>")
        let body = try #require(parts.count == 3 ? "\(parts[0])style></style>\(parts[2])" : nil)
        let tag = try Regex(#"<(/?)([a-z0-9]+)((?: [a-z-]+="[^"<>]*")*)>"#)
            // A browser knows no characters of several scalars.
            .matchingSemantics(.unicodeScalar)
        var open: [Substring] = []
        var names: Set<String> = []
        var end = body.startIndex
        for match in body.matches(of: tag) {
            let between = body[end..<match.range.lowerBound]
            if between.utf8.contains(0x3C) || between.utf8.contains(0x3E) {
                throw Malformed(place: String(between))
            }
            end = match.range.upperBound
            let name = match[2].substring ?? ""
            names.insert(String(name))
            if match[1].substring == "/" {
                guard open.popLast() == name else { throw Malformed(place: "</\(name)>") }
            } else if name != "meta" {
                open.append(name)
            }
        }
        guard open.isEmpty else { throw Malformed(place: "\(open)") }
        return names
    }

    // MARK: Paper

    @Test("a table that fits stays upright; one that needs tiny letters lies across")
    func turning() {
        func paper(columns: Int, _ language: [StatementLanguage] = [.zh]) -> StatementPaper {
            let cells = (0..<columns).map { _ in number("1234567.89") }
            return StatementPaper(of: document(cells).tables[0], in: language)
        }
        // A column takes 12 digits: ten of the number, most of one for its spaces, two of gap.
        #expect(paper(columns: 8).turn == "upright")
        #expect(paper(columns: 8).letters == "9.0")
        #expect(paper(columns: 9).turn == "upright")
        #expect(paper(columns: 11).turn == "across")
        #expect(paper(columns: 11).letters == "9.0")
        #expect(paper(columns: 14).letters < "9.0")
        #expect(paper(columns: 200).letters == "5.0")
        #expect(paper(columns: 3).isNarrow && !paper(columns: 8).isNarrow)
    }

    @Test("what belongs to no table lies as its neighbour does")
    func neighbours() {
        let page = StatementHTML(.zh).page(SampleStatements.yearly)
        #expect(page.contains(#"<header class="across">"#))
        #expect(page.contains(#"<section class="across" style="--letters:"#))
        #expect(page.contains(#"<section class="upright" style="--letters:9.0pt">"#))
        #expect(
            StatementHTML(.zh).page(SampleStatements.monthly)
                .contains(#"<section class="signatures upright">"#))
    }

    @Test(
        "a text between the quotes of the style sheet stays there",
        arguments: [
            ("a\"b", "a\\22 b"), ("\\", "\\5c "), ("</style>", "\\3c \\2f style\\3e "),
            ("x\ny", "x\\a y"), ("电 2026-03", "电 2026\\2d 03"), ("\0", "\\fffd "),
        ])
    func styleText(text: String, quoted: String) {
        #expect(StatementStyle.quoted(text) == quoted)
    }
}

@Suite("Widths of texts")
struct TextWidthTests {
    @Test(
        "Chinese characters count two and marks nothing",
        arguments: [("kWh", 3), ("用电量", 6), ("T3 塔楼", 7), ("e\u{301}", 1), ("（）", 4), ("", 0)])
    func cells(text: String, width: Int) { #expect(TextWidth.cells(text) == width) }

    @Test(
        "a text is as narrow as its longest word, and a Chinese character is a word",
        arguments: [("Critical peak", 8), ("同比变化", 2), ("10 kV 侧", 2), ("T3塔楼", 2), ("", 0)])
    func narrowest(text: String, width: Int) { #expect(TextWidth.narrowest(text) == width) }

    @Test("of several lines the widest counts")
    func lines() { #expect(TextWidth.widestLine("a\n用电\r\nbcd") == 4) }
}
