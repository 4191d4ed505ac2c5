import Telemetry

/// The one line for an inspector: whether the meters are connected and running at this instant.
package struct ComplianceVerdict: Hashable, Sendable {
    /// nil when there is not enough to tell.
    package let isMet: Bool?
    /// Why not, or what cannot be told; empty when all is well.
    package let reasons: [LocalizedText]
    /// When it was found, as the site's clocks show it.
    package let madeAt: String
    private let meters: Int
    private let platforms: [String]

    package init(_ ledger: ComplianceLedger) {
        madeAt = ledger.calendar.rfc3339(ledger.now.slot(every: .seconds(1)))
        meters = ledger.meters.count
        platforms = ledger.platforms.map(\.uplink)
        let broken = Self.out(ledger) + Self.behind(ledger)
        let unknown = Self.unknown(ledger)
        isMet = broken.isEmpty ? (unknown.isEmpty ? true : nil) : false
        reasons = broken + unknown
    }

    /// The whole line.
    package var text: LocalizedText {
        func joined(_ part: (LocalizedText) -> String, _ separator: String) -> String {
            reasons.map(part).joined(separator: separator)
        }
        switch isMet {
        case true?:
            let list = platforms.joined(separator: ", ")
            return LocalizedText(
                en: "Yes. Meters running: \(meters) of \(meters). Connected and up to date: "
                    + "\(list). As of \(madeAt).",
                zh: "是。\(meters) 块计量表全部运行正常；已接入且上传正常的平台："
                    + "\(platforms.joined(separator: "、"))。查验时间 \(madeAt)。")
        case false?:
            return LocalizedText(
                en: "No. \(joined(\.en, "; ")). As of \(madeAt).",
                zh: "否。\(joined(\.zh, "；"))。查验时间 \(madeAt)。")
        case nil:
            return LocalizedText(
                en: "Cannot be told. \(joined(\.en, "; ")). As of \(madeAt).",
                zh: "无法判定。\(joined(\.zh, "；"))。查验时间 \(madeAt)。")
        }
    }

    private static func out(_ ledger: ComplianceLedger) -> [LocalizedText] {
        ledger.meters.compactMap { meter in
            guard let (since, isOlder) = ledger.running(meter) else { return nil }
            let time = ledger.calendar.rfc3339(since)
            let (en, zh) = names(meter)
            return isOlder
                ? LocalizedText(
                    en: "meter \(en) without a good reading since \(time) or before",
                    zh: "计量表 \(zh) 至迟自 \(time) 起无有效读数")
                : LocalizedText(
                    en: "meter \(en) without a good reading since \(time)",
                    zh: "计量表 \(zh) 自 \(time) 起无有效读数")
        }
    }

    private static func behind(_ ledger: ComplianceLedger) -> [LocalizedText] {
        if ledger.platforms.isEmpty {
            return [LocalizedText(en: "no platform is configured", zh: "未配置上传平台")]
        }
        return ledger.platforms.compactMap { platform in
            if platform.lastAccepted == nil {
                return LocalizedText(
                    en: "platform \(platform.uplink) has accepted nothing yet",
                    zh: "平台 \(platform.uplink) 尚未接收过任何数据")
            }
            return ledger.behindSince(platform).map { day in
                LocalizedText(
                    en: "platform \(platform.uplink) is behind: data of \(day) is still owed",
                    zh: "平台 \(platform.uplink) 上传滞后：\(day) 的数据仍未送达")
            }
        }
    }

    private static func unknown(_ ledger: ComplianceLedger) -> [LocalizedText] {
        if ledger.meters.isEmpty {
            return [LocalizedText(en: "no meter has a device", zh: "没有接入设备的计量表")]
        }
        return ledger.meters.filter { !ledger.isJudged($0) }.map { meter in
            let (en, zh) = names(meter)
            return LocalizedText(
                en: "meter \(en) is not judged, because nobody has said how often it is read",
                zh: "计量表 \(zh) 未说明读数周期，无法判定")
        }
    }

    /// The id, and behind it what people call the meter.
    private static func names(_ meter: Meter) -> (en: String, zh: String) {
        guard let title = meter.title else { return (meter.id, meter.id) }
        return ("\(meter.id) (\(title[.en]))", "\(meter.id)（\(title[.zh])）")
    }
}
