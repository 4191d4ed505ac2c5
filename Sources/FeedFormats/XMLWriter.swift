/// Writes XML 1.0 in UTF-8, with two spaces for each level.
///
/// Every text is escaped, and characters that XML 1.0 forbids are left out (section 2.2): most
/// control characters, and U+FFFE and U+FFFF. A carriage return is written as a reference, because
/// readers turn a plain one into a line feed.
struct XMLWriter {
    private(set) var bytes = Array(#"<?xml version="1.0" encoding="UTF-8"?>"#.utf8) + [0x0A]
    private var depth = 0

    /// An element that holds elements.
    mutating func element(
        _ name: String, _ attributes: KeyValuePairs<String, String> = [:],
        _ body: (inout XMLWriter) -> Void
    ) {
        open(name, attributes)
        write(">\n")
        depth += 1
        body(&self)
        depth -= 1
        indent()
        write("</\(name)>\n")
    }

    /// An element that holds text; without one it is left out.
    mutating func leaf(
        _ name: String, _ text: String?, _ attributes: KeyValuePairs<String, String> = [:]
    ) {
        guard let text else { return }
        open(name, attributes)
        write(">")
        write(Self.escape(text))
        write("</\(name)>\n")
    }

    /// An element that holds nothing but its attributes.
    mutating func empty(_ name: String, _ attributes: KeyValuePairs<String, String>) {
        open(name, attributes)
        write("/>\n")
    }

    private mutating func open(_ name: String, _ attributes: KeyValuePairs<String, String>) {
        indent()
        write("<\(name)")
        for (key, value) in attributes { write(" \(key)=\"\(Self.escape(value))\"") }
    }

    private mutating func indent() {
        for _ in 0..<depth { write("  ") }
    }

    private mutating func write(_ text: String) { bytes += text.utf8 }

    /// `text` fit for content and for attribute values in double quotes.
    static func escape(_ text: String) -> String {
        var escaped = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x26: escaped.append(contentsOf: "&amp;".unicodeScalars)
            case 0x3C: escaped.append(contentsOf: "&lt;".unicodeScalars)
            // Only `]]>` must be escaped in content; escaping each is simpler than looking back.
            case 0x3E: escaped.append(contentsOf: "&gt;".unicodeScalars)
            case 0x22: escaped.append(contentsOf: "&quot;".unicodeScalars)
            case 0x09, 0x0A, 0x0D:
                escaped.append(contentsOf: "&#\(scalar.value);".unicodeScalars)
            case 0..<0x20, 0xFFFE, 0xFFFF: continue
            default: escaped.append(scalar)
            }
        }
        return String(escaped)
    }
}
