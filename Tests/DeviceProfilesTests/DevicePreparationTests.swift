import DeviceProfiles
import Telemetry
import TestSeeds
import Testing

/// What a device tells about itself before its numbers are believed.
@Suite("Preparing a device")
struct DevicePreparationTests {
    /// Asks a device that holds `registers` and refuses everything else; counts the questions.
    private func prepare(
        _ binding: ModbusBinding, _ registers: [Int: UInt16], isRefresh: Bool = false
    ) -> (outcome: DevicePreparation.Outcome?, questions: Int) {
        var preparation = DevicePreparation(binding, isRefresh: isRefresh)
        var questions = 0
        while let request = preparation.next, questions < 500 {
            questions += 1
            let words = request.addresses.compactMap { registers[$0] }
            preparation.take(
                words.count == request.count ? .registers(words) : .bad(.exception))
        }
        return (preparation.outcome, questions)
    }

    private func binding(_ interface: String, params: String = "") throws -> ModbusBinding {
        let profile = try Shipped.profile(interface, params: params)
        #expect(profile.selfTest().map(\.description) == [])
        return try ModbusBinding(profile: profile, interface: "it", device: DeviceID("d"))
    }

    private static let sunspec = """
        protocol: modbus
        unit: 1
        discover: sunspec
        word_order: high_first
        byte_order: high_first
        limits: {max_registers: 125}
        identify: [{at: sunspec/203/Hz, type: uint16, between: [4500, 6500]}]
        polls: {fast: 5s}
        defaults: {poll: fast}
        points:
          active_power.total: {at: sunspec/203/W, type: int16, scale: {power10: {at: sunspec/203/W_SF, type: int16}}, invalid: ["8000"], unit: W}
          active_energy.export.total: {at: sunspec/203/TotWhExp, type: uint32, scale: {power10: {at: sunspec/203/TotWh_SF, type: int16}}, invalid: ["00000000"], unit: Wh, counter: {modulus: 4294967296, resets: never}}
        tests:
          - name: scale factor 1, then a value that is not implemented
            given: {sunspec/203/W: "FE0C", sunspec/203/W_SF: "0001", sunspec/203/TotWhExp: "00000000", sunspec/203/TotWh_SF: "0000"}
            expect: {active_power.total: -5000, active_energy.export.total: null}
        """

    /// A device with its marker at `base`, a foreign model of 66 registers, then model 203.
    private func device(base: Int, hertz: UInt16 = 5001) -> [Int: UInt16] {
        var registers = [base: UInt16(0x5375), base + 1: 0x6E53, base + 2: 1, base + 3: 66]
        let meter = base + 4 + 66
        for offset in 0..<107 { registers[meter + offset] = 0 }
        registers[meter] = 203
        registers[meter + 1] = 105
        registers[meter + 16] = hertz
        registers[meter + 18] = 0xFE0C
        registers[meter + 22] = 1
        registers[meter + 39] = 4200
        registers[meter + 54] = 0
        registers[meter + 107] = 0xFFFF
        registers[meter + 108] = 0
        return registers
    }

