import Foundation
import LocatedText
import Telemetry
import Testing

@testable import Alarms

@Suite("alarm-rules/1")
struct AlarmRuleFileTests {
    private func faults(_ text: String) -> [String] {
        do throws(Faults) {
            _ = try AlarmRuleFile.parse(text, file: "a.yaml")
            return []
        } catch {
            return error.all.map(\.description)
        }
    }

    @Test("a rule is read as it is written")
    func reads() throws {
        let rule = try parseRule(
            "rollup: mean, over: 15min, window: rolling, coverage: 75 %, above: 150 µg/m³, "
                + "clear: 120 ug/m3, hold: 1min")
        #expect(rule.name == "test_rule")
        #expect(rule.title == LocalizedText(en: "Test", zh: "测试"))
        #expect(rule.severity == .warning)
        #expect(rule.status == .project)
        #expect(rule.module == "other")
        #expect(rule.isEnabled)
        #expect(rule.hold == .seconds(60))
        guard case .term(let term) = rule.when else {
            Issue.record("more than one term")
            return
        }
        #expect(term.operand == AlarmTerm.Operand(point: AlarmPoint("pm10"), device: nil))
        #expect(term.test == .above(limit: 150, clear: 120, unit: "ug/m3"))
        #expect(
            term.measure
                == .window(
                    AlarmTerm.Window(
                        statistic: .mean, over: .seconds(900), kind: .rolling, coverage: 0.75)))
    }

    @Test("every mistake of a file is told at once, with its place and a remedy")
    func allFaults() {
        let text = """
            format: alarm-rules/2
            rules:
              - alarm: PM 10
                title: { en: a }
                severity: warnin
                source: " "
                status: verified
                valid_from: 2026-02-30
                holdd: 1min
                when:
                  point: PM10
                  rollup: average
                  over: 15m
                  window: rolling
                  coverage: 120 %
                  above: 150 ug/m3
                  clear: 160 ug/m3
                  hold: soon
            """
        let faults = faults(text)
        let expected = [
            "a.yaml:1:9: 'alarm-rules/2' is not accepted here; did you mean 'alarm-rules/1'?",
            "a.yaml:3:12: 'PM 10' is not the name of an alarm",
            "a.yaml:4:12: 'zh' is missing",
            "a.yaml:5:15: 'warnin' is not accepted here; did you mean 'warning'?",
            "a.yaml:6:13: the text is empty",
            "a.yaml:8:17: '2026-02-30' is not a date",
            "a.yaml:9:5: unknown key 'holdd'",
            "a.yaml:11:14: 'PM10' is not a point",
            "a.yaml:12:15: 'average' is not accepted here",
            "a.yaml:13:13: '15m' is not a duration",
            "a.yaml:15:17: coverage is a share",
            "a.yaml:17:14: 'clear' lies beyond the limit",
            "a.yaml:18:13: 'soon' is not a duration",
        ]
        #expect(faults.count == expected.count, "\(faults.joined(separator: "\n"))")
        for (fault, start) in zip(faults, expected) {
            #expect(fault.hasPrefix(start), "\(fault)")
            #expect(fault.contains("; "), "no remedy: \(fault)")
        }
    }

    @Test(
        "what makes no sense is refused",
        arguments: [
            ("input: reading, over: 15min, above: 1 ug/m3", "'over' has no meaning beside"),
            ("input: readings, above: 1 ug/m3", "did you mean 'reading'?"),
            ("input: reading, above: 1 ug/m3, below: 0 ug/m3", "one limit"),
            ("input: reading", "the limit is missing"),
            ("input: reading, above: 150", "not a quantity"),
            ("input: reading, above: 1 ug/m3, clear: 1 mg/m3", "write both in 'ug/m3'"),
            ("input: reading, below: 5 ug/m3, clear: 4 ug/m3", "beyond the limit"),
            ("input: reading, above: 1 ug/m3, hold: 2 y", "longer than a year"),
            (
                "rollup: mean, over: 7min, window: aligned, above: 1 ug/m3",
                "no whole number of such windows"
            ),
            ("rollup: mean, over: 0s, window: rolling, above: 1 ug/m3", "needs a length"),
            ("rollup: mean, window: rolling, above: 1 ug/m3", "'over' is missing"),
            ("rollup: mean, over: 15min, above: 1 ug/m3", "'window' is missing"),
            (
                "rollup: mean, over: 15min, window: rolling, coverage: 0 %, above: 1 ug/m3",
                "above 0 %"
            ),
            ("input: reading, above: nan ug/m3", "not a quantity"),
        ])
    func refused(when: String, words: String) {
        let all = faults(ruleText(when: when))
        #expect(all.count == 1, "\(all)")
        #expect(all.first?.contains(words) == true, "\(all)")
    }

    @Test(
        "a file that is no rule file is refused, not read as empty",
        arguments: ["", "rules: []", "format: alarm-rules/1", "- a", "format: [", "just a text"])
    func noRuleFile(text: String) {
        #expect(!faults(text).isEmpty)
    }

    @Test("a list of devices names one at least")
    func noDevices() {
        let text = ruleText(
            head: "severity: info, source: s, status: project, devices: []",
            when: "input: reading, above: 1 ug/m3")
        #expect(faults(text).first?.contains("names no device") == true)
    }

    @Test("a name may stand once")
    func twice() {
        let text = ruleText(when: "input: reading, above: 1 ug/m3")
        let again = text.split(separator: "\n").dropFirst(2).joined(separator: "\n")
        #expect(faults(text + "\n" + again).first?.contains("stands twice") == true)
    }

    @Test("the version follows what is judged, not how it is written")
    func version() throws {
        let when = "input: reading, above: 150 µg/m³, hold: 1min"
        let rule = try parseRule(when)
        let respelt = try parseRule(
            "hold: 60 s, input: reading, above: 150.0 ug/m3, clear: 150 ug/m3",
            head: "severity: warning, source: elsewhere, status: secondary")
        #expect(rule.version == respelt.version)
        let stricter = try parseRule("input: reading, above: 149.9 ug/m3, hold: 1min")
        #expect(rule.version != stricter.version)
        // The published test vector of FNV-1a, 64 bits.
        #expect(StableHash.hex("foobar") == "85944171f73967e8")
        #expect(StableHash.hex("") == "cbf29ce484222325")
    }
}

