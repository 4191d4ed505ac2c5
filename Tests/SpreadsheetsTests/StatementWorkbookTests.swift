import EnergyAccounting
import Foundation
import Telemetry
import TestPeers
import TestSeeds
import TestStatements
import Testing

@testable import Spreadsheets

private typealias Table = StatementDocument.Table
private let none = LocalizedText(en: "", zh: "")
/// 2026-04-02T01:30:05.900Z: a fraction of a second, which a workbook does not keep.
private let created = Timestamp(milliseconds: 1_775_093_405_900)

private func table(_ cells: [[StatementDocument.Cell]], sums: Set<Int> = []) -> Table {
    Table(
        key: "t", title: LocalizedText(en: "T", zh: "表"),
        columns: (cells.first ?? []).indices.map { .init("c\($0)", none) }, rows: cells, sums: sums)
}

private func document(_ tables: [Table]) -> StatementDocument {
    StatementDocument(kind: "k", title: none, site: "", period: "", tables: tables)
}

/// Writes a document and reads it back.
private func read(
    _ document: StatementDocument, _ language: StatementLanguage = .en, created: Timestamp = created
) async throws -> ReadWorkbook {
    try await withTemporaryFolder { folder in
        let path = folder + "/statement.xlsx"
        try StatementWorkbook.write(document, language: language, created: created, to: path)
        return try await ReadWorkbook(path)
    }
}

private func number(
    _ text: String, _ places: Int, isEstimated: Bool = false
) -> StatementDocument.Cell {
    .number(.init(Exact(text: text) ?? .zero, places: places, isEstimated: isEstimated))
}

@Suite("Statements as workbooks")
struct StatementWorkbookTests {
    @Test(
        "every cell of every table is read back as it stands in the document",
        arguments: ["monthly", "yearly", "hostile"], StatementLanguage.allCases)
    func cells(name: String, language: StatementLanguage) async throws {
        let document = [
            "monthly": SampleStatements.monthly, "yearly": SampleStatements.yearly,
            "hostile": SampleStatements.hostile,
        ][name]
        let wanted = try #require(document)
        let book = try await read(wanted, language)
        #expect(book.sheets.count == wanted.tables.count + 1)
        for (table, sheet) in zip(wanted.tables, book.sheets.dropFirst()) {
            #expect(sheet[0, 0]?.text == table.title[language])
            for (index, column) in table.columns.enumerated() {
                let unit = column.unit.isEmpty ? "" : "\n" + column.unit
                let title = column.title[language] + unit
                #expect((sheet[1, index]?.text ?? "") == title)
                #expect(title.isEmpty || sheet[1, index]?.bold == true)
            }
            for row in table.rows.indices {
                let isSum = table.sums.contains(row)
                for column in table.columns.indices {
                    compare(sheet[row + 2, column], table.cell(row, column), language, isSum: isSum)
                }
            }
        }
    }

    private func compare(
        _ read: ReadWorkbook.Cell?, _ cell: StatementDocument.Cell,
        _ language: StatementLanguage, isSum: Bool
    ) {
        switch cell {
        case .text(let text):
            // openpyxl knows no empty text, and writes line ends as \n.
            let shown = text[language].replacing("\r\n", with: "\u{FFFD}\n")
            #expect((read?.text ?? "") == shown)
        case .missing: #expect(read?.text?.hasPrefix("–") == true)
        case .number(let number):
            #expect(read?.italic == number.isEstimated)
            if number.text.utf8.count <= 15 {
                #expect(read?.number == Double(number.text))
                let digits = String(repeating: "0", count: number.places)
                let format = "#,##0" + (digits.isEmpty ? "" : "." + digits)
                #expect(
                    read?.format
                        == (number.isEstimated ? "\"≈ \"\(format);\"≈ \"-\(format)" : format))
            } else {
                #expect(read?.text == number.text)
                #expect(read?.alignment == "right")
            }
        }
        if let read, !(read.text ?? "x").isEmpty { #expect(read.bold == isSum) }
    }

