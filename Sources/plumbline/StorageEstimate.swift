import Gateway
import Telemetry

/// What a site's data will take, and what the medium will have to bear.
///
/// The figures of the codec are those of `docs/benchmarks.md`, on realistic sites; the layout's
/// follow from the file format. An estimate, not a promise: values that never repeat take more.
struct StorageEstimate {
    /// Bytes of one raw reading in a sealed bucket, page slack included: a building's meters.
    static let rawBytesPerReading = 0.65
    /// Bytes of one rollup in a packed blob, and of a row that is not packed yet.
    static let packedRollupBytes = 15.0
    static let rollupRowBytes = 90.0
    /// Bytes of one reading in a journal row.
    static let journalBytesPerReading = 3.0
    /// A page of the log with its frame's head, and a page of the file.
    static let framePage = 4120.0
    static let filePage = 4096.0
    private static let day = 86_400.0

    var readingsPerDay = 0.0
    /// Scan groups that say nowhere how often they report: not counted.
    var silentGroups = 0
    var rawBytesPerDay = 0.0
    var rollupBytesPerDay = 0.0
    var commitsPerDay = 0.0
    var writtenPerDay = 0.0

    init(_ groups: [ScanGroup], commitInterval: Duration) {
        var series = 0.0
        var shortest = Double.infinity
        for group in groups {
            let width = Double(group.series.count)
            series += width
            guard let period = group.period, period > .zero else {
                silentGroups += 1
                continue
            }
            let seconds = Double(period.milliseconds) / 1000
            shortest = min(shortest, seconds)
            readingsPerDay += width * Self.day / seconds
        }
        // 96 quarters, 24 hours and a day of each series.
        let rollups = series * (96 + 24 + 1)
        rawBytesPerDay = readingsPerDay * Self.rawBytesPerReading
        rollupBytesPerDay = series * (96 * Self.packedRollupBytes + 25 * Self.rollupRowBytes)
        let interval = max(Double(commitInterval.milliseconds) / 1000, min(shortest, Self.day))
        commitsPerDay = groups.isEmpty ? 0 : Self.day / interval
        // A commit writes whole pages: at least the newest leaf, and its overflow beyond that. The
        // log is later moved into the file, where neighbours share pages.
        let blob = readingsPerDay / max(1, commitsPerDay) * Self.journalBytesPerReading
        let pages = (1 + blob / Self.filePage).rounded(.up)
        let moved = max(blob, 64)
        writtenPerDay = commitsPerDay * (pages * Self.framePage + moved)
        // Rollups and buckets are written once into the log and once into the file; packing and
        // deleting writes them once more.
        writtenPerDay += 3 * (rollups * Self.rollupRowBytes + rawBytesPerDay)
    }

    /// Years of data that fit in so many bytes.
    func years(in bytes: Double) -> Double? {
        let daily = rawBytesPerDay + rollupBytesPerDay
        return daily > 0 ? bytes / daily / 365.25 : nil
    }

    /// Years until so many terabytes (10^12 bytes) have been written.
    func years(ofEndurance terabytes: Double) -> Double? {
        writtenPerDay > 0 ? terabytes * 1e12 / writtenPerDay / 365.25 : nil
    }

    func table(maximumBytes: Double, endurance: [Double]) -> TextTable {
        var table = TextTable([
            .init(say("storage", "存储")), .init(say("estimate", "估算"), isNumber: true),
        ])
        let add = { (table: inout TextTable, name: String, value: String) in
            table.add([name, value])
        }
        add(&table, say("readings a day", "每天读数"), short(readingsPerDay, places: 0))
        add(&table, say("raw bytes a day", "每天原始数据"), shownBytes(Int64(rawBytesPerDay)))
        add(&table, say("rollup bytes a day", "每天统计值"), shownBytes(Int64(rollupBytesPerDay)))
        add(
            &table,
            say(
                "years that fit in \(shownBytes(Int64(maximumBytes)))",
                "\(shownBytes(Int64(maximumBytes))) 可存年数"),
            short(years(in: maximumBytes), places: 1))
        add(&table, say("commits a day, at most", "每天最多提交次数"), short(commitsPerDay, places: 0))
        add(&table, say("written to the medium a day", "每天写入介质"), shownBytes(Int64(writtenPerDay)))
        for terabytes in endurance {
            add(
                &table,
                say(
                    "years of a card of \(short(terabytes)) TBW", "\(short(terabytes)) TBW 存储卡可用年数"),
                short(years(ofEndurance: terabytes), places: 1))
        }
        return table
    }
}
