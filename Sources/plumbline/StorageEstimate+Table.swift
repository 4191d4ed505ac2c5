import Gateway
import Telemetry

extension StorageEstimate {
    /// Where the figures come from, for people.
    static var source: String {
        say(
            "estimated from docs/benchmarks.md: a reading \(Measured.slowReading) B, every 2 s or"
                + " faster \(Measured.fastReading) B, a rollup \(Measured.packedRollup) B packed and"
                + " \(Measured.rollupRow) B as a row",
            "按 docs/benchmarks.md 实测值估算：每个读数 \(Measured.slowReading) B（周期不超过 2 s 的 "
                + "\(Measured.fastReading) B），统计值压缩后 \(Measured.packedRollup) B、未压缩 "
                + "\(Measured.rollupRow) B")
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
