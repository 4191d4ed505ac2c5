extension Scan {
    /// An order of scans that does not depend on how they came: by time, then by what they say.
    ///
    /// Differing scans of one instant have no order of their own. Everything that is folded or
    /// stored takes them in this one, so that the outcome is the same for every order of arrival.
    package static func isBefore(_ a: Scan, _ b: Scan) -> Bool {
        if a.time != b.time { return a.time < b.time }
        for (mine, theirs) in zip(a.readings, b.readings) {
            switch Reading.compare(mine, theirs) {
            case 0: continue
            case let sign: return sign < 0
            }
        }
        return a.readings.count < b.readings.count
    }

    /// Whether both say the same at the same instant; numbers are compared bit for bit.
    package func says(_ other: Scan) -> Bool {
        time == other.time && !Scan.isBefore(self, other) && !Scan.isBefore(other, self)
    }

    /// The scans in their order, each said once, those of one instant numbered from 0.
    package static func inOrder(_ scans: some Sequence<Scan>) -> [Scan] {
        var ordered: [Scan] = []
        for var scan in scans.sorted(by: isBefore) {
            scan.sequence = 0
            if let last = ordered.last, last.time == scan.time {
                if last.says(scan) { continue }
                scan.sequence = last.sequence == .max ? .max : last.sequence + 1
            }
            ordered.append(scan)
        }
        return ordered
    }
}

extension Reading {
    /// Whether two rows say the same; numbers and texts are compared bit for bit.
    package static func areSame(_ a: [Reading], _ b: [Reading]) -> Bool {
        a.count == b.count && zip(a, b).allSatisfy { compare($0, $1) == 0 }
    }

    /// −1, 0 or 1: numbers before text before bad readings; numbers by value, then by their bits.
    static func compare(_ a: Reading, _ b: Reading) -> Int {
        switch (a, b) {
        case (.good(.number(let x)), .good(.number(let y))): sign(x.orderKey, y.orderKey)
        // By bytes: two spellings of one letter are two texts.
        case (.good(.text(let x)), .good(.text(let y))):
            x.utf8.elementsEqual(y.utf8)
                ? 0 : (x.utf8.lexicographicallyPrecedes(y.utf8) ? -1 : 1)
        case (.bad(let x), .bad(let y)): sign(x.rawValue, y.rawValue)
        default: a.rank < b.rank ? -1 : 1
        }
    }

    private static func sign<T: Comparable>(_ a: T, _ b: T) -> Int { a == b ? 0 : (a < b ? -1 : 1) }

    private var rank: Int {
        switch self {
        case .good(.number): 0
        case .good(.text): 1
        case .bad: 2
        }
    }
}

extension Double {
    /// Grows with the value; tells −0 from 0 and one NaN from another.
    fileprivate var orderKey: UInt64 {
        bitPattern >> 63 == 1 ? ~bitPattern : bitPattern | (1 << 63)
    }
}
