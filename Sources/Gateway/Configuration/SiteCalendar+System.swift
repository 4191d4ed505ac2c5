import Foundation
import Telemetry

extension SiteCalendar {
    /// The calendar of a zone of this machine's database, with every change from 1970 to 2100.
    ///
    /// nil when the machine does not know the zone.
    package init?(systemZone name: String) {
        guard let zone = TimeZone(identifier: name) else { return nil }
        let start = Date(timeIntervalSince1970: 0)
        let end = Date(timeIntervalSince1970: 4_102_444_800)
        var transitions: [Transition] = []
        var date = start
        while let next = zone.nextDaylightSavingTimeTransition(after: date), next < end,
            next > date, transitions.count < 1000
        {
            transitions.append(
                Transition(
                    at: Timestamp(
                        milliseconds: Int64((next.timeIntervalSince1970 * 1000).rounded())),
                    offset: zone.secondsFromGMT(for: next)))
            date = next
        }
        self.init(
            zone: name, initialOffset: zone.secondsFromGMT(for: start), transitions: transitions)
    }
}
