import Telemetry

extension TariffBill {
    /// The bill as tables of a statement: the energy by bands, and the charges beside it where the
    /// tariff has any. What has no price or could not be worked out stands in them as missing.
    ///
    /// - Parameter book: the one that made the bill.
    package func tables(of book: TariffBook) -> [StatementDocument.Table] {
        let charges = chargeTable(of: book)
        return [energyTable(of: book)] + (charges.rows.isEmpty ? [] : [charges])
    }

    /// What the prices rest on, and what the total lacks.
    package func notes(of book: TariffBook) -> [LocalizedText] {
        var used = Set(energy.map(\.table) + charges.map(\.table) + missing.map(\.table))
        used.formIntersection(book.tables.indices)
        var notes = used.sorted().map { index in
            let table = book.tables[index]
            return LocalizedText(
                en: "Prices \(table.label): \(table.origin.source) (\(table.origin.status))",
                zh: "价格 \(table.label)：\(table.origin.source)（\(table.origin.status)）")
        }
        if unknownSlots > 0 {
            notes.append(
                LocalizedText(
                    en: "Nothing is known of \(unknownSlots) of \(slots) intervals",
                    zh: "\(slots) 个计量间隔中有 \(unknownSlots) 个无数据"))
        }
        if daysWithoutTable > 0 {
            notes.append(
                LocalizedText(
                    en: "Days that no table of the tariff covers: \(daysWithoutTable)",
                    zh: "无适用价格表的天数：\(daysWithoutTable)"))
        }
        if isCutOff {
            notes.append(
                LocalizedText(
                    en: "The counts do not reach over the whole period", zh: "数据未覆盖整个账期"))
        }
        return notes
    }

    private func energyTable(of book: TariffBook) -> StatementDocument.Table {
        var rows: [[StatementDocument.Cell]] = energy.map { line in
            [
                .word(label(line.table, of: book)), .text(line.band.title),
                quantity(line.quantity, isEstimated: !line.estimated.isZero),
                quantity(line.estimated, isEstimated: false), decimal(line.price),
                money(line.amount),
            ]
        }
        for gap in TariffGap.allCases {
            guard let missed = unpriced[gap] else { continue }
            rows.append([
                .missing(LocalizedText(en: "", zh: "")), .text(gap.title),
                quantity(missed.sum, isEstimated: !missed.estimated.isZero),
                quantity(missed.estimated, isEstimated: false), .missing(gap.title),
                .missing(gap.title),
            ])
        }
        rows.append([
            .text(LocalizedText(en: "Sum", zh: "合计")), .word(""),
            quantity(pricedQuantity, isEstimated: !estimatedQuantity.isZero),
            quantity(estimatedQuantity, isEstimated: false),
            meanEnergyPrice.map { .number(.init($0, places: 4)) }
                ?? .missing(LocalizedText(en: "Nothing was used", zh: "无用量")),
            money(energyAmount),
        ])
        return StatementDocument.Table(
            key: "tariff_energy", title: LocalizedText(en: "Energy by bands", zh: "分时段用量与费用"),
            columns: [
                .init("table", LocalizedText(en: "Table", zh: "价格表"), isNumber: false),
                .init("band", LocalizedText(en: "Band", zh: "时段"), isNumber: false),
                .init("quantity", LocalizedText(en: "Quantity", zh: "用量"), unit: book.unit),
                .init(
                    "estimated", LocalizedText(en: "Of it estimated", zh: "其中估算"),
                    unit: book.unit),
                .init(
                    "price", LocalizedText(en: "Price", zh: "单价"),
                    unit: "\(book.currency)/\(book.unit)"),
                .init("amount", LocalizedText(en: "Amount", zh: "金额"), unit: book.currency),
            ], rows: rows, sums: [rows.count - 1])
    }

    private func chargeTable(of book: TariffBook) -> StatementDocument.Table {
        var rows: [[StatementDocument.Cell]] = charges.map { line in
            [
                .word(line.month.label), .word(label(line.table, of: book)),
                .text(line.kind.title), decimal(line.quantity), decimal(line.price),
                .number(.init(Exact(line.days), places: 0)),
                line.powerFactor.map { decimal($0) } ?? .word(""), money(line.amount),
            ]
        }
        for gone in missing {
            rows.append([
                .word(gone.month.label), .word(label(gone.table, of: book)),
                .text(gone.kind.title), .missing(gone.reason), .missing(gone.reason),
                .missing(gone.reason), .missing(gone.reason), .missing(gone.reason),
            ])
        }
        return StatementDocument.Table(
            key: "tariff_charges",
            title: LocalizedText(en: "Charges beside the energy", zh: "用量外费用"),
            columns: [
                .init("month", LocalizedText(en: "Month", zh: "月份"), isNumber: false),
                .init("table", LocalizedText(en: "Table", zh: "价格表"), isNumber: false),
                .init("charge", LocalizedText(en: "Charge", zh: "项目"), isNumber: false),
                .init("quantity", LocalizedText(en: "Quantity", zh: "计费量")),
                .init("price", LocalizedText(en: "Price or share", zh: "单价或比例")),
                .init("days", LocalizedText(en: "Days", zh: "天数")),
                .init("power_factor", LocalizedText(en: "Power factor", zh: "功率因数")),
                .init("amount", LocalizedText(en: "Amount", zh: "金额"), unit: book.currency),
            ], rows: rows)
    }

    private func label(_ table: Int, of book: TariffBook) -> String {
        book.tables.indices.contains(table) ? book.tables[table].label : ""
    }

    private func quantity(_ value: Exact, isEstimated: Bool) -> StatementDocument.Cell {
        .number(.init(value, places: 2, isEstimated: isEstimated))
    }

    private func money(_ value: Exact) -> StatementDocument.Cell {
        .number(.init(value, places: 2))
    }

    /// With the places that it has, so that a price is printed as it was typed.
    private func decimal(_ value: Exact) -> StatementDocument.Cell {
        .number(.init(value, places: value.plainPlaces))
    }
}
