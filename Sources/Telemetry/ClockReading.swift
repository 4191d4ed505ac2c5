/// Both clocks of the machine, read together.
package struct ClockReading: Hashable, Sendable {
    /// Names one run of the kernel; monotonic times compare only within it.
    package var bootID: String
    /// Milliseconds since an arbitrary point of this boot; never goes back, goes on in suspend.
    package var monotonic: Int64
    /// The time of day; the monotonic time while nothing gives a time of day that may be believed.
    package var wall: Timestamp
    /// Whether `wall` is a time of day (design 5, trusted time).
    package var isTrusted: Bool
    /// Whether `wall` was worked out without anybody to confirm it; never set while not trusted.
    package var isEstimated: Bool
    /// Milliseconds that turn monotonic times of this boot into times of day; fixed when the boot
    /// first gets a time of day, nil before and where nobody needs it.
    package var stampOffset: Int64?

    package init(
        bootID: String, monotonic: Int64, wall: Timestamp, isTrusted: Bool,
        isEstimated: Bool = false, stampOffset: Int64? = nil
    ) {
        self.bootID = bootID
        self.monotonic = monotonic
        self.wall = wall
        self.isTrusted = isTrusted
        self.isEstimated = isEstimated
        self.stampOffset = stampOffset
    }

    /// What the state of the clock adds to the flags of a scan that bears this reading's time.
    package var scanFlags: ScanFlags {
        if !isTrusted { return .monotonicTime }
        return isEstimated ? .timeEstimated : []
    }
}

/// Where the time of day comes from: the machine, or a test that makes it up.
package protocol WallClock: Sendable {
    /// Both clocks now.
    func read() -> ClockReading
    /// As `read`, or nil when somebody else is reading: hundreds of links that wake at the same
    /// instant must not queue for the clock.
    func readIfFree() -> ClockReading?
}

extension WallClock {
    /// A clock without a lock is always free.
    package func readIfFree() -> ClockReading? { read() }
}
