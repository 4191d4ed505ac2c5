import DeviceProfiles
import LocatedText
import Telemetry
import TestSeeds
import Testing

@Suite("Guessing at unknown registers by physics")
struct RegisterGuessTests {
    private func words(_ float: Float, isLowFirst: Bool) -> [UInt16] {
        let bits = float.bitPattern
        let words = [UInt16(bits >> 16), UInt16(bits & 0xFFFF)]
        return isLowFirst ? words.reversed() : words
    }

    @Test("a meter's floats are found with their word order", arguments: [false, true])
    func floats(isLowFirst: Bool) {
        var registers: [Int: UInt16] = [:]
        let values: [(Int, Float)] = [
            (0, 230.4), (2, 229.1), (4, 231.7), (12, 1200), (14, 900), (16, 1500), (18, 3600),
            (70, 50.01),
        ]
        for address in 0..<80 { registers[address] = 0 }
        for (address, value) in values {
            for (offset, word) in words(value, isLowFirst: isLowFirst).enumerated() {
                registers[address + offset] = word
            }
        }
        let guesses = RegisterGuess.guesses(registers, area: .input)
        let order: HalfOrder = isLowFirst ? .lowFirst : .highFirst
        for (meaning, address) in [
            (RegisterGuess.Meaning.voltages, 0), (.powers, 12), (.frequency, 70),
        ] {
            #expect(
                guesses.contains {
                    $0.meaning == meaning && $0.address == address && $0.type == .float32
                        && $0.wordOrder == order && $0.scale == 1
                }, "\(meaning)")
        }
        // Shifted by one register such floats look nearly right too; people compare with the display.
        #expect(guesses.first?.type == .float32)
    }

    @Test("16-bit registers are found with their scale")
    func scaled() {
        var registers: [Int: UInt16] = [:]
        for (offset, word) in [2301, 2312, 2298].enumerated() {
            registers[0x61 + offset] = UInt16(word)
        }
        registers[0x77] = 5001
        let guesses = RegisterGuess.guesses(registers, area: .holding)
        #expect(
            guesses.contains {
                $0.meaning == .voltages && $0.address == 0x61 && $0.scale == 0.1
            })
        #expect(
            guesses.contains {
                $0.meaning == .frequency && $0.address == 0x77 && $0.scale == 0.01
            })
    }

    @Test("noise brings few guesses, zeros bring none, and nothing traps")
    func noise() {
        #expect(
            RegisterGuess.guesses(
                Dictionary(uniqueKeysWithValues: (0..<160).map { ($0, 0) }), area: .holding
            ) == [])
        var random = SeededGenerator(50)
        var count = 0
        for _ in 0..<50 {
            let registers = Dictionary(
                uniqueKeysWithValues: (0..<160).map {
                    ($0, UInt16.random(in: 0...UInt16.max, using: &random))
                })
            count += RegisterGuess.guesses(registers, area: .holding).count
        }
        #expect(count < 500)
    }

    @Test("a recording keeps what was said, and its registers stand in a vector as they are")
    func recording() throws {
        var recording = DeviceRecording(
            taken: "2026-11-21T08:05:00+08:00", from: "10.0.0.1:502 unit 3", unit: 3,
            profile: "acrel/adl3000")
        recording.note(
            RegisterRequest(area: .holding, address: 0x61, count: 3),
            .registers([0x08FD, 0x0908, 0x08FA]))
        recording.note(
            RegisterRequest(area: .holding, address: 0x0A, count: 2), .registers([0, 200]))
        recording.note(RegisterRequest(area: .coil, address: 4, count: 2), .bits([true, false]))
        recording.note(RegisterRequest(area: .input, address: 9, count: 1), .bad(.exception))
        recording.note(RegisterRequest(area: .input, address: 10, count: 1), .bad(.timeout))
        let again = try DeviceRecording.parse(recording.text, file: "r.yaml")
        #expect(again.image == recording.image)
        #expect(again.unit == 3 && again.profile == "acrel/adl3000")
        #expect(recording.text.contains("refused: [input/0x09+1]"))
        #expect(
            recording.given.map(\.place) == ["coil/4", "coil/5", "holding/0x0A", "holding/0x61"])
        #expect(recording.given.last?.content == "08FD090808FA")
    }

    @Test("a recording with mistakes is refused with their places")
    func badRecording() throws {
        #expect {
            _ = try DeviceRecording.parse(
                """
                format: device-recording/1
                taken: now
                unit: one
                registers: { holding/0x61: "08F" }
                """, file: "r.yaml")
        } throws: { error in
            let text = "\(error)"
            return text.contains("r.yaml:3:") && text.contains("r.yaml:4:")
        }
    }
}
