import Telemetry

/// How a baseline came about, as tables.
extension StatementTables {
    /// The coefficients of a model with their errors and the range that was seen.
    static func coefficients(_ baseline: FrozenBaseline) -> Table {
        var table = Table(
            key: "baseline_" + baseline.tableKey,
            title: LocalizedText(en: "Model: \(baseline.id)", zh: "模型：\(baseline.id)"),
            columns: [
                .words("term", "Term", "项"), .words("unit", "Unit", "单位"),
                .words("base", "Base", "基准温度"),
                .number("coefficient", "Coefficient", "系数"),
                .number("standard_error", "Standard error", "标准误差"),
                .number("variance_inflation", "Variance inflation", "方差膨胀因子"),
                .number("least", "Least seen", "基准期最小值"),
                .number("greatest", "Greatest seen", "基准期最大值"),
            ])
        let model = baseline.model
        let none = Cell.missing(LocalizedText(en: "", zh: ""))
        table.rows.append([
            .text(LocalizedText(en: "intercept", zh: "截距")),
            .text(
                model.interval == .day
                    ? LocalizedText(en: "kWh a day", zh: "kWh/日")
                    : LocalizedText(en: "kWh a month", zh: "kWh/月")), .word(""),
            Print.double(model.intercept.value, places: 4),
            Print.double(model.intercept.standardError, places: 4), none, none, none,
        ])
        for term in model.terms {
            let unit = term.variable.unit
            table.rows.append([
                .word(term.variable.name), .word(unit.isEmpty ? "kWh" : "kWh/(\(unit))"),
                base(term.variable.degreeDays),
                Print.double(term.coefficient.value, places: 4),
                Print.double(term.coefficient.standardError, places: 4),
                Print.double(term.coefficient.varianceInflation),
                Print.double(term.least), Print.double(term.greatest),
            ])
        }
        return table
    }

    private static func base(_ base: DegreeDayBase?) -> Cell {
        guard let base else { return .word("") }
        return switch base.kind {
        case .heating:
            .text(
                LocalizedText(
                    en: "heating below \(base.celsius) °C", zh: "低于 \(base.celsius) °C 采暖"))
        case .cooling:
            .text(
                LocalizedText(
                    en: "cooling above \(base.celsius) °C", zh: "高于 \(base.celsius) °C 制冷"))
        }
    }

    /// How close the models of some baselines are, one line each.
    static func fits(_ baselines: [FrozenBaseline]) -> Table {
        var table = Table(
            key: "fits", title: LocalizedText(en: "Fit of the models", zh: "模型拟合"),
            columns: [
                .words("baseline", "Baseline", "基准"),
                .words("period", "Fitted on", "基准期"), .words("interval", "Interval", "间隔"),
                .words("method", "Method", "方法"),
                .number("periods", "Periods used", "所用时段数"),
                .number("left_out", "Left out", "未用时段数"),
                .number("r_squared", "R²", "R²"),
                .number("cv_rmse_percent", "CV(RMSE)", "CV(RMSE)", unit: "%"),
                .number("nmbe_percent", "NMBE", "NMBE", unit: "%"),
                .number("autocorrelation", "Autocorrelation", "自相关系数"),
            ])
        for one in baselines {
            let (model, quality) = (one.model, one.model.quality)
            table.rows.append([
                .word(one.id), .word("\(model.first)..\(model.last)"),
                .text(model.interval.title), .word("\(one.method) \(one.methodVersion)"),
                Print.number(Exact(quality.periods), places: 0),
                Print.number(Exact(model.leftOut), places: 0),
                Print.double(quality.rSquared, places: 4),
                Print.double(quality.cvRMSEPercent), Print.double(quality.nmbePercent),
                Print.double(quality.autocorrelation, places: 4),
            ])
        }
        return table
    }

    /// What a model is fitted to, period by period.
    static func observations(
        _ observations: [BaselineObservation], _ variables: [EnergyVariable]
    ) -> Table {
        var table = Table(
            key: "observations", title: LocalizedText(en: "What it rests on", zh: "建模数据"),
            columns: [
                .words("period", "Period", "时段"),
                .number("energy", "Energy", "用量", unit: "kWh"),
                .number("completeness_percent", "Complete", "完整率", unit: "%"),
                .number("estimated_percent", "Estimated", "估算占比", unit: "%"),
            ]
                + variables.map {
                    StatementDocument.Column(
                        "variable_" + $0.name.replacing("-", with: "_"),
                        LocalizedText(en: $0.name, zh: $0.name), unit: $0.unit)
                })
        for one in observations {
            table.rows.append(
                [
                    .word(one.period.label), Print.number(one.energy),
                    Print.number(one.completenessPercent, places: Print.percent),
                    Print.number(one.estimatedPercent, places: Print.percent),
                ] + variables.map { Print.double(one.variables[$0.name]) })
        }
        return table
    }
}

extension EnergyView {
    /// A baseline that was fitted: its coefficients, how close it is, and what it rests on.
    ///
    /// - Parameter fingerprints: of the whole text and of the model alone, for the notes.
    package static func baseline(
        _ baseline: FrozenBaseline, _ observations: [BaselineObservation],
        _ variables: [EnergyVariable], site: String, fingerprints: (all: String, model: String)
    ) -> StatementDocument {
        let model = baseline.model
        return StatementDocument(
            kind: "baseline", title: LocalizedText(en: "Baseline", zh: "节能量基准"), site: site,
            period: "\(model.first)..\(model.last)",
            tables: [
                StatementTables.coefficients(baseline), StatementTables.fits([baseline]),
                StatementTables.observations(observations, variables),
            ],
            notes: [
                LocalizedText(
                    en: "sha256 of the whole text \(fingerprints.all), of the model alone "
                        + "\(fingerprints.model).",
                    zh: "全文 sha256 \(fingerprints.all)，仅模型 \(fingerprints.model)。")
            ])
    }

    /// Why there is no baseline, with all the figures, and what it would have rested on.
    package static func refusedBaseline(
        _ refusals: BaselineRefusals, _ observations: [BaselineObservation],
        _ variables: [EnergyVariable], site: String, period: AccountingPeriod
    ) -> StatementDocument {
        var reasons = StatementDocument.Table(
            key: "refusals", title: LocalizedText(en: "No baseline, because", zh: "无法建立基准，原因"),
            columns: [.words("reason", "Reason", "原因")])
        reasons.rows = refusals.reasons.map { [.text($0.text)] }
        return StatementDocument(
            kind: "baseline", title: LocalizedText(en: "Baseline refused", zh: "节能量基准未建立"),
            site: site, period: period.label,
            tables: [reasons, StatementTables.observations(observations, variables)])
    }
}
