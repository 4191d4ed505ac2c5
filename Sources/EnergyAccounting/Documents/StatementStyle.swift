/// The style sheet of a statement.
enum StatementStyle {
    /// - Parameter runningTitle: at the head of every sheet but the first; any text.
    static func sheet(_ language: StatementLanguage, runningTitle: String) -> String {
        let pages =
            language == .zh
            ? #""第 " counter(page) " 页，共 " counter(pages) " 页""#
            : #""Page " counter(page) " of " counter(pages)"#
        return """
            \(everywhere)
            \(screen)
            @page { size: A4 portrait; margin: 16mm 13mm 17mm;
              @top-left { content: "\(quoted(runningTitle))"; \(margin) }
              @bottom-right { content: \(pages); \(margin) } }
            @page across { size: A4 landscape; margin: 16mm 13mm 17mm; }
            @page :first { @top-left { content: ""; } }
            \(print)
            """
    }

    /// The style of what stands in the margins of a sheet.
    private static let margin = "font: 8pt \(fonts); color: #555"

    /// Letters for Latin and digits first: their digits are of one width. Behind them what macOS,
    /// Windows and Linux have for Chinese.
    private static let fonts =
        #""Helvetica Neue", Arial, "Liberation Sans", "PingFang SC", "Microsoft YaHei", "#
        + #""Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "WenQuanYi Micro Hei", sans-serif"#

    private static let everywhere = """
        :root { color-scheme: light dark; --ink: #1a1a1a; --soft: #595959; --line: #d0d0d0;
          --rule: #1a1a1a; --band: #f3f4f5; --paper: #fff; }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--paper); color: var(--ink);
          font: 15px/1.5 \(fonts); }
        main { margin: 0 auto; padding: 2rem; max-width: 76rem; }
        p, dl, dd, ol { margin: 0; }
        .site { color: var(--soft); }
        h1 { margin: 0; font-size: 1.75em; line-height: 1.3; }
        .period { font-size: 1.15em; font-variant-numeric: tabular-nums; }
        h2 { margin: 2em 0 .5em; font-size: 1.1em; line-height: 1.35; }
        .other { display: block; color: var(--soft); font-size: .8em; font-weight: 400; }
        .unit { color: var(--soft); font-weight: 400; white-space: nowrap; }
        dl { display: grid; grid-template-columns: 1fr 1fr; column-gap: 2.5em; margin-top: 1.25em;
          border-top: 1.5px solid var(--rule); }
        dl div { display: flex; justify-content: space-between; gap: 1em; padding: .3em 0;
          border-bottom: 1px solid var(--line); }
        dt { color: var(--soft); }
        dd { text-align: right; font-variant-numeric: tabular-nums; }
        table { width: 100%; border-collapse: collapse; }
        .narrow { width: auto; min-width: min(100%, 28em); }
        th, td { padding: .35em .45em; text-align: left; vertical-align: baseline;
          font-weight: 400; border-bottom: 1px solid var(--line); }
        th:first-child { padding-left: 0; }
        th:last-child, td:last-child { padding-right: 0; }
        thead th { vertical-align: bottom; font-weight: 700; line-height: 1.3;
          border-top: 1.5px solid var(--rule); border-bottom: 1px solid var(--rule); }
        thead .unit { display: block; }
        tbody tr:last-child > * { border-bottom: 1.5px solid var(--rule); }
        .n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
        .w { white-space: nowrap; }
        thead .n { white-space: normal; }
        .g { margin-left: .17em; }
        .e { margin-right: .15em; color: var(--soft); }
        sup { margin-left: .1em; font-size: .7em; line-height: 0; }
        .sum > * { font-weight: 700; background: var(--band); border-top: 1px solid var(--rule); }
        .legend, .reasons, .none { color: var(--soft); font-size: .9em; }
        .legend, .reasons { margin-top: .4em; }
        .reasons { padding-left: 1.6em; }
        .notes ol { padding-left: 1.6em; }
        .notes li { margin-bottom: .25em; white-space: pre-line; }
        .signatures { display: flex; flex-wrap: wrap; gap: 1.5em 2.5em; margin-top: 3em; }
        .signatures div { flex: 1 1 11em; display: flex; flex-direction: column;
          justify-content: space-between; min-height: 7em; padding-top: .4em;
          border-top: 1px solid var(--rule); }
        .signatures p:last-child { color: var(--soft); }
        """

    private static let screen = """
        @media screen {
          .wide { overflow-x: auto; }
          [data-trace] { cursor: help; }
          tbody tr:hover > * { background: var(--band); }
        }
        @media screen and (max-width: 700px) {
          body { font-size: 14px; }
          main { padding: 1rem; }
          dl { grid-template-columns: 1fr; }
          th:not(.n), td:not(.n) { min-width: 6em; }
          thead .n { min-width: 5.5em; }
          tbody th, thead th:first-child { position: sticky; left: 0; background: var(--paper);
            max-width: 9em; padding-right: .8em; }
          tbody .sum th { background: var(--band); }
        }
        @media screen and (prefers-color-scheme: dark) {
          :root { --ink: #e8e8e8; --soft: #a8a8a8; --line: #3a3d40; --rule: #8b8f94;
            --band: #202427; --paper: #141618; }
        }
        """

    private static let print = """
        @media print {
          :root { color-scheme: light; }
          body { font-size: 9pt; line-height: 1.4; print-color-adjust: exact;
            -webkit-print-color-adjust: exact; }
          main { max-width: none; padding: 0; }
          .across { page: across; }
          table { font-size: var(--letters); }
          thead { display: table-header-group; }
          tr, dl div, li, .signatures { break-inside: avoid; }
          h1, h2, .period { break-after: avoid; }
          .legend, .reasons { break-before: avoid; }
          .sum { break-before: avoid; }
          .signatures div { min-height: 26mm; }
        }
        """

    /// A text between quotes of a style sheet. Everything but letters, digits and what lies beyond
    /// ASCII is written by its number, so that nothing in it ends the quotes, the sheet or the
    /// element that holds it.
    static func quoted(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { result, scalar in
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", " ", "\u{A0}"...:
                result.unicodeScalars.append(scalar)
            case "\u{0}": result += "\\fffd "
            default: result += "\\" + String(scalar.value, radix: 16) + " "
            }
        }
    }
}