    @Test(
        "SunSpec models are found wherever the device has put them", arguments: [40_000, 50_000, 0])
    func sunSpec(base: Int) throws {
        let registers = device(base: base)
        guard case .ready(let ready)? = prepare(try binding(Self.sunspec), registers).outcome else {
            Issue.record("not ready")
            return
        }
        let answers = ready.requests(group: 0).map { request in
            RegisterAnswer.registers(request.addresses.map { registers[$0] ?? 0xDEAD })
        }
        #expect(
            ready.decode(group: 0, answers: answers) == [.number(4.2), .number(-5000)])
        #expect(ready.groups == (try binding(Self.sunspec)).groups)
    }

    @Test("registers behind the end of a shorter edition of the model are no values of it")
    func sunSpecShort() throws {
        var registers = device(base: 40_000)
        let meter = 40_070
        // 20 data registers, then the next model, whose registers lie where the energy would be.
        registers[meter + 1] = 20
        registers[meter + 22] = 64_001
        registers[meter + 23] = 60
        registers[meter + 84] = 0xFFFF
        registers[meter + 85] = 0
        guard case .ready(let ready)? = prepare(try binding(Self.sunspec), registers).outcome else {
            Issue.record("not ready")
            return
        }
        let answers = ready.requests(group: 0).map { request in
            RegisterAnswer.registers(request.addresses.map { registers[$0] ?? 0xDEAD })
        }
        let readings = ready.decode(group: 0, answers: answers)
        #expect(readings.allSatisfy { !$0.isGood }, "\(readings)")
    }

    @Test("a ratio that is another at every look does not hold the bus for ever")
    func restlessRatio() throws {
        let binding = try binding(Self.ratio, params: Self.ratioParams)
        var preparation = DevicePreparation(binding)
        preparation.take(.registers([2300]))
        var looks: UInt16 = 0
        while preparation.next != nil, looks < 100 {
            looks += 1
            preparation.take(.registers([0, 40 + looks]))
        }
        guard case .different(let why)? = preparation.outcome else {
            Issue.record("it was believed, or asked for ever")
            return
        }
        #expect(why.contains("another at every reading"))
        #expect(looks < 10)
    }

    @Test("a device without the model has no values, and one without the marker is another device")
    func sunSpecAbsent() throws {
        var registers = device(base: 40_000)
        registers[40_070] = 211
        guard case .different(let why)? = prepare(try binding(Self.sunspec), registers).outcome
        else {
            Issue.record("a device without model 203 passed for one")
            return
        }
        #expect(why.contains("refused"))
        let bare = prepare(try binding(Self.sunspec), [0: 1, 1: 2]).outcome
        guard case .different? = bare else {
            Issue.record("a device without a marker passed for one")
            return
        }
    }

    @Test("chains that lead in a circle, off the map or nowhere come to an end")
    func sunSpecFuzz() throws {
        var random = SeededGenerator(203)
        let binding = try binding(Self.sunspec)
        for _ in 0..<400 {
            var registers = device(base: 40_000)
            for _ in 0..<Int.random(in: 1...40, using: &random) {
                registers[Int.random(in: 40_000..<40_200, using: &random)] = UInt16.random(
                    in: 0...UInt16.max, using: &random)
            }
            if random.oneIn(2) { registers[40_003] = [0, 1, 65_535].randomElement(using: &random) }
            let result = prepare(binding, registers)
            #expect(result.outcome != nil)
            #expect(result.questions < 100)
        }
    }

    private static let look = """
        protocol: modbus
        unit: 1
        word_order: high_first
        byte_order: high_first
        limits: {max_registers: 20}
        identify:
          - {at: holding/0x77, type: uint16, between: [4500, 6500]}
          - {at: holding/0x0836, type: uint16, absent: true}
        polls: {fast: 5s}
        defaults: {poll: fast}
        points:
          frequency: {at: holding/0x77, scale: 0.01, unit: Hz}
        tests:
          - name: fifty
            given: {holding/0x77: "1388"}
            expect: {frequency: 50}
        """

    @Test("a look-alike is told apart by what it holds and by what it refuses")
    func identity() throws {
        let binding = try binding(Self.look)
        guard case .ready? = prepare(binding, [0x77: 5000]).outcome else {
            Issue.record("the right device was refused")
            return
        }
        for wrong: [Int: UInt16] in [[0x77: 50], [:], [0x77: 5000, 0x836: 1]] {
            guard case .different? = prepare(binding, wrong).outcome else {
                Issue.record("\(wrong) passed for the device")
                continue
            }
        }
    }

    private static let ratio = """
        protocol: modbus
        unit: 1
        word_order: high_first
        byte_order: high_first
        limits: {max_registers: 20}
        identify: [{at: holding/0x61, type: uint16, between: [0, 65535]}]
        polls: {fast: 5s}
        defaults: {poll: fast}
        points:
          current.l1: {at: holding/0x64, scale: 0.01, times: [ct_ratio], unit: A}
          active_energy.import.total: {at: holding/0x0A, type: uint32, scale: 0.01, times: [ct_ratio], unit: kWh, counter: {modulus: 1000000, resets: never}}
        tests:
          - name: sixty
            params: {ct_ratio: 60}
            given: {holding/0x64: "01F4", holding/0x0A: "000000C8"}
            expect: {current.l1: 300, active_energy.import.total: 120}
        """
    private static let ratioParams = """
        params:
          ct_ratio:
            title: {en: CT, zh: 变比}
            type: number
            minimum: 1
            maximum: 10000
            default: 1
            read_from: {at: holding/0x14B, type: uint32}
        """

    @Test("a ratio that the installer left out is read from the device, twice alike")
    func ratioFromDevice() throws {
        let binding = try binding(Self.ratio, params: Self.ratioParams)
        var preparation = DevicePreparation(binding)
        preparation.take(.registers([2300]))
        // 60, then a glitch, then 60 and 60.
        for words: [UInt16] in [[0, 60], [0, 61], [0, 60]] {
            #expect(preparation.outcome == nil)
            preparation.take(.registers(words))
        }
        #expect(preparation.outcome == nil)
        preparation.take(.registers([0, 60]))
        guard case .ready(let ready)? = preparation.outcome else {
            Issue.record("not ready")
            return
        }
        #expect(ready.ratios == ["ct_ratio": 60])
        let image = RegisterImage([.holding: [0x64: 0x1F4, 0x0A: 0, 0x0B: 200]])
        let answers = ready.requests(group: 0).map(image.answer)
        #expect(ready.decode(group: 0, answers: answers) == [.number(120), .number(300)])
        // Where the counter rolls over depends on a ratio that was not known when it was registered.
        #expect(ready.groups[0].series[0].counter?.modulus == nil)
    }

    @Test("what the installer says is not asked of the device, and an impossible ratio is refused")
    func ratioGiven() throws {
        let profile = try Shipped.profile(Self.ratio, params: Self.ratioParams)
        let given = try ModbusBinding(
            profile: profile, interface: "it", parameters: ["ct_ratio": 40],
            device: DeviceID("d"))
        let result = prepare(given, [0x61: 2300])
        #expect(result.questions == 1)
        #expect(given.groups[0].series[0].counter?.modulus == 40_000_000)
        let binding = try binding(Self.ratio, params: Self.ratioParams)
        guard
            case .different(let why)? = prepare(
                binding, [0x61: 2300, 0x14B: 0, 0x14C: 0]
            ).outcome
        else {
            Issue.record("a ratio of 0 was taken")
            return
        }
        #expect(why.contains("ct_ratio"))
    }

    @Test("of the bits of a flag field the gravest word counts, and unlisted bits say nothing")
    func flags() throws {
        let binding = try binding(
            """
            protocol: modbus
            unit: 1
            word_order: high_first
            byte_order: high_first
            limits: {max_registers: 20}
            identify: [{at: holding/0, type: uint16, between: [0, 1]}]
            polls: {fast: 5s}
            defaults: {poll: fast}
            points:
              alarm_load: {at: holding/0x10, type: uint32, flags: {"0": warning, "3": alarm, "17": alarm}}
            tests:
              - name: bit 17 alone
                given: {holding/0x10: "00020000"}
                expect: {alarm_load: alarm}
            """)
        func read(_ bits: UInt32) -> Reading {
            binding.decode(
                group: 0, answers: [.registers([UInt16(bits >> 16), UInt16(bits & 0xFFFF)])])[0]
        }
        #expect(read(0) == .text("normal"))
        #expect(read(1) == .text("warning"))
        #expect(read(0b1001) == .text("alarm"))
        #expect(read(0b0110) == .text("normal"))
        #expect(read(.max) == .text("alarm"))
    }
}