@Suite("Tests beside a rule")
struct AlarmRuleTestTests {
    private let reading = "input: reading, above: 150 ug/m3, clear: 120 ug/m3, hold: 20s"

    private func outcome(_ given: String, _ then: String) throws -> [Fault] {
        try parseRule(
            reading, tests: "{ every: 10s, given: \"\(given)\", then: \"\(then)\" }"
        ).runTests()
    }

    @Test(
        "hold when the machine does what they say",
        arguments: [
            ("100 160x3 110", "normal pending@10s active@30s returned@40s"),
            ("100 160x2 130 100", "normal pending normal"),
            ("160x3 ack 110", "normal pending active acknowledged normal"),
            ("160x3 110 ack", "normal pending active returned normal@40s"),
            ("160x3 110 160x3", "normal pending active returned pending active@60s"),
            ("160 .x9", "normal pending active@20s"),
            ("160 -x9", "normal pending"),
            ("-5 -x2 149.5", "normal"),
        ])
    func hold(given: String, then: String) throws {
        let faults = try outcome(given, then)
        #expect(faults.isEmpty, "\(faults)")
    }

    @Test("fail at their place, with both sequences, when it does not")
    func fail() throws {
        let fault = try #require(try outcome("100 160x3 110", "normal pending active").first)
        #expect(fault.location.line == 4)
        #expect(
            fault.message.contains("normal@0s pending@10s active@30s returned@40s"), "\(fault)")
        #expect(try outcome("100 160x3 110", "normal pending active@31s returned").count == 1)
    }

    @Test(
        "are refused when they cannot be read",
        arguments: [
            ("", "normal"), ("100 abc", "normal"), ("100x0", "normal"), ("100x60000", "normal"),
            ("nan", "normal"), ("0x1p3", "normal"), ("100", "pending"), ("100", "normal activ"),
            ("100", "normal pending@1m"), ("100", ""), ("ackx2", "normal"), ("1,5", "normal"),
        ])
    func refused(given: String, then: String) {
        #expect(throws: Faults.self) { try outcome(given, then) }
    }

    @Test("say so when the rule cannot be played at their pace")
    func wrongPace() throws {
        let rule = try parseRule(
            "rollup: mean, over: 1min, window: rolling, coverage: 75 %, above: 150 ug/m3",
            tests: "{ every: 1h, given: \"1\", then: \"normal\" }")
        #expect(rule.runTests().first?.message.contains("cannot be played") == true)
    }
}

