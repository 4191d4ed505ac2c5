import DeviceProfiles
import Foundation
import Telemetry
import TestPeers
import Testing

@testable import Acquisition

/// The orders of one link as a value that is told the time.
@Suite("Orders that wait")
struct DeviceCommandsTests {
    private func commands(minInterval: String? = nil) throws -> DeviceCommands {
        let binding = try TestSite.relay("u9", coil: 0, "1s", "100ms", minInterval: minInterval)
        return DeviceCommands([try #require(binding.command(PointKey("switch.ch1"), unit: 9))])
    }

    private func order(_ word: String) -> DeviceOrder {
        DeviceOrder(
            device: DeviceID("u9"), point: PointKey("switch.ch1"), word: word, actor: "the test")
    }

    /// Submits an order and does what `body` says once it waits.
    private func submit(
        _ word: String, to commands: DeviceCommands, now: Duration = .zero,
        _ body: @escaping @Sendable () async -> Void
    ) async -> DeviceOrder.Outcome {
        let (waits, waiting) = AsyncStream.makeStream(of: Void.self)
        async let outcome = commands.submit(order(word), now: now) { waiting.finish() }
        for await _ in waits {}
        await body()
        return await outcome
    }

    @Test("while the link is down nothing is due, however long it has stood")
    func nothingIsDue() async throws {
        let commands = try commands()
        let first = try #require(commands.next(now: .zero))
        commands.finish(first, .done, now: .zero)
        let outcome = await submit("on", to: commands) {
            guard let work = commands.next(now: .zero) else { return }
            commands.finish(work, .done, now: .zero)
        }
        #expect(outcome == .done)
        #expect(commands.nextDue == .seconds(1))
        commands.linkLost()
        #expect(commands.nextDue == nil)
        #expect(commands.next(now: .seconds(60)) == nil)
        commands.linkReturned(at: .seconds(60))
        #expect(commands.nextDue == .zero)
        #expect(commands.next(now: .seconds(60))?.word == "off")
    }

    @Test("of two orders that wait together the second is refused when it comes too soon")
    func tooSoon() async throws {
        let commands = try commands(minInterval: "30s")
        let first = try #require(commands.next(now: .zero))
        commands.finish(first, .done, now: .seconds(-60))
        let outcomes = await withTaskGroup(of: DeviceOrder.Outcome.self) { group in
            for _ in 0..<2 {
                let (waits, waiting) = AsyncStream.makeStream(of: Void.self)
                group.addTask {
                    await commands.submit(order("on"), now: .zero) { waiting.finish() }
                }
                for await _ in waits {}
            }
            while let work = commands.next(now: .zero) { commands.finish(work, .done, now: .zero) }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.count(where: { $0 == .done }) == 1)
        #expect(
            outcomes.contains {
                if case .refused(let why) = $0 { why.contains("less than") } else { false }
            })
    }
}
