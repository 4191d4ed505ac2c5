import Telemetry

extension StatementTables {
    /// What meters are compared with each other by: what they measure and what it is for.
    private struct PeerKind: Hashable, Comparable {
        var carrier: Carrier
        /// Empty where nobody has said.
        var item: String

        static func < (a: Self, b: Self) -> Bool {
            a.carrier == b.carrier ? a.item < b.item : a.carrier < b.carrier
        }
    }

    /// Meters of one kind by their amount for each m² of the floor that they supply, the lowest
    /// first, and below it the spread of each kind; nothing where fewer than two have an area.
    ///
    /// Only what is known for all of the time that has passed has a rank: half a month would look
    /// frugal.
    func peers() -> [Table] {
        let kinds = Dictionary(
            grouping: plan.tree.inTreeOrder.filter { $0.area != nil && $0.role == .consumption }
        ) { PeerKind(carrier: $0.carrier, item: plan.tree.item(of: $0) ?? "") }
        .filter { $0.value.count > 1 }
        guard !kinds.isEmpty else { return [] }
        var places = Table(
            key: "peers", title: LocalizedText(en: "Meters beside their peers", zh: "同类计量点排名"),
            columns: [
                .words("carrier", "Carrier", "能源种类"), .words("item", "End use", "分项"),
                .words("meter", "Meter", "计量点"), .words("title", "Name", "名称"),
                .words("unit", "Unit", "单位"), .number("rank", "Rank", "排名"),
                .number("amount", "Amount", "用量"), .number("area", "Area", "面积", unit: "m2"),
                .number("per_area", "Per m²", "单位面积用量"),
                .number("from_median_percent", "From the median", "与中位数之差", unit: "%"),
                .number("completeness_percent", "Complete", "完整率", unit: "%"),
            ])
        var spread = Table(
            key: "peers_spread", title: LocalizedText(en: "Spread of the peers", zh: "同类分布"),
            columns: [
                .words("carrier", "Carrier", "能源种类"), .words("item", "End use", "分项"),
                .words("unit", "Unit", "单位"), .number("peers", "Ranked", "参与排名数"),
                .number("lower_quartile", "Lower quartile", "下四分位"),
                .number("median", "Median", "中位数"),
                .number("upper_quartile", "Upper quartile", "上四分位"),
            ])
        for (kind, meters) in kinds.sorted(by: { $0.key < $1.key }) {
            let ranking = add(meters, of: kind, to: &places)
            spread.rows.append(
                names(of: kind) + [
                    .word("\(kind.carrier.unit)/m2"),
                    Print.number(Exact(ranking.places.count), places: 0),
                    Print.number(ranking.lowerQuartile, places: Print.intensity),
                    Print.number(ranking.median, places: Print.intensity),
                    Print.number(ranking.upperQuartile, places: Print.intensity),
                ])
        }
        return [places, spread]
    }

    private func names(of kind: PeerKind) -> [Cell] {
        [
            .text(kind.carrier.title),
            kind.item.isEmpty ? .word("-") : .text(plan.items.title(of: kind.item)),
        ]
    }

    private func add(
        _ meters: [Meter], of kind: PeerKind, to table: inout Table
    ) -> PeerRanking {
        let figures = Dictionary(
            uniqueKeysWithValues: meters.map { ($0.id, accounts.figure(of: $0.id, in: period)) })
        let ranking = PeerRanking(
            meters.map { meter in
                let figure = figures[meter.id]
                return PeerRanking.Peer(
                    node: meter.id, energy: figure?.completeness == .one ? figure?.amount : nil,
                    size: meter.area)
            })
        let partly = Cell.missing(
            LocalizedText(en: "not known for the whole time", zh: "数据不完整，不参与排名"))
        func row(_ id: String, _ rank: Cell, _ place: PeerRanking.Place?) -> [Cell]? {
            guard let meter = plan.tree[id], let figure = figures[id] else { return nil }
            return names(of: kind) + [
                .word(id), title(of: meter), .word(kind.carrier.unit), rank,
                Print.figure(figure, trace: StatementTrace.meter(meter, period)),
                Print.number(meter.area),
                place.map {
                    Print.number(
                        $0.intensity, places: Print.intensity, isEstimated: figure.isEstimated)
                } ?? partly,
                Print.number(place?.percentFromMedian, places: Print.percent),
                Print.percent(figure.completeness),
            ]
        }
        table.rows += ranking.places.compactMap {
            row($0.node, Print.number(Exact($0.rank), places: 0), $0)
        }
        table.rows += ranking.unranked.compactMap { row($0, partly, nil) }
        return ranking
    }
}
