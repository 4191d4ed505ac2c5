import CXlsxWriter

/// How a cell looks.
struct SheetFormat: Hashable {
    enum Kind: Hashable {
        /// The first line of a sheet.
        case heading
        /// A column's title, or that of a block on the cover.
        case title
        case text
        /// Small and grey: the legend, the reasons.
        case remark
        /// A number with so many places.
        case number(places: Int)
        /// A text in the place of a number.
        case numberText
    }

    var kind: Kind
    var isEstimated = false
    var isSum = false
    /// Whether it stands at the right edge, as a number's title does.
    var isRight = false
    var wraps = false

    init(
        _ kind: Kind, isEstimated: Bool = false, isSum: Bool = false, isRight: Bool = false,
        wraps: Bool = false
    ) {
        self.kind = kind
        self.isEstimated = isEstimated
        self.isSum = isSum
        self.isRight = isRight
        self.wraps = wraps
    }

    /// The number format, `"≈ "#,##0.00;"≈ "-#,##0.00`; nil for texts.
    var numberFormat: String? {
        guard case .number(let places) = kind else { return nil }
        let decimals = String(repeating: "0", count: max(0, min(places, 9)))
        let plain = "#,##0" + (decimals.isEmpty ? "" : "." + decimals)
        // Two sections: with one, Excel writes the minus before the mark.
        return isEstimated ? "\"≈ \"\(plain);\"≈ \"-\(plain)" : plain
    }
}

/// The formats of a workbook, each made once: Excel shows at most 64,000 of them.
struct SheetFormats {
    private let book: UnsafeMutablePointer<lxw_workbook>
    private var made: [SheetFormat: UnsafeMutablePointer<lxw_format>] = [:]

    init(book: UnsafeMutablePointer<lxw_workbook>) { self.book = book }

    /// nil only without memory; a cell is then written without a format.
    mutating func pointer(_ format: SheetFormat) -> UnsafeMutablePointer<lxw_format>? {
        if let pointer = made[format] { return pointer }
        guard let pointer = workbook_add_format(book) else { return nil }
        set(format, on: pointer)
        made[format] = pointer
        return pointer
    }

    private func set(_ format: SheetFormat, on pointer: UnsafeMutablePointer<lxw_format>) {
        switch format.kind {
        case .heading:
            format_set_bold(pointer)
            format_set_font_size(pointer, 14)
        case .title:
            format_set_bold(pointer)
            format_set_align(pointer, UInt8(LXW_ALIGN_VERTICAL_BOTTOM.rawValue))
            format_set_bottom(pointer, UInt8(LXW_BORDER_THIN.rawValue))
        case .remark:
            format_set_font_size(pointer, 9)
            format_set_font_color(pointer, 0x595959)
        case .text, .numberText, .number: break
        }
        if let numberFormat = format.numberFormat { format_set_num_format(pointer, numberFormat) }
        if format.isRight || format.kind == .numberText {
            format_set_align(pointer, UInt8(LXW_ALIGN_RIGHT.rawValue))
        }
        if format.wraps { format_set_text_wrap(pointer) }
        if format.isEstimated { format_set_italic(pointer) }
        if format.isSum {
            format_set_bold(pointer)
            format_set_top(pointer, UInt8(LXW_BORDER_THIN.rawValue))
        }
    }
}
