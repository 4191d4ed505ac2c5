import Telemetry
import Testing

@testable import WebAPI

/// Cells against the plain ways of writing a number and a time.
@Suite("Rows of figures")
struct RowWriterTests {
    private static func cells(_ count: Int, _ body: (inout RowWriter) -> Void) -> [Substring] {
        var rows = RowWriter(.csv, calendar: calendar, rows: count)
        body(&rows)
        return String(decoding: rows.bytes, as: UTF8.self).split(
            separator: ",", omittingEmptySubsequences: false)
    }

    /// An offset that changes between summer and winter, on an hour that is no midnight.
    private static let calendar = SiteCalendar(
        zone: "test", initialOffset: -3600,
        transitions: (0..<300).map {
            .init(
                at: Timestamp(milliseconds: $0 * 13_000_000_000 / 900_000 * 900_000),
                offset: $0 % 2 == 0 ? 5 * 3600 + 1800 : -3600)
        })

    @Test("a number has the digits of its description, and no fraction when it is whole")
    func numbers() {
        var random = SystemRandomNumberGenerator()
        var numbers: [Double] = [
            0, -0.0, 1, -1, 0.5, -0.5, 0.001, 0.0001, 0.0005, 1e-300, 1e15 + 0.5,
            999_999_999_999.999,
            123_456_789_012_345.6, 1e300, 0.1 + 0.2, 230.1, -40.25, 1e16, 9_007_199_254_740_992,
        ]
        for _ in 0..<20_000 {
            let digits = Double(Int64.random(in: -1_000_000_000...1_000_000_000, using: &random))
            numbers += [digits / 10, digits / 100, digits / 1000, digits / 10_000, digits * 1e-9]
            numbers.append(Double.random(in: -1e6...1e6, using: &random))
        }
        let cells = Self.cells(numbers.count) { rows in for number in numbers { rows.cell(number) }
        }
        for (number, cell) in zip(numbers, cells) {
            let plain = Int(exactly: number).map(String.init) ?? number.description
            #expect(cell == plain)
        }
        #expect(Self.cells(3) { for n in [Double.nan, .infinity] { $0.cell(n) } } == ["", ""])
        #expect(Self.cells(3) { for n in [Int.min, 0, .max] { $0.cell(n) } }.first == "\(Int.min)")
    }

    @Test("a time has the site's offset, whatever time was written before it")
    func times() {
        var random = SystemRandomNumberGenerator()
        var times: [Timestamp] = []
        var time = Timestamp(milliseconds: 1_795_000_000_000)
        for _ in 0..<20_000 {
            switch Int.random(in: 0..<12, using: &random) {
            case 0:
                time = Timestamp(milliseconds: .random(in: 0...4_000_000_000_000, using: &random))
            case 1: time = time + .milliseconds(Int.random(in: 1...999, using: &random))
            case 2: break
            case 3: time = time - .seconds(Int.random(in: 1...90_000, using: &random))
            default:
                time =
                    time.slot(every: .seconds(1)) + .seconds([300, 60, 3600].randomElement() ?? 1)
            }
            times.append(time)
        }
        let cells = Self.cells(times.count) { rows in for time in times { rows.cell(time) } }
        for (time, cell) in zip(times, cells) { #expect(cell == Self.calendar.rfc3339(time)) }
    }
}
