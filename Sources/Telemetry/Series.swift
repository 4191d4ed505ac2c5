/// What the values of a series are.
package enum SeriesKind: String, Hashable, Sendable, Codable {
    /// An instantaneous number.
    case gauge
    /// A number that only grows, up to roll-over and resets.
    case counter
    /// One of a closed set of words; the alarm points of a device are states too.
    case state
    /// Free text.
    case text
}

/// The identity of what is measured, with its unit and kind.
package struct Series: Hashable, Sendable, Codable, Identifiable {
    /// The number that the store's registry has given to the series; it never changes its meaning.
    package var number: Int
    package var id: SeriesID
    package var kind: SeriesKind
    /// The symbol of the canonical unit; empty for states and text.
    package var unit: String
    /// How a counter may fall; nil for everything that is not a counter.
    package var counter: CounterPolicy?
    /// A change of this series commits at once (design 5).
    package var isUrgent: Bool

    package init(
        number: Int = 0, id: SeriesID, kind: SeriesKind, unit: String,
        counter: CounterPolicy? = nil, isUrgent: Bool = false
    ) {
        self.number = number
        self.id = id
        self.kind = kind
        self.unit = unit
        self.counter = counter
        self.isUrgent = isUrgent
    }
}

/// The series that one device reports together: (device, interface, poll class or topic pattern).
///
/// A scan holds one reading for each of `series`, in this order.
package struct ScanGroup: Hashable, Sendable, Codable, Identifiable {
    /// The number that the store's registry has given to the group.
    package struct ID: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
        package let number: Int
        package init(_ number: Int) { self.number = number }
        package static func < (a: Self, b: Self) -> Bool { a.number < b.number }
        package var description: String { "\(number)" }
    }

    package var id: ID
    package var device: DeviceID
    /// The profile's interface, for example `rs485`.
    package var interface: String
    /// The poll class or the topic pattern.
    package var name: String
    package var series: [Series]
    /// How often a scan is expected; nil when nobody has said so, and then coverage is unknown.
    package var period: Duration?
    /// True when the gateway asks (slots, `missed`); false when the device reports by itself.
    package var isPolled: Bool
    /// How long after a bucket's end a scan may still arrive before the bucket closes.
    package var lateness: Duration

    package init(
        id: ID = ID(0), device: DeviceID, interface: String, name: String, series: [Series],
        period: Duration?, isPolled: Bool, lateness: Duration = .seconds(30)
    ) {
        self.id = id
        self.device = device
        self.interface = interface
        self.name = name
        self.series = series
        self.period = period
        self.isPolled = isPolled
        self.lateness = lateness
    }

    /// The group's name within the site, `device/interface/name`: the scope of what is owed for it.
    package var scope: String { "\(device)/\(interface)/\(name)" }

    /// The scans expected in `bucket`, nil when no period is known.
    package func expected(in bucket: Bucket) -> Int? {
        guard let period, period > .zero else { return nil }
        return Int(bucket.duration.milliseconds / max(1, period.milliseconds))
    }
}
