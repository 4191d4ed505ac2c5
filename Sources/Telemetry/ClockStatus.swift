/// How the time of day stands, for people.
package struct ClockStatus: Hashable, Sendable {
    /// How the time of day is known.
    package enum State: String, Hashable, Sendable, CaseIterable {
        /// The time of day is believed.
        case trusted
        /// The time of day is worked out, and nobody has confirmed it.
        case estimated
        /// There is no time of day yet: readings wait under monotonic time.
        case untrusted
    }

    package var state: State
    /// Since when it is in this state; nil while there is no time of day.
    package var since: Timestamp?
    /// What the machine's wall clock shows minus the time in use, in seconds; nil without one.
    package var offsetSeconds: Double?
    /// The wall clock has stepped and is not followed.
    package var isStepDisbelieved: Bool

    package init(
        state: State, since: Timestamp? = nil, offsetSeconds: Double? = nil,
        isStepDisbelieved: Bool = false
    ) {
        self.state = state
        self.since = since
        self.offsetSeconds = offsetSeconds
        self.isStepDisbelieved = isStepDisbelieved
    }
}
