/// How the bytes of an XML text are to be read, from its declaration and from the bytes themselves.
///
///     declared                      bytes                                      read as
///     nothing, utf-8                any                                        UTF-8
///     gb2312, gbk, gb18030          not valid UTF-8                            GB18030
///                                   valid UTF-8 with a sequence of 3 or more   UTF-8
///                                   valid UTF-8, sequences of 2 at most        GB18030
///     anything else                                                            refused
///
/// Programs that declare GB2312 and send UTF-8 are common. Chinese characters take 3 bytes in UTF-8
/// and 2 in GB2312, so that a text that is valid UTF-8 and has such a sequence is hardly anything
/// else; with sequences of 2 alone it would be Greek or Cyrillic, and the declaration is right.
/// GB18030 contains GBK, which contains GB2312.
enum XMLEncoding: Hashable, Sendable {
    case utf8
    case gb18030

    /// The name by which libxml2 and iconv know it.
    var name: String { self == .utf8 ? "UTF-8" : "GB18030" }

    /// Decides for `bytes`, which begin with `<`.
    static func of(_ bytes: ArraySlice<UInt8>) throws(XMLRefusal) -> XMLEncoding {
        guard let declared = declaration(bytes) else { return .utf8 }
        switch declared.lowercased() {
        case "utf-8", "utf8", "us-ascii", "ascii": return .utf8
        case "gb2312", "gbk", "gb18030", "gb_2312-80", "euc-cn", "cp936":
            return isSurelyUTF8(bytes) ? .utf8 : .gb18030
        default: throw .encoding(declared)
        }
    }

    /// The encoding that `<?xml … encoding="…"?>` names; nil without one.
    private static func declaration(_ bytes: ArraySlice<UInt8>) -> String? {
        guard bytes.starts(with: "<?xml".utf8) else { return nil }
        // A declaration is short and ASCII; what is longer is none.
        let head = String(decoding: bytes.prefix(200).prefix { $0 != 0x3E }, as: UTF8.self)
        guard let key = head.firstRange(of: "encoding") else { return nil }
        let rest = head[key.upperBound...].drop { $0 == " " || $0 == "=" || $0 == "\t" }
        guard let quote = rest.first, quote == "\"" || quote == "'" else { return nil }
        // The name goes into refusals and from there into a log. XML 1.0 (production 81) has no
        // other characters in it than these.
        return String(
            rest.dropFirst().prefix { $0 != quote }.prefix(40).map { character in
                let isPlain = character.isASCII && (character.isLetter || character.isNumber)
                return isPlain || "._-".contains(character) ? character : "?"
            })
    }

    private static func isSurelyUTF8(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.contains { $0 >= 0xE0 } && String(validating: bytes, as: UTF8.self) != nil
    }
}
