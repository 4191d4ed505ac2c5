import Telemetry

/// The tables of the compliance statement.
struct ComplianceTables {
    typealias Table = StatementDocument.Table
    typealias Cell = StatementDocument.Cell

    let ledger: ComplianceLedger

    private var calendar: SiteCalendar { ledger.calendar }
    private var today: CivilDate { CivilDate(ledger.now, calendar: calendar) }

    /// The meters with a device: readings, outages, certificates.
    func meters() -> Table {
        var table = Table(
            key: "meters", title: LocalizedText(en: "Meters", zh: "计量表"),
            columns: [
                .words("meter", "Meter", "计量点"), .words("title", "Name", "名称"),
                .words("last_good", "Last good reading", "最近有效读数"),
                .number("outage_hours", "Out in the period", "期间中断时长", unit: "h"),
                .words("out_since", "Out since", "当前中断起始"),
                .number("received_percent", "Readings received", "读数到达率", unit: "%"),
                .words("certificate", "Certificate", "检定证书编号"),
                .words("certificate_due", "Due", "有效期至"),
                .words("certificate_state", "State", "证书状态"),
            ])
        for meter in ledger.meters {
            let outages = ledger.outages(of: meter)
            let certificate = ledger.plan.entries.certificate(of: meter.id, on: today)
            let state = CertificateState(
                certificate, on: today, soon: ledger.plan.compliance?.certificateSoon)
            table.rows.append([
                .word(meter.id), title(of: meter),
                time(ledger.lastGood(of: meter), missing: Self.neverGood),
                hours(outages), running(meter),
                Print.number(
                    outages?.receivedShare.map { $0 * Exact(100) }, places: Print.percent,
                    missing: Self.notJudged),
                certificate.map { .word($0.number) } ?? .missing(state.text),
                certificate.map { .word("\($0.due)") } ?? .missing(state.text),
                .text(state.text),
            ])
        }
        return table
    }

    /// What each platform took of each meter's device, and the days on which something is missing.
    func uploads() -> Table {
        var table = Table(
            key: "meter_uploads", title: LocalizedText(en: "Uploads by meter", zh: "按计量表上传情况"),
            columns: [.words("meter", "Meter", "计量点"), .words("platform", "Platform", "平台")]
                + Self.counted + [.words("incomplete_days", "Incomplete days", "不完整日期")])
        for meter in ledger.meters {
            for uplink in ledger.uplinks {
                let days = ledger.deliveries(to: uplink, of: meter)
                table.rows.append(
                    [.word(meter.id), .word(uplink)] + Self.cells(DeliveryTotal(days))
                        + [.word(incomplete(days))])
            }
        }
        return table
    }

    /// Each day of the period that has begun, platform by platform.
    func days() -> Table {
        var table = Table(
            key: "platform_days", title: LocalizedText(en: "Platforms by day", zh: "平台逐日上传情况"),
            columns: [.words("day", "Day", "日期"), .words("platform", "Platform", "平台")]
                + Self.counted)
        for uplink in ledger.uplinks {
            let byDay = Dictionary(grouping: ledger.deliveries(to: uplink), by: \.day)
            for number in 0..<ledger.period.days {
                let day = ledger.period.first.advanced(days: number)
                if today < day { break }
                table.rows.append(
                    [.word("\(day)"), .word(uplink)] + Self.cells(DeliveryTotal(byDay[day] ?? [])))
            }
        }
        return table
    }

    /// Each platform over the whole period, and how it stands now.
    func platforms() -> Table {
        var table = Table(
            key: "platforms", title: LocalizedText(en: "Platforms", zh: "平台"),
            columns: [.words("platform", "Platform", "平台")] + Self.counted + [
                .words("last_accepted", "Last accepted", "最近接收时间"),
                .words("behind_since", "Behind since", "滞后起始日"),
            ])
        let known = Dictionary(
            ledger.platforms.map { ($0.uplink, $0) }, uniquingKeysWith: { first, _ in first })
        for uplink in ledger.uplinks {
            let now: [Cell]
            if let platform = known[uplink] {
                now = [
                    time(platform.lastAccepted, missing: Self.neverAccepted),
                    .word(ledger.behindSince(platform).map { "\($0)" } ?? ""),
                ]
            } else {
                now = [.missing(Self.notConfigured), .missing(Self.notConfigured)]
            }
            table.rows.append(
                [.word(uplink)] + Self.cells(DeliveryTotal(ledger.deliveries(to: uplink))) + now)
        }
        return table
    }

