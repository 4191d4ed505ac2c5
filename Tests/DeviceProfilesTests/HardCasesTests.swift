import DeviceProfiles
import LocatedText
import Telemetry
import Testing

/// Interface fragments for devices that are odd; each carries its own vectors.
@Suite("Hard cases of the profile format")
struct HardCasesTests {
    private func prove(_ interface: String, params: String = "", breaking: [String: String]) throws
    {
        let profile = try Shipped.profile(interface, params: params)
        #expect(profile.selfTest().map(\.description) == [])
        for (right, wrong) in breaking {
            let text = interface.replacing(right, with: wrong)
            try #require(text != interface)
            let broken = try Shipped.profile(text, params: params)
            #expect(!broken.selfTest().isEmpty, "\(right) → \(wrong)")
        }
    }

    @Test("a total in an integer and a fraction register, with an exponent elsewhere")
    func sum() throws {
        try prove(
            """
            protocol: modbus
            unit: 1
            word_order: low_first
            byte_order: high_first
            limits: {max_registers: 40}
            identify: [{at: holding/0, type: float32, between: [0, 1]}]
            polls: {fast: 10s}
            defaults: {poll: fast}
            points:
              volume_flow: {at: holding/0x00, type: float32, unit: m3/h, doc: REG0001}
              volume.import: {unit: m3, sum: [{at: holding/0x08, type: int32}, {at: holding/0x0A, type: float32}], scale: {power10: {at: holding/0x059E, type: uint16}, bias: -3}, counter: {modulus: null, resets: manual}}
              fluid_temperature.supply: {at: holding/0x20, type: float32, unit: Cel}
            tests:
              - name: low word first in both the integer and the fraction
                given: {holding/0x00: "00004148", holding/0x08: "86A00001", holding/0x0A: "00003F00", holding/0x059E: "0003", holding/0x20: "00004291"}
                expect: {volume_flow: 12.5, volume.import: 100000.5, fluid_temperature.supply: 72.5}
              - name: a larger multiplier
                given: {holding/0x08: "00030000", holding/0x0A: "00000000", holding/0x059E: "0005"}
                expect: {volume.import: 300}
            """, breaking: ["low_first": "high_first", "bias: -3": "bias: -2"])
    }

    @Test("sign and magnitude, mod 10000, power factor by quadrant, BCD and bit fields")
    func encodings() throws {
        try prove(
            """
            \(Shipped.modbusHead)
            points:
              air_temperature: {at: holding/0x01, type: int16, encoding: sign_magnitude, scale: 0.1, unit: Cel}
              active_energy.import.total: {at: holding/0x10, type: uint64, encoding: mod10k, unit: kWh, counter: {modulus: 10000000000000000, resets: never}}
              power_factor.total: {at: holding/0x20, type: float32, encoding: power_factor_quadrant, unit: "1"}
              power_factor.l1: {at: holding/0x22, type: float32, encoding: power_factor_quadrant, unit: "1"}
              relative_humidity: {at: holding/0x30, type: bcd16, scale: 0.1, unit: "%RH"}
              device_status: {at: holding/0x40, type: uint16, bits: [4, 7], values: {"0": ok, "1": degraded, "2": fault}}
              switch.ch1: {at: holding/0x40, type: uint16, bits: [0, 0], values: {"0": "off", "1": "on"}}
            tests:
              - name: each odd encoding once
                given: {holding/0x01: "8023", holding/0x10: "00000000007B0929", holding/0x20: "3FC00000BFC00000", holding/0x30: "0615", holding/0x40: "0020"}
                expect: {air_temperature: -3.5, active_energy.import.total: 1232345, power_factor.total: 0.5, power_factor.l1: -0.5, relative_humidity: 61.5, device_status: fault, switch.ch1: "off"}
              - name: digits that cannot be, and a code that is not listed
                given: {holding/0x10: "0000000027100000", holding/0x30: "0A15", holding/0x40: "00F1"}
                expect: {active_energy.import.total: null, relative_humidity: null, device_status: null, switch.ch1: "on"}
            """,
            breaking: [
                "encoding: sign_magnitude, ": "", "encoding: mod10k, ": "",
                "encoding: power_factor_quadrant, ": "", "type: bcd16": "type: uint16",
                "bits: [4, 7]": "bits: [5, 7]",
            ])
    }

