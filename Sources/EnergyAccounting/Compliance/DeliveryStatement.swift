import Telemetry

/// How one platform stands, beyond the counts by day.
package struct DeliveryStanding: Hashable, Sendable {
    package var uplink: String
    /// Where it is, without secrets, and what it is told in.
    package var address: String
    package var format: String
    /// Items that may go now or later.
    package var open: Int
    /// The start of the oldest period among them.
    package var oldestOpen: Timestamp?
    package var lastAccepted: Timestamp?
    package var lastReason: String?
    /// Until nothing is owed any more, at the speed of the last minutes; nil: not to be foreseen.
    package var catchUp: Duration?

    package init(
        uplink: String, address: String = "", format: String = "", open: Int = 0,
        oldestOpen: Timestamp? = nil, lastAccepted: Timestamp? = nil, lastReason: String? = nil,
        catchUp: Duration? = nil
    ) {
        self.uplink = uplink
        self.address = address
        self.format = format
        self.open = open
        self.oldestOpen = oldestOpen
        self.lastAccepted = lastAccepted
        self.lastReason = lastReason
        self.catchUp = catchUp
    }
}

/// Why items did not arrive, and how many.
package struct DeliveryFailure: Hashable, Sendable {
    package var kind: String
    /// Refused by the platform; else given up by the gateway.
    package var isRefusal: Bool
    package var reason: String
    package var count: Int
    package var first: Timestamp
    package var last: Timestamp

    package init(
        kind: String, isRefusal: Bool, reason: String, count: Int, first: Timestamp,
        last: Timestamp
    ) {
        self.kind = kind
        self.isRefusal = isRefusal
        self.reason = reason
        self.count = count
        self.first = first
        self.last = last
    }
}

