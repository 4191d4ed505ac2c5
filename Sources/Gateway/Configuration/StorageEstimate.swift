import Telemetry

/// What a site's data will take, and what the medium will have to bear.
///
/// Worked out from what `make bench-store` has measured, never from the format. An estimate, not a
/// promise: values that never repeat take more.
package struct StorageEstimate: Sendable {
    /// The measured figures: `Benchmarks/results/store.json` names them, `docs/benchmarks.md` says
    /// how they were found. All in bytes, page slack included.
    package enum Measured {
        /// `bytes_per_sample_building`: meters every 15 s and 60 s. Taken for dust stations too,
        /// whose differences hold about as much (`entropy_order1_dust`).
        package static let slowReading = 0.522
        /// `bytes_per_sample_mix`: nine of ten of its readings come once a second and often repeat.
        package static let fastReading = 0.275
        /// Readings that come at least so often count as fast.
        package static let fastPeriod = Duration.seconds(2)
        /// `rollup_bytes_per_row`: hours, days, and the quarters of the last two days.
        package static let rollupRow = 72.9
        /// `rollup_bytes_packed`: quarters from then on.
        package static let packedRollup = 5.8
        /// `device_bytes_per_sample` and `device_bytes_per_sample_corpus`: a commit each second of
        /// 500 readings, and of 2.783. All that follows from them is in it: evaluation, rollups,
        /// seals, checkpoints, housekeeping.
        package static let large = (readings: 500.0, perReading: 34.60)
        package static let small = (readings: 2.783, perReading: 3217.8)

        /// What reaches the device for one commit: a straight line through the two.
        package static func written(readingsPerCommit readings: Double) -> Double {
            let (least, most) = (
                small.readings * small.perReading, large.readings * large.perReading
            )
            let slope = (most - least) / (large.readings - small.readings)
            return max(0, least + slope * (readings - small.readings))
        }
    }

    private static let day = 86_400.0
    /// Without readings an empty row is committed so often: `Ingestion.Options.idleInterval`.
    private static let longestInterval = 10.0

    package var readingsPerDay = 0.0
    /// Scan groups that say nowhere how often they report: not counted.
    package var silentGroups = 0
    package var rawBytesPerDay = 0.0
    package var rollupBytesPerDay = 0.0
    package var commitsPerDay = 0.0
    package var writtenPerDay = 0.0

    package init(_ groups: [ScanGroup], commitInterval: Duration) {
        var series = 0.0
        var shortest = Self.longestInterval
        for group in groups {
            let width = Double(group.series.count)
            series += width
            guard let period = group.period, period > .zero else {
                silentGroups += 1
                continue
            }
            let seconds = Double(period.milliseconds) / 1000
            shortest = min(shortest, seconds)
            let readings = width * Self.day / seconds
            readingsPerDay += readings
            rawBytesPerDay +=
                readings
                * (period <= Measured.fastPeriod ? Measured.fastReading : Measured.slowReading)
        }
        // 96 quarters, 24 hours and a day of each series.
        rollupBytesPerDay = series * (96 * Measured.packedRollup + 25 * Measured.rollupRow)
        let interval = max(Double(commitInterval.milliseconds) / 1000, shortest)
        commitsPerDay = groups.isEmpty ? 0 : Self.day / interval
        writtenPerDay =
            commitsPerDay
            * Measured.written(readingsPerCommit: readingsPerDay / max(1, commitsPerDay))
    }

    /// Years of data that fit in so many bytes.
    package func years(in bytes: Double) -> Double? {
        let daily = rawBytesPerDay + rollupBytesPerDay
        return daily > 0 ? bytes / daily / 365.25 : nil
    }

    /// Years until so many terabytes (10^12 bytes) have been written.
    package func years(ofEndurance terabytes: Double) -> Double? {
        writtenPerDay > 0 ? terabytes * 1e12 / writtenPerDay / 365.25 : nil
    }
}
