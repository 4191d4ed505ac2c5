import Telemetry

/// One reason for which no baseline is fitted or no savings are told, with its evidence.
package enum BaselineRefusal: Hashable, Sendable {
    // What was asked
    /// The method has no figures for the interval.
    case intervalWithoutLimits(BaselineMethod.Interval)
    /// Days and months stand together, or a period is neither.
    case mixedPeriods
    /// A period stands twice.
    case periodTwice(AccountingPeriod)
    case tooManyVariables(given: Int, most: Int)
    case variableTwice(String)
    /// The reporting period begins before the baseline has ended.
    case overlapsBaseline(AccountingPeriod)
    /// The periods are not of the length on which the baseline rests.
    case otherInterval(baseline: BaselineMethod.Interval)

    // The data
    case tooFewPeriods(usable: Int, needed: Int)
    /// Energy of which nothing is known, or which is not a number of a site.
    case energyUnknown([AccountingPeriod])
    case completenessBelow([AccountingPeriod], worstPercent: Exact, limitPercent: Exact)
    case estimatedShareAbove([AccountingPeriod], worstPercent: Exact, limitPercent: Exact)
    case variableMissing(String, [AccountingPeriod])
    case reportingShareBelow(usable: Int, offered: Int, limitPercent: Exact)

    // The model
    case constantVariable(String)
    /// The variables before it already say what this one says.
    case collinearVariable(String)
    case varianceInflationAbove(String, value: Double, limit: Exact)
    /// The mean of the measured energy is not above zero, or a figure leaves the range of numbers.
    case notComputable
    case cvRMSEAbove(percent: Double, limitPercent: Exact)
    case nmbeAbove(percent: Double, limitPercent: Exact)
    case rSquaredBelow(value: Double, limit: Exact)
    /// The residuals resemble each other so much that too few independent periods remain.
    case autocorrelationTooStrong(effectivePeriods: Double)
}

/// All the reasons of one refusal; whoever asked gets them instead of a result.
package struct BaselineRefusals: Error, Hashable, Sendable {
    package var reasons: [BaselineRefusal]

    package init(_ reasons: [BaselineRefusal]) { self.reasons = reasons }
}

extension BaselineRefusal {
    /// The reason as a statement tells it.
    package var text: LocalizedText {
        switch self {
        case .intervalWithoutLimits(let interval):
            LocalizedText(
                en: "the method has no limits for \(interval.title.en)",
                zh: "方法文件中没有按\(interval.title.zh)的限值")
        case .mixedPeriods:
            LocalizedText(
                en: "the periods must all be whole days or all be whole months",
                zh: "各时段必须全部为整日或全部为整月")
        case .periodTwice(let period):
            LocalizedText(
                en: "the period \(period.label) stands twice", zh: "时段 \(period.label) 重复")
        case .tooManyVariables(let given, let most):
            LocalizedText(
                en: "\(given) variables, and no more than \(most) are allowed",
                zh: "变量共 \(given) 个，最多允许 \(most) 个")
        case .variableTwice(let name):
            LocalizedText(en: "the variable '\(name)' stands twice", zh: "变量“\(name)”重复")
        case .overlapsBaseline(let period):
            LocalizedText(
                en: "\(period.label) lies in the baseline period or before it",
                zh: "\(period.label) 处于基准期内或早于基准期")
        case .otherInterval(let interval):
            LocalizedText(
                en: "the baseline rests on \(interval.title.en), the periods do not",
                zh: "基准按\(interval.title.zh)建立，所给时段与其不一致")
        case .tooFewPeriods(let usable, let needed):
            LocalizedText(
                en: "\(usable) usable periods, and \(needed) are needed",
                zh: "可用时段 \(usable) 个，至少需要 \(needed) 个")
        default: dataText ?? modelText
        }
    }

