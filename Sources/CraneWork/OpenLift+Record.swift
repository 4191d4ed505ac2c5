import Telemetry

extension OpenLift {
    /// The record of the lift as it stands; `period` is how often a reading is expected.
    func record(
        crane: DeviceID, end: Timestamp, quality: LiftQuality, period: Duration?, isBackfill: Bool
    ) -> Lift {
        var quality = quality
        if isStartUnseen { quality.insert(.startUnseen) }
        if !isMovementKnown { quality.insert(.movementUnknown) }
        var session = LiftSession.unknown
        var operatorID: String?
        switch firstLogged {
        case .id(let id)?: (session, operatorID) = (.open, id)
        case .nobody?: session = .absent
        case nil: break
        }
        return Lift(
            crane: crane, start: start, end: end, peakLoad: peakLoad,
            heldLoad: load.greatest ?? peakLoad, zeroLoad: zero,
            peakMomentRatio: peakMomentRatio, peakLoadRatio: peakLoadRatio,
            radius: radius.record, height: height.record, heightReference: heightReference,
            slewStart: slewing.first, slewEnd: slewing.last, slewed: slewing.path,
            greatestWind: greatestWind, session: session, operatorID: operatorID,
            operatorChanges: operatorChanges, workStatus: workStatus, warnings: warnings,
            timeAtWarning: timeAtWarning, overloads: overloads, timeAtOverload: timeAtOverload,
            raisedAlarms: raisedAlarms, warnedAlarms: warnedAlarms, samples: samples,
            coverage: coverage(every: period), quality: quality, isBackfill: isBackfill)
    }

    /// Good readings over those expected from the first to the last one, both counted.
    private func coverage(every period: Duration?) -> Double? {
        guard let period, period.milliseconds > 0 else { return nil }
        let length = max(0, (newest - start).milliseconds)
        return min(1, Double(samples) / Double(length / period.milliseconds + 1))
    }
}
