import CraneWork
import Foundation
import LocatedText
import Telemetry
import Testing

@Suite("The figures of a crane's work")
struct CraneWorkFileTests {
    private func text() throws -> String { try String(contentsOf: shippedFile, encoding: .utf8) }

    /// The faults of the shipped file with one piece of it changed.
    private func faults(_ old: String, _ new: String) throws -> [Fault] {
        let text = try text()
        try #require(text.contains(old), "the file has no '\(old)'")
        do {
            _ = try CraneWorkFile.parse(text.replacing(old, with: new), file: "work.yaml")
            return []
        } catch {
            return error.all
        }
    }

    @Test("are read in their units")
    func read() {
        #expect(shipped.startLoad == 0.3)
        #expect(shipped.zeroJumpAfter == .seconds(1200))
        #expect(shipped.overloadPercent == 100)
        #expect(shipped.startPercent == nil)
    }

    @Test("decide what is recorded")
    func used() throws {
        let gentle = loads("0x4 0.25x8 0x6")
        #expect(fold(gentle).lifts.isEmpty)
        let other = try CraneWorkFile.parse(
            try text().replacing("value: 0.3 t", with: "value: 0.2 t"), file: "work.yaml")
        #expect(fold(gentle, options: other).lifts.count == 1)
    }

    @Test("that are missing, unknown, doubled or in another unit are told with their place")
    func mistakes() throws {
        let missing = try faults("{ figure: end_load,", "{ figure: start_load,")
            .map(\.message).joined()
        #expect(missing.contains("'start_load' stands twice"))
        #expect(missing.contains("missing: end_load"))
        let unknown = try #require(
            try faults("figure: wind,", "figure: winds,").first { $0.location.line > 20 })
        #expect(unknown.description.contains("did you mean 'wind'?"))
        #expect(try faults("13.8 m/s", "13.8 km/h").first?.description.contains("'m/s'") == true)
        #expect(try faults("value: 3 s", "value: 3").count == 1)
        #expect(try faults("status: from-memory", "status: guessed").count == 1)
    }

    @Test("that cannot be meant together are refused")
    func contradictions() throws {
        for (old, new) in [
            ("value: 0.15 t", "value: 0.4 t"), ("value: 90 %", "value: 110 %"),
            ("value: 60 s", "value: 5 s"), ("value: 1 h", "value: 10 s"),
        ] {
            #expect(try faults(old, new).count == 1, "\(old) -> \(new)")
        }
    }

    @Test("that cannot be meant still crash nothing")
    func nonsense() {
        var options = shipped
        options.endLoad = 0.4
        options.warningPercent = 110
        options.longestGap = .zero
        #expect(fold(loads("0x4 2x8 0x5"), options: options).lifts.count < 9)
    }
}