    private var dataText: LocalizedText? {
        switch self {
        case .energyUnknown(let periods):
            LocalizedText(
                en: "the energy is unknown in \(Self.names(periods).en)",
                zh: "以下时段能耗未知：\(Self.names(periods).zh)")
        case .completenessBelow(let periods, let worst, let limit):
            LocalizedText(
                en: "less than \(limit.shortText) % is known of \(Self.names(periods).en); "
                    + "at worst \(worst.text(places: 1)) %",
                zh: "以下时段数据完整率低于 \(limit.shortText)%：\(Self.names(periods).zh)；"
                    + "最低 \(worst.text(places: 1))%")
        case .estimatedShareAbove(let periods, let worst, let limit):
            LocalizedText(
                en: "more than \(limit.shortText) % is estimated of \(Self.names(periods).en); "
                    + "at worst \(worst.text(places: 1)) %",
                zh: "以下时段估算占比高于 \(limit.shortText)%：\(Self.names(periods).zh)；"
                    + "最高 \(worst.text(places: 1))%")
        case .variableMissing(let name, let periods):
            LocalizedText(
                en: "the variable '\(name)' is missing in \(Self.names(periods).en)",
                zh: "以下时段缺少变量“\(name)”：\(Self.names(periods).zh)")
        case .reportingShareBelow(let usable, let offered, let limit):
            LocalizedText(
                en: "\(usable) of \(offered) reporting periods are usable, and "
                    + "\(limit.shortText) % are needed",
                zh: "报告期 \(offered) 个时段中仅 \(usable) 个可用，要求不低于 \(limit.shortText)%")
        default: nil
        }
    }

    private var modelText: LocalizedText {
        switch self {
        case .constantVariable(let name):
            LocalizedText(
                en: "the variable '\(name)' never changes, so nothing can be learnt from it",
                zh: "变量“\(name)”始终不变，无法用于回归")
        case .collinearVariable(let name):
            LocalizedText(
                en: "the variable '\(name)' says what the ones before it already say",
                zh: "变量“\(name)”与前面的变量共线")
        case .varianceInflationAbove(let name, let value, let limit):
            LocalizedText(
                en: "the variable '\(name)' resembles the others too much: variance inflation "
                    + "\(Self.number(value)), limit \(limit.shortText)",
                zh: "变量“\(name)”与其他变量过于相似：方差膨胀因子 \(Self.number(value))，"
                    + "限值 \(limit.shortText)")
        case .cvRMSEAbove(let percent, let limit):
            LocalizedText(
                en: "the model is too coarse: CV(RMSE) \(Self.number(percent)) %, "
                    + "limit \(limit.shortText) %",
                zh: "模型离散度过大：CV(RMSE) \(Self.number(percent))%，限值 \(limit.shortText)%")
        case .nmbeAbove(let percent, let limit):
            LocalizedText(
                en: "the model is biased: NMBE \(Self.number(percent)) %, "
                    + "limit ±\(limit.shortText) %",
                zh: "模型存在偏差：NMBE \(Self.number(percent))%，限值 ±\(limit.shortText)%")
        case .rSquaredBelow(let value, let limit):
            LocalizedText(
                en: "the variables explain too little: R² \(Self.number(value)), "
                    + "at least \(limit.shortText)",
                zh: "变量解释力不足：R² \(Self.number(value))，要求不低于 \(limit.shortText)")
        case .autocorrelationTooStrong(let effective):
            LocalizedText(
                en: "the residuals follow each other so closely that only "
                    + "\(Self.number(effective)) independent periods remain",
                zh: "残差自相关过强，等效独立时段仅 \(Self.number(effective)) 个")
        default:
            LocalizedText(
                en: "the figures give no model: the mean energy is not above zero, or a number "
                    + "is out of range",
                zh: "所给数据无法建模：平均能耗不大于零，或数值超出范围")
        }
    }

    /// The first periods by their labels, and how many there are beside them.
    private static func names(_ periods: [AccountingPeriod]) -> LocalizedText {
        let labels = periods.prefix(3).map(\.label)
        let more = periods.count - labels.count
        return LocalizedText(
            en: labels.joined(separator: ", ") + (more > 0 ? " and \(more) more" : ""),
            zh: labels.joined(separator: "、") + (more > 0 ? "等 \(periods.count) 个时段" : ""))
    }

    /// Two decimal places, for people.
    private static func number(_ value: Double) -> String {
        ScaledInteger(rounding: value).map { Exact($0).text(places: 2) } ?? "\(value)"
    }
}
