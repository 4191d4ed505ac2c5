import Telemetry

/// Buckets of one scan group, side by side, whose stored rollups have to be folded anew.
struct DueFold: Codable, Hashable, Sendable, Comparable {
    var group: ScanGroup.ID
    var resolution: Resolution
    /// Where the first bucket begins, and where the last one ends.
    var from: Timestamp
    var to: Timestamp

    init(_ group: ScanGroup.ID, _ resolution: Resolution, _ range: Range<Timestamp>) {
        self.group = group
        self.resolution = resolution
        from = range.lowerBound
        to = range.upperBound
    }

    init(_ group: ScanGroup.ID, _ bucket: Bucket) {
        self.init(group, bucket.resolution, bucket.start..<bucket.end)
    }

    static func < (a: Self, b: Self) -> Bool {
        (a.resolution, a.group, a.from, a.to) < (b.resolution, b.group, b.from, b.to)
    }

    /// The same buckets with those that touch each other in one piece, in order.
    static func joined(_ folds: some Sequence<DueFold>) -> [DueFold] {
        var joined: [DueFold] = []
        for fold in folds.sorted() {
            if let last = joined.last, last.resolution == fold.resolution,
                last.group == fold.group, fold.from <= last.to
            {
                joined[joined.count - 1].to = max(last.to, fold.to)
            } else {
                joined.append(fold)
            }
        }
        return joined
    }
}
