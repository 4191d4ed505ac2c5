import Acquisition
import Telemetry

/// What waits for one commit, and the promise to those who admitted it.
struct ScanBuffer {
    struct Entry {
        var scan: Scan
        /// The broker sends it again unless it is acknowledged; a polled scan comes only once.
        var comesAgain: Bool
    }

    /// How soon the commit has to come.
    enum Haste: Int, Comparable {
        /// When the oldest scan has waited for the interval.
        case none
        /// As soon as the spacing between urgent commits allows.
        case urgent
        /// At once: a link stands still until then, or the row is long enough.
        case now

        static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    }

    let promise = CommitPromise()
    private(set) var entries: [Entry] = []
    private(set) var readings = 0
    var deliveries: [DeliveryMark] = []
    var haste = Haste.none
    /// When the oldest scan or delivery came, on the loop's watch.
    var since: Duration?

    var isEmpty: Bool { entries.isEmpty && deliveries.isEmpty }
    var scans: [Scan] { entries.map(\.scan) }

    /// Where the scans of each place stand among the first `indexed` entries. Made when somebody
    /// asks: that is when a device tells what is older than the memory of what was told.
    private var places: [Place: [Int]] = [:]
    private var indexed = 0

    /// One instant of a group.
    struct Place: Hashable {
        var group: ScanGroup.ID
        var time: Timestamp
        /// Whether the time is one of this boot's monotonic clock.
        var isMonotonic: Bool

        init(_ scan: Scan) {
            group = scan.group
            time = scan.time
            isMonotonic = scan.flags.contains(.monotonicTime)
        }
    }

    /// The scans that wait here for one instant of a group.
    mutating func scans(at place: Place) -> [Scan] {
        for index in entries.indices[indexed...] {
            places[Place(entries[index].scan), default: []].append(index)
        }
        indexed = entries.count
        return places[place]?.map { entries[$0].scan } ?? []
    }

    mutating func append(_ entry: Entry) {
        entries.append(entry)
        readings += entry.scan.readings.count
    }

    /// Gives the oldest scans up until no more than `capacity` readings are left.
    ///
    /// - Returns: what was given up.
    mutating func shed(to capacity: Int) -> [Scan] {
        (places, indexed) = ([:], 0)
        var count = 0
        while readings > capacity, count < entries.count {
            readings -= entries[count].scan.readings.count
            count += 1
        }
        defer { entries.removeFirst(count) }
        return entries.prefix(count).map(\.scan)
    }
}
