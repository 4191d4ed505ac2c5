import EnergyAccounting
import Telemetry

/// Statements as a site hands them over, made by rule and without chance: every kind of cell,
/// numbers of the lengths that occur, and texts that try to break out of what holds them.
package enum SampleStatements {
    package typealias Document = StatementDocument
    package typealias Number = StatementDocument.Number
    package typealias Cell = StatementDocument.Cell

    /// A month of an office building: 12 rows and their sum, 9 columns.
    package static let monthly: Document = {
        var document = Document(
            kind: "monthly",
            title: LocalizedText(en: "Monthly energy statement", zh: "月度能耗结算单"),
            site: "杭州钱塘区金沙湖商务中心二期（T3 塔楼）", period: "2026-03")
        document.facts = [
            fact("area", "Gross floor area", "总建筑面积", "46850.0", 1, "m²"),
            fact("electricity", "Electricity", "总用电量", "2896120.50", 2, "kWh", "m:total"),
            fact("water", "Water", "总用水量", "5210.4", 1, "m³", "m:water", isEstimated: true),
            fact("cost", "Electricity cost", "电费合计", "2135020.03", 2, "CNY", "c:total"),
            fact("intensity", "Electricity per area", "单位面积电耗", "61.82", 2, "kWh/m²", "i:area"),
            .init(
                "gas", LocalizedText(en: "Natural gas", zh: "天然气用量"),
                .missing(LocalizedText(en: "no meter is connected", zh: "表计未接入")), unit: "m³"),
            .init(
                "tariff", LocalizedText(en: "Tariff", zh: "电价方案"),
                .text(
                    LocalizedText(en: "Zhejiang, 1–10 kV, time of use", zh: "浙江 一般工商业 1–10 kV 分时"))),
            .init(
                "supply", LocalizedText(en: "Account", zh: "供电户号"), .word("3300012345678901")),
        ]
        document.tables = [byMeter]
        document.notes = [
            LocalizedText(
                en: "Tariff: notice of the provincial grid of March 2026, status: secondary.",
                zh: "电价：2026 年 3 月省级电网代理购电公告，来源状态：二手资料。"),
            LocalizedText(
                en: "T3-07: the meter was silent from 11 to 13 March; its total is exact, its "
                    + "distribution over the bands is estimated.",
                zh: "T3-07：3 月 11 日至 13 日无通信，总量准确，各时段分摊为估算。"),
        ]
        document.signatures = [
            LocalizedText(en: "Prepared by", zh: "编制"),
            LocalizedText(en: "Checked by", zh: "审核"),
            LocalizedText(en: "Approved by (seal)", zh: "批准（盖章）"),
        ]
        return document
    }()

    private static let byMeter: Document.Table = {
        let names = [
            ("Tower air conditioning", "塔楼空调主机"), ("Chilled water pumps", "冷冻水泵"),
            ("Lighting 1–10 F", "照明 1–10 层"), ("Lighting 11–24 F", "照明 11–24 层"),
            ("Lifts", "客梯与货梯"), ("Data centre", "数据机房"), ("Canteen", "职工食堂"),
            ("Car park", "地下车库照明与排风"), ("Domestic water", "生活水泵"),
            ("Fire systems", "消防设备"), ("Chargers", "充电桩"), ("Shops", "底商"),
        ]
        var table = Document.Table(
            key: "by_meter", title: LocalizedText(en: "Electricity by branch", zh: "各支路用电"),
            columns: [
                .init("branch", LocalizedText(en: "Branch", zh: "支路"), isNumber: false),
                .init("meter", LocalizedText(en: "Meter", zh: "表号"), isNumber: false),
                .init("sharp", LocalizedText(en: "Critical peak", zh: "尖峰"), unit: "kWh"),
                .init("peak", LocalizedText(en: "Peak", zh: "高峰"), unit: "kWh"),
                .init("flat", LocalizedText(en: "Flat", zh: "平段"), unit: "kWh"),
                .init("valley", LocalizedText(en: "Valley", zh: "低谷"), unit: "kWh"),
                .init("total", LocalizedText(en: "Total", zh: "合计"), unit: "kWh"),
                .init("change", LocalizedText(en: "Against March 2025", zh: "同比变化"), unit: "%"),
                .init("cost", LocalizedText(en: "Cost", zh: "电费"), unit: "CNY"),
            ])
        var totals = [Exact](repeating: .zero, count: 6)
        for (index, name) in names.enumerated() {
            let base = Exact(text: "\(1234 + index * index * 411).\(index % 9)5") ?? .zero
            let bands = [1, 4, 5, 3].map { base * Exact($0) }
            let total = bands.reduce(.zero, +)
            let cost = total * Exact(7372, over: 10_000)
            let isEstimated = index == 6
            let trace = "meter:T3-\(twoDigits(index + 1))/2026-03"
            let isMissing = index == 10
            for (place, value) in (bands + [total, cost]).enumerated() where place > 3 || !isMissing
            {
                totals[place] += value
            }
            var row: [Cell] = [
                .text(LocalizedText(en: name.0, zh: name.1)), .word("T3-\(twoDigits(index + 1))"),
            ]
            for (band, key) in zip(bands, ["sharp", "peak", "flat", "valley"]) {
                row.append(
                    isMissing
                        ? .missing(
                            LocalizedText(
                                en: "the meter counts in one band only", zh: "该表为单费率表"))
                        : .number(
                            Number(
                                band, places: 2, trace: "\(trace)/\(key)",
                                isEstimated: isEstimated)))
            }
            row.append(.number(Number(total, places: 2, trace: trace)))
            row.append(
                index == 11
                    ? .missing(LocalizedText(en: "no figures of March 2025", zh: "无 2025 年 3 月数据"))
                    : .number(Number(Exact(Int128(index * 37 - 120), over: 10), places: 1)))
            row.append(.number(Number(cost, places: 2, trace: "\(trace)/cost")))
            table.rows.append(row)
        }
        table.rows.append(
            [.text(LocalizedText(en: "Sum", zh: "合计")), .word("")]
                + totals.prefix(5).map {
                    .number(Number($0, places: 2, trace: "sum", isEstimated: $0 != totals[4]))
                } + [
                    .number(Number(Exact(Int128(-31), over: 10), places: 1)),
                    .number(Number(totals[5], places: 2, trace: "sum/cost")),
                ])
        table.sums = [12]
        return table
    }()

    /// A year by days, long and wide: 365 rows and the sums of the months, 14 columns; behind it a
    /// narrow table and one without rows.
    package static let yearly: Document = {
        var document = Document(
            kind: "yearly",
            title: LocalizedText(en: "Annual energy statement by days", zh: "年度能耗逐日明细"),
            site: "杭州钱塘区金沙湖商务中心二期（T3 塔楼）", period: "2025",
            facts: [
                fact("electricity", "Electricity", "总用电量", "4386412.75", 2, "kWh", "y:total"),
                fact("days", "Days", "天数", "365", 0, ""),
            ])
        var days = Document.Table(
            key: "by_day", title: LocalizedText(en: "By day", zh: "逐日用电"),
            columns: [.init("day", LocalizedText(en: "Day", zh: "日期"), isNumber: false)]
                + (1...13).map {
                    .init(
                        "t\($0)",
                        LocalizedText(en: "Tower \($0) total electricity", zh: "\($0) 号楼总用电量"),
                        unit: "kWh")
                })
        for day in 0..<365 {
            let date = CivilTime.date(daysSinceEpoch: 20_089 + day)
            let label = "\(date.year)-\(twoDigits(date.month))-\(twoDigits(date.day))"
            days.rows.append(
                [.word(label)]
                    + (1...13).map { tower in
                        let value = Exact(
                            Int128((day * 7919 + tower * 104_729) % 1_999_983), over: 100)
                        return .number(
                            Number(
                                value, places: 2, trace: "t\(tower)/\(label)",
                                isEstimated: day % 50 == 7 && tower == 4))
                    })
            if date.day == CivilTime.daysInMonth(year: date.year, month: date.month) {
                days.rows.append(
                    [.text(LocalizedText(en: "Sum", zh: "月合计"))]
                        + (1...13).map {
                            .number(
                                Number(
                                    Exact(Int128(30_987_654 + $0 * day * 911), over: 100), places: 2
                                ))
                        })
                days.sums.insert(days.rows.count - 1)
            }
        }
        document.tables = [
            days,
            .init(
                key: "factors", title: LocalizedText(en: "Factors", zh: "采用的折算系数"),
                columns: [
                    .init("name", LocalizedText(en: "Factor", zh: "系数"), isNumber: false),
                    .init("value", LocalizedText(en: "Value", zh: "数值"), unit: "kgce/kWh"),
                ],
                rows: [
                    [
                        .text(LocalizedText(en: "Electricity, equivalent", zh: "电力（当量值）")),
                        .number(Number(Exact(1229, over: 10_000), places: 4)),
                    ]
                ]),
            .init(
                key: "corrections", title: LocalizedText(en: "Corrections", zh: "更正记录"),
                columns: [.init("when", LocalizedText(en: "When", zh: "时间"), isNumber: false)]),
        ]
        return document
    }()

    /// Texts that try to break out of what holds them, names twice, rows too short and too long,
    /// numbers that a double cannot hold.
    package static let hostile: Document = {
        let script = "</style></title><script>alert('1')</script> & \"q\""
        func both(_ text: String) -> LocalizedText { LocalizedText(en: text, zh: text) }
        return Document(
            kind: "hostile", title: both(script), site: "a\"b\\c</style>\n<b>", period: "=1+1",
            facts: [.init("f", both("<i>f"), .word("@SUM(A1)"), unit: "<u>")],
            tables: [
                .init(
                    key: "odd", title: both("a/b:c*d?e[f]g\\h'"),
                    columns: [
                        .init("name", both("Na\nme, \"x\""), isNumber: false),
                        .init("v", both("=V"), unit: "%"),
                        .init("v", both("V"), unit: "%"),
                        .init("v_estimated", both("E"), isNumber: false),
                    ],
                    rows: [
                        [
                            .word("<\u{338}b onclick=x>"),
                            .number(
                                Number(
                                    Exact(-1, over: 8), places: 2, trace: "\" onclick=\"x",
                                    isEstimated: true)),
                            .number(
                                Number(Exact(text: "12345678901234567.89") ?? .zero, places: 2)),
                            .word("-1F"),
                        ],
                        [.word("\"\u{301}"), .missing(both("no, \"really\""))],
                        [
                            .word("+1\r\n2"), .missing(both("")),
                            .number(Number(Exact(text: "-0.004") ?? .zero, places: 2)),
                            .word("\t"), .word("too many"),
                        ],
                    ], sums: [2, 9]),
                .init(
                    key: "odd", title: both("A/B:c*d?e[f]g\\h'"),
                    columns: [.init("v", both(""), isNumber: false)], rows: [[.word("")]]),
            ], notes: [both("<script>"), both("=cmd|' /C calc'!A0")], signatures: [both("<hr>")])
    }()

    private static func fact(
        _ key: String, _ english: String, _ chinese: String, _ value: String, _ places: Int,
        _ unit: String, _ trace: String? = nil, isEstimated: Bool = false
    ) -> Document.Fact {
        .init(
            key, LocalizedText(en: english, zh: chinese),
            .number(
                Number(
                    Exact(text: value) ?? .zero, places: places, trace: trace,
                    isEstimated: isEstimated)), unit: unit)
    }

    private static func twoDigits(_ number: Int) -> String {
        number < 10 ? "0\(number)" : "\(number)"
    }
}
