import Telemetry

/// The least and the greatest value that two readings in a row have reached.
///
/// A spike of a single reading moves neither; the price is that a true peak of one reading is told
/// by its higher neighbour. Readings of the same instant do not confirm each other.
struct HeldRange: Hashable, Sendable {
    var least: Double?
    var greatest: Double?
    var newest: Double?
    var newestTime: Timestamp?

    mutating func add(_ value: Double, at time: Timestamp) {
        if let newestTime, newestTime == time { return }
        if let newest {
            let (low, high) = (min(newest, value), max(newest, value))
            least = least.map { min($0, high) } ?? high
            greatest = greatest.map { max($0, low) } ?? low
        }
        newest = value
        newestTime = time
    }

    /// How far the value has moved; nil before two readings.
    var span: Double? {
        guard let least, let greatest else { return nil }
        return max(0, greatest - least)
    }
}
