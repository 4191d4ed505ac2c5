import Testing

@testable import LocatedText

@Suite("Durations, quantities and sizes")
struct QuantityTests {
    private let faults = FaultCollector()

    private func node(_ text: String) -> LocatedNode {
        LocatedNode(
            content: .scalar(text, isQuoted: false),
            location: Location(file: "f", line: 3, column: 9))
    }

    @Test(
        "a duration is a number, an optional space and a unit",
        arguments: [
            ("250ms", 250), ("1 s", 1000), ("1.5 s", 1500), ("15min", 900_000),
            ("0.1s", 100), ("2h", 7_200_000), ("30 d", 2_592_000_000), ("1month", 2_592_000_000),
            ("3 y", 94_608_000_000), ("0s", 0), ("0.4ms", 0), ("1e0s", nil), ("1,5s", nil),
            ("15", nil), ("s", nil), ("", nil), ("-1s", nil), ("1 S", nil), ("1sec", nil),
            ("1 s s", nil), ("nan s", nil), ("½s", nil), ("99999999999999999999999 y", nil),
            ("1..5 s", nil), ("--1s", nil),
        ] as [(String, Int64?)])
    func durations(text: String, milliseconds: Int64?) {
        let duration = node(text).duration(faults)
        #expect(duration == milliseconds.map { .milliseconds($0) })
        #expect(faults.isEmpty == (milliseconds != nil))
    }

    @Test(
        "'m' is refused, and both readings of it are offered",
        arguments: [("15m", "15min", "15month"), ("1.5 m", "1.5min", "1.5month")])
    func ambiguous(text: String, minutes: String, months: String) {
        #expect(node(text).duration(faults) == nil)
        #expect(faults.faults.first?.remedy == "write '\(minutes)' or '\(months)'")
        #expect(faults.faults.first?.location == Location(file: "f", line: 3, column: 9))
    }

    @Test(
        "a quantity is a number and its unit, with plain letters for µ and ³",
        arguments: [
            ("103000 m2", 103_000, "m2"), ("150 µg/m³", 150, "ug/m3"), ("150μg/m3", 150, "ug/m3"),
            ("-3.5 °C", -3.5, "°C"), ("60 %RH", 60, "%RH"), ("4 m²", 4, "m2"),
            ("50", nil, ""), ("m2", nil, ""), ("", nil, ""), ("1e4 m2", 1, "e4 m2"),
            ("+-1 m2", nil, ""),
        ] as [(String, Double?, String)])
    func quantities(text: String, value: Double?, unit: String) {
        let quantity = node(text).quantity(faults)
        #expect(quantity?.value == value)
        #expect(quantity == nil || quantity?.unit == unit)
        #expect(faults.isEmpty == (value != nil))
    }

    @Test(
        "a size counts in powers of 1024",
        arguments: [
            ("8 GiB", 8_589_934_592), ("64MiB", 67_108_864), ("1.5 KiB", 1536), ("0 B", 0),
            ("8 GB", nil), ("-1 MiB", nil), ("8", nil), ("99999999999 TiB", nil),
        ] as [(String, Int64?)])
    func sizes(text: String, bytes: Int64?) {
        #expect(node(text).byteCount(faults) == bytes)
        #expect(faults.isEmpty == (bytes != nil))
    }
}
