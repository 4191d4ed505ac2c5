import CXlsxWriter
import EnergyAccounting
import Telemetry

/// Fills the sheets of one workbook; `StatementWorkbook` draws what stands where.
///
/// Calls go on after the library has refused something, because the workbook is freed only by
/// closing it; the first refusal is kept.
struct StatementSheets {
    private let book: UnsafeMutablePointer<lxw_workbook>
    private let language: StatementLanguage
    private var formats: SheetFormats
    private var names = SheetNames()
    /// The first thing that the library refused, with its words and its place; nil when nothing.
    private(set) var refusal: String?

    /// Columns wider than this wrap their texts; narrower ones than `narrowest` look like cracks.
    private static let widest = 48
    private static let narrowest = 8
    /// Rows of paper: upright A4 holds about this width in normal letters.
    private static let uprightWidth = 95

    init(book: UnsafeMutablePointer<lxw_workbook>, language: StatementLanguage) {
        self.book = book
        self.language = language
        formats = SheetFormats(book: book)
    }

    /// Title, site and creation date, as the system shows them of a file.
    mutating func setProperties(of document: StatementDocument, created: Timestamp) {
        // 0 means "now" to the library, and Excel knows no year of five digits.
        let seconds = max(1, min(created.milliseconds / 1000, 253_402_300_799))
        let title = "\(document.title[language]) \(document.period)"
        let error = Self.clean(title).withCString { title in
            Self.clean(document.site).withCString { site in
                var properties = lxw_doc_properties()
                properties.title = UnsafeMutablePointer(mutating: title)
                properties.subject = UnsafeMutablePointer(mutating: site)
                properties.created = Int(seconds)
                return workbook_set_properties(book, &properties)
            }
        }
        note(error, "properties")
    }

    // MARK: The cover

    mutating func addCover(of document: StatementDocument) {
        guard let sheet = addSheet(StatementWords.cover[language], of: document) else { return }
        write(document.title[language], sheet, 0, 0, SheetFormat(.heading))
        write(document.site, sheet, 1, 0, SheetFormat(.text))
        write(document.period, sheet, 2, 0, SheetFormat(.text))
        var row = 4
        for fact in document.facts {
            write(fact.title[language], sheet, row, 0, SheetFormat(.text, wraps: true))
            write(fact.value, reason: fact.value.reason?[language], sheet, row, 1)
            write(fact.unit, sheet, row, 2, SheetFormat(.text))
            row += 1
        }
        if document.facts.contains(where: { $0.value.isEstimated }) {
            write(legend, sheet, row, 0, SheetFormat(.remark))
            row += 1
        }
        if !document.notes.isEmpty {
            row += 1
            write(StatementWords.notes[language], sheet, row, 0, SheetFormat(.title))
            row += 1
            for note in document.notes {
                // Over three columns, because a note is longer than a name.
                write(note[language], sheet, row, mergedThrough: 2, SheetFormat(.text, wraps: true))
                row += 1
            }
        }
        for signature in document.signatures {
            write(signature[language], sheet, row + 1, 0, SheetFormat(.title))
            write(StatementWords.date[language], sheet, row + 2, 0, SheetFormat(.remark))
            row += 3
        }
        setCoverWidths(of: document, sheet)
    }

    private mutating func setCoverWidths(
        of document: StatementDocument, _ sheet: UnsafeMutablePointer<lxw_worksheet>
    ) {
        let titles = document.facts.map { TextWidth.cells($0.title[language]) }
        let values = document.facts.map { fact -> Int in
            TextWidth.cells(text(of: fact.value, reason: fact.value.reason?[language])) + 2
        }
        let units = document.facts.map { TextWidth.cells($0.unit) }
        for (column, widths) in [titles + [24], values + [16], units + [10]].enumerated() {
            setWidth(widths.max() ?? 0, of: column, sheet)
        }
    }

    // MARK: A table