    @Test("low word first integers with a sentinel of 32 bits")
    func sentinels() throws {
        try prove(
            """
            protocol: modbus
            unit: 1
            word_order: low_first
            byte_order: high_first
            limits: {max_registers: 11}
            identify: [{at: input/0, type: uint16, between: [0, 1]}]
            polls: {fast: 5s}
            defaults: {poll: fast, type: int32}
            points:
              voltage.l1: {at: input/0x00, scale: 0.1, invalid: ["7FFFFFFF"], unit: V}
              active_power.total: {at: input/0x28, scale: 0.1, invalid: ["7FFFFFFF"], unit: W}
            tests:
              - name: word order and sentinel
                given: {input/0x00: "08FE0000", input/0x28: "FFFF7FFF"}
                expect: {voltage.l1: 230.2, active_power.total: null}
              - name: negative
                given: {input/0x00: "08FE0000", input/0x28: "FF9CFFFF"}
                expect: {voltage.l1: 230.2, active_power.total: -10}
            """, breaking: ["word_order: low_first": "word_order: high_first"])
    }

    @Test("an exponent, swapped bytes, an offset and a text in registers")
    func exponentAndText() throws {
        try prove(
            """
            \(Shipped.modbusHead)
            points:
              active_power.total: {at: holding/0x00, type: int16, scale: {power10: {at: holding/0x01, type: int16}}, invalid: ["8000"], unit: W}
              active_power.l1: {at: holding/0x02, type: int16, scale: {power10: {at: holding/0x03, type: uint16}, sign: -1}, unit: W}
              voltage.l1: {at: holding/0x04, type: uint32, byte_order: low_first, scale: 0.1, unit: V}
              air_temperature: {at: holding/0x06, type: uint16, scale: 0.1, offset: -100, unit: degF}
              plate_number: {at: holding/0x07, type: text, length: 5}
            tests:
              - name: scale factor 1
                given: {holding/0x00: "FE0C0001", holding/0x02: "04D20002", holding/0x04: "0000FC08", holding/0x06: "0654", holding/0x07: "E6B59941313233343500"}
                expect: {active_power.total: -5000, active_power.l1: 12.34, voltage.l1: 230, air_temperature: 16.666666666666668, plate_number: 浙A12345}
            """,
            breaking: ["sign: -1": "sign: 1", "byte_order: low_first": "byte_order: high_first"])
    }

    @Test("coils of a relay, and the command that is kept as data")
    func coils() throws {
        let text = """
            protocol: modbus
            unit: 1
            word_order: high_first
            byte_order: high_first
            limits: {max_registers: 8, max_bits: 8, quiet_time: 20ms}
            identify: [{at: coil/0, type: bool, between: [0, 1]}]
            polls: {fast: 5s}
            defaults: {poll: fast}
            maps: {onoff: {"0": "off", "1": "on"}}
            points:
              switch.ch1: {at: coil/0, type: bool, values: onoff}
              switch.ch2: {at: coil/1, type: bool, values: onoff}
            commands:
              switch.ch1: {at: coil/0, function: 5, values: {"on": 0xFF00, "off": 0x0000}, confirm: switch.ch1, safe: "off", revert_after: 15min, min_interval: 10s}
            tests:
              - name: read back
                given: {coil/0: "1", coil/1: "0"}
                expect: {switch.ch1: "on", switch.ch2: "off"}
            """
        let profile = try Shipped.profile(text)
        #expect(profile.selfTest().map(\.description) == [])
        let binding = try ModbusBinding(profile: profile, interface: "it", device: DeviceID("r"))
        #expect(binding.requests(group: 0) == [RegisterRequest(area: .coil, address: 0, count: 2)])
        #expect(binding.interface.commands.first?.values == ["on": 0xFF00, "off": 0])
        #expect(binding.encode([PointKey("switch.ch2"): .text("on")])[.coil, 1] == 1)
    }

