/// The name of a site: `[a-z0-9-]`, first part of every topic and of every full series id.
package struct SiteID: Hashable, Sendable, Codable, CustomStringConvertible {
    package let text: String
    package init(_ text: String) { self.text = text }
    package var description: String { text }
}

/// The name of a device within its site: `[a-z0-9-]`, unique in the configuration.
package struct DeviceID: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
    package let text: String
    package init(_ text: String) { self.text = text }
    package var description: String { text }
    package static func < (a: Self, b: Self) -> Bool { a.text < b.text }
}

/// What a point measures: a quantity of the vocabulary and its facets,
/// for example `active_energy.import.total`.
package struct PointKey: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
    package let text: String
    package init(_ text: String) { self.text = text }
    /// The first part of the key.
    package var quantity: Substring { text.prefix { $0 != "." } }
    package var description: String { text }
    package static func < (a: Self, b: Self) -> Bool { a.text < b.text }
}

/// The identity of a series inside one site: device, dot, point key.
package struct SeriesID: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
    package let device: DeviceID
    package let point: PointKey

    package init(device: DeviceID, point: PointKey) {
        self.device = device
        self.point = point
    }

    /// Reads `device.point`; nil without a dot, because a device's name holds none.
    package init?(_ text: String) {
        guard let dot = text.firstIndex(of: "."), dot != text.startIndex,
            text.index(after: dot) != text.endIndex
        else { return nil }
        device = DeviceID(String(text[..<dot]))
        point = PointKey(String(text[text.index(after: dot)...]))
    }

    package var description: String { "\(device).\(point)" }
    package static func < (a: Self, b: Self) -> Bool { a.description < b.description }
}
