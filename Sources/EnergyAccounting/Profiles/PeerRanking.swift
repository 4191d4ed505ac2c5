import Telemetry

/// Consumers under one roof in the order of their energy for each unit of what they are for.
package struct PeerRanking: Hashable, Sendable {
    /// One node with its energy and what that is divided by.
    package struct Peer: Hashable, Sendable {
        package var node: String
        /// In kWh; nil when it is unknown or not known well enough for the caller.
        package var energy: Exact?
        /// Square metres, persons, units made; nil when nobody has said.
        package var size: Exact?

        package init(node: String, energy: Exact?, size: Exact?) {
            self.node = node
            self.energy = energy
            self.size = size
        }

        /// Energy for each unit; nil unless both are known and the size is above zero.
        package var intensity: Exact? {
            guard let energy, let size, size > .zero else { return nil }
            return energy / size
        }
    }

    /// Where one node stands.
    package struct Place: Hashable, Sendable {
        /// 1 is the lowest intensity; equals share a rank.
        package var rank: Int
        package var node: String
        package var intensity: Exact
        /// The difference from the median in per cent of it; nil when that is not above zero.
        package var percentFromMedian: Exact?
    }

    /// From the lowest intensity to the highest, equals by their names.
    package let places: [Place]
    /// Nodes without an intensity, in the order given; they take part in nothing.
    package let unranked: [String]
    /// Of the intensities; nil when there are none.
    package let median: Exact?
    package let lowerQuartile: Exact?
    package let upperQuartile: Exact?

    package init(_ peers: [Peer]) {
        var known: [(node: String, intensity: Exact)] = []
        for peer in peers {
            if let intensity = peer.intensity { known.append((peer.node, intensity)) }
        }
        known.sort {
            $0.intensity == $1.intensity ? $0.node < $1.node : $0.intensity < $1.intensity
        }
        let intensities = known.map(\.intensity)
        let median = intensities.median
        var places: [Place] = []
        for (index, (node, intensity)) in known.enumerated() {
            let rank = places.last.flatMap { $0.intensity == intensity ? $0.rank : nil }
            places.append(
                Place(
                    rank: rank ?? index + 1, node: node, intensity: intensity,
                    percentFromMedian: median.flatMap {
                        $0 > .zero ? (intensity - $0) * Exact(100) / $0 : nil
                    }))
        }
        self.places = places
        self.median = median
        unranked = peers.filter { $0.intensity == nil }.map(\.node)
        lowerQuartile = intensities.quantile(Exact(1, over: 4))
        upperQuartile = intensities.quantile(Exact(3, over: 4))
    }
}
