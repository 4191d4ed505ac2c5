import Foundation
import TestSeeds
import Testing

@testable import Telemetry

@Suite("SiteCalendar and Bucket")
struct SiteCalendarTests {
    /// Zones with every oddity of the last years: none at all, an hour at night, half an hour,
    /// a change at midnight forward and backward, and a whole day left out.
    static let zones = [
        "Asia/Shanghai", "Europe/Berlin", "America/New_York", "Asia/Kathmandu",
        "Australia/Lord_Howe", "America/Sao_Paulo", "America/Havana", "Asia/Beirut",
        "Antarctica/Troll",
    ]

    @Test("civil time agrees with Foundation's zone data", arguments: zones)
    func civil(zone: String) throws {
        var random = SeededGenerator(21)
        let site = try calendar(zone)
        let reference = gregorian(TimeZone(identifier: zone))
        let (first, last) = try (time("2015-01-02T00:00:00Z"), time("2034-12-30T00:00:00Z"))
        for _ in 0..<2000 {
            let instant = Timestamp(
                milliseconds: .random(in: first.milliseconds...last.milliseconds, using: &random)
                    / 1000 * 1000)
            let parts = reference.dateComponents(
                [.year, .month, .day, .hour, .minute, .second],
                from: Date(timeIntervalSince1970: Double(instant.milliseconds) / 1000))
            let ours = site.civil(instant)
            #expect(ours.year == parts.year && ours.month == parts.month && ours.day == parts.day)
            #expect(
                ours.hour == parts.hour && ours.minute == parts.minute
                    && ours.second == parts.second)
            // Back to the instant, or to the first of the two that show the same civil time.
            let back = site.timestamp(ours)
            #expect(back <= instant && site.civil(back) == ours, "\(zone) \(instant.rfc3339())")
        }
    }

    @Test(
        "a day of the change has 23 or 25 hours, in Berlin and not in Shanghai",
        arguments: [
            ("Europe/Berlin", "2026-03-29T12:00:00+02:00", 23),
            ("Europe/Berlin", "2026-10-25T12:00:00+01:00", 25),
            ("Europe/Berlin", "2026-07-01T12:00:00+02:00", 24),
            ("Asia/Shanghai", "2026-03-29T12:00:00+08:00", 24),
            ("Asia/Shanghai", "2026-10-25T12:00:00+08:00", 24),
        ])
    func dayLength(zone: String, text: String, hours: Int) throws {
        let site = try calendar(zone)
        let day = Bucket(.day, containing: try time(text), calendar: site)
        #expect(day.duration == .seconds(hours * 3600))
        let start = site.civil(day.start)
        #expect((start.hour, start.minute, start.second) == (0, 0, 0))
        var hour = Bucket(.hour, containing: day.start, calendar: site)
        var count = 0
        while hour.start < day.end {
            count += 1
            hour = hour.next(calendar: site)
        }
        #expect(count == hours)
        #expect(hour.start == day.end)
    }

    @Test("a skipped civil time is the instant of the change, a repeated one its first occurrence")
    func oddTimes() throws {
        let berlin = try calendar("Europe/Berlin")
        let skipped = CivilTime(year: 2026, month: 3, day: 29, hour: 2, minute: 30)
        #expect(try berlin.timestamp(skipped) == time("2026-03-29T03:00:00+02:00"))
        let repeated = CivilTime(year: 2026, month: 10, day: 25, hour: 2, minute: 30)
        #expect(try berlin.timestamp(repeated) == time("2026-10-25T02:30:00+02:00"))
        #expect(try berlin.rfc3339(time("2026-07-01T00:00:00Z")) == "2026-07-01T02:00:00+02:00")
    }

    @Test("a day that a zone leaves out belongs to no bucket, and its neighbours touch")
    func skippedDay() throws {
        // Samoa went from 29 to 31 December 2011.
        let apia = SiteCalendar(
            zone: "Pacific/Apia", initialOffset: -36_000,
            transitions: [.init(at: try time("2011-12-30T10:00:00Z"), offset: 50_400)])
        let day = Bucket(.day, containing: try time("2011-12-29T20:00:00Z"), calendar: apia)
        #expect(day.duration == .seconds(86_400))
        let next = day.next(calendar: apia)
        #expect(next.start == day.end)
        #expect(apia.civil(next.start).day == 31)
    }

    @Test(
        "every instant lies in exactly one bucket, and the next begins where one ends",
        arguments: zones)
    func partition(zone: String) throws {
        var random = SeededGenerator(22)
        let site = try calendar(zone)
        let (first, last) = try (time("2015-01-02T00:00:00Z"), time("2034-12-30T00:00:00Z"))
        for resolution in Resolution.allCases {
            var bucket = Bucket(resolution, containing: first, calendar: site)
            let walk = resolution == .day ? 3000 : resolution == .month ? 230 : 0
            for _ in 0..<walk { try step(&bucket, site, &random) }
            // Around every change of the offset, where a partition can break.
            for change in changes(of: zone) where change > first && change < last {
                bucket = Bucket(
                    resolution, containing: change - .seconds(4 * 3600), calendar: site)
                for _ in 0..<(resolution == .minute ? 500 : 40) {
                    try step(&bucket, site, &random)
                }
            }
            for _ in 0..<500 {
                let instant = Timestamp(
                    milliseconds: .random(
                        in: first.milliseconds...last.milliseconds, using: &random))
                bucket = Bucket(resolution, containing: instant, calendar: site)
                #expect(bucket.contains(instant))
                try step(&bucket, site, &random)
            }
        }
    }

    /// Checks one bucket at random instants within it and at its ends, then goes on to the next.
    private func step(
        _ bucket: inout Bucket, _ site: SiteCalendar, _ random: inout SeededGenerator
    ) throws {
        let (start, end) = (bucket.start.milliseconds, bucket.end.milliseconds)
        try #require(start < end, "\(site.zone) \(bucket)")
        for instant in [start, end - 1, .random(in: start..<end, using: &random)] {
            let again = Bucket(
                bucket.resolution, containing: Timestamp(milliseconds: instant), calendar: site)
            try #require(again == bucket, "\(site.zone) \(bucket.start.rfc3339())")
        }
        let next = bucket.next(calendar: site)
        try #require(next.start == bucket.end)
        bucket = next
    }

    private func changes(of zone: String) -> [Timestamp] {
        var result: [Timestamp] = []
        guard let timeZone = TimeZone(identifier: zone) else { return [] }
        var cursor = Date(timeIntervalSince1970: 1_420_070_400)
        while let next = timeZone.nextDaylightSavingTimeTransition(after: cursor),
            result.count < 12
        {
            result.append(Timestamp(milliseconds: Int64(next.timeIntervalSince1970 * 1000)))
            cursor = next
        }
        return result
    }

    @Test("resolutions are ordered by length and fold from a finer one")
    func resolutions() {
        #expect(Resolution.allCases.sorted() == [.minute, .quarterHour, .hour, .day, .month])
        for resolution in Resolution.allCases {
            if let finer = resolution.finer { #expect(finer < resolution) }
        }
    }

    @Test("the scans expected of a bucket are its length by the period")
    func expected() throws {
        let berlin = try calendar("Europe/Berlin")
        let day = Bucket(.day, containing: try time("2026-03-29T12:00:00Z"), calendar: berlin)
        var group = ScanGroup(
            device: DeviceID("m"), interface: "rs485", name: "fast", series: [],
            period: .seconds(10), isPolled: true)
        #expect(group.expected(in: day) == 23 * 360)
        group.period = nil
        #expect(group.expected(in: day) == nil)
        group.period = .zero
        #expect(group.expected(in: day) == nil)
    }
}
