import Telemetry

/// What counts as a lift, an overload and a near miss: data of the site or of the crane.
///
/// The defaults suit a jib crane of 4 to 10 t. Every figure can be set, because vendors' monitors
/// and local platforms differ.
package struct LiftOptions: Hashable, Sendable {
    // MARK: The load

    /// Tonnes above the empty hook from which a lift begins.
    ///
    /// standards.md 3.3: vendors use about 0.2-0.5 t or 5-10 % of the rated load [M].
    package var startLoad = 0.3
    /// Percent of the rated load from which a lift begins, where that is more than `startLoad`.
    package var startPercent: Double?
    /// Tonnes above the empty hook below which a lift ends; scales with the start.
    package var endLoad = 0.15
    /// How long the load has to stand before it is believed; a swing or a spike does not.
    package var startHold = Duration.seconds(3)
    /// A load that is gone for no longer than this, or for one reading, is still the same lift.
    package var longestDropout = Duration.seconds(8)
    /// Shorter than this is no lift.
    package var minimumDuration = Duration.seconds(20)
    /// Readings further apart than this say nothing of the time between them.
    package var longestGap = Duration.seconds(60)
    /// A lift is cut after this long; it is the way out when the zero jumped while the hook moved.
    package var longestLift = Duration.seconds(3600)

    // MARK: The movement, one of which a lift needs

    /// Metres of hook height.
    package var minimumHoist = 1.0
    /// Metres of trolley radius.
    package var minimumTrolley = 1.0
    /// Degrees of slewing.
    package var minimumSlew = 5.0
    /// Degrees below which slewing is the jitter of the encoder.
    package var slewDeadBand = 1.0

    // MARK: The empty hook

    /// Tonnes per hour by which the zero may follow the empty hook.
    package var zeroRate = 0.2
    /// Tonnes around the zero that are the empty hook's own noise.
    package var zeroBand = 0.1
    /// A level load on a hook that has not moved for this long is a new zero.
    package var zeroJumpAfter = Duration.seconds(1200)
    /// Tonnes by which the zero may jump; more than that is a load, however long it hangs.
    package var zeroJumpLimit = 1.0

    // MARK: Overloads and near misses

    /// Percent of rated load or moment that is a warning.
    ///
    /// standards.md 3.3: load or moment >= 90 %: intermittent warning [V-sec].
    package var warningPercent = 90.0
    /// Percent from which an excursion that stays below `overloadPercent` was a near miss.
    package var nearMissPercent = 95.0
    /// Percent of rated load or moment that is an overload.
    ///
    /// standards.md 3.3: load or moment >= 100 %: continuous alarm until below 100 % [V-sec].
    package var overloadPercent = 100.0
    /// Metres per second at which work has to stop.
    ///
    /// standards.md 3.3: wind > grade 6 (>= 13.8 m/s) stop-work alarm [V-sec].
    package var windLimit = 13.8
    /// Excursions parted by no more than this are one.
    package var longestLull = Duration.seconds(30)

    /// The defaults; set what differs.
    package init() {}

    /// What cannot be meant, in words; the detector does not trap on it but finds nothing useful.
    package var faults: [String] {
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
