import Telemetry
import TestSeeds
import Testing

@testable import Alarms

@Suite("An instruction")
struct AlarmInstructionTests {
    @Test("of a person's words goes through the journal unharmed")
    func instructions() throws {
        var random = SeededGenerator(seed: 3)
        let letters = Array("ab\t\n\r\\|. 报警🏗")
        for number in 0..<2000 {
            func words(_ most: Int) -> String {
                String(
                    (0..<Int.random(in: 0...most, using: &random)).map { _ in
                        letters.randomElement(using: &random) ?? "a"
                    })
            }
            let key = AlarmKey(
                rule: "r\(number)", series: SeriesID("d.p.x")!, onset: at(Double(number)))
            let target = AlarmTarget(
                rule: "r", series: number % 2 == 0 ? nil : SeriesID("link/bus.communication"))
            let action: AlarmInstruction.Action =
                switch number % 9 {
                case 0: .acknowledge(key)
                case 1: .shelve(target, until: at(5))
                case 2: .takeOut(target)
                case 3: .unsilence(target)
                case 4: .comment(key)
                case 5: .hazard(key, .open(owner: words(5), deadline: at(9)))
                case 6: .hazard(key, .rectified)
                case 7: .hazard(key, .closed)
                default: .hazard(key, .reopened(deadline: at(-9)))
                }
            let note = words(20)
            let given = AlarmInstruction(
                id: "i-\(number)", time: at(Double(number)), actor: words(8), action: action,
                note: note.isEmpty ? nil : note)
            #expect(AlarmInstruction(text: given.text) == given)
        }
        for text in [
            "", "1", "2\ta\t0\tli\tcomment\ta|b.c|0\t\t\t", "1\ta\tx\tli\tcomment\ta|b.c|0\t\t\t",
        ] {
            #expect(AlarmInstruction(text: text) == nil)
        }
    }
}
