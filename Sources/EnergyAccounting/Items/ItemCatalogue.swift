import LocatedText
import Telemetry

/// The end uses under which energy is told, with the codes of the platform that they are told to.
///
///     format: energy-items/1
///     source: "…"
///     status: from-memory
///     items:
///       - { item: hvac, code: B, title: { en: HVAC, zh: 空调用电 } }
///       - { item: hvac-plant, under: hvac, code: B1, title: { en: Plant, zh: 冷热站 } }
///
/// An item stands below at most one other; what is told of `hvac` holds what is told of everything
/// under it.
package struct ItemCatalogue: Hashable, Sendable {
    /// One end use.
    package struct Item: Hashable, Sendable, Identifiable {
        /// `[a-z0-9-]`, as meters name it.
        package var id: String
        /// The platform's own code, for example `B1`.
        package var code: String
        package var title: LocalizedText
        /// The item that holds this one; nil for one of the classes.
        package var under: String?
    }

    /// In the order of the file.
    package let items: [Item]
    package let source: String
    package let status: String

    /// Nobody has said which end uses there are; every name is taken.
    package static let free = ItemCatalogue(items: [], source: "", status: "")

    package subscript(_ id: String) -> Item? { items.first { $0.id == id } }

    /// The class to which an item belongs: itself, or what stands at the top above it.
    package func topmost(of id: String) -> String {
        var top = id
        for _ in items.indices {
            guard let above = self[top]?.under else { break }
            top = above
        }
        return top
    }

    /// What people call an item; its own name where nobody has said.
    package func title(of id: String) -> LocalizedText {
        self[id]?.title ?? LocalizedText(en: id, zh: id)
    }

    /// Reads a catalogue; all its mistakes at once.
    package static func parse(_ text: String, file: String) throws(Faults) -> ItemCatalogue {
        let faults = FaultCollector()
        var reader = MappingReader(try LocatedNode.parse(text, file: file), faults)
        _ = reader.required("format")?.word([("energy-items/1", ())], faults)
        let source = reader.required("source")?.string(faults) ?? ""
        let status =
            reader.required("status")?.word(
                ["verified", "secondary", "from-memory", "project"].map { ($0, $0) }, faults) ?? ""
        var items: [Item] = []
        for node in reader.required("items")?.list(faults) ?? [] {
            guard let item = Self.item(node, after: items, faults) else { continue }
            items.append(item)
        }
        reader.finish()
        try faults.throwIfAny()
        return ItemCatalogue(items: items, source: source, status: status)
    }

    private static func item(
        _ node: LocatedNode, after items: [Item], _ faults: FaultCollector
    ) -> Item? {
        var reader = MappingReader(node, faults)
        let idNode = reader.required("item")
        let id = idNode?.name(faults)
        let code = reader.required("code")?.string(faults)
        let title = reader.required("title").flatMap { LocalizedText.parse($0, faults) }
        let under = reader.optional("under")
        reader.finish()
        guard let id, let idNode, let code, let title else { return nil }
        if items.contains(where: { $0.id == id }) {
            faults.add(idNode.location, "the item '\(id)' stands twice")
            return nil
        }
        let above = under?.string(faults)
        // Only what stands before can hold an item, so that no circle can be written.
        if let above, let under, !items.contains(where: { $0.id == above }) {
            faults.add(
                under.location, "no item above this line is called '\(above)'",
                remedy: Spelling.nearest(to: above, among: items.map(\.id))
                    .map { "did you mean '\($0)'?" } ?? "write what holds an item before it")
            return nil
        }
        return Item(id: id, code: code, title: title, under: above)
    }

    /// Says which meters name an item that is not in the catalogue.
    package func bindingFaults(tree: MeterTree) -> [Fault] {
        guard !items.isEmpty else { return [] }
        return tree.meters.compactMap { meter in
            guard let item = meter.item, self[item] == nil else { return nil }
            return Fault(
                meter.location, "'\(item)' is no end use of the catalogue",
                remedy: Spelling.nearest(to: item, among: items.map(\.id))
                    .map { "did you mean '\($0)'?" }
                    ?? "one of: \(items.map(\.id).joined(separator: ", "))")
        }
    }
}