    /// The work on meters in the period.
    func repairs() -> Table {
        var table = Table(
            key: "repairs", title: LocalizedText(en: "Repairs", zh: "维修记录"),
            columns: [
                .words("meter", "Meter", "计量点"), .words("from", "From", "开始"),
                .words("to", "To", "结束"), .number("hours", "Took", "用时", unit: "h"),
                .words("reason", "Work", "内容"), .words("by", "By", "登记人"),
            ])
        let (start, end) = (
            ledger.period.start(calendar: calendar), ledger.period.end(calendar: calendar)
        )
        for repair in ledger.plan.entries.repairs(from: start, to: end) {
            table.rows.append([
                .word(repair.meter), time(repair.from, missing: Self.goesOn),
                time(repair.to, missing: Self.goesOn),
                Print.number(
                    repair.to.map { Self.hours($0 - repair.from) }, missing: Self.goesOn),
                .word(repair.note.reason), .word(repair.note.by),
            ])
        }
        return table
    }

    /// The columns of `cells`.
    static let counted: [StatementDocument.Column] = [
        .number("owed", "Owed", "应传"), .number("accepted", "Accepted", "已接收"),
        .number("rejected", "Refused", "被拒收"), .number("expired", "Given up", "已放弃"),
        .number("open", "Still owed", "待传"),
        .number("completeness_percent", "Complete", "完整率", unit: "%"),
    ]

    static func cells(_ total: DeliveryTotal) -> [Cell] {
        if total.owed == 0 { return counted.map { _ in .missing(nothingOwed) } }
        return [total.owed, total.accepted, total.rejected, total.expired, total.open].map {
            Print.number(Exact($0), places: 0)
        } + [Print.percent(total.completeness)]
    }

    /// The days of which something was not accepted, each with what was.
    private func incomplete(_ days: [DeliveryDay]) -> String {
        let byDay = Dictionary(grouping: days, by: \.day).mapValues { DeliveryTotal($0) }
        return byDay.filter { $0.value.accepted < $0.value.owed }.sorted { $0.key < $1.key }
            .map { "\($0.key) \($0.value.accepted)/\($0.value.owed)" }.joined(separator: ", ")
    }

    private func title(of meter: Meter) -> Cell {
        meter.title.map { .text($0) } ?? .word(meter.id)
    }

    private func time(_ time: Timestamp?, missing: LocalizedText) -> Cell {
        time.map { .word(calendar.rfc3339($0)) } ?? .missing(missing)
    }

    private func hours(_ outages: MeterOutages?) -> Cell {
        guard let outages, outages.isJudged else { return .missing(Self.notJudged) }
        return Print.number(Self.hours(outages.length))
    }

    private func running(_ meter: Meter) -> Cell {
        if let (since, isOlder) = ledger.running(meter) {
            let time = calendar.rfc3339(since)
            return isOlder
                ? .text(LocalizedText(en: "\(time) or before", zh: "至迟 \(time)")) : .word(time)
        }
        return ledger.isJudged(meter) ? .word("") : .missing(Self.notJudged)
    }

    private static func hours(_ span: Duration) -> Exact {
        Exact(Int128(span.milliseconds), over: 3_600_000)
    }

    private static let neverGood = LocalizedText(
        en: "no good reading is on record", zh: "无有效读数记录")
    private static let notJudged = LocalizedText(
        en: "not judged: nobody has said how often it is read", zh: "未判定：未说明读数周期")
    private static let nothingOwed = LocalizedText(en: "nothing was owed", zh: "无应传数据")
    private static let neverAccepted = LocalizedText(
        en: "nothing was accepted yet", zh: "尚未接收过数据")
    private static let notConfigured = LocalizedText(
        en: "no longer configured", zh: "已不在配置中")
    private static let goesOn = LocalizedText(en: "it goes on", zh: "仍在进行")
}
