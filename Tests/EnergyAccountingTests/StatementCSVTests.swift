import EnergyAccounting
import Telemetry
import TestSeeds
import TestStatements
import Testing

@Suite("Statements as comma-separated values")
struct StatementCSVTests {
    private typealias Table = StatementDocument.Table
    private static let none = LocalizedText(en: "", zh: "")

    private func table(
        _ columns: [StatementDocument.Column], _ rows: [[StatementDocument.Cell]],
        sums: Set<Int> = []
    ) -> Table {
        Table(key: "t", title: Self.none, columns: columns, rows: rows, sums: sums)
    }

    private func number(
        _ text: String, _ places: Int, trace: String? = nil, isEstimated: Bool = false
    ) -> StatementDocument.Cell {
        .number(
            .init(
                Exact(text: text) ?? .zero, places: places, trace: trace, isEstimated: isEstimated))
    }

    private var energy: StatementDocument.Column {
        .init("energy", LocalizedText(en: "Energy", zh: "电量"), unit: "kWh")
    }

    private var name: StatementDocument.Column {
        .init("name", LocalizedText(en: "Name", zh: "名称"), isNumber: false)
    }

    @Test("a plain table has its keys, its numbers and nothing else")
    func plain() {
        let table = table([name, energy], [[.word("A"), number("-1234.5", 2)]])
        #expect(StatementCSV(.machine).table(table) == "name,energy\r\nA,-1234.50\r\n")
        #expect(
            StatementCSV(.machine, hasTraces: true).table(table)
                == "name,energy\r\nA,-1234.50\r\n")
    }

    @Test("flags, reasons and traces have columns where a table has any, and sums are told apart")
    func flags() {
        let table = table(
            [name, energy],
            [
                [.word("A"), number("1", 1, trace: "a", isEstimated: true)],
                [.word("B"), .missing(LocalizedText(en: "no meter", zh: "无表"))],
                [.word("Sum"), number("1", 1)],
            ], sums: [2])
        #expect(
            StatementCSV(.machine, hasTraces: true).table(table) == """
                name,energy,energy_estimated,energy_missing,energy_trace,is_sum\r
                A,1.0,true,,a,false\r
                B,,,no meter,,false\r
                Sum,1.0,false,,,true\r

                """)
        #expect(
            StatementCSV(.people(.zh)).table(table) == """
                名称,电量 (kWh),电量：估算,电量：缺失原因\r
                A,1.0,是,\r
                B,–,,无表\r
                Sum,1.0,,\r

                """)
    }

    @Test("a name that is added gives way to the names of the table")
    func clash() {
        let table = table(
            [energy, .init("energy_estimated", Self.none), .init("is_sum", Self.none)],
            [[number("1", 0, isEstimated: true), number("2", 0), number("3", 0)]], sums: [0])
        #expect(
            StatementCSV(.machine).table(table)
                == "energy,energy_estimated_,energy_estimated,is_sum,is_sum_\r\n"
                + "1,true,2,3,true\r\n")
    }

    @Test(
        "a text that a spreadsheet would take for a formula gets an apostrophe",
        arguments: [
            "=1+1", "+1", "-1F", "@SUM(A1)", "＝1", "＋1", "－1", "＠x", "\tx", "=\u{338}x",
        ])
    func formulas(text: String) {
        let table = table([name], [[.word(text)]])
        #expect(StatementCSV(.machine).table(table) == "name\r\n'\(text)\r\n")
        #expect(StatementCSV(.people(.en)).table(table) == "Name\r\n'\(text)\r\n")
    }

    @Test("a negative number is no formula, and a sign inside a text is none either")
    func numbersAreNotGuarded() {
        let table = table([name, energy], [[.word("T3-07 = A"), number("-5", 0)]])
        #expect(StatementCSV(.machine).table(table) == "name,energy\r\nT3-07 = A,-5\r\n")
    }

    @Test("the mark for Excel stands first and once, and only where it is asked for")
    func byteOrderMark() {
        let document = SampleStatements.monthly
        let bytes = [UInt8](
            StatementCSV(.people(.zh), hasByteOrderMark: true).document(document).utf8)
        #expect(bytes.prefix(3) == [0xEF, 0xBB, 0xBF])
        #expect(
            StatementCSV(.people(.zh)).document(document).utf8.elementsEqual(bytes.dropFirst(3)))
    }

    @Test("one table is chosen by its key")
    func choice() throws {
        let document = SampleStatements.yearly
        let csv = StatementCSV(.machine)
        #expect(csv.table("nothing", of: document) == nil)
        #expect(
            csv.table("factors", of: document)
                == "name,value\r\n\"Electricity, equivalent\",0.1229\r\n")
    }

    @Test("a document's sections stand apart by an empty line, and no row of one looks like it")
    func sections() {
        let document = StatementDocument(
            kind: "k", title: Self.none, site: "S", period: "2026-03",
            tables: [table([name], [[.word("")], [.word("x")]])],
            notes: [LocalizedText(en: "n", zh: "")])
        #expect(
            StatementCSV(.machine).document(document) == """
                statement\r
                kind,site,period\r
                k,S,2026-03\r
                \r
                t\r
                name\r
                ""\r
                x\r
                \r
                notes\r
                n\r

                """)
    }

    @Test("whatever a text holds, a reader of RFC 4180 gets it back")
    func roundTrip() throws {
        var random = SeededGenerator(0x5EED_C5)
        let pieces = [
            "a", "\"", ",", "\r\n", "\n", "\r", " ", "\u{301}", "电", ";", "'", "", "\"\"",
        ]
        for _ in 0..<500 {
            let rows = (0..<3).map { _ in
                (0..<3).map { _ in
                    // A letter first: what is done to formulas has a test of its own.
                    "x" + (0..<4).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
                }
            }
            let table = table(
                (0..<3).map { .init("c\($0)", Self.none, isNumber: false) },
                rows.map { $0.map { .word($0) } })
            let read = try parse(StatementCSV(.machine).table(table))
            let scalars = read.dropFirst().map { $0.map { Array($0.unicodeScalars) } }
            #expect(scalars == rows.map { $0.map { Array($0.unicodeScalars) } })
        }
    }

    private struct Malformed: Error {}

    /// A reader written from RFC 4180: fields, quoted or not, and CRLF behind every record.
    private func parse(_ text: String) throws -> [[String]] {
        var rows: [[String]] = []
        var row: [String] = []
        var field = String.UnicodeScalarView()
        var rest = Substring(text).unicodeScalars
        while !rest.isEmpty {
            if rest.first == "\"" {
                rest.removeFirst()
                while true {
                    guard let next = rest.popFirst() else { throw Malformed() }
                    if next == "\"" {
                        guard rest.first == "\"" else { break }
                        rest.removeFirst()
                    }
                    field.append(next)
                }
            } else {
                while let next = rest.first, next != ",", next != "\r" {
                    if next == "\"" || next == "\n" { throw Malformed() }
                    field.append(next)
                    rest.removeFirst()
                }
            }
            row.append(String(field))
            field = .init()
            switch rest.popFirst() {
            case ",": continue
            case "\r":
                guard rest.popFirst() == "\n" else { throw Malformed() }
                rows.append(row)
                row = []
            default: throw Malformed()
            }
        }
        return rows
    }
}
