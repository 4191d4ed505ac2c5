import Telemetry

// Overloads and near misses: what the detector watches beside the lifts.

extension LiftDetector {
    /// Whether something hangs on the hook: nil while that is being found out.
    private var isCarrying: Bool? {
        switch state.phase {
        case .idle: false
        case .rising, .loaded: true
        case .falling: nil
        }
    }

    /// The start of the lift that is certain to become one.
    private var certainLift: Timestamp? {
        guard case .loaded(let lift) = state.phase, lift.isLift(endingAt: lift.newest, options)
        else { return nil }
        return lift.start
    }

    /// Opens, goes on with and closes the excursion of one hazard.
    mutating func watch(
        _ hazard: Hazard, _ instant: CraneInstant, _ out: inout [CraneRecord]
    ) {
        let place = hazard.rawValue
        let lift = certainLift
        if let excursion = state.excursions[place], excursion.lift == nil {
            state.excursions[place]?.lift = lift
        }
        if hazard.needsLift, isCarrying == false {
            let end = state.excursions[place]?.lull ?? instant.time
            close(hazard, at: end, isTruncated: false, &out)
            return
        }
        guard let value = hazard.value(in: instant) else { return }
        let stands = value >= hazard.limit(options) && !(hazard.needsLift && isCarrying == nil)
        if let lull = state.excursions[place]?.lull, instant.time - lull > options.longestLull {
            close(hazard, at: lull, isTruncated: false, &out)
        }
        if var excursion = state.excursions[place] {
            excursion.add(value, stands: stands, hazard, instant, options)
            state.excursions[place] = excursion
        } else if stands {
            var operatorID: String?
            if case .id(let id)? = state.logged { operatorID = id }
            var excursion = Excursion(
                value, instant, operatorID: operatorID, options)
            excursion.lift = lift
            state.excursions[place] = excursion
        }
    }

    /// Makes the records of an excursion that is over.
    mutating func close(
        _ hazard: Hazard, at end: Timestamp, isTruncated: Bool, _ out: inout [CraneRecord]
    ) {
        guard let excursion = state.excursions[hazard.rawValue] else { return }
        state.excursions[hazard.rawValue] = nil
        let ending = Excursion.Ending(
            crane: crane, end: excursion.lull ?? end,
            isTruncated: isTruncated && excursion.lull == nil, isBackfill: state.isBackfill)
        out += excursion.records(hazard, ending, options)
    }
}
