/// How wide a text is drawn, in widths of a digit.
///
/// Chinese characters and full-width forms count two, marks that sit on the letter before them
/// count nothing. It is what a terminal draws exactly and a proportional font roughly; columns are
/// laid out by it.
package enum TextWidth {
    /// The width of a text on one line.
    package static func cells(_ text: some StringProtocol) -> Int {
        text.unicodeScalars.reduce(0) { $0 + cells($1) }
    }

    /// The width of the widest line of a text.
    package static func widestLine(_ text: String) -> Int {
        text.split(whereSeparator: \.isNewline).map { cells($0) }.max() ?? 0
    }

    /// The width below which a text cannot be broken into lines: its longest word, where a Chinese
    /// character is a word of its own.
    package static func narrowest(_ text: String) -> Int {
        var (longest, word) = (0, 0)
        for scalar in text.unicodeScalars {
            let width = cells(scalar)
            if width == 2 || scalar.properties.isWhitespace {
                longest = max(longest, word, width)
                word = 0
            } else {
                word += width
            }
        }
        return max(longest, word)
    }

    private static func cells(_ scalar: Unicode.Scalar) -> Int {
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x4DBF, 0x4E00...0x9FFF, 0xAC00...0xD7A3,
            0xF900...0xFAFF, 0xFE30...0xFE4F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x20000...0x3FFFD:
            2
        case 0x300...0x36F, 0x200B...0x200F, 0xFE00...0xFE0F: 0
        default: 1
        }
    }
}
