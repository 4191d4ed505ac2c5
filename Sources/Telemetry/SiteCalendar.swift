/// The civil time of one site: the offsets of its zone and the instants at which they change.
///
/// A value, so that pure modules can be handed the zone without reading a file. Whoever composes
/// the gateway builds it from the system's zone database for the years that matter.
package struct SiteCalendar: Hashable, Sendable {
    /// One change of the zone's offset.
    package struct Transition: Hashable, Sendable {
        /// The first instant at which `offset` holds.
        package var at: Timestamp
        /// Seconds east of UTC.
        package var offset: Int

        package init(at: Timestamp, offset: Int) {
            self.at = at
            self.offset = offset
        }
    }

    /// The zone's name in the IANA database, for example `Asia/Shanghai`.
    package let zone: String
    private let initialOffset: Int
    private let transitions: [Transition]

    /// - Parameters:
    ///   - initialOffset: seconds east of UTC before the first transition.
    ///   - transitions: in ascending order of time.
    package init(zone: String, initialOffset: Int, transitions: [Transition] = []) {
        self.zone = zone
        self.initialOffset = initialOffset
        self.transitions = transitions
    }

    /// Coordinated universal time, which never changes its offset.
    package static let utc = SiteCalendar(zone: "UTC", initialOffset: 0)

    /// Every offset with the first instant at which it holds; the first one holds since ever.
    package var offsets: [Transition] {
        [Transition(at: Timestamp(milliseconds: .min), offset: initialOffset)] + transitions
    }

    /// Seconds east of UTC at an instant.
    package func offset(at time: Timestamp) -> Int {
        let passed = transitionsPassed(at: time)
        return passed == 0 ? initialOffset : transitions[passed - 1].offset
    }

    /// The last change of the offset at or before an instant, and the first one after it.
    func transitions(around time: Timestamp) -> (last: Timestamp?, next: Timestamp?) {
        let passed = transitionsPassed(at: time)
        return (
            passed == 0 ? nil : transitions[passed - 1].at,
            passed == transitions.count ? nil : transitions[passed].at
        )
    }

    private func transitionsPassed(at time: Timestamp) -> Int {
        var low = 0
        var high = transitions.count
        while low < high {
            let middle = (low + high) / 2
            if transitions[middle].at <= time { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The site's civil time at an instant.
    package func civil(_ time: Timestamp) -> CivilTime {
        CivilTime(time, offset: offset(at: time))
    }

    /// The first instant at or after which the site's clocks show `civil`.
    ///
    /// A civil time that a forward change skips maps to the instant of the change; one that
    /// a backward change repeats maps to its first occurrence.
    package func timestamp(_ civil: CivilTime) -> Timestamp {
        let guess = civil.timestamp(offset: 0)
        let day = Duration.seconds(86_400)
        let before = offset(at: guess - day)
        let after = offset(at: guess + day)
        let first = civil.timestamp(offset: before)
        if offset(at: first) == before { return first }
        let second = civil.timestamp(offset: after)
        if offset(at: second) == after { return second }
        return transitions.first { $0.at > second && $0.at <= first }?.at
            ?? transitions.last { $0.at <= max(first, second) }?.at ?? first
    }

    /// RFC 3339 text in the site's own offset.
    package func rfc3339(_ time: Timestamp) -> String { time.rfc3339(offset: offset(at: time)) }
}
