import Telemetry

/// The local time of the simulated site, counted without a calendar.
///
/// The offset that the site's zone has at the epoch is used throughout: a day of the simulated
/// world always has 24 hours, which keeps the integral of a day's power in closed form.
struct SiteTime: Sendable {
    static let hour: Int64 = 3_600_000
    static let day: Int64 = 86_400_000
    static let week: Int64 = 7 * day

    private let offset: Int64
    /// Local milliseconds of the Monday 00:00 that begins the epoch's week.
    let epochWeek: Int64

    init(epoch: Timestamp, calendar: SiteCalendar) {
        offset = Int64(calendar.offset(at: epoch)) * 1000
        let local = epoch.milliseconds &+ offset
        // 1970-01-01 was a Thursday: Mondays lie four days after multiples of a week.
        epochWeek = local &- (local &- 4 * Self.day).modulo(Self.week)
    }

    /// Local milliseconds, comparable with `epochWeek`.
    func local(_ time: Timestamp) -> Int64 { time.milliseconds &+ offset }

    /// The hour of the local day, `0 ..< 24`.
    func hourOfDay(_ time: Timestamp) -> Double {
        Double(local(time).modulo(Self.day)) / Double(Self.hour)
    }
}
