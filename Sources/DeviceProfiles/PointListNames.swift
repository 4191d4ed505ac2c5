import Telemetry

/// Proposes the key of a point from the name that a manual gives it.
///
/// A proposal is only made when the name says every part of the key; it is always reported.
struct PointListNames {
    let vocabulary: Vocabulary

    private static let quantities: [(words: [String], quantity: String)] = [
        (["功率因数", "power factor", "cosφ"], "power_factor"),
        // "reactive power" holds the words "active power" too, so it comes first.
        (["无功功率", "reactive power"], "reactive_power"),
        (["有功功率", "active power"], "active_power"),
        (["视在功率", "apparent power"], "apparent_power"),
        (["无功电能", "无功电度", "reactive energy"], "reactive_energy"),
        (["有功电能", "有功电度", "active energy"], "active_energy"),
        (["剩余电流", "漏电流", "residual current", "leakage current"], "residual_current"),
        (["电压", "voltage"], "voltage"),
        (["电流", "current"], "current"),
        (["频率", "frequency"], "frequency"),
        (["相对湿度", "humidity"], "relative_humidity"),
        (["大气压", "气压"], "air_pressure"),
        (["风速", "wind speed"], "wind_speed"),
        (["风向", "wind direction"], "wind_direction"),
        (["pm2.5"], "pm2_5"), (["pm10"], "pm10"), (["tsp"], "tsp"),
        (["噪声", "噪音", "noise"], "sound_level"),
        (["瞬时流量", "flow rate"], "volume_flow"),
    ]
    private static let phases: [(words: [String], facet: String)] = [
        (["ab线", "uab", "l1-l2", "l1l2"], "l1_l2"), (["bc线", "ubc", "l2-l3", "l2l3"], "l2_l3"),
        (["ca线", "uca", "l3-l1", "l3l1"], "l3_l1"),
        (["a相", "phase a", "l1"], "l1"), (["b相", "phase b", "l2"], "l2"),
        (["c相", "phase c", "l3"], "l3"), (["总", "合相", "total"], "total"),
    ]
    private static let directions: [(words: [String], facet: String)] = [
        (["正向", "import"], "import"), (["反向", "export"], "export"),
    ]

    /// Words that make the quantity another one, or a setting.
    private static let others = [
        "谐波", "harmonic", "thd", "需量", "demand", "最大", "最小", "max", "min", "不平衡", "unbalance",
        "变比", "ratio", "零序", "设定", "阈值", "报警", "alarm", "limit", "角",
    ]

    /// nil when the name does not say a key of the vocabulary.
    func key(_ name: String) -> PointKey? {
        let plain = name.lowercased().filter { $0 != "_" }
        let packed = plain.filter { $0 != " " }
        func match<T>(_ table: [(words: [String], T)]) -> T? {
            table.first { $0.words.contains { plain.contains($0) || packed.contains($0) } }?.1
        }
        guard let quantity = match(Self.quantities),
            !Self.others.contains(where: packed.contains)
        else { return nil }
        var parts = [quantity]
        if quantity.hasSuffix("_energy") {
            guard let direction = match(Self.directions) else { return nil }
            parts.append(direction)
        }
        if let phase = match(Self.phases) {
            parts.append(phase)
        } else if quantity.hasSuffix("_energy") || quantity.hasSuffix("_power") {
            parts.append("total")
        }
        // A tariff changes the meaning, and which of the four it is differs between regions.
        if packed.contains(where: { "尖峰平谷".contains($0) }) { return nil }
        let key = PointKey(parts.joined(separator: "."))
        return vocabulary.describe(key) == nil ? nil : key
    }
}
