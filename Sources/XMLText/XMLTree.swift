/// One element of an XML text, with everything that it holds.
///
/// Names are without their prefix. Comments and processing instructions are not kept; references
/// and CDATA sections are text like any other.
package struct XMLTree: Hashable, Sendable {
    /// One `name="value"`.
    package struct Attribute: Hashable, Sendable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package var name: String
    /// In the order in which they stand there.
    package var attributes: [Attribute]
    /// The element's own text, without that of the elements in it.
    package var text: String
    package var children: [XMLTree]

    package init(
        _ name: String, _ attributes: [Attribute] = [], text: String = "",
        children: [XMLTree] = []
    ) {
        self.name = name
        self.attributes = attributes
        self.text = text
        self.children = children
    }

    /// The first element of this name directly below.
    package func child(_ name: String) -> XMLTree? { children.first { $0.name == name } }

    /// The value of an attribute without the white space around it; nil without the attribute.
    package func attribute(_ name: String) -> String? {
        attributes.first { $0.name == name }.map { Self.trimmed($0.value) }
    }

    /// The element's own text without the white space around it.
    package var trimmedText: String { Self.trimmed(text) }

    /// Without spaces, tabs and line ends at either end.
    private static func trimmed(_ text: String) -> String {
        let isBlank: (Unicode.Scalar) -> Bool = {
            $0.value == 0x20 || (0x09...0x0D).contains($0.value)
        }
        let scalars = text.unicodeScalars
        guard let first = scalars.firstIndex(where: { !isBlank($0) }),
            let last = scalars.lastIndex(where: { !isBlank($0) })
        else { return "" }
        return String(scalars[first...last])
    }
}
