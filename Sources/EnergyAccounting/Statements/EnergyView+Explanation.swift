import Telemetry

extension EnergyView {
    /// How a number came about: its meters, what each counted, and what was corrected or estimated.
    ///
    /// - Returns: nil when nothing stands for the trace.
    package static func explanation(
        of trace: StatementTrace, _ accounts: EnergyAccounts, site: String
    ) -> StatementDocument? {
        let tree = accounts.plan.tree
        let period = trace.period
        let terms: [MeterFormula.Term]
        let total: Counts.Total
        let unit: String
        switch trace.node {
        case .meter(let id):
            guard let meter = tree[id] else { return nil }
            terms = tree.parts(of: id)
            total = accounts.total(of: id, in: period)
            unit = meter.carrier.unit
        case .carrier(let carrier, let side):
            guard let balance = accounts.balance(of: carrier, in: period) else { return nil }
            total = balance.total(side)
            terms = Self.terms(of: carrier, side, tree)
            unit = carrier.unit
        }
        var document = StatementDocument(
            kind: "explanation",
            title: LocalizedText(en: "How \(trace.text) came about", zh: "\(trace.text) 的来源"),
            site: site, period: period.label)
        let figure = accounts.figure(total, in: period)
        func fact(
            _ key: String, _ en: String, _ zh: String, _ cell: StatementDocument.Cell,
            _ unit: String
        ) {
            document.facts.append(.init(key, LocalizedText(en: en, zh: zh), cell, unit: unit))
        }
        fact("amount", "Amount", "数值", Print.figure(figure, trace: trace.text), unit)
        fact(
            "exact", "Exactly", "精确值",
            .word(figure.amount?.quotientText ?? "–"), unit)
        fact(
            "from", "From", "起",
            .word(accounts.calendar.rfc3339(period.start(calendar: accounts.calendar))), "")
        fact(
            "to", "To, not included", "止（不含）",
            .word(accounts.calendar.rfc3339(period.end(calendar: accounts.calendar))), "")
        fact(
            "estimated", "of which estimated", "其中估算",
            Print.number(figure.amount.map { _ in figure.estimated }), unit)
        fact("completeness_percent", "Complete", "完整率", Print.percent(figure.completeness), "%")
        document.tables = [
            sources(terms, accounts, period), doubtful(terms, accounts, period),
            StatementTables(accounts: accounts, period: period).remarks(),
        ].compactMap { $0 }
        return document
    }

    /// The meters with sources of their own that a side of a carrier's balance adds up.
    private static func terms(
        of carrier: Carrier, _ side: StatementTrace.Side, _ tree: MeterTree
    ) -> [MeterFormula.Term] {
        let signs: [Meter.Role: Int] =
            switch side {
            case .imported: [.consumption: 1]
            case .generated: [.generation: 1]
            case .exported: [.export: 1]
            case .gross: [.consumption: 1, .generation: 1, .export: -1]
            case .net: [.consumption: 1, .export: -1]
            }
        let mains = Set(tree.mains(of: carrier).map(\.id))
        return tree.meters.filter { meter in
            guard meter.carrier == carrier, signs[meter.role] != nil else { return false }
            return meter.role == .consumption
                ? mains.contains(meter.id)
                : meter.parent.flatMap { tree[$0]?.role } != meter.role
        }.flatMap { meter in
            tree.parts(of: meter.id).map {
                .init(factor: $0.factor * Exact(signs[meter.role] ?? 0), meter: $0.meter)
            }
        }
    }

    private static func sources(
        _ terms: [MeterFormula.Term], _ accounts: EnergyAccounts, _ period: AccountingPeriod
    ) -> StatementDocument.Table {
        var table = StatementDocument.Table(
            key: "sources", title: LocalizedText(en: "What it is made of", zh: "组成"),
            columns: [
                .words("meter", "Meter", "计量点"), .words("series", "Series", "数据序列"),
                .words("factor", "Factor", "系数"), .number("counted", "Counted", "计量值"),
                .number("part", "Part", "计入"),
                .number("known_hours", "Known", "已知时段"), .number("hours", "All", "全部时段"),
                .number("readings", "Readings", "读数"), .number("expected", "Expected", "应有读数"),
            ])
        for term in terms {
            let total = accounts.total(of: term.meter, in: period)
            let series: String =
                switch accounts.plan.tree[term.meter]?.source {
                case .counter(let id): id.description
                case .entries: "entries"
                default: ""
                }
            let factor = term.factor
            func whole(_ count: Int) -> StatementDocument.Cell {
                Print.number(Exact(count), places: 0)
            }
            table.rows.append([
                .word(term.meter), .word(series),
                .word(factor.quotientText),
                Print.number(
                    total.knownSlots > 0 ? total.sum : nil, isEstimated: !total.estimated.isZero),
                Print.number(total.knownSlots > 0 ? total.sum * factor : nil),
                whole(total.knownSlots), whole(total.slots), whole(total.good),
                whole(total.expected),
            ])
        }
        return table
    }

    /// Spans of slots in a row that are estimated or not known.
    private static func doubtful(
        _ terms: [MeterFormula.Term], _ accounts: EnergyAccounts, _ period: AccountingPeriod
    ) -> StatementDocument.Table? {
        guard let ledger = accounts.ledger(of: period) else { return nil }
        let grid = ledger.grid
        let passed = accounts.slots(of: period).prefix(accounts.passed(in: period))
        var table = StatementDocument.Table(
            key: "doubtful", title: LocalizedText(en: "Estimated or not known", zh: "估算或缺失时段"),
            columns: [
                .words("meter", "Meter", "计量点"), .words("from", "From", "起"),
                .words("to", "To", "止"), .words("what", "What", "性质"),
                .number("amount", "Amount", "数量"),
            ])
        for term in terms {
            guard let column = ledger.column(of: term.meter) else { continue }
            var open: (first: Int, isKnown: Bool)?
            func close(_ end: Int) {
                guard let span = open, table.rows.count < mostSpans else { return }
                let total = column.counts.total(span.first..<end)
                table.rows.append([
                    .word(term.meter), .word(accounts.calendar.rfc3339(grid.start(span.first))),
                    .word(accounts.calendar.rfc3339(grid.end(end - 1))),
                    .text(
                        span.isKnown
                            ? LocalizedText(en: "estimated", zh: "估算")
                            : LocalizedText(en: "not known", zh: "缺失")),
                    Print.number(span.isKnown ? total.sum : nil),
                ])
            }
            for slot in passed {
                let isKnown = column.counts.isKnown(slot)
                let isDoubtful = !isKnown || column.counts.isEstimated(slot)
                if let span = open, !isDoubtful || span.isKnown != isKnown {
                    close(slot)
                    open = nil
                }
                if isDoubtful, open == nil { open = (slot, isKnown) }
            }
            close(passed.endIndex)
        }
        return table.rows.isEmpty ? nil : table
    }

    private static let mostSpans = 200
}

extension CarrierBalance {
    /// One side of it.
    func total(_ side: StatementTrace.Side) -> Counts.Total {
        switch side {
        case .imported: imported
        case .generated: generated
        case .exported: exported
        case .gross: gross
        case .net: net
        }
    }
}
