/// Text from configurations, devices and people, made fit for one line of a message.
enum PlainLine {
    /// `text` on one line: runs of white space, line breaks and control characters become one
    /// space, and what turns the reading direction is left out.
    ///
    /// A note with a line break could otherwise write lines of its own into a message, and a title
    /// with one a header into a mail. Joiners stay, because emoji are made of them.
    static func of(_ text: String) -> String {
        var line = String.UnicodeScalarView()
        var isSpaceOwed = false
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069, 0xFEFF: continue
            default: break
            }
            let isGap =
                scalar.properties.isWhitespace || scalar.properties.generalCategory == .control
            if isGap {
                isSpaceOwed = !line.isEmpty
            } else {
                if isSpaceOwed { line.append(" ") }
                isSpaceOwed = false
                line.append(scalar)
            }
        }
        return String(line)
    }

    /// At most `count` characters of it; a cut is marked by `…`.
    static func of(_ text: String, count: Int) -> String {
        let line = of(text)
        return line.count <= count ? line : line.prefix(count - 1) + "…"
    }
}

/// How values are written into the text of one channel, so that none of them is read as markup.
enum TextStyle: Hashable, Sendable, CaseIterable {
    /// Mail, and whatever shows text as it is.
    case plain
    /// Markdown with backslashes. That DingTalk honours `\*`, `\_` and `` \` `` is what
    /// prometheus-webhook-dingtalk relies on; the others follow CommonMark and are unverified.
    case dingtalk
    /// WeCom documents no escape, and `<@userid>` in the text calls a person: such characters are
    /// replaced by their full-width likenesses, which no dialect reads as markup.
    case wecom
    /// Plain text elements of a post. Only `<…>` is defused, because other message types of Feishu
    /// read `<at user_id="all">` in a text as a call to everybody.
    case feishu

    /// Whether templates may use markdown (`{{#markdown}}**{{/markdown}}`).
    var isMarkdown: Bool { self == .dingtalk || self == .wecom }

    /// One line of `text` without markup.
    func value(_ text: String) -> String {
        let line = PlainLine.of(text)
        if self == .plain { return line }
        var escaped = String.UnicodeScalarView()
        for scalar in line.unicodeScalars {
            switch self {
            case .plain: escaped.append(scalar)
            case .dingtalk:
                if "\\`*_[]<>#~|".unicodeScalars.contains(scalar) { escaped.append("\\") }
                escaped.append(scalar)
            case .wecom: escaped.append(Self.likeness(of: scalar, among: "\\`*[]<>#~|@"))
            case .feishu: escaped.append(Self.likeness(of: scalar, among: "<>"))
            }
        }
        return String(escaped)
    }

    /// The full-width form of an ASCII character; they lie 0xFEE0 above it.
    private static func likeness(
        of scalar: Unicode.Scalar, among dangerous: String
    ) -> Unicode.Scalar {
        guard dangerous.unicodeScalars.contains(scalar) else { return scalar }
        return Unicode.Scalar(scalar.value + 0xFEE0) ?? " "
    }
}