    mutating func add(_ table: StatementDocument.Table, of document: StatementDocument) {
        guard let sheet = addSheet(table.title[language], of: document) else { return }
        let footnotes = StatementFootnotes(table)
        write(table.title[language], sheet, 0, 0, SheetFormat(.heading))
        for (index, column) in table.columns.enumerated() {
            let title = column.title[language] + (column.unit.isEmpty ? "" : "\n\(column.unit)")
            write(
                title, sheet, 1, index, SheetFormat(.title, isRight: column.isNumber, wraps: true))
        }
        for row in table.rows.indices {
            for column in table.columns.indices {
                let cell = table.cell(row, column)
                write(
                    cell, footnote: footnotes.number(of: cell),
                    isNumber: table.columns[column].isNumber, isSum: table.sums.contains(row),
                    sheet, row + 2, column)
            }
        }
        var remarks = table.hasEstimates ? [legend] : []
        for (index, reason) in footnotes.reasons.enumerated() {
            remarks.append("\(Self.superscript(index + 1)) \(reason[language])")
        }
        for (index, remark) in remarks.enumerated() {
            write(remark, sheet, table.rows.count + 3 + index, 0, SheetFormat(.remark))
        }
        layOut(table, footnotes, sheet)
    }

    /// Widths, the frozen rows, and how it is printed.
    private mutating func layOut(
        _ table: StatementDocument.Table, _ footnotes: StatementFootnotes,
        _ sheet: UnsafeMutablePointer<lxw_worksheet>
    ) {
        var total = 0
        for (index, column) in table.columns.enumerated() {
            let title = column.title[language]
            // A title is broken into lines, but not below a third of its length.
            let head = max(
                TextWidth.narrowest(title), TextWidth.cells(title) / 3, TextWidth.cells(column.unit)
            )
            let cells = table.cells(ofColumn: index).map { cell in
                TextWidth.widestLine(text(of: cell, footnote: footnotes.number(of: cell)))
            }
            total += setWidth(([head] + cells).max() ?? 0, of: index, sheet)
        }
        let namesRows = table.columns.first?.isNumber == false
        worksheet_freeze_panes(sheet, 2, namesRows ? 1 : 0)
        note(worksheet_repeat_rows(sheet, 1, 1), table.title[language])
        if total > Self.uprightWidth { worksheet_set_landscape(sheet) }
    }

    // MARK: Sheets

    private mutating func addSheet(
        _ title: String, of document: StatementDocument
    ) -> UnsafeMutablePointer<lxw_worksheet>? {
        let name = names.next(title)
        guard let sheet = workbook_add_worksheet(book, name) else {
            note(workbook_validate_sheet_name(book, name), "sheet \(name)")
            if refusal == nil { refusal = "sheet \(name): refused" }
            return nil
        }
        worksheet_set_paper(sheet, 9)  // A4
        worksheet_fit_to_pages(sheet, 1, 0)
        let running = Self.footerText("\(document.site) · \(document.period)")
        note(worksheet_set_footer(sheet, "&L&8 \(running)&R&8 &P / &N"), name)
        return sheet
    }

    /// A text of the footer, which may have 255 characters with its codes; a code begins with an
    /// ampersand. By scalars: with a combining mark behind it `&` is another character to Swift.
    static func footerText(_ text: String) -> String {
        clean(text).unicodeScalars.prefix(80).reduce(into: "") { result, scalar in
            switch scalar {
            case "&": result += "&&"
            case "\n", "\t": result += " "
            default: result.unicodeScalars.append(scalar)
            }
        }
    }

    /// Returns the width that was set, in digits.
    @discardableResult
    private mutating func setWidth(
        _ digits: Int, of column: Int, _ sheet: UnsafeMutablePointer<lxw_worksheet>
    ) -> Int {
        let width = max(Self.narrowest, min(digits + 2, Self.widest))
        note(
            worksheet_set_column(
                sheet, lxw_col_t(clamping: column), lxw_col_t(clamping: column), Double(width), nil),
            "column \(column + 1)")
        return width
    }

    // MARK: Cells

    private var legend: String {
        "\(StatementWords.estimatedMark) \(StatementWords.estimatedLegend[language])"
    }

    /// A cell as text, for its width and where it is no number.
    private func text(
        of cell: StatementDocument.Cell, footnote: Int? = nil, reason: String? = nil
    ) -> String {
        switch cell {
        case .text(let text): text[language]
        case .number(let number):
            // Thousands separators and the mark are drawn by the format.
            number.text + String(repeating: " ", count: number.text.utf8.count / 3 + 2)
        case .missing:
            StatementWords.missingMark + (footnote.map(Self.superscript) ?? "")
                + (reason.map { " " + $0 } ?? "")
        }
    }

