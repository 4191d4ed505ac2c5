import DeviceProfiles
import LocatedText
import Telemetry
import Testing

@Suite("Faulty profiles")
struct FaultyProfilesTests {
    @Test("ten mistakes are listed at once, each with its place and a remedy")
    func tenFaults() throws {
        let text = """
            format: device-profile/1
            device:
              id: test/other
              vendor: {en: Test, zh: 测试}
              models: [one]
              kind: meter.electirc
              title: {en: A device, zh: 设备}
            provenance: {status: community, checked: "2026-11-21", sources: [{ref: test, covers: [addresses]}]}
            interfaces:
              it:
                protocol: modbus
                unit: 1
                word_ordre: high_first
                byte_order: high_first
                limits: {max_registers: 200}
                identify: [{at: holding/0, type: uint16, between: [0, 65535]}]
                polls: {fast: 5m}
                defaults: {poll: fast}
                points:
                  volage.l1: {at: holding/1, unit: V}
                  voltage.l1: {at: holding/2, unit: kWh}
                  voltage.l2: {at: holdin/3, unit: V}
                  current.l1: {at: holding/4, unit: A, type: uint32, invalid: ["FFFF"]}
                  current.l2: {at: holding/6, unit: A, times: [ct_ratio]}
                tests:
                  - name: one
                    given: {holding/1: "ABC"}
                    expect: {voltage.l9: 1}
            """
        let faults = try Shipped.faults(text)
        let lines = faults.map(\.location.line)
        #expect(lines == lines.sorted())
        for (line, words) in [
            (3, "not the path"), (6, "did you mean 'meter.electric'"),
            (11, "'word_order' is missing"),
            (13, "did you mean 'word_order'"), (15, "between 1 and 125"), (17, "'5min'"),
            (20, "did you mean 'voltage'"), (21, "unit of energy"),
            (22, "did you mean 'holding/…'"),
            (23, "not 8 hexadecimal digits"), (24, "not one of 'params'"),
            (27, "four hexadecimal digits"), (28, "did you mean 'voltage.l1'"),
        ] {
            #expect(
                faults.contains { $0.location.line == line && $0.description.contains(words) },
                "line \(line): \(words)\n\(faults.map(\.description).joined(separator: "\n"))")
        }
        #expect(faults.allSatisfy { $0.description.hasPrefix("test/device.yaml:") })
    }

    @Test(
        "ways to find a value that cannot be gone are refused with the right way",
        arguments: [
            ("discover: bacnet", "'bacnet'"),
            (
                "points: {switch.ch1: {at: holding/0, type: uint16, flags: {x: \"on\"}}}",
                "'x' is not a bit"
            ),
            (
                "points: {switch.ch1: {at: holding/0, type: uint16, flags: {\"0\": onn}}}",
                "'onn' is not a state"
            ),
            ("points: {voltage.l1: {at: sunspec/203/Q, unit: V}}", "not a point of a known"),
            ("points: {voltage.l1: {at: sunspec/1/W, unit: V}}", "not a point of a known"),
        ])
    func unsupported(line: String, message: String) throws {
        let faults = try Shipped.faults(Shipped.wrap("\(Shipped.modbusHead)\n\(line)"))
        #expect(faults.contains { $0.message.contains(message) }, "\(faults)")
    }

    @Test("conditions without a place and keys that nothing gives are refused")
    func unsupportedElsewhere() throws {
        for line in ["select: {a: 1}", "device_key: \"{name}\"", "device_key: $.id"] {
            let text = Shipped.wrap(
                """
                protocol: mqtt
                subscribe: "a/{device}"
                payload: json
                time: {format: arrival}
                points: {pm10: {at: $.v, unit: ug/m3}}
                tests: [{name: one, given: {topic: a/K, payload: {v: 1}}, expect: {}}]
                \(line)
                """)
            #expect(!(try Shipped.faults(text)).isEmpty, "\(line)")
        }
    }

    @Test(
        "the linter finds what the form allows",
        arguments: [
            (
                "points: {active_energy.import.total: {at: holding/1, unit: kWh}}",
                "counter without 'counter'"
            ),
            ("points: {switch.ch1: {at: coil/1}}", "state without 'values'"),
            (
                "points: {switch.ch1: {at: coil/1, values: {\"0\": of}}}",
                "'of' is not a state"
            ),
            (
                "points: {voltage.l1: {at: holding/1, type: uint32, unit: V}, voltage.l2: {at: holding/2, unit: V}}",
                "overlap"
            ),
            (
                "points: {voltage.l1: {at: holding/1, unit: V, scale: 0.1}}",
                "has a scale and is in no vector"
            ),
            ("points: {voltage.l1: {at: holding/1, unit: V, scale: 0}}", "loses every value"),
            (
                "blocks: [{at: holding/10, count: 5}]\npoints: {voltage.l1: {at: holding/1, unit: V}}",
                "lies in none of 'blocks'"
            ),
            (
                "commands: {switch.ch1: {at: coil/0, function: 5, values: {a: 1}, confirm: switch.ch1, safe: b}}\npoints: {voltage.l1: {at: holding/1, unit: V}}",
                "'b' is not one of 'values'"
            ),
            (
                "commands: {switch.ch1: {at: coil/0, function: 5, values: {a: 1}, confirm: switch.ch1}}\npoints: {voltage.l1: {at: holding/1, unit: V}}",
                "which is no point"
            ),
            (
                "points: {voltage.l1: {at: holding/1, unit: V, bits: [4, 16]}}",
                "within the value"
            ),
            (
                "points: {voltage.l1: {at: holding/0xFFFF, type: uint32, unit: V}}",
                "beyond address 0xFFFF"
            ),
            (
                "points: {voltage.l1: {at: holding/1, type: float32, encoding: mod10k, unit: V}}",
                "'mod10k' does not fit 'float32'"
            ),
        ])
    func lint(lines: String, message: String) throws {
        let text = Shipped.wrap(
            """
            \(Shipped.modbusHead)
            \(lines)
            tests:
              - {name: none, given: {holding/0x300: "0000"}, expect: {}}
            """)
        let faults = try Shipped.faults(text)
        #expect(faults.contains { $0.message.contains(message) }, "\(faults)")
    }

    @Test("a profile without identification, or that claims more than it knows, is refused")
    func claims() throws {
        let good = try Shipped.text("eastron/sdm630.yaml")
        let file = "eastron/sdm630.yaml"
        #expect(try Shipped.faults(good, file: file).isEmpty)
        for (right, wrong, message) in [
            (
                "    identify:\n"
                    + "      - {at: input/0x46, type: float32, between: [45, 65]}\n"
                    + "      - {at: input/0x00, type: float32, between: [0, 500]}\n", "",
                "'identify' is missing"
            ),
            ("status: open-source", "status: measured", "needs the firmware"),
            (
                "  checked:", "  open_questions: [\"is it so?\"]\n  checked:",
                "claimed with open questions"
            ),
            ("[addresses, types", "[addresses, hearsay", "no source covers the types"),
        ] {
            let text = good.replacing(right, with: wrong)
            try #require(text != good)
            let faults = try Shipped.faults(text, file: file)
            #expect(faults.contains { $0.message.contains(message) }, "\(wrong): \(faults)")
        }
    }

    @Test("a wrong expectation is reported with its place")
    func failedVector() throws {
        let text = try Shipped.text("renke/louvre-500.yaml")
            .replacing("pm10: 180, air_pressure: 101300", with: "pm10: 180, air_pressure: 101200")
        let profile = try DeviceProfile.parse(
            text, file: "renke/louvre-500.yaml", vocabulary: Shipped.vocabulary())
        let faults = profile.selfTest()
        #expect(faults.count == 1)
        let fault = try #require(faults.first)
        #expect(fault.description.hasPrefix("renke/louvre-500.yaml:"))
        #expect(fault.message.contains("air_pressure is 101300.0, expected 101200.0"))
    }

    @Test("the vocabulary knows keys by quantity and facets in order")
    func vocabulary() throws {
        let vocabulary = try Shipped.vocabulary()
        let energy = vocabulary.describe(PointKey("active_energy.import.total.tariff2"))
        #expect(energy?.kind == .counter)
        #expect(energy?.canonicalUnit?.symbol == "kWh")
        #expect(energy?.zh == "有功电能")
        #expect(
            vocabulary.describe(PointKey("alarm_wind"))?.states == ["normal", "warning", "alarm"])
        #expect(vocabulary.describe(PointKey("switch.ch12"))?.kind == .state)
        for wrong in [
            "", "energy", "active_energy.total.import", "active_energy.l4", "switch.ch0",
            "switch.ch100", "switch.ch", "voltage.", "voltage..l1", "pm10.ch1", "switch.ch+1",
        ] { #expect(vocabulary.describe(PointKey(wrong)) == nil, "\(wrong)") }
        #expect(vocabulary.units["degF"]?.offset == -17.77777777777778)
    }

    @Test("two files with one id, and faults in several files, are told together")
    func library() throws {
        let text = try Shipped.text("renke/louvre-500.yaml")
        let broken = text.replacing("unit: 1\n", with: "unit: 256\n")
        do {
            _ = try ProfileLibrary(
                vocabularyText: Shipped.text("vocabulary.yaml"),
                profiles: [
                    ("a/renke/louvre-500.yaml", text), ("b/renke/louvre-500.yaml", text),
                    ("c/renke/louvre-500.yaml", broken), ("d/x.yaml", "format: ["),
                ])
            Issue.record("accepted")
        } catch let faults as Faults {
            let files = Set(faults.all.map(\.location.file))
            #expect(files.count == 3, "\(faults)")
            #expect(faults.description.contains("is also that of a/renke/louvre-500.yaml"))
        }
    }
}
