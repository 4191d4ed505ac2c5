/// Writes XML 1.0 in UTF-8, or in ASCII with references for everything else, with two spaces for
/// each level.
///
/// Every text is escaped, and characters that XML 1.0 forbids are left out (section 2.2): most
/// control characters, and U+FFFE and U+FFFF. A carriage return is written as a reference, because
/// readers turn a plain one into a line feed.
package struct XMLWriter: Sendable {
    /// The text written so far, its declaration included.
    package private(set) var bytes: [UInt8] = []
    private let isASCII: Bool
    private var depth = 0

    /// - Parameters:
    ///   - encoding: the word in the declaration; nil: no declaration.
    ///   - isASCII: whether every other character is written as a reference, so that the text is the
    ///     same in all encodings that contain ASCII.
    package init(encoding: String? = "UTF-8", isASCII: Bool = false) {
        self.isASCII = isASCII
        if let encoding { write("<?xml version=\"1.0\" encoding=\"\(encoding)\"?>\n") }
    }

    /// An element that holds elements.
    package mutating func element(
        _ name: String, _ attributes: KeyValuePairs<String, String> = [:],
        _ body: (inout XMLWriter) -> Void
    ) {
        element(name, Array(attributes), body)
    }

    /// As above, with attributes that are known only when it is written.
    package mutating func element(
        _ name: String, _ attributes: [(key: String, value: String)],
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
    package mutating func leaf(
        _ name: String, _ text: String?, _ attributes: KeyValuePairs<String, String> = [:]
    ) {
        leaf(name, text, Array(attributes))
    }

    /// As above, with attributes that are known only when it is written.
    package mutating func leaf(
        _ name: String, _ text: String?, _ attributes: [(key: String, value: String)]
    ) {
        guard let text else { return }
        open(name, attributes)
        write(">")
        write(escaped(text))
        write("</\(name)>\n")
    }

    /// An element that holds nothing but its attributes.
    package mutating func empty(_ name: String, _ attributes: KeyValuePairs<String, String>) {
        empty(name, Array(attributes))
    }

    /// As above, with attributes that are known only when it is written.
    package mutating func empty(_ name: String, _ attributes: [(key: String, value: String)]) {
        open(name, attributes)
        write("/>\n")
    }

    private mutating func open(_ name: String, _ attributes: [(key: String, value: String)]) {
        indent()
        write("<\(name)")
        for (key, value) in attributes { write(" \(key)=\"\(escaped(value))\"") }
    }

    private func escaped(_ text: String) -> String {
        let text = Self.escape(text)
        guard isASCII, !text.utf8.allSatisfy({ $0 < 0x80 }) else { return text }
        return text.unicodeScalars.map { $0.isASCII ? String($0) : "&#\($0.value);" }.joined()
    }

    private mutating func indent() {
        for _ in 0..<depth { write("  ") }
    }

    private mutating func write(_ text: String) { bytes += text.utf8 }

    /// `text` fit for content and for attribute values in double quotes.
    package static func escape(_ text: String) -> String {
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
