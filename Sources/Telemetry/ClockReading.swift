/// Both clocks of the machine, read together.
package struct ClockReading: Hashable, Sendable {
    /// Names one run of the kernel; monotonic times compare only within it.
    package var bootID: String
    /// Milliseconds since an arbitrary point of this boot; never goes back.
    package var monotonic: Int64
    /// What the wall clock shows.
    package var wall: Timestamp
    /// Whether the wall clock may be believed (design 5, trusted time).
    package var isTrusted: Bool

    package init(bootID: String, monotonic: Int64, wall: Timestamp, isTrusted: Bool) {
        self.bootID = bootID
        self.monotonic = monotonic
        self.wall = wall
        self.isTrusted = isTrusted
    }
}

/// Where the time of day comes from: the machine, or a test that makes it up.
package protocol WallClock: Sendable {
    /// Both clocks now.
    func read() -> ClockReading
}
