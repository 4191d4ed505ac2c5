import Telemetry
import Testing
import UplinkFormats

@Suite("Data marks of HJ 212")
struct HJ212MarksTests {
    private let marks = HJ212Marks()

    private func mark(_ good: Int, _ bad: [BadReason], expected: Int? = nil) -> String {
        marks.mark(
            factor("a1", Array(repeating: 1, count: good), bad: bad, expected: expected))
    }

    @Test("a period is normal from three quarters of its readings on")
    func share() {
        #expect(mark(3, [.timeout]) == "N")
        #expect(mark(74, Array(repeating: .timeout, count: 26)) == "B")
        #expect(mark(75, Array(repeating: .timeout, count: 25)) == "N")
        #expect(mark(8, [], expected: 10) == "N")
        #expect(mark(7, [], expected: 10) == "B")
        #expect(mark(12, [], expected: 10) == "N")
    }

    @Test(
        "each reason has its mark",
        arguments: [
            (BadReason.disconnected, "B"), (.timeout, "B"), (.exception, "B"),
            (.foreignAnswer, "B"), (.missed, "B"), (.outOfRange, "T"), (.absent, "D"),
            (.invalid, "D"), (.unknownCode, "D"), (.stale, "D"), (.malformed, "D"),
            (.notIdentified, "D"),
        ])
    func reasons(reason: BadReason, letter: String) {
        #expect(mark(0, [reason]) == letter)
        #expect(mark(1, [reason, reason]) == letter)
    }

    @Test("the commonest reason counts, and what never came was missed")
    func commonest() {
        #expect(mark(0, [.outOfRange, .outOfRange, .timeout]) == "T")
        #expect(mark(0, [.outOfRange, .outOfRange, .timeout, .missed, .exception]) == "B")
        #expect(mark(0, [.outOfRange, .outOfRange], expected: 10) == "B")
        #expect(mark(0, [.outOfRange, .timeout]) == "B")
        #expect(mark(0, []) == "B")
        #expect(mark(0, [], expected: 60) == "B")
    }

    @Test("without samples nobody knows why readings are bad")
    func unknown() {
        var entry = factor("a1", [1], bad: [.timeout, .timeout])
        entry.samples = []
        #expect(marks.mark(entry) == "D")
        entry.rollup.bad = 1
        entry.rollup.count = 9
        #expect(marks.mark(entry) == "N")
    }

    @Test("letters and share are data")
    func data() {
        var own = HJ212Marks()
        own.letters[.outOfRange] = "L"
        own.otherwise = "U"
        own.goodShare = 0.5
        #expect(own.mark(factor("a1", [1], bad: [.timeout])) == "N")
        #expect(own.mark(factor("a1", [], bad: [.outOfRange])) == "L")
        #expect(own.mark(factor("a1", [], bad: [.stale])) == "U")
    }

    @Test("odd counts do not trap")
    func oddCounts() {
        for (count, bad, expected) in [
            (Int.max, Int.max, 1), (-1, -1, nil), (0, 0, 0), (0, Int.max, Int.max), (5, 0, -3),
        ] as [(Int, Int, Int?)] {
            let entry = UplinkItem.Entry(
                series: series("d.x", .gauge, ""),
                rollup: Rollup(count: count, bad: bad, expected: expected))
            #expect(marks.mark(entry).count == 1)
        }
    }
}
