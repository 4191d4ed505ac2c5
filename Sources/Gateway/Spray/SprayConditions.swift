import Store
import Telemetry

/// What a spray is wanted for, and what forbids it: judged from the open alarms and the newest
/// readings, a value without clocks or devices.
struct SprayConditions: Sendable {
    let spray: SiteConfiguration.Spray
    /// Where the devices stand.
    let areas: [DeviceID: String]
    /// The numbers of the circumstances' series, by their names.
    let circumstances: [String: Int]
    /// How old the newest good reading of an alarm's series may be, by the series' name; what people
    /// say does not grow old and is not here.
    let freshness: [SeriesID: (number: Int, most: Duration)]

    /// The key of the alarm that wants it: active, of one of the rules, in one of the areas, on a
    /// series that still speaks.
    func cause(
        open: [AlarmRecord], latest: [Int: LatestReading], now: Timestamp
    ) -> String? {
        open.first { alarm in
            (alarm.state == .activeUnacknowledged || alarm.state == .activeAcknowledged)
                && spray.alarms.contains(alarm.rule) && !alarm.isBackfill
                && isNear(alarm.series.device) && isFresh(alarm.series, latest, now)
        }?.key
    }

    /// Whether people have said that it must not run, or nobody has said how it stands.
    func isForbidden(latest: [Int: LatestReading]) -> Bool {
        spray.never.contains { circumstance in
            // As long as nobody has said how it stands, people may be there.
            guard let number = circumstances[circumstance.id],
                case .text(let word) = latest[number]?.goodValue
            else { return true }
            return circumstance.words.contains(word)
        }
    }

    private func isNear(_ device: DeviceID) -> Bool {
        guard let near = spray.areas else { return true }
        return areas[device].map(near.contains) ?? false
    }

    /// Whether the series has spoken of late: the alarm of a dead sensor stands, and says nothing of
    /// the air any more.
    private func isFresh(
        _ series: SeriesID, _ latest: [Int: LatestReading], _ now: Timestamp
    ) -> Bool {
        guard let (number, most) = freshness[series] else {
            return series.device == BoundSite.siteDevice
        }
        return latest[number]?.goodTime.map { now - $0 <= most } ?? false
    }
}
