import Telemetry

/// Finds the night from which more is used at night, and stays so until the end of the data.
///
/// The nights are cut in two where the sum of absolute deviations from the two medians is least.
/// A cut is a jump only if it is large beside the nights' own spread, abrupt (a winter that draws
/// in is a ramp), and if the use by day did not grow with it (a building that opens is none).
struct NightLoadJumpRule: DiagnosisRule {
    static let kind = Diagnosis.Kind.nightLoadJump
    private let completeness, spread, floor, gain, abruptness, useChange, share, energy: Double
    private let from, to, nights: Int

    init?(_ thresholds: DiagnosisThresholds) {
        guard thresholds.allow(Self.kind) else { return nil }
        completeness = thresholds.fraction(.completeness)
        from = Int(thresholds.double(.nightFrom))
        to = Int(thresholds.double(.nightTo))
        nights = Int(thresholds.double(.jumpNights).rounded(.up))
        energy = thresholds.double(.jumpEnergy)
        share = thresholds.fraction(.jumpShare)
        spread = thresholds.double(.jumpSpread)
        floor = thresholds.fraction(.jumpFloor)
        gain = thresholds.fraction(.jumpGain)
        abruptness = thresholds.fraction(.jumpAbruptness)
        useChange = thresholds.fraction(.jumpUseChange)
    }

    /// One night of which every slot was read, with the rest of its day.
    private struct Night {
        var day: Range<Int>
        /// kWh between the two hours; of a night with a changed clock as if it were a usual one.
        var counted: Double
        /// kWh an hour outside the night; nil when not every slot was read.
        var rest: Double?
    }

    func judge(
        _ meter: MeterDiagnosisInput, of site: DiagnosisSite, found: [Diagnosis.Finding]
    ) -> DiagnosisVerdict {
        guard let relation = site.relation(meter.id), relation.carrier != DiagnosisSite.water,
            !relation.isGeneration
        else { return .notApplicable }
        let all = nights(of: meter, site)
        guard all.count >= 2 * nights,
            Double(all.count) >= completeness * Double(site.days.count)
        else {
            return .notJudged(en: "too few whole nights are known", zh: "完整的夜间数据不足")
        }
        guard let split = RobustStatistics.bestSplit(all.map(\.counted), shortest: nights) else {
            return .judged([])
        }
        let rise = split.after - split.before
        let scale = max(1.4826 * split.deviation, split.before.magnitude * floor, meter.step)
        guard rise >= energy, rise >= share * split.before, rise >= spread * scale,
            split.gain >= gain, isAbrupt(all, split, rise)
        else { return .judged([]) }
        if hasUseChanged(all, split, rise) {
            return .notJudged(
                en: "the use by day changed together with the use at night",
                zh: "夜间与白天用能同时变化，属使用情况改变")
        }
        return .judged([finding(meter, all, split, rise, site)])
    }

    /// The nights, without those in which a reading is missing or guessed.
    private func nights(of meter: MeterDiagnosisInput, _ site: DiagnosisSite) -> [Night] {
        site.days.compactMap { day in
            let slots = site.slots(of: day, from: from, to: to)
            let counted = slots.compactMap { meter.counts.measured($0) }
            // A clock that is put forward takes an hour of the night away, never more.
            guard !slots.isEmpty, counted.count == slots.count,
                site.duration(of: slots) >= Double(to - from - 1)
            else { return nil }
            let rest = day.filter { !slots.contains($0) }
            let known = rest.compactMap { meter.counts.measured($0) }
            let hours = site.duration(of: rest)
            return Night(
                day: day,
                counted: counted.reduce(0, +) / site.duration(of: slots) * Double(to - from),
                rest: known.count == rest.count && hours > 0 ? known.reduce(0, +) / hours : nil)
        }
    }

    /// Whether most of the rise happens within the few nights around the cut.
    private func isAbrupt(
        _ all: [Night], _ split: RobustStatistics.Split, _ rise: Double
    ) -> Bool {
        let before = all[..<split.index].suffix(nights / 2).map(\.counted)
        let after = all[split.index...].prefix(nights / 2).map(\.counted)
        guard let low = RobustStatistics.median(before), let high = RobustStatistics.median(after)
        else { return false }
        return high - low >= abruptness * rise
    }

    /// Whether the hours outside the night grew too, beyond what a load added at all hours adds.
    private func hasUseChanged(
        _ all: [Night], _ split: RobustStatistics.Split, _ rise: Double
    ) -> Bool {
        guard let before = RobustStatistics.median(all[..<split.index].compactMap(\.rest)),
            let after = RobustStatistics.median(all[split.index...].compactMap(\.rest))
        else { return false }
        let added = rise / Double(max(1, to - from))
        return after - added > before * (1 + useChange)
    }

    private func finding(
        _ meter: MeterDiagnosisInput, _ all: [Night], _ split: RobustStatistics.Split,
        _ rise: Double, _ site: DiagnosisSite
    ) -> Diagnosis.Finding {
        var evidence: [Diagnosis.Evidence] = [
            .init(
                "before", en: "A night before", zh: "跃升前每夜",
                .estimate(split.before, places: 1), "kWh"),
            .init(
                "after", en: "A night since", zh: "跃升后每夜", .estimate(split.after, places: 1), "kWh"
            ),
            .init(
                "yearly", en: "More in a year of nights", zh: "折合全年夜间多用",
                .estimate(rise * 365, places: 0), "kWh"),
        ]
        if let price = meter.price {
            evidence.append(
                .init(
                    "yearly_cost", en: "Its cost in a year", zh: "折合全年费用",
                    .estimate(rise * 365 * price.perUnit.double, places: 0), price.currency))
        }
        let last = all.last?.day.upperBound ?? site.grid.count
        return site.finding(
            Self.kind, meter.id, over: all[split.index].day.lowerBound..<last, severity: .likely,
            rule: .jumpShare,
            text: LocalizedText(
                en: "Since this night more is used between \(from) and \(to) o'clock, every night: "
                    + "look for what was added or left on that day (ventilation, heating, pumps, "
                    + "lighting, a changed time programme).",
                zh: "自该夜起，每天 \(from) 点至 \(to) 点用能持续升高：请查当天新增或未关闭的设备"
                    + "（通风、采暖、水泵、照明、时间控制被改动）。"),
            evidence: evidence)
    }
}
