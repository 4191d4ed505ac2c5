import Telemetry

extension StatementTables {
    /// By organisation, from the group down, with the total of each level; nil where no meter says
    /// to whom it belongs.
    ///
    ///     group                       sum
    ///       group / north             sum
    ///         group / north / shop    a part
    ///         group / north / –       a part: north's own, which none below it has
    ///
    /// The lines that are no sums add up to what came in.
    func organisations() -> Table? {
        guard let ledger = accounts.ledger(of: period),
            plan.tree.meters.contains(where: { !$0.organisation.isEmpty })
        else { return nil }
        var table = Table(
            key: "organisations", title: LocalizedText(en: "By organisation", zh: "按组织"),
            columns: [
                .words("part", "Part", "组织"), .words("title", "Name", "名称"),
                .words("level", "Level", "级别"),
                .number("amount", "Electricity", "用电量", unit: "kWh"),
                .number("share_percent", "Share", "占比", unit: "%"),
                .number("estimated_percent", "Estimated", "估算占比", unit: "%"),
            ])
        let amounts = ledger.amounts(of: .electricity, over: accounts.slots(of: period)) {
            $0.organisation.isEmpty ? nil : $0.organisation
        }
        let whole = amounts.values.reduce(Counts.Total(), +)
        func add(
            _ part: String, _ name: LocalizedText, _ level: String, _ total: Counts.Total,
            isSum: Bool = false
        ) {
            let figure = accounts.figure(total, in: period)
            if isSum { table.sums.insert(table.rows.count) }
            table.rows.append([
                .word(part), .text(name), .word(level), Print.figure(figure, trace: nil),
                Print.percent(share(figure.amount, of: whole.sum)),
                Print.percent(figure.estimatedShare),
            ])
        }
        let parts = amounts.compactMap { key, total in key.map { (path: $0, total: total) } }
            .sorted { $0.path.lexicographicallyPrecedes($1.path) }
        func addLevel(_ parts: ArraySlice<(path: [String], total: Counts.Total)>, _ depth: Int) {
            var rest = parts
            while let first = rest.first {
                let path = first.path.prefix(depth + 1)
                let group = rest.prefix { $0.path.prefix(depth + 1) == path }
                rest = rest.dropFirst(group.count)
                let (label, name) = (path.joined(separator: " / "), path.last ?? "")
                let below = group.drop { $0.path.count == depth + 1 }
                let isSum = !below.isEmpty
                add(
                    label, LocalizedText(en: name, zh: name), "\(depth + 1)",
                    group.reduce(Counts.Total()) { $0 + $1.total }, isSum: isSum)
                addLevel(below, depth + 1)
                if isSum, below.count < group.count {
                    add(
                        label + " / –",
                        LocalizedText(en: "\(name), not below", zh: "\(name)（未下分）"),
                        "\(depth + 2)", first.total)
                }
            }
        }
        addLevel(parts[...], 0)
        if let unassigned = amounts[nil] {
            add("-", LocalizedText(en: "Not assigned", zh: "未分配"), "1", unassigned)
        }
        add("", LocalizedText(en: "Total", zh: "合计"), "", whole, isSum: true)
        return table
    }
}
