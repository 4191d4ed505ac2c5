import Telemetry
import XMLText

/// One message of the building energy upload as a value.
///
///     <?xml version="1.0" encoding="utf-8"?>
///     <root>
///       <common>
///         <building_id>330302D110</building_id>
///         <gateway_id>01</gateway_id>
///         <type>request</type>
///       </common>
///       <id_validate operation="request"/>
///     </root>
///
/// One element follows `common`; its operation says what the message is. `type` should repeat the
/// operation and does not always, so that it only counts where the operation says nothing.
package struct EnergyDocument: Hashable, Sendable {
    /// Why a body is no message.
    package enum Refusal: Error, Hashable, Sendable, CustomStringConvertible {
        /// It is no XML; most often it was encrypted with another key.
        case notXML
        case xml(XMLRefusal)
        /// The root has another name.
        case root(String)

        package var description: String {
            switch self {
            case .notXML: "its body is no XML; was it encrypted with another key?"
            case .xml(let refusal): "its XML: \(refusal)"
            case .root(let name): "its XML begins with <\(EnergyText.short(name))>, not <root>"
            }
        }
    }

    package var building: String
    package var gateway: String
    package var type: String
    /// What follows `common`. Where a platform puts its words below the root itself, an element
    /// `root` that holds them.
    package var element: XMLTree

    package init(building: String, gateway: String, type: String, element: XMLTree) {
        self.building = building
        self.gateway = gateway
        self.type = type
        self.element = element
    }

    /// Reads a body, of which NULs at the end do not count.
    package static func read(
        _ bytes: [UInt8], longest: Int = 1 << 20
    ) throws(Refusal) -> EnergyDocument {
        let root: XMLTree
        do throws(XMLRefusal) {
            root = try XMLReader.read(bytes, XMLReader.Limits(bytes: longest))
        } catch .notXML {
            throw .notXML
        } catch {
            throw .xml(error)
        }
        guard root.name == "root" else { throw .root(root.name) }
        let common = root.child("common")
        let others = root.children.filter { $0.name != "common" }
        let element =
            others.first { $0.attribute("operation") != nil }
            ?? (others.count == 1 && others[0].children.isEmpty == false ? others[0] : nil)
            ?? XMLTree("root", children: others)
        func word(_ name: String) -> String { common?.child(name)?.trimmedText ?? "" }
        return EnergyDocument(
            building: word("building_id"), gateway: word("gateway_id"), type: word("type"),
            element: element)
    }

    /// The message as XML. It is ASCII, whichever encoding the declaration names.
    ///
    /// - Parameter encoding: the word in the declaration; nil: no declaration.
    package func bytes(encoding: String?) -> [UInt8] {
        var xml = XMLWriter(encoding: encoding, isASCII: true)
        xml.element("root") {
            $0.element("common") {
                $0.leaf("building_id", building)
                $0.leaf("gateway_id", gateway)
                $0.leaf("type", type)
            }
            Self.write(element, to: &$0)
        }
        return xml.bytes
    }

    private static func write(_ tree: XMLTree, to xml: inout XMLWriter) {
        let attributes = tree.attributes.map { (key: $0.name, value: $0.value) }
        if !tree.children.isEmpty {
            xml.element(tree.name, attributes) {
                for child in tree.children { write(child, to: &$0) }
            }
        } else if tree.text.isEmpty {
            xml.empty(tree.name, attributes)
        } else {
            xml.leaf(tree.name, tree.text, attributes)
        }
    }

    /// The element on one line, as a transcript shows it: without what is secret, and not longer
    /// than 4,000 characters.
    package var line: String {
        var line = ""
        Self.describe(element, isSecret: false, &line)
        return EnergyText.short(line, to: 4000)
    }

    private static func describe(_ tree: XMLTree, isSecret: Bool, _ line: inout String) {
        if line.utf8.count > 8000 { return }
        // New keys are below elements of several names, but their operation always says so.
        let words = [tree.name, tree.attribute("operation") ?? ""].map { $0.lowercased() }
        let hides = isSecret || words.contains { $0.contains("md5") || $0.contains("key") }
        line += "<\(tree.name)"
        for attribute in tree.attributes {
            let isPlain = attribute.name == "operation" || !hides
            let value = isPlain ? XMLWriter.escape(attribute.value) : "***"
            line += " \(attribute.name)=\"\(value)\""
        }
        let text = tree.trimmedText
        if text.isEmpty && tree.children.isEmpty {
            line += "/>"
            return
        }
        line += ">"
        if !text.isEmpty { line += hides && !isVerdict(text) ? "***" : XMLWriter.escape(text) }
        // `operation="md5"` itself hides nothing but what stands in <md5>.
        let inherits = hides && tree.attribute("operation") != "md5"
        for child in tree.children { describe(child, isSecret: inherits, &line) }
        line += "</\(tree.name)>"
    }

    /// Whether a text is one of the words of an acknowledgement, which `key_ack` may have.
    private static func isVerdict(_ text: String) -> Bool { text == "pass" || text == "fail" }
}

/// Foreign words in notes and reasons.
enum EnergyText {
    /// At most `length` characters, without control characters.
    static func short(_ text: String, to length: Int = 80) -> String {
        let scalars = text.unicodeScalars.lazy.filter {
            $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value)
        }
        let kept = String(String.UnicodeScalarView(scalars.prefix(length)))
        return scalars.dropFirst(length).isEmpty ? kept : kept + "…"
    }

    /// The decimal digits in a text.
    static func digits(_ text: String) -> String {
        String(text.unicodeScalars.filter { (0x30...0x39).contains($0.value) })
    }
}
