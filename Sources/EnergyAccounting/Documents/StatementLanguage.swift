import Telemetry

/// The language in which a statement is rendered.
package enum StatementLanguage: String, Hashable, Sendable, CaseIterable {
    case en
    case zh

    /// The other one, for titles in both.
    package var other: StatementLanguage { self == .en ? .zh : .en }

    /// As HTML names it.
    package var tag: String { self == .en ? "en" : "zh-CN" }
}

extension LocalizedText {
    /// The text in one language; where nobody wrote it, in the other, because a name in the wrong
    /// language says more than a blank.
    package subscript(_ language: StatementLanguage) -> String {
        let (wanted, spare) = language == .en ? (en, zh) : (zh, en)
        return wanted.isEmpty ? spare : wanted
    }
}

/// The words that every statement has, whatever it is about.
package enum StatementWords {
    /// Stands before a number of which a part is estimated.
    package static let estimatedMark = "≈"
    /// Stands where a number would, when nobody knows it.
    package static let missingMark = "–"

    package static let estimatedLegend = LocalizedText(
        en: "partly estimated", zh: "含估算值")
    package static let estimated = LocalizedText(en: "estimated", zh: "估算")
    package static let missing = LocalizedText(en: "missing because", zh: "缺失原因")
    package static let trace = LocalizedText(en: "trace", zh: "追溯号")
    package static let sum = LocalizedText(en: "sum", zh: "合计")
    package static let site = LocalizedText(en: "Site", zh: "项目名称")
    package static let period = LocalizedText(en: "Period", zh: "期间")
    package static let fact = LocalizedText(en: "Item", zh: "事项")
    package static let value = LocalizedText(en: "Value", zh: "数值")
    package static let unit = LocalizedText(en: "Unit", zh: "单位")
    package static let notes = LocalizedText(en: "Notes", zh: "说明")
    package static let cover = LocalizedText(en: "Cover", zh: "封面")
    package static let noRows = LocalizedText(en: "No rows.", zh: "无数据。")
    package static let yes = LocalizedText(en: "yes", zh: "是")
    package static let date = LocalizedText(en: "Date", zh: "日期")
}