/// What one platform was owed and took over a period: the statement for its operator, and for an
/// inspector who asks why there are gaps.
package struct DeliveryStatement: Sendable {
    package static let kind = "uplink"

    package var standing: DeliveryStanding
    package var period: AccountingPeriod
    package var days: [DeliveryDay]
    package var failures: [DeliveryFailure]
    package var calendar: SiteCalendar
    package var now: Timestamp

    package init(
        standing: DeliveryStanding, period: AccountingPeriod, days: [DeliveryDay],
        failures: [DeliveryFailure], calendar: SiteCalendar, now: Timestamp
    ) {
        self.standing = standing
        self.period = period
        self.days = days.filter { $0.uplink == standing.uplink }
        self.failures = failures
        self.calendar = calendar
        self.now = now
    }

    /// - Parameter site: its name, as it is written.
    package func document(site: String) -> StatementDocument {
        StatementDocument(
            kind: Self.kind,
            title: LocalizedText(
                en: "What was reported to \(standing.uplink)", zh: "数据上报情况表：\(standing.uplink)"),
            site: site, period: period.label, facts: facts,
            tables: [kinds, stations, byDay, reasons], notes: Self.notes,
            signatures: [
                LocalizedText(en: "For the site", zh: "上报单位"),
                LocalizedText(en: "For the platform", zh: "平台方"),
            ])
    }

    // MARK: Facts

    private var facts: [StatementDocument.Fact] {
        func fact(
            _ key: String, _ en: String, _ zh: String, _ cell: StatementDocument.Cell,
            unit: String = ""
        ) -> StatementDocument.Fact {
            .init(key, LocalizedText(en: en, zh: zh), cell, unit: unit)
        }
        func time(_ time: Timestamp?, _ missing: LocalizedText) -> StatementDocument.Cell {
            time.map { .word(calendar.rfc3339($0)) } ?? .missing(missing)
        }
        return [
            fact("platform", "Platform", "平台", .word(standing.address)),
            fact("format", "Format", "格式", .word(standing.format)),
            fact("made_at", "Made at", "出具时间", .word(calendar.rfc3339(now))),
            fact(
                "completeness_percent", "Complete", "上报完整率",
                Print.percent(DeliveryTotal(days).completeness), unit: "%"),
            fact(
                "open", "Still owed now", "当前待传", Print.number(Exact(standing.open), places: 0)),
            fact("oldest_open", "Oldest of it", "最早待传时段", time(standing.oldestOpen, Self.none)),
            fact(
                "last_accepted", "Last accepted", "最近接收时间", time(standing.lastAccepted, Self.never)),
        ]
    }

    // MARK: Tables

    private func table(
        _ key: String, _ en: String, _ zh: String, by columns: [StatementDocument.Column],
        _ name: (DeliveryDay) -> [String]
    ) -> StatementDocument.Table {
        var table = StatementDocument.Table(
            key: key, title: LocalizedText(en: en, zh: zh), columns: columns + Self.counted)
        var order: [[String]] = []
        var groups: [[String]: [DeliveryDay]] = [:]
        for day in days {
            let words = name(day)
            if groups[words] == nil { order.append(words) }
            groups[words, default: []].append(day)
        }
        for words in order.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            table.rows.append(words.map { .word($0) } + Self.cells(groups[words] ?? []))
        }
        return table
    }

    private var kinds: StatementDocument.Table {
        table("kinds", "By kind of item", "按数据类型", by: [.words("kind", "Kind", "类型")]) { [$0.kind] }
    }

    private var stations: StatementDocument.Table {
        table(
            "stations", "By station or device", "按站点或设备",
            by: [.words("scope", "Station", "站点"), .words("kind", "Kind", "类型")]
        ) { [$0.scope, $0.kind] }
    }

    private var byDay: StatementDocument.Table {
        table(
            "days", "By day", "逐日",
            by: [.words("day", "Day", "日期"), .words("kind", "Kind", "类型")]
        ) { ["\($0.day)", $0.kind] }
    }

    private var reasons: StatementDocument.Table {
        var table = StatementDocument.Table(
            key: "reasons", title: LocalizedText(en: "What did not arrive, and why", zh: "未送达原因"),
            columns: [
                .words("kind", "Kind", "类型"), .words("outcome", "Outcome", "结果"),
                .number("count", "Items", "条数"), .words("first", "From", "起"),
                .words("last", "To", "止"), .words("reason", "Reason", "原因"),
            ])
        for failure in failures {
            table.rows.append([
                .word(failure.kind),
                .text(
                    failure.isRefusal
                        ? LocalizedText(en: "refused", zh: "被拒收")
                        : LocalizedText(en: "given up", zh: "已放弃")),
                Print.number(Exact(failure.count), places: 0),
                .word(calendar.rfc3339(failure.first)), .word(calendar.rfc3339(failure.last)),
                .word(failure.reason),
            ])
        }
        return table
    }

    private static let counted: [StatementDocument.Column] =
        ComplianceTables.counted + [.number("attempts", "Sent", "发送次数")]

    private static func cells(_ days: [DeliveryDay]) -> [StatementDocument.Cell] {
        let sent = days.reduce(0) { $0 + $1.attempts }
        return ComplianceTables.cells(DeliveryTotal(days))
            + [Print.number(Exact(sent), places: 0)]
    }

    private static let none = LocalizedText(en: "nothing is owed", zh: "无待传数据")
    private static let never = LocalizedText(en: "nothing was accepted yet", zh: "尚未接收过数据")

    private static let notes = [
        LocalizedText(
            en: "An item is one period of one station or device. It is owed when the period has "
                + "closed, and accepted when the platform has acknowledged it in the way of its "
                + "protocol. Complete is accepted by owed. An item that was corrected is owed until "
                + "its correction is accepted.",
            zh: "一条为一个站点或设备的一个时段。时段结束即应传，平台按其协议确认后计为已接收。完整率为已接收与应传之比。更正后的条目在平台接收更正之前计为待传。"),
        LocalizedText(
            en:
                "Sent counts every attempt, repeated ones included. Periods for which a device gave "
                + "no reading are reported as such and count as reported.",
            zh: "发送次数包含重发。设备无读数的时段按无效数据上报，计为已上报。"),
    ]
}
