import Telemetry

/// What counts as a lift, an overload and a near miss: data of the site or of the crane.
///
/// Read from `crane-work/1` (`CraneWorkFile`); there are no figures here.
package struct LiftOptions: Hashable, Sendable {
    // MARK: The load

    /// Tonnes above the empty hook from which a lift begins.
    package var startLoad = 0.0
    /// Percent of the rated load from which a lift begins, where that is more than `startLoad`.
    package var startPercent: Double?
    /// Tonnes above the empty hook below which a lift ends; scales with the start.
    package var endLoad = 0.0
    /// How long the load has to stand before it is believed; a swing or a spike does not.
    package var startHold = Duration.zero
    /// A load that is gone for no longer than this, or for one reading, is still the same lift.
    package var longestDropout = Duration.zero
    /// Shorter than this is no lift.
    package var minimumDuration = Duration.zero
    /// Readings further apart than this say nothing of the time between them.
    package var longestGap = Duration.zero
    /// A lift is cut after this long; it is the way out when the zero jumped while the hook moved.
    package var longestLift = Duration.zero

    // MARK: The movement, one of which a lift needs

    /// Metres of hook height.
    package var minimumHoist = 0.0
    /// Metres of trolley radius.
    package var minimumTrolley = 0.0
    /// Degrees of slewing.
    package var minimumSlew = 0.0
    /// Degrees below which slewing is the jitter of the encoder.
    package var slewDeadBand = 0.0

    // MARK: The empty hook

    /// Tonnes per hour by which the zero may follow the empty hook.
    package var zeroRate = 0.0
    /// Tonnes around the zero that are the empty hook's own noise.
    package var zeroBand = 0.0
    /// A level load on a hook that has not moved for this long is a new zero.
    package var zeroJumpAfter = Duration.zero
    /// Tonnes by which the zero may jump; more than that is a load, however long it hangs.
    package var zeroJumpLimit = 0.0

    // MARK: Overloads and near misses

    /// Percent of rated load or moment that is a warning.
    package var warningPercent = 0.0
    /// Percent from which an excursion that stays below `overloadPercent` was a near miss.
    package var nearMissPercent = 0.0
    /// Percent of rated load or moment that is an overload.
    package var overloadPercent = 0.0
    /// Metres per second at which work has to stop.
    package var windLimit = 0.0
    /// Excursions parted by no more than this are one.
    package var longestLull = Duration.zero

    /// Nothing is said yet; `CraneWorkFile` says it.
    init() {}

    /// What cannot be meant, in words; the detector does not trap on it but finds nothing useful.
    var faults: [String] {
        var faults: [String] = []
        func expect(_ isMet: Bool, _ text: String) { if !isMet { faults.append(text) } }
        expect(startLoad > 0, "the start load is not above zero")
        expect(endLoad > 0 && endLoad < startLoad, "the end load is not between zero and the start")
        expect(startPercent.map { $0 > 0 && $0 < 100 } ?? true, "the start is no percentage")
        expect(zeroBand > 0 && zeroBand < startLoad, "the zero's band reaches the start load")
        expect(zeroRate >= 0 && zeroJumpLimit >= 0, "the zero moves by a negative load")
        expect(startHold >= .zero && longestDropout >= .zero, "a hold is negative")
        expect(minimumDuration < longestLift, "the shortest lift is longer than the longest")
        expect(longestGap > longestDropout, "the longest gap is shorter than a dropout")
        expect(
            minimumHoist > 0 && minimumTrolley > 0 && minimumSlew > 0 && slewDeadBand >= 0,
            "a movement is not above zero")
        expect(
            warningPercent <= nearMissPercent && nearMissPercent <= overloadPercent,
            "warning, near miss and overload are not in this order")
        return faults
    }

    /// Tonnes above the empty hook at which a lift begins and below which it ends.
    func thresholds(rated: Double?) -> (start: Double, end: Double) {
        guard let startPercent, let rated, rated * startPercent / 100 > startLoad else {
            return (startLoad, endLoad)
        }
        let start = rated * startPercent / 100
        return (start, start * endLoad / startLoad)
    }
}
