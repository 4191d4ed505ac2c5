import Telemetry

/// What the empty hook weighs, as the load cell sees it now.
///
/// The zero follows slow drift while nothing hangs. It jumps in one case: a level load on a hook
/// that has not moved for long is a tare that was pressed or a rope that was reeved anew. The
/// former zero is remembered, because the same picture is seen while the hook block rests on the
/// ground; when the load is back at the former zero, the jump is taken back.
struct EmptyHook: Hashable, Sendable {
    /// A level load on a hook that does not move.
    struct Still: Hashable, Sendable {
        var since: Timestamp
        var load: Double
        var height: Double?
        var radius: Double?
        var slew: Double?
        var sum: Double
        var count: Int
        /// Whether the last reading did not fit; a second one ends the stillness.
        var isDoubted = false
    }

    /// Tonnes.
    var zero = 0.0
    var former: Double?
    /// Since when the load has been at the former zero.
    var returning: Timestamp?
    var still: Still?

    /// Follows the drift of an empty hook; `seconds` have passed since the last reading.
    ///
    /// Downward only the hook's own noise is followed: a block that rests weighs less, and its zero
    /// would make a lift of picking up the block itself.
    mutating func follow(_ load: Double, seconds: Double, _ options: LiftOptions) {
        let error = load - zero
        guard error >= -options.zeroBand else { return }
        let step = options.zeroRate / 3600 * max(0, seconds)
        zero += max(-step, min(step, error))
    }

    /// Takes a jump back when the load stays at the former zero.
    mutating func takeBack(_ load: Double, at time: Timestamp, _ options: LiftOptions) {
        guard let former else { return }
        guard (load - former).magnitude <= options.zeroBand,
            (load - former).magnitude < (load - zero).magnitude
        else {
            returning = nil
            return
        }
        guard let since = returning else {
            returning = time
            return
        }
        guard time - since >= options.longestDropout, time > since else { return }
        zero = former
        self.former = nil
        returning = nil
    }

    /// Jumps to a load that has been level on a still hook for long.
    /// - Returns: whether the zero has jumped.
    mutating func jump(_ instant: CraneInstant, _ load: Double, _ options: LiftOptions) -> Bool {
        guard var still, still.fits(instant, load, options) || !still.isDoubted else {
            self.still = Still(instant, load)
            return false
        }
        if still.fits(instant, load, options) {
            still.isDoubted = false
            still.sum += load
            still.count += 1
            still.height = still.height ?? instant.hookHeight
            still.radius = still.radius ?? instant.radius
            still.slew = still.slew ?? instant.slewAngle
        } else {
            still.isDoubted = true
        }
        self.still = still
        guard instant.time - still.since >= options.zeroJumpAfter else { return false }
        return jump(to: still.sum / Double(still.count), options)
    }

    /// Jumps to a load if it is off the zero and still near enough to be one.
    mutating func jump(to load: Double, _ options: LiftOptions) -> Bool {
        let error = (load - zero).magnitude
        guard error > options.zeroBand, error <= options.zeroJumpLimit else { return false }
        former = zero
        returning = nil
        zero = load
        return true
    }

    /// Forgets what only unbroken readings can show.
    mutating func forgetStillness() {
        still = nil
        returning = nil
    }
}

extension EmptyHook.Still {
    init(_ instant: CraneInstant, _ load: Double) {
        since = instant.time
        self.load = load
        height = instant.hookHeight
        radius = instant.radius
        slew = instant.slewAngle
        sum = load
        count = 1
    }

    func fits(_ instant: CraneInstant, _ load: Double, _ options: LiftOptions) -> Bool {
        func isNear(_ a: Double?, _ b: Double?, _ limit: Double) -> Bool {
            guard let a, let b else { return true }
            return (a - b).magnitude < limit
        }
        let turned = slew.flatMap { slew in
            instant.slewAngle.map { Slewing.step(from: slew, to: $0) }
        }
        return (load - self.load).magnitude <= options.endLoad
            && isNear(height, instant.hookHeight, options.minimumHoist)
            && isNear(radius, instant.radius, options.minimumTrolley)
            && isNear(turned, 0, options.minimumSlew)
    }
}
