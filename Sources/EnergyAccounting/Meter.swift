import LocatedText
import Telemetry

/// One meter of the site's tree: a counter with a place among the others.
package struct Meter: Hashable, Sendable, Identifiable {
    /// `[a-z0-9-]`, unique in the tree.
    package let id: String
    /// The meter whose figure holds this one's; nil for a root.
    package let parent: String?
    /// The end use, for example `lighting-sockets`; nil when nobody has said.
    package let item: String?
    /// What is metered, for example `electricity`; a child has its parent's unless it says otherwise.
    package let carrier: String
    /// The series that counts, in kWh.
    package let counter: SeriesID
    /// Where the configuration says so.
    package let location: Location

    package init(
        id: String, parent: String?, item: String?, carrier: String, counter: SeriesID,
        location: Location
    ) {
        self.id = id
        self.parent = parent
        self.item = item
        self.carrier = carrier
        self.counter = counter
        self.location = location
    }
}

/// The meters of a site, each below the one that measures it too.
package struct MeterTree: Hashable, Sendable {
    /// In the order of the configuration.
    package let meters: [Meter]
    private let indices: [String: Int]
    private let childIndices: [String: [Int]]

    /// - Parameter meters: ids unique, parents known, no cycle; `parse` makes sure of it.
    package init(_ meters: [Meter]) {
        self.meters = meters
        var indices: [String: Int] = [:]
        var children: [String: [Int]] = [:]
        for (index, meter) in meters.enumerated() {
            indices[meter.id] = index
            if let parent = meter.parent { children[parent, default: []].append(index) }
        }
        self.indices = indices
        childIndices = children
    }

    /// A tree without meters.
    package static let empty = MeterTree([])

    package subscript(_ id: String) -> Meter? { indices[id].map { meters[$0] } }

    /// The meters that stand below no other.
    package var roots: [Meter] { meters.filter { $0.parent == nil } }

    /// The meters directly below `id`, in the order of the configuration.
    package func children(of id: String) -> [Meter] {
        (childIndices[id] ?? []).map { meters[$0] }
    }
}
