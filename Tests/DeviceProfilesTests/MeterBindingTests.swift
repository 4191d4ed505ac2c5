import DeviceProfiles
import Frames
import LocatedText
import Telemetry
import TestSeeds
import Testing

@Suite("Meters of DL/T 645 and CJ/T 188")
struct MeterBindingTests {
    private static let head = """
        protocol: dlt645
        edition: 2007
        limits: {response_timeout: 1500ms}
        polls: {fast: 10s}
        defaults: {poll: fast}
        """
    private static let good = """
        \(head)
        points: {voltage.l1: {at: dlt645/02010100, format: XXX.X, unit: V}}
        tests:
          - name: one
            given: {key: "123456789012", frames: ["68 12 90 78 56 34 12 68 91 06 33 34 34 35 38 56 7B 16"]}
            expect: {voltage.l1: 230.5}
        """

    @Test("a profile of one point reads the standard's voltage")
    func small() throws {
        let profile = try Shipped.profile(Self.good)
        #expect(profile.selfTest().isEmpty)
        let binding = try MeterBinding(
            profile: profile, interface: "it", device: DeviceID("m"), key: "123456789012")
        #expect(
            binding.requests(group: 0).map(\.bytes) == [
                DLT645Request(
                    .read(0x0201_0100), of: try #require(DLT645Address("123456789012"))
                ).bytes()
            ])
        #expect(binding.requests(group: 0)[0].description == "item 02010100")
        #expect(binding.decode(group: 0, answers: []) == [.bad(.foreignAnswer)])
        #expect(binding.decode(group: 0, answers: [.bad(.timeout)]) == [.bad(.timeout)])
        #expect(binding.decode(group: 0, answers: [.data([0x05, 0x23])]) == [.number(230.5)])
        #expect(binding.decode(group: 0, answers: [.data([0xFF, 0xFF])]) == [.bad(.invalid)])
        #expect(binding.decode(group: 0, answers: [.data([0x0A, 0x23])]) == [.bad(.invalid)])
        #expect(binding.decode(group: 0, answers: [.data([0x05])]) == [.bad(.absent)])
    }

    @Test("an answer that is only the first part of one is no value")
    func firstPart() throws {
        let address = try #require(DLT645Address("123456789012"))
        let binding = try MeterBinding(
            profile: try Shipped.profile(Self.good), interface: "it", device: DeviceID("m"),
            key: "123456789012")
        let request = try #require(binding.requests(group: 0).first)
        for (hasMore, answer) in [
            (false, MeterAnswer.data([0x05, 0x23])), (true, .bad(.foreignAnswer)),
        ] {
            let reply = DLT645Request(.read(0x0201_0100), of: address)
                .reply(.data([0x05, 0x23], hasMore: hasMore), from: address)
            guard case .found(let found) = request.search(reply) else {
                Issue.record("no answer found in \(reply)")
                continue
            }
            #expect(found == answer)
        }
    }

    @Test(
        "mistakes are named",
        arguments: [
            ("edition: 2007", "edition: 1997", "1997 edition"),
            ("format: XXX.X", "format: XXX.XX", "is not a format"),
            ("format: XXX.X", "format: 9.9", "is not a format"),
            ("dlt645/02010100", "dlt645/9010", "is not an item"),
            ("dlt645/02010100", "holding/0x10", "is not a place of this protocol"),
            ("unit: V}", "unit: V, unit_code: \"2C\"}", "sends no unit"),
            ("unit: V}", "unit: V, invalid: [\"FFFF\"]}", "known by its ones"),
            ("unit: V}", "unit: V, scale: {power10: {at: holding/0}}}", "power10 needs a register"),
            (
                "  - name: one",
                "  - {name: none, given: {key: \"1\", frames: [zz]}, expect: {}}\n  - name: one",
                "two hexadecimal digits"
            ),
        ])
    func faults(right: String, wrong: String, message: String) throws {
        let text = Self.good.replacing(right, with: wrong)
        try #require(text != Self.good)
        let faults = try Shipped.faults(Shipped.wrap(text))
        #expect(
            faults.contains { $0.message.contains(message) || ($0.remedy ?? "").contains(message) },
            "\(faults)")
    }

    @Test("a point without a vector, and places that overlap, are refused")
    func lint() throws {
        let two = Self.good.replacing(
            "unit: V}}",
            with: "unit: V}, voltage.l2: {at: dlt645/02010100, format: XXX.X, unit: V}}")
        let faults = try Shipped.faults(Shipped.wrap(two))
        #expect(faults.contains { $0.message.contains("overlap") })
        #expect(faults.contains { $0.message.contains("is in no vector") })
    }

    @Test("a unit code that stands for another unit is refused, and so is an unknown length")
    func unitCode() throws {
        let text = try Shipped.text("generic/cjt188-water.yaml")
        for (right, wrong, message) in [
            ("unit_code: \"2C\"", "unit_code: \"35\"", "stands for m3/h, not m3"),
            ("lengths: {901F: 19}", "lengths: {901F: 4}", "reaches beyond the 4 bytes"),
            ("lengths: {901F: 19}", "", "the length of the item is not known"),
        ] {
            let faults = try Shipped.faults(
                text.replacing(right, with: wrong), file: "generic/cjt188-water.yaml")
            #expect(faults.contains { $0.message.contains(message) }, "\(faults)")
        }
    }

    @Test("a key that is no address is refused with what to write")
    func keys() throws {
        let library = try Shipped.library()
        for (id, interface, digits) in [
            ("generic/dlt645-2007", "rs485", 12), ("generic/cjt188-water", "low_first", 14),
        ] {
            #expect(throws: BindingError.badAddress("12345", digits: digits)) {
                try MeterBinding(
                    profile: try #require(library[id]), interface: interface,
                    device: DeviceID("m"), key: "12345")
            }
        }
    }

    @Test("no answer traps, and a reading is what its bytes say")
    func fuzz() throws {
        var random = SeededGenerator(6452)
        let library = try Shipped.library()
        let binding = try MeterBinding(
            profile: try #require(library["generic/dlt645-2007"]), interface: "rs485",
            device: DeviceID("m"), key: "123456789012")
        for _ in 0..<3000 {
            for group in binding.groups.indices {
                let answers = binding.requests(group: group).map { _ -> MeterAnswer in
                    .data(
                        (0..<Int.random(in: 0...12, using: &random)).map { _ in
                            .random(in: 0...255, using: &random)
                        })
                }
                let row = binding.decode(group: group, answers: answers)
                #expect(row.count == binding.groups[group].series.count)
                for reading in row {
                    if case .good(.number(let number)) = reading { #expect(number.isFinite) }
                }
            }
        }
    }
}
