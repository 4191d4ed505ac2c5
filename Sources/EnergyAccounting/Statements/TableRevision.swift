import LocatedText
import Telemetry

/// Two states of a table, prices or factors, of which the newer takes the place of the older.
package enum TableRevision: Sendable {
    case tariff(old: TariffBook, new: TariffBook)
    case factors(old: FactorBook, new: FactorBook)

    /// Reads two files of one kind, `tariff/1` or `factors/1`.
    ///
    /// - Throws: every fault of the text that was read first with one; that is the older.
    package static func parse(
        old: (text: String, file: String), new: (text: String, file: String)
    ) throws(Faults) -> TableRevision {
        let root = try LocatedNode.parse(old.text, file: old.file)
        let faults = FaultCollector()
        var reader = MappingReader(root, faults)
        let isTariff = reader.required("format")?.word(
            [(TariffFile.format, true), (FactorFile.format, false)], faults)
        try faults.throwIfAny()
        if isTariff == true {
            return .tariff(
                old: try TariffFile.parse(old.text, file: old.file),
                new: try TariffFile.parse(new.text, file: new.file))
        }
        return .factors(
            old: try FactorBook(merging: [FactorFile.parse(old.text, file: old.file)]),
            new: try FactorBook(merging: [FactorFile.parse(new.text, file: new.file)]))
    }

    /// Each difference as a line for people.
    package var changes: [LocalizedText] {
        switch self {
        case .tariff(let old, let new): new.differences(from: old).map(\.text)
        case .factors(let old, let new): new.differences(from: old).map(\.text)
        }
    }

    /// The plan with one of the two states in the place of its own table.
    package func plan(_ plan: EnergyPlan, isNew: Bool) -> EnergyPlan {
        var plan = plan
        switch self {
        case .tariff(let old, let new):
            plan.tariffs.removeAll { $0.carrier == new.carrier }
            plan.tariffs.append(isNew ? new : old)
        case .factors(let old, let new):
            let both = Set((old.factors + new.factors).map { $0.key })
            let others = plan.factors.factors.filter { !both.contains($0.key) }
            let chosen = isNew ? new : old
            // Keys of the one are none of the other, so nothing can collide.
            plan.factors = (try? FactorBook(merging: [others, chosen.factors])) ?? chosen
        }
        return plan
    }
}

extension EnergyView {
    /// What differs between two states of a table, and what that comes to in a period.
    ///
    /// - Parameter accounts: of the period with the older and with the newer; nil to tell the
    ///   differences alone.
    package static func tableChanges(
        _ revision: TableRevision, accounts: (old: EnergyAccounts, new: EnergyAccounts)?,
        period: AccountingPeriod?, site: String
    ) -> StatementDocument {
        var document = StatementDocument(
            kind: "table-changes",
            title: LocalizedText(en: "What changed in a table", zh: "价格或系数变更"), site: site,
            period: period?.label ?? "")
        let changes = revision.changes
        var table = StatementDocument.Table(
            key: "changes", title: LocalizedText(en: "Changes", zh: "变更"),
            columns: [.words("change", "Change", "变更内容")])
        table.rows = changes.map { [.text($0)] }
        document.tables = [table]
        if changes.isEmpty {
            document.notes.append(LocalizedText(en: "Nothing differs.", zh: "无差异。"))
        }
        if let accounts, let period {
            document.tables.append(effects(revision, accounts, period))
            document.notes.append(
                LocalizedText(
                    en: "A month that is closed keeps its figures; the difference stands below its "
                        + "statement as a correction.",
                    zh: "已结账的月份保持原值，差异在其报表下列为更正。"))
        }
        return document
    }

    private static func effects(
        _ revision: TableRevision, _ accounts: (old: EnergyAccounts, new: EnergyAccounts),
        _ period: AccountingPeriod
    ) -> StatementDocument.Table {
        var table = StatementDocument.Table(
            key: "effects", title: LocalizedText(en: "What it comes to", zh: "影响"),
            columns: [
                .words("figure", "Figure", "指标"), .words("carrier", "Carrier", "能源种类"),
                .words("unit", "Unit", "单位"), .number("old", "With the older", "原值"),
                .number("new", "With the newer", "新值"),
                .number("difference", "Difference", "差额"),
                .number("change_percent", "Change", "变化", unit: "%"),
            ])
        func add(
            _ title: LocalizedText, _ carrier: Carrier, _ unit: String, _ old: Exact?, _ new: Exact?
        ) {
            guard old != nil || new != nil else { return }
            let difference = old.flatMap { old in new.map { $0 - old } }
            table.rows.append([
                .text(title), .text(carrier.title), .word(unit), Print.number(old),
                Print.number(new), Print.number(difference), Print.change(new, from: old),
            ])
        }
        let tree = accounts.new.plan.tree
        switch revision {
        case .tariff(_, let new):
            for carrier in tree.carriers where carrier.rawValue == new.carrier {
                add(
                    LocalizedText(en: "Cost by price", zh: "电量电费/用量费"), carrier, new.currency,
                    accounts.old.bill(of: carrier, in: period)?.energyAmount,
                    accounts.new.bill(of: carrier, in: period)?.energyAmount)
            }
        case .factors(let old, let new):
            let kinds = Set((old.factors + new.factors).map { $0.key.kind })
            for kind in FactorKind.allCases where kinds.contains(kind) {
                for carrier in tree.carriers {
                    func amount(_ accounts: EnergyAccounts) -> Exact? {
                        let converted = accounts.converted(kind, carrier, in: period)
                        return converted.factors.isEmpty || !converted.missing.isEmpty
                            ? nil : converted.known
                    }
                    add(
                        kind.text, carrier, kind.resultUnit, amount(accounts.old),
                        amount(accounts.new))
                }
            }
        }
        return table
    }
}
