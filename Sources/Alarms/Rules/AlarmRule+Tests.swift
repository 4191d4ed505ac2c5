import LocatedText
import Telemetry

extension AlarmRule {
    /// Plays the tests that stand beside the rule, through the machine that runs on the site.
    ///
    /// - Returns: one fault for each test that does not hold, at its `then:`.
    package func runTests() -> [Fault] {
        tests.compactMap { test in
            let played: [AlarmRuleTest.Expectation]
            switch states(of: test) {
            case .success(let states): played = states
            case .failure(let fault): return fault
            }
            let isAsExpected =
                played.count == test.then.count
                && zip(played, test.then).allSatisfy {
                    $0.state == $1.state && ($1.at == nil || $1.at == $0.at)
                }
            if isAsExpected { return nil }
            return Fault(
                test.location,
                "the test of '\(name)' does not hold: expected '\(Self.text(test.then))', "
                    + "the rule gives '\(Self.text(played))'",
                remedy: "correct the rule or the test")
        }
    }

    /// Every state in turn with its beginning, counted from the first scan.
    func states(of test: AlarmRuleTest) -> Result<[AlarmRuleTest.Expectation], Fault> {
        switch RuleTestPlayer.make(self, test) {
        case .failure(let fault): return .failure(fault)
        case .success(var player):
            player.play(test)
            return .success(player.states)
        }
    }

    private static func text(_ states: [AlarmRuleTest.Expectation]) -> String {
        states.map { state in
            let at = state.at.map { at -> String in
                let milliseconds = at.milliseconds
                return milliseconds % 1000 == 0
                    ? "@\(milliseconds / 1000)s" : "@\(milliseconds)ms"
            }
            return state.state.testWord + (at ?? "")
        }.joined(separator: " ")
    }
}
