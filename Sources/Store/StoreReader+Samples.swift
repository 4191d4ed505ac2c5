import Telemetry

extension StoreReader {
    /// The readings of a series with `from` ≤ time < `to`, in order of time.
    ///
    /// Holds what was read while the series had its present unit, whatever group it came in.
    /// - Parameter limit: the earliest so many.
    package func samples(
        series: SeriesID, from: Timestamp, to: Timestamp, limit: Int = 10_000
    ) async throws(StoreError) -> [Sample] {
        guard limit > 0 else { return [] }
        var found: [Sample] = []
        try await forEachPart(of: series, from: from, to: to) { part in
            part.append(to: &found)
            return found.count < limit
        }
        return found.count > limit ? Array(found.prefix(limit)) : found
    }

    /// Hands the readings of a series over in order, one bucket's worth at a time: a year costs no
    /// more memory than an hour.
    ///
    /// - Parameter page: returns whether it wants more.
    package func samples(
        series: SeriesID, from: Timestamp, to: Timestamp,
        _ page: ([Sample]) throws(StoreError) -> Bool
    ) async throws(StoreError) {
        try await forEachPart(of: series, from: from, to: to) { part throws(StoreError) in
            try page(part.samples)
        }
    }

    /// Hands over what a series holds, in order.
    private func forEachPart(
        of series: SeriesID, from: Timestamp, to: Timestamp,
        _ body: (ColumnPart) throws(StoreError) -> Bool
    ) async throws(StoreError) {
        let columns = try await columns(of: series)
        // As a rule one group holds a series. Its samples come part by part; those of several
        // groups, after a change of the column list, follow each other and are sorted together.
        guard columns.count != 1, !columns.isEmpty else {
            guard let only = columns.first else { return }
            return try await forEachColumn(only, from: from, to: to, body)
        }
        var all: [Sample] = []
        for column in columns {
            try await forEachColumn(column, from: from, to: to) { part in
                part.append(to: &all)
                return true
            }
        }
        _ = try body(.fresh(all.sorted { $0.time < $1.time }[...]))
    }
}
