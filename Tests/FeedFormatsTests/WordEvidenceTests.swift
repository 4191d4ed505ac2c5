import Foundation
import Telemetry
import Testing

@testable import FeedFormats

@Suite("An alarm that rests on a word of the device")
struct WordEvidenceTests {
    private var alarm: AlarmBrief {
        var alarm = craneAlarm()
        alarm.evidence = AlarmEvidence(
            value: .nan, unit: "", limit: .nan, windowStart: alarm.onset, windowEnd: alarm.onset,
            samples: 1, coverage: nil, word: "warning",
            others: [
                AlarmEvidence.Other(
                    series: SeriesID("crane-1.load_mass")!, value: 5.2, word: nil, unit: "t")
            ])
        return alarm
    }

    @Test("says the word, and what else was judged, in both languages")
    func sentence() {
        let english = AlarmWords.evidence(alarm, .en, .utc)
        #expect(english.contains("the device says “warning” (1 reading)"), "\(english)")
        #expect(english.hasSuffix("; crane-1.load_mass 5.2 t"), "\(english)")
        let chinese = AlarmWords.evidence(alarm, .zh, .utc)
        #expect(chinese.contains("设备状态“预警”（1个读数）"), "\(chinese)")
    }

    @Test("carries the word as JSON")
    func json() throws {
        let body = AlarmJSON.body(notice(.raised, [alarm]), calendar: .utc)
        let read = try #require(
            try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any])
        let told = try #require((read["alarms"] as? [[String: Any]])?.first)
        let evidence = try #require(told["evidence"] as? [String: Any])
        #expect(evidence["word"] as? String == "warning")
        #expect(evidence["value"] is NSNull)
        let other = try #require((evidence["others"] as? [[String: Any]])?.first)
        #expect(other["value"] as? Double == 5.2)
    }
}
