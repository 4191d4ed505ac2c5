import Foundation
import TestSeeds
import Testing

@testable import Telemetry

@Suite("CivilTime")
struct CivilTimeTests {
    @Test("dates agree with Foundation's calendar, before 1970 and across centuries")
    func againstFoundation() {
        var random = SeededGenerator(11)
        let reference = gregorian(TimeZone(secondsFromGMT: 0))
        // Foundation's calendar is Julian before October 1582; the product's is Gregorian always.
        let first = CivilTime(year: 1600, month: 1, day: 1).timestamp(offset: 0).milliseconds
        let last = CivilTime(year: 2400, month: 12, day: 31).timestamp(offset: 0).milliseconds
        for _ in 0..<10_000 {
            let seconds = Int64.random(in: first / 1000...last / 1000, using: &random)
            let parts = reference.dateComponents(
                [.year, .month, .day, .hour, .minute, .second],
                from: Date(timeIntervalSince1970: Double(seconds)))
            let ours = CivilTime(Timestamp(milliseconds: seconds * 1000 + 7), offset: 0)
            #expect(ours.year == parts.year && ours.month == parts.month && ours.day == parts.day)
            #expect(
                ours.hour == parts.hour && ours.minute == parts.minute
                    && ours.second == parts.second && ours.millisecond == 7)
            #expect(ours.isValid)
            #expect(ours.timestamp(offset: 0).milliseconds == seconds * 1000 + 7)
        }
    }

    @Test("every day of four centuries follows the one before it")
    func everyDay() {
        var day = CivilTime.daysSinceEpoch(year: 1900, month: 1, day: 1)
        #expect(CivilTime.daysSinceEpoch(year: 1970, month: 1, day: 1) == 0)
        for year in 1900..<2300 {
            var length = 0
            for month in 1...12 {
                for dayOfMonth in 1...CivilTime.daysInMonth(year: year, month: month) {
                    #expect(
                        CivilTime.daysSinceEpoch(year: year, month: month, day: dayOfMonth) == day)
                    #expect(CivilTime.date(daysSinceEpoch: day) == (year, month, dayOfMonth))
                    day += 1
                    length += 1
                }
            }
            let isLeap = year % 4 == 0 && year % 100 != 0 || year % 400 == 0
            #expect(length == (isLeap ? 366 : 365))
        }
    }

    @Test("an offset moves the civil time and not the instant")
    func offsets() {
        var random = SeededGenerator(12)
        for _ in 0..<2000 {
            let time = Timestamp(milliseconds: .random(in: -1 << 45...1 << 45, using: &random))
            let offset = Int.random(in: -18 * 4...18 * 4, using: &random) * 900
            let civil = CivilTime(time, offset: offset)
            #expect(civil.isValid)
            #expect(civil.timestamp(offset: offset) == time)
        }
    }
}