    @Test("a cloud's list of nodes, addressed by predicates")
    func predicates() throws {
        try prove(
            """
            \(Shipped.mqttHead)
            time: {at: $.timeStamp, format: epoch-ms}
            points:
              air_temperature: {at: "$.dataItem[?@.nodeId==1].registerItem[?@.registerId==1].value", unit: Cel}
              pm10: {at: "$.dataItem[?@.nodeId==2].registerItem[?@.registerId==2].value", unit: ug/m3}
            tests:
              - name: two nodes, out of order
                given:
                  topic: station/40012345/realtime
                  payload: {timeStamp: 1795219500000, dataItem: [{nodeId: 2, registerItem: [{registerId: 2, value: 180}]}, {nodeId: 1, registerItem: [{registerId: 1, value: -3.5}]}]}
                expect: {air_temperature: -3.5, pm10: 180}
                time: "2026-11-21T08:05:00+08:00"
            """, breaking: ["nodeId==1": "nodeId==3", "registerId==2": "registerId==1"])
    }

    @Test("a word of 32 characters, the rightmost is bit 0")
    func bitText() throws {
        try prove(
            """
            \(Shipped.mqttHead)
            time: {at: $.deviceTime, format: "yyyy-MM-dd HH:mm:ss", zone: "+08:00"}
            maps: {b: {"0": normal, "1": alarm}}
            points:
              alarm_wind: {at: $.warning, type: bits, bits: [0, 0], values: b}
              alarm_load: {at: $.warning, type: bits, bits: [1, 1], values: b}
              alarm_moment: {at: $.warning, type: bits, bits: [3, 3], values: b}
            tests:
              - name: moment and wind
                given: {topic: station/A1/realtime, payload: {deviceTime: "2026-11-21 08:05:00", warning: "00000000000000000000000000001001"}}
                expect: {alarm_wind: alarm, alarm_load: normal, alarm_moment: alarm}
            """, breaking: ["bits: [3, 3]": "bits: [2, 2]", "bits: [1, 1]": "bits: [0, 0]"])
    }

    @Test("every hard case of the simulator's direction decodes to itself")
    func encodeHardCases() throws {
        let profile = try Shipped.profile(
            """
            \(Shipped.modbusHead)
            points:
              air_temperature: {at: holding/0x01, type: int16, encoding: sign_magnitude, scale: 0.1, unit: Cel}
              active_energy.import.total: {at: holding/0x10, type: uint64, encoding: mod10k, unit: kWh, counter: {modulus: null, resets: never}}
              relative_humidity: {at: holding/0x30, type: bcd16, scale: 0.1, unit: "%RH"}
              volume.import: {unit: m3, sum: [{at: holding/0x34, type: int32}, {at: holding/0x36, type: int32, scale: 0.000001}], counter: {modulus: null, resets: manual}}
              active_power.total: {at: holding/0x38, type: int16, scale: {power10: {at: holding/0x39, type: int16}}, unit: W}
              voltage.l1: {at: holding/0x3A, type: float64, word_order: low_first, unit: V}
              device_status: {at: holding/0x40, type: uint16, bits: [4, 7], values: {"0": ok, "1": degraded, "2": fault}}
              switch.ch1: {at: holding/0x40, type: uint16, bits: [0, 0], values: {"0": "off", "1": "on"}}
              plate_number: {at: holding/0x41, type: text, length: 5}
            tests:
              - name: only here because a vector is asked for
                given: {holding/0x01: "0000", holding/0x10: "0000000000000000", holding/0x30: "0000", holding/0x34: "0000000000000000", holding/0x38: "00000000", holding/0x3A: "0000000000000000"}
                expect: {air_temperature: 0, active_energy.import.total: 0, relative_humidity: 0, volume.import: 0, active_power.total: 0, voltage.l1: 0}
            """)
        let binding = try ModbusBinding(profile: profile, interface: "it", device: DeviceID("d"))
        let values: [PointKey: Value] = [
            PointKey("air_temperature"): .number(-12.3),
            PointKey("active_energy.import.total"): .number(123_456_789_012),
            PointKey("relative_humidity"): .number(61.5),
            PointKey("volume.import"): .number(1234.567891),
            PointKey("active_power.total"): .number(-5000),
            PointKey("voltage.l1"): .number(229.87654321),
            PointKey("device_status"): .text("fault"), PointKey("switch.ch1"): .text("on"),
            PointKey("plate_number"): .text("浙A1234"),
        ]
        #expect(profile.selfTest().map(\.description) == [])
        #expect(binding.readings(binding.encode(values)) == values.mapValues(Reading.good))
    }
}