@Suite("The rules in Config/alarms")
struct ShippedRulesTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Config/alarms").standardizedFileURL

    static func files() throws -> [URL] {
        try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "yaml" }
    }

    static func rules() throws -> [AlarmRule] {
        try files().flatMap { file in
            try AlarmRuleFile.parse(
                String(contentsOf: file, encoding: .utf8), file: file.lastPathComponent)
        }
    }

    @Test("are read, and their own tests hold")
    func shippedTests() throws {
        let rules = try Self.rules()
        #expect(rules.map(\.name).contains("pm10_15min"))
        for rule in rules {
            #expect(!rule.tests.isEmpty, "\(rule.name) has no test")
            #expect(rule.runTests() == [], "\(rule.name)")
        }
    }

    @Test("have tests that see a wrong limit, a wrong return, a wrong window and a wrong hold")
    func mutants() throws {
        for rule in try Self.rules() {
            var mutants: [(String, AlarmRule)] = []
            func mutate(_ what: String, _ change: (inout AlarmRule) -> Void) {
                var mutant = rule
                change(&mutant)
                mutants.append((what, mutant))
            }
            if rule.hold > .zero { mutate("no hold") { $0.hold = .zero } }
            if rule.keep > .zero { mutate("no keep") { $0.keep = .zero } }
            if rule.isLatched { mutate("no latch") { $0.isLatched = false } }
            if rule.only != nil { mutate("at every time") { $0.only = nil } }
            if !rule.unless.isEmpty { mutate("nothing suppresses") { $0.unless = [] } }
            for (number, term) in rule.when.terms.enumerated() {
                for (what, mutant) in Self.mutants(of: term) {
                    mutate("\(what) of term \(number)") {
                        $0.when = $0.when.replacing(term: number, with: mutant)
                    }
                }
            }
            for (what, mutant) in mutants {
                #expect(!mutant.runTests().isEmpty, "\(rule.name): nobody sees '\(what)'")
            }
        }
    }

    /// Terms that ask a little more or less than the rule does.
    private static func mutants(of term: AlarmTerm) -> [(String, AlarmTerm)] {
        var found: [(String, AlarmTerm)] = []
        func add(_ what: String, _ change: (inout AlarmTerm) -> Void) {
            var mutant = term
            change(&mutant)
            found.append((what, mutant))
        }
        switch term.test {
        case .above(let limit, let clear, let unit):
            let step = max(abs(limit) * 0.02, 0.02)
            add("limit up") { $0.test = .above(limit: limit + step, clear: clear, unit: unit) }
            add("limit down") {
                $0.test = .above(limit: limit - step, clear: min(clear, limit - step), unit: unit)
            }
            if clear < limit {
                add("no hysteresis") { $0.test = .above(limit: limit, clear: limit, unit: unit) }
            }
        case .below(let limit, let clear, let unit):
            let step = max(abs(limit) * 0.02, 0.02)
            add("limit down") { $0.test = .below(limit: limit - step, clear: clear, unit: unit) }
            add("limit up") {
                $0.test = .below(limit: limit + step, clear: max(clear, limit + step), unit: unit)
            }
            if clear > limit {
                add("no hysteresis") { $0.test = .below(limit: limit, clear: limit, unit: unit) }
            }
        case .isOneOf(let words):
            for word in words {
                add("no '\(word)'") { $0.test = .isOneOf(words.filter { $0 != word } + ["-"]) }
            }
        case .bit(let place): add("another bit") { $0.test = .bit(place + 1) }
        case .lasting(let span):
            add("longer") { $0.test = .lasting(span * 2) }
            add("shorter") { $0.test = .lasting(span / 2) }
        }
        if case .window(var window) = term.measure {
            if window.coverage != nil {
                window.coverage = nil
                add("no coverage") { $0.measure = .window(window) }
            }
            if window.statistic != .max {
                window.statistic = .max
                add("max") { $0.measure = .window(window) }
            }
        }
        if let times = term.times {
            add("one more a day") { $0.times = AlarmTerm.Times(moreThan: times.moreThan + 1) }
        }
        if !term.minus.isEmpty { add("nothing subtracted") { $0.minus = [] } }
        return found
    }

    @Test("stand in the paper as they are, and its notation of tests is the real one")
    func paper() throws {
        let file = Self.folder.appending(path: "../../docs/formats/alarm-rules.md")
        let paper = try String(contentsOf: file.standardizedFileURL, encoding: .utf8)
        let start = try #require(paper.range(of: "```yaml\n"))
        let end = try #require(paper.range(of: "```", range: start.upperBound..<paper.endIndex))
        let example = String(paper[start.upperBound..<end.lowerBound])
        let shown = try #require(
            paper.split(separator: "\n").first { $0.hasPrefix("    { every:") })
        let rules = try AlarmRuleFile.parse(
            example + "      - " + shown.trimmingPrefix("    ") + "\n", file: "alarm-rules.md")
        #expect(rules.count == 1)
        #expect(rules.first?.tests.count == 2)
        #expect(rules.first?.runTests() == [])
        let shipped = try Self.rules().first { $0.name == "pm10_15min" }
        #expect(rules.first?.version == shipped?.version)
    }

    @Test("claim no more than is known")
    func honestStatus() throws {
        for rule in try Self.rules() where rule.status == .project {
            #expect(rule.source.contains("no legal limit"), "\(rule.name)")
        }
    }
}

extension AlarmExpression {
    /// The same expression with another term at a place, counted as `terms` does.
    fileprivate func replacing(term number: Int, with term: AlarmTerm) -> AlarmExpression {
        var next = 0
        return replacing(number, term, &next)
    }

    private func replacing(
        _ number: Int, _ other: AlarmTerm, _ next: inout Int
    ) -> AlarmExpression {
        switch self {
        case .term:
            defer { next += 1 }
            return next == number ? .term(other) : self
        case .all(let parts): return .all(parts.map { $0.replacing(number, other, &next) })
        case .any(let parts): return .any(parts.map { $0.replacing(number, other, &next) })
        case .not(let part): return .not(part.replacing(number, other, &next))
        }
    }
}
