/// Texts of InfluxDB's line protocol.
///
///     measurement        \,  \ (blank)              not before: #
///     tag, field, value  \,  \=  \ (blank)
///     string             "…" with \" and \\
///
/// Outside of strings a backslash stands for itself unless one of these follows, so that a text can
/// neither end with one nor break a line.
enum InfluxText {
    /// A measurement; one without a name is `_`.
    static func measurement(_ text: String) -> String {
        let escaped = escape(text, [",", " "])
        if escaped.isEmpty { return "_" }
        // A line that begins with it is a comment.
        return escaped.hasPrefix("#") ? "_" + escaped.dropFirst() : escaped
    }

    /// The name of a tag or its value. Empty if nothing of it can be written: then leave the tag out.
    static func name(_ text: String) -> String { escape(text, [",", "=", " "]) }

    /// A field's value that is a text.
    static func string(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { result += "\\" }
            result.unicodeScalars.append(scalar)
        }
        return result + "\""
    }

    /// Control characters become blanks; backslashes at the end go.
    private static func escape(_ text: String, _ special: [Unicode.Scalar]) -> String {
        let kept = text.unicodeScalars.reversed().drop { $0 == "\\" }.reversed()
        var result = ""
        for original in kept {
            let scalar = original.value < 0x20 || original.value == 0x7F ? " " : original
            if special.contains(scalar) { result += "\\" }
            result.unicodeScalars.append(scalar)
        }
        return result
    }
}
