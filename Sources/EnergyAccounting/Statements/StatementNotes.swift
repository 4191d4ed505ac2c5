import Telemetry

/// What a reader has to know beside the figures: where factors and prices come from, how certain
/// they are, and how far the period has been told.
struct StatementNotes {
    private let accounts: EnergyAccounts
    private let period: AccountingPeriod

    init(_ accounts: EnergyAccounts, _ period: AccountingPeriod) {
        self.accounts = accounts
        self.period = period
    }

    var all: [LocalizedText] { progress + factors + tariffs + boundary }

    /// What a reader of savings has to know: by which method, with which figures, and its limits.
    var savings: [LocalizedText] {
        guard let plan = accounts.plan.baselines else {
            return [
                LocalizedText(
                    en: "The site names no baselines, so nothing can be compared.",
                    zh: "站点未配置节能量基准，无法比较。")
            ]
        }
        let method = plan.method
        var notes = progress
        notes.append(
            LocalizedText(
                en: "Method \(method.name), version \(method.version). Saved = model + adjustments "
                    + "− measured; what is left out claims nothing.",
                zh: "方法 \(method.name)，版本 \(method.version)。节能量 = 模型用量 + 调整量 − 实测用量；"
                    + "未计入的时段不主张节能量。"))
        let fromMemory = method.limits.values.flatMap(\.figures.values)
            .contains { $0.status == .fromMemory }
        if fromMemory {
            notes.append(
                LocalizedText(
                    en:
                        "Some figures of the method are from memory; confirm them before a contract "
                        + "rests on them.",
                    zh: "方法中部分数值凭记忆录入，用于合同前须核实。"))
        }
        if plan.frozen.isEmpty {
            notes.append(
                LocalizedText(
                    en: "No baseline is frozen; 'plumbline energy baseline' makes one.",
                    zh: "尚未冻结任何基准；可用 'plumbline energy baseline' 建立。"))
        }
        return notes + [Self.rounding]
    }

    private var progress: [LocalizedText] {
        guard accounts.now < period.end(calendar: accounts.calendar) else { return [] }
        let until = accounts.calendar.rfc3339(accounts.now)
        return [
            LocalizedText(
                en: "The period has not ended; figures are those up to \(until).",
                zh: "期间尚未结束，数据截至 \(until)。")
        ]
    }

    private var factors: [LocalizedText] {
        var notes: [LocalizedText] = []
        for kind in [FactorKind.coal, .co2, .electricityEquivalent] {
            for carrier in accounts.plan.tree.carriers {
                let conversion = accounts.converted(kind, carrier, in: period)
                for factor in conversion.factors where !notes.contains(factor.note) {
                    notes.append(factor.note)
                }
            }
        }
        return notes
    }

    private var tariffs: [LocalizedText] {
        accounts.plan.tree.carriers.flatMap { carrier -> [LocalizedText] in
            guard let tariff = accounts.plan.tariff(for: carrier),
                let bill = accounts.bill(of: carrier, in: period)
            else { return [] }
            return bill.notes(of: tariff).map {
                LocalizedText(
                    en: "\(carrier.title.en). \($0.en)", zh: "\(carrier.title.zh)：\($0.zh)")
            }
        }
    }

    private var boundary: [LocalizedText] {
        [
            LocalizedText(
                en: "Coal and CO₂ are those of what came in; own generation has none, and what is "
                    + "given away is not taken off.",
                zh: "标准煤与二氧化碳按购入量折算；自发电量不计，外供量不扣减。"),
            Self.rounding,
        ]
    }

    private static let rounding = LocalizedText(
        en: "Sums are exact and rounded once, half to even, where they are printed.",
        zh: "合计为精确值，仅在打印时修约一次（四舍六入五成双）。")
}