    @Test("the cover has the site, the period, the facts and the notes, in the language asked for")
    func cover() async throws {
        let sheet = try #require(try await read(SampleStatements.monthly, .zh).sheets.first)
        #expect(sheet.name == "封面")
        let lines = sheet.rows.map { row in
            row.map { cell in
                cell.map { $0.text ?? $0.number.map { "\($0)" } ?? "" } ?? ""
            }.joined(separator: "|")
        }
        #expect(
            lines == [
                "月度能耗结算单||", "杭州钱塘区金沙湖商务中心二期（T3 塔楼）||", "2026-03||", "||",
                "总建筑面积|46850.0|m²", "总用电量|2896120.5|kWh", "总用水量|5210.4|m³",
                "电费合计|2135020.03|CNY", "单位面积电耗|61.82|kWh/m²",
                "天然气用量|– 表计未接入|m³", "电价方案|浙江 一般工商业 1–10 kV 分时|",
                "供电户号|3300012345678901|", "≈ 含估算值||", "||", "说明||",
                "电价：2026 年 3 月省级电网代理购电公告，来源状态：二手资料。||",
                "T3-07：3 月 11 日至 13 日无通信，总量准确，各时段分摊为估算。||", "||", "编制||",
                "日期||", "||", "审核||", "日期||", "||", "批准（盖章）||", "日期||",
            ])
        #expect(sheet[5, 1]?.format == "#,##0.00" && sheet[5, 1]?.italic == false)
        #expect(
            sheet[6, 1]?.format == "\"≈ \"#,##0.0;\"≈ \"-#,##0.0" && sheet[6, 1]?.italic == true)
        #expect(sheet[0, 0]?.bold == true)
    }

    @Test("the account number, 16 digits of it, is a text, and nothing is a formula")
    func textsStayTexts() async throws {
        let book = try await read(
            document([
                table([[.word("3300012345678901"), .word("=1+1"), .word("-5"), .word("007")]])
            ]))
        #expect(
            book.sheets[1].rows[2].map { $0?.text }
                == ["3300012345678901", "=1+1", "-5", "007"])
    }

    @Test(
        "a number of more than 15 significant digits is a text rather than another number",
        arguments: [
            ("123456789012.345", 3, true), ("1234567890123.456", 3, false),
            ("999999999999999", 0, true), ("9999999999999999", 0, false),
            ("0.000000001", 9, true), ("-123456.123456789", 9, true), ("0", 2, true),
            ("-9007199254740993", 0, false),
        ])
    func longNumbers(text: String, places: Int, isNumber: Bool) async throws {
        let book = try await read(
            document([table([[number(text, places), number(text, places, isEstimated: true)]])]))
        let printed = try #require(Exact(text: text)).text(places: places)
        let row = book.sheets[1].rows[2]
        #expect(row[0]?.number == (isNumber ? Double(printed) : nil))
        #expect(row[0]?.text == (isNumber ? nil : printed))
        #expect(row[1]?.text == (isNumber ? nil : "≈ " + printed))
        #expect(row[1]?.italic == true)
    }

    @Test("any number of up to 15 digits comes back with its printed digits")
    func digits() async throws {
        var random = SeededGenerator(0x5EED_AB)
        let cells = (0..<2_000).map { _ -> StatementDocument.Cell in
            let mantissa = Int.random(in: 0..<Int(1e15), using: &random)
            let shift = Int.random(in: 0...14, using: &random)
            let power = (0..<shift).reduce(1) { power, _ in power * 10 }
            return .number(
                .init(
                    Exact(Int128(mantissa / power) * (random.oneIn(2) ? 1 : -1), over: 1_000_000),
                    places: 6))
        }
        let book = try await read(document([table(cells.map { [$0] })]))
        for (row, cell) in cells.enumerated() {
            guard case .number(let number) = cell else { continue }
            let double = try #require(book.sheets[1].rows[row + 2][0]?.number)
            // A spreadsheet shows the digits that it is told to, of the double that it read.
            #expect(String(format: "%.6f", double) == number.text || double == 0)
        }
    }

    @Test("what is missing refers to its reason below the table, and ≈ is explained there")
    func remarks() async throws {
        let reason = LocalizedText(en: "no meter", zh: "无表")
        let book = try await read(
            document([
                table([
                    [.missing(reason), .missing(none)],
                    [number("1", 0, isEstimated: true), .missing(reason)],
                ])
            ]), .zh)
        let sheet = book.sheets[1]
        #expect(sheet[2, 0]?.text == "–¹" && sheet[2, 1]?.text == "–" && sheet[3, 1]?.text == "–¹")
        #expect(sheet[5, 0]?.text == "≈ 含估算值" && sheet[6, 0]?.text == "¹ 无表")
        #expect(StatementSheets.superscript(1023) == "¹⁰²³")
    }

    @Test("the rows with the titles stay in sight and are repeated on paper, A4 and as wide as it")
    func printing() async throws {
        let book = try await read(SampleStatements.yearly, .zh)
        #expect(book.sheets.allSatisfy { $0.paper == 9 })
        #expect(
            book.sheets.allSatisfy { $0.fit == ReadWorkbook.Fit(width: 1, height: 0, isOn: true) })
        #expect(book.sheets[1].frozen == "B3" && book.sheets[1].repeated == "$2:$2")
        #expect(book.sheets[1].turn == "landscape")
        #expect(book.sheets[2].turn == "portrait")
        #expect(
            book.sheets[1].footer
                == ["杭州钱塘区金沙湖商务中心二期（T3 塔楼） · 2025", "&P / &N"])
    }

    @Test(
        "a site's name is no code of the footer",
        arguments: [
            ("A&P", "A&&P"), ("&\u{338}P", "&&\u{338}P"), ("a\nb", "a b"),
            (String(repeating: "长", count: 99), String(repeating: "长", count: 80)),
        ])
    func footer(text: String, written: String) {
        #expect(
            Array(StatementSheets.footerText(text).unicodeScalars)
                == Array(written.unicodeScalars))
    }

    @Test("columns are as wide as their texts, Chinese characters counted twice, within bounds")
    func widths() async throws {
        let book = try await read(
            document([
                table([
                    [
                        .word("用电设备编号"), .word("x"), .word(String(repeating: "长", count: 90)),
                        number("1234567.89", 2),
                    ]
                ])
            ]))
        let widths = book.sheets[1].widths
        // Excel adds 5 of 7 pixels of a digit as its margin.
        func isAbout(_ column: String, _ digits: Double) -> Bool {
            abs((widths[column] ?? 0) - digits - 0.71) < 0.1
        }
        #expect(isAbout("A", 14) && isAbout("B", 8) && isAbout("C", 48) && isAbout("D", 17))
    }

    @Test("the workbook carries its title, its site and the date that it was given")
    func properties() async throws {
        let book = try await read(SampleStatements.monthly, .zh)
        #expect(book.created == "2026-04-02T01:30:05")
        #expect(book.title == "月度能耗结算单 2026-03")
        #expect(book.subject == "杭州钱塘区金沙湖商务中心二期（T3 塔楼）")
        #expect(book.times.allSatisfy { $0 == [1980, 1, 1, 0, 0, 0] })
    }

    @Test(
        "an absurd creation date becomes the nearest possible one",
        arguments: [
            (0, "1970-01-01T00:00:01"), (-5_000, "1970-01-01T00:00:01"),
            (Int64.min, "1970-01-01T00:00:01"), (Int64.max, "9999-12-31T23:59:59"),
        ])
    func absurdDates(milliseconds: Int64, expected: String) async throws {
        let book = try await read(document([]), created: Timestamp(milliseconds: milliseconds))
        #expect(book.created == expected)
    }
}