    private mutating func write(
        _ cell: StatementDocument.Cell, footnote: Int? = nil, reason: String? = nil,
        isNumber: Bool = true, isSum: Bool = false,
        _ sheet: UnsafeMutablePointer<lxw_worksheet>, _ row: Int, _ column: Int
    ) {
        switch cell {
        case .text(let text):
            let format = SheetFormat(.text, isSum: isSum, isRight: isNumber, wraps: true)
            write(text[language], sheet, row, column, format)
        case .missing:
            let text = text(of: cell, footnote: footnote, reason: reason)
            write(text, sheet, row, column, SheetFormat(.numberText, isSum: isSum))
        case .number(let number):
            guard let double = Self.double(number.text) else {
                let mark = number.isEstimated ? "\(StatementWords.estimatedMark) " : ""
                let format = SheetFormat(
                    .numberText, isEstimated: number.isEstimated, isSum: isSum)
                return write(mark + number.text, sheet, row, column, format)
            }
            let format = SheetFormat(
                .number(places: number.places), isEstimated: number.isEstimated, isSum: isSum)
            note(
                worksheet_write_number(
                    sheet, lxw_row_t(clamping: row), lxw_col_t(clamping: column), double,
                    formats.pointer(format)), Self.place(row, column))
        }
    }

    private mutating func write(
        _ text: String, _ sheet: UnsafeMutablePointer<lxw_worksheet>, _ row: Int, _ column: Int,
        _ format: SheetFormat
    ) {
        note(
            worksheet_write_string(
                sheet, lxw_row_t(clamping: row), lxw_col_t(clamping: column), Self.clean(text),
                formats.pointer(format)), Self.place(row, column))
    }

    /// Writes a text over the columns up to `last`, in a row that is high enough for it.
    private mutating func write(
        _ text: String, _ sheet: UnsafeMutablePointer<lxw_worksheet>, _ row: Int,
        mergedThrough last: Int, _ format: SheetFormat
    ) {
        note(
            worksheet_merge_range(
                sheet, lxw_row_t(clamping: row), 0, lxw_row_t(clamping: row),
                lxw_col_t(clamping: last), Self.clean(text), formats.pointer(format)),
            Self.place(row, 0))
        // Excel fits the height of a row to its texts, but not to merged ones.
        let lines = text.split(whereSeparator: \.isNewline)
            .reduce(0) { $0 + 1 + TextWidth.cells($1) / 52 }
        note(
            worksheet_set_row(
                sheet, lxw_row_t(clamping: row), 15 * Double(max(1, min(lines, 27))), nil),
            Self.place(row, 0))
    }

    private mutating func note(_ error: lxw_error, _ place: String) {
        guard error != LXW_NO_ERROR, refusal == nil else { return }
        refusal = "\(place): \(StatementWorkbook.words(of: error))"
    }

    // MARK: Values

    /// The double of which a printed number is the decimal; nil when it has more than the 15
    /// significant digits that every double keeps.
    static func double(_ text: String) -> Double? {
        let digits = text.utf8.filter { (0x30...0x39).contains($0) }.drop { $0 == 0x30 }
        return digits.count <= 15 ? Double(text) : nil
    }

    /// A text without what XML cannot hold; the library's would end at a NUL.
    private static func clean(_ text: some StringProtocol) -> String {
        let scalars = text.unicodeScalars.map { scalar -> Unicode.Scalar in
            switch scalar {
            case "\t", "\n": scalar
            case "\0"..<" ", "\u{7F}"..<"\u{A0}", "\u{FFFE}", "\u{FFFF}": "\u{FFFD}"
            default: scalar
            }
        }
        return String(String.UnicodeScalarView(scalars))
    }

    /// `12` as ¹².
    static func superscript(_ number: Int) -> String {
        let digits = Array("⁰¹²³⁴⁵⁶⁷⁸⁹")
        return String("\(number)".compactMap { $0.wholeNumberValue.map { digits[$0] } })
    }

    /// As a spreadsheet names it, by number: R1C1.
    private static func place(_ row: Int, _ column: Int) -> String { "R\(row + 1)C\(column + 1)" }
}
