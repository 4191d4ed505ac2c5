/// One level of an MQTT topic.
package enum TopicLevel {
    /// The text with everything that means something in a topic percent-encoded: `+`, `#`, `/`, `%`
    /// and control characters. Two different texts stay different; an empty one becomes `%`.
    package static func escape(_ text: String) -> String {
        if text.isEmpty { return "%" }
        var escaped = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "+", "#", "/", "%", "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}":
                for byte in String(scalar).utf8 {
                    let digits = String(byte, radix: 16, uppercase: true)
                    escaped.append("%")
                    escaped.append(contentsOf: (byte < 16 ? "0" + digits : digits).unicodeScalars)
                }
            default: escaped.append(scalar)
            }
        }
        return String(escaped)
    }
}
