/// Text outside ASCII in header fields (RFC 2047).
enum EncodedWords {
    private static let opening = "=?UTF-8?B?"

    /// The value of a header field whose name and colon take `column` characters: as it is when it
    /// is short ASCII, otherwise as encoded words on folded lines.
    ///
    /// No line has more than 76 characters, no word more than 75, and no character is torn in two
    /// (section 2 and rule 3 of section 5). Readers join words that only white space divides.
    ///
    /// - Parameter isForced: encoded words in any case.
    static func encode(_ text: String, column: Int, isForced: Bool = false) -> String {
        let line = PlainLine.of(text)
        let isASCII = line.utf8.allSatisfy { (0x20...0x7E).contains($0) }
        if !isForced, isASCII, line.utf8.count + column <= 76, !line.contains("=?") { return line }
        var words: [String] = []
        var bytes: [UInt8] = []
        // Of 75 characters 12 are for the frame, and 4 digits stand for 3 bytes.
        func room() -> Int { (min(75, 76 - (words.isEmpty ? max(column, 1) : 1)) - 12) / 4 * 3 }
        for scalar in line.unicodeScalars {
            let next = Array(String(scalar).utf8)
            if bytes.count + next.count > room() {
                words.append(opening + Encodings.base64(bytes) + "?=")
                bytes = []
            }
            bytes += next
        }
        words.append(opening + Encodings.base64(bytes) + "?=")
        return words.joined(separator: "\n ")
    }
}