@Suite("Files of workbooks")
struct WorkbookFileTests {
    @Test("the same statement gives the same bytes, also in another second")
    func sameBytes() async throws {
        try await withTemporaryFolder { folder in
            let paths = [folder + "/a.xlsx", folder + "/b.xlsx"]
            for path in paths {
                try StatementWorkbook.write(
                    SampleStatements.monthly, language: .zh, created: created, to: path)
                // An archive's times have steps of two seconds.
                if path == paths[0] { try await Task.sleep(for: .milliseconds(2_100)) }
            }
            let files = try paths.map { try Data(contentsOf: URL(fileURLWithPath: $0)) }
            #expect(files[0] == files[1] && !files[0].isEmpty)
            try StatementWorkbook.write(
                SampleStatements.monthly, language: .zh, created: created + .seconds(1),
                to: paths[1])
            #expect(try Data(contentsOf: URL(fileURLWithPath: paths[1])) != files[0])
        }
    }

    @Test("a new workbook takes the place of the old one, and nothing else is left")
    func replacing() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/月报.xlsx"
            try "old".write(toFile: path, atomically: true, encoding: .utf8)
            try StatementWorkbook.write(
                SampleStatements.monthly, language: .zh, created: created, to: path)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["月报.xlsx"])
            #expect(try await ReadWorkbook(path).sheets.count == 2)
        }
    }

    @Test("a folder that does not exist is told with the path and the library's words")
    func noFolder() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/none/a.xlsx"
            let error = try #require(throws: WorkbookError.self) {
                try StatementWorkbook.write(
                    SampleStatements.monthly, language: .en, created: created, to: path)
            }
            #expect(error.step == .write && error.path == path)
            #expect(
                error.description == "the workbook \(path) was not written: "
                    + "Error creating output xlsx file. Usually a permissions error.")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
        }
    }

    @Test("where a folder has the name, the folder stays and the half-done file goes")
    func folderInTheWay() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/a.xlsx"
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: false)
            let error = try #require(throws: WorkbookError.self) {
                try StatementWorkbook.write(
                    SampleStatements.monthly, language: .en, created: created, to: path)
            }
            #expect(error.step == .rename && error.cause == "Is a directory")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.xlsx"])
        }
    }

    @Test("a text that no cell can hold is refused with its place, and the old file stays")
    func tooLong() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/a.xlsx"
            try "old".write(toFile: path, atomically: true, encoding: .utf8)
            let long = String(repeating: "x", count: 32_768)
            let error = try #require(throws: WorkbookError.self) {
                try StatementWorkbook.write(
                    document([table([[.word("a"), .word(long)]])]), language: .en,
                    created: created, to: path)
            }
            #expect(error.step == .fill)
            #expect(
                error.cause
                    == "R3C2: String exceeds Excel's limit of 32,767 characters.")
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "old")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.xlsx"])
        }
    }
}

