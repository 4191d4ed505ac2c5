import Store
import Telemetry
import Testing

@testable import WebAPI

@Suite("What an event stream tells of alarms")
struct EventFeedTests {
    /// The states that a client is told, in order.
    private func states(_ text: String) -> [String] {
        text.split(separator: "event: alarm\n").compactMap { event in
            event.firstMatch(of: /"state":"(\w+)"/).map { String($0.1) }
        }
    }

    private func feed(_ site: TestSite) -> EventFeed {
        EventFeed(context: site.context, index: SeriesIndex(site.context.devices))
    }

    private static let onset = "2026-11-21T09:00:00+08:00"

    @Test("is every change, also two that came together")
    func together() async throws {
        try await TestSite.with { site in
            var feed = feed(site)
            try await feed.learnAlarms()
            #expect(try await feed.nextAlarms() == "")
            try await site.store.writer.apply(
                EvaluationEffects(transitions: [
                    site.transition(
                        onset: Self.onset, from: .pending, to: .activeUnacknowledged,
                        at: "2026-11-21T09:01:00+08:00", value: 160),
                    site.transition(
                        onset: Self.onset, from: .activeUnacknowledged, to: .returnedUnacknowledged,
                        at: "2026-11-21T09:01:10+08:00", value: 110),
                ]))
            let text = try await feed.nextAlarms()
            #expect(states(text) == ["active_unacknowledged", "returned_unacknowledged"])
            // Each with the evidence of its own.
            #expect(text.contains("\"value\":160") && text.contains("\"value\":110"))
            #expect(try await feed.nextAlarms() == "")
        }
    }

    @Test("is the return of an old alarm too, however many are newer")
    func old() async throws {
        try await TestSite.with { site in
            let begin = TestSite.at(Self.onset)
            func transition(_ minute: Int, _ to: AlarmState) -> AlarmTransition {
                var transition = site.transition(
                    onset: Self.onset, from: .pending, to: to, at: Self.onset, value: 160)
                transition.onset = begin + .seconds(minute * 60)
                transition.time = transition.onset
                return transition
            }
            try await site.store.writer.apply(
                EvaluationEffects(
                    transitions: (0...150).map { transition($0, .activeUnacknowledged) }))
            var feed = feed(site)
            try await feed.learnAlarms()
            var back = transition(0, .returnedUnacknowledged)
            back.from = .activeUnacknowledged
            back.time = begin + .seconds(20_000)
            try await site.store.writer.apply(EvaluationEffects(transitions: [back]))
            #expect(states(try await feed.nextAlarms()) == ["returned_unacknowledged"])
        }
    }

    @Test("is nothing of a breach that did not hold long enough")
    func pending() async throws {
        try await TestSite.with { site in
            var feed = feed(site)
            try await feed.learnAlarms()
            try await site.store.writer.apply(
                EvaluationEffects(transitions: [
                    site.transition(
                        onset: Self.onset, from: .normal, to: .pending, at: Self.onset, value: 160),
                    site.transition(
                        onset: Self.onset, from: .pending, to: .normal,
                        at: "2026-11-21T09:00:10+08:00", value: 100),
                ]))
            #expect(try await feed.nextAlarms() == "")
        }
    }
}
