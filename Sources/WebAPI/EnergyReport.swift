import EnergyAccounting
import Store
import Telemetry

/// Reads what the meters counted, bucket by bucket, from the store's rollups.
struct EnergyReport {
    let context: WebAPIContext

    /// Younger than this, a day or an hour may not have been folded yet; it is then put together
    /// from what is finer.
    static let foldedAfter = Duration.seconds(2 * 86_400)

    /// The figures of one meter over `buckets`, which follow each other.
    func figures(of meter: Meter, over buckets: [Bucket], now: Timestamp) async throws
        -> [EnergyFigure]
    {
        guard let first = buckets.first, let last = buckets.last,
            let number = seriesNumber(of: meter)
        else {
            return buckets.map { figure(of: meter, in: $0, now: now, parts: []) }
        }
        let stored = try await context.store.rollups(
            series: number, resolution: first.resolution, from: first.start, to: last.end)
        var whole: [Timestamp: Rollup] = [:]
        for record in stored { whole[record.bucket.start] = record.rollup }
        let open = buckets.filter { whole[$0.start] == nil && $0.end > now - Self.foldedAfter }
        var fine: [(bucket: Bucket, rollup: Rollup)] = []
        if let from = open.first?.start, let to = open.last?.end {
            fine = try await finest(number, from: from, to: to)
        }
        return buckets.map { bucket in
            let parts =
                whole[bucket.start].map { [$0] }
                ?? fine.filter { bucket.contains($0.bucket.start) }.map(\.rollup)
            return figure(of: meter, in: bucket, now: now, parts: parts)
        }
    }

    /// Quarters of an hour, and minutes after the last of them: together they have no overlap.
    private func finest(_ series: Int, from: Timestamp, to: Timestamp) async throws
        -> [(bucket: Bucket, rollup: Rollup)]
    {
        let quarters = try await context.store.rollups(
            series: series, resolution: .quarterHour, from: from, to: to)
        let rest = quarters.last?.bucket.end ?? from
        var records = quarters
        // Minutes bridge only the quarter that is still open; older ones have been closed.
        if rest < to {
            records += try await context.store.rollups(
                series: series, resolution: .minute,
                from: max(rest, context.now - .seconds(3600)), to: to)
        }
        return records.map { ($0.bucket, $0.rollup) }
    }

    private func figure(of meter: Meter, in bucket: Bucket, now: Timestamp, parts: [Rollup])
        -> EnergyFigure
    {
        context.meterTree.figure(
            of: meter.id, in: bucket, now: now,
            floorAreaSquareMetres: context.site.floorAreaSquareMetres
        ) { $0 == meter.counter ? parts : [] }
    }

    private func seriesNumber(of meter: Meter) -> Int? {
        for device in context.devices where device.id == meter.counter.device {
            for group in device.groups {
                if let series = group.series.first(where: { $0.id == meter.counter }) {
                    return series.number
                }
            }
        }
        return nil
    }
}
