import Telemetry

extension Excursion {
    /// What is known when an excursion is over.
    struct Ending {
        var crane: DeviceID
        var end: Timestamp
        var isTruncated: Bool
        var isBackfill: Bool
    }

    /// The records of an excursion: an overload or its warning, a near miss, both or neither.
    func records(_ hazard: Hazard, _ ending: Ending, _ options: LiftOptions) -> [CraneRecord] {
        switch hazard {
        case .load: overload(.load, .load, ending, options)
        case .moment: overload(.moment, .moment, ending, options)
        case .collision: whileLifting(.collision, nil, limit: nil, ending)
        case .wind: whileLifting(.wind, peak, limit: options.windLimit, ending)
        }
    }

    private func overload(
        _ quantity: OverloadQuantity, _ kind: NearMissKind, _ ending: Ending, _ options: LiftOptions
    ) -> [CraneRecord] {
        let isOverload = peak >= options.overloadPercent
        let episode = OverloadEpisode(
            crane: ending.crane, quantity: quantity, level: isOverload ? .overload : .warning,
            start: start, end: ending.end, peak: peak, evidence: evidence,
            timeAtWarning: timeAtLimit, timeAtOverload: timeAtOverload, samples: samples,
            lift: lift, operatorID: operatorID, isTruncated: ending.isTruncated,
            isBackfill: ending.isBackfill)
        guard let nearStart, !isOverload else { return [.overload(episode)] }
        let miss = NearMiss(
            crane: ending.crane, kind: kind, start: nearStart, end: nearEnd ?? ending.end,
            peak: peak, limit: options.nearMissPercent, evidence: evidence, samples: nearSamples,
            lift: lift, operatorID: operatorID,
            isTruncated: nearEnd == nil && ending.isTruncated, isBackfill: ending.isBackfill)
        return [.overload(episode), .nearMiss(miss)]
    }

    /// What is a near miss only in a lift: a load that turned out to be none leaves no record.
    private func whileLifting(
        _ kind: NearMissKind, _ peak: Double?, limit: Double?, _ ending: Ending
    ) -> [CraneRecord] {
        guard let lift else { return [] }
        return [
            .nearMiss(
                NearMiss(
                    crane: ending.crane, kind: kind, start: start, end: ending.end, peak: peak,
                    limit: limit, evidence: evidence, samples: samples, lift: lift,
                    operatorID: operatorID, isTruncated: ending.isTruncated,
                    isBackfill: ending.isBackfill))
        ]
    }
}
