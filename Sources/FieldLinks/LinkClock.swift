/// The two things a link does with a clock, without the clock's type.
package struct LinkClock: Sendable {
    /// Returns after the duration; throws when the task is cancelled.
    package let sleep: @Sendable (Duration) async throws -> Void
    /// The time since this value was made; never goes back.
    package let elapsed: @Sendable () -> Duration

    package init(_ clock: some Clock<Duration>) {
        let start = clock.now
        sleep = { try await clock.sleep(until: clock.now.advanced(by: $0), tolerance: nil) }
        elapsed = { start.duration(to: clock.now) }
    }
}
