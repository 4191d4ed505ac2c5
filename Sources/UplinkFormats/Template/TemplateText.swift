import Telemetry

/// A text with places that an item fills: `{site}`, `{device}`, `{scope}`, `{key}`, `{revision}`,
/// `{resolution}`.
struct TemplateText: Hashable, Sendable {
    enum Part: Hashable, Sendable {
        case literal(String)
        case place(Place)
    }

    /// What fills a place.
    enum Place: String, Hashable, Sendable, CaseIterable {
        case site, device, scope, key, revision, resolution

        /// Those that are equal for all items of an uplink.
        static let ofSite: Set<Place> = [.site]
        /// Those that are equal for every revision of an item and may name a topic.
        static let ofTopic: Set<Place> = [.site, .device, .scope, .resolution]
    }

    let parts: [Part]

    /// Nothing.
    static let empty = TemplateText(parts: [])

    private init(parts: [Part]) { self.parts = parts }

    /// - Returns: nil for a brace without its other half, and for a place that is none.
    init?(_ text: String) {
        var parts: [Part] = []
        var rest = text[...]
        while let open = rest.firstIndex(where: { $0 == "{" || $0 == "}" }) {
            if open > rest.startIndex { parts.append(.literal(String(rest[..<open]))) }
            guard rest[open] == "{", let close = rest[open...].firstIndex(of: "}"),
                let place = Place(rawValue: String(rest[rest.index(after: open)..<close]))
            else { return nil }
            parts.append(.place(place))
            rest = rest[rest.index(after: close)...]
        }
        if !rest.isEmpty { parts.append(.literal(String(rest))) }
        self.parts = parts
    }

    /// The places that are filled.
    var places: Set<Place> {
        Set(parts.compactMap { if case .place(let place) = $0 { place } else { nil } })
    }

    /// - Parameters:
    ///   - ids: the platform's ids of sites and devices, by ours.
    ///   - escape: what is done to what fills a place.
    func text(
        of record: TemplateRecord, ids: [String: String], escape: (String) -> String = { $0 }
    ) -> String {
        parts.map { part in
            switch part {
            case .literal(let text): text
            case .place(let place): escape(filled(place, record, ids))
            }
        }.joined()
    }

    private func filled(
        _ place: Place, _ record: TemplateRecord, _ ids: [String: String]
    ) -> String {
        let item = record.item
        switch place {
        case .site: return ids[item.site.text] ?? item.site.text
        case .device:
            let device = record.device?.text ?? item.scope
            return ids[device] ?? device
        case .scope: return item.scope
        case .key: return item.idempotencyKey
        case .revision: return "\(item.revision)"
        case .resolution: return item.tellsReadings ? "raw" : item.span
        }
    }
}