@Suite("Names of sheets")
struct SheetNameTests {
    private func names(_ titles: [String]) -> [String] {
        var names = SheetNames()
        return titles.map { names.next($0) }
    }

    @Test(
        "what Excel forbids is replaced",
        arguments: [
            ("各支路用电", "各支路用电"), ("a/b:c*d?e\\f", "a-b-c-d-e-f"), ("[kWh]", "(kWh)"),
            ("'quoted'", "quoted"), ("it's", "it's"), ("", "-"), ("''", "-"), ("a\nb", "a b"),
            ("history", "history (2)"),
            (String(repeating: "长", count: 40), String(repeating: "长", count: 31)),
            // A character beyond the first plane is two of Excel's.
            (String(repeating: "😀", count: 20), String(repeating: "😀", count: 15)),
            (String(repeating: "x", count: 30) + "'y", String(repeating: "x", count: 30)),
        ])
    func forbidden(title: String, name: String) { #expect(names([title]) == [name]) }

    @Test("no two are alike, whatever their case, and a number fits into the length")
    func unique() {
        #expect(names(["A", "a", "A", "b"]) == ["A", "a (2)", "A (3)", "b"])
        let long = String(repeating: "x", count: 40)
        #expect(
            names([long, long]).last == String(repeating: "x", count: 27) + " (2)")
        #expect(names(["A", "A", "A (2)"]) == ["A", "A (2)", "A (2) (2)"])
    }

    @Test("a workbook with such names opens")
    func opens() async throws {
        let titles = ["封面", "[x]", "it's", "a/b", "A-B", "History", "", "'"]
        let tables = titles.map {
            Table(
                key: "t", title: LocalizedText(en: $0, zh: $0),
                columns: [.init("c", none)], rows: [[.word("1")]])
        }
        let book = try await read(document(tables), .zh)
        #expect(
            book.sheets.map(\.name) == [
                "封面", "封面 (2)", "(x)", "it's", "a-b", "A-B (2)", "History (2)", "-", "- (2)",
            ])
    }
}
