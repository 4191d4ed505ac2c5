import EnergyAccounting
import LocatedText
import TestSeeds
import Testing

private func faults(_ text: String) -> [String] {
    do {
        _ = try FrozenBaseline.parse(text, file: "b.yaml")
        return []
    } catch {
        return error.all.map(\.description)
    }
}

@Suite("A frozen baseline")
struct FrozenBaselineTests {
    private let text = """
        format: baseline/1
        baseline: "office-2025"
        subject: "Büro \\"Nord\\""
        frozen: 2026-01-15
        method: "example"
        version: "7"
        interval: month
        period: 2025-01-01..2025-12-31
        left_out: 1
        intercept: { value: 812.5, standard_error: 31.25 }
        variables:
          - { variable: "hdd", unit: "K·d", heating_below: 18.0, coefficient: 4.5, \
        standard_error: 0.5, variance_inflation: 1.25, least: 0.0, greatest: 412.5 }
          - { variable: "production", coefficient: -0.001, standard_error: 1e-05, \
        variance_inflation: 1.25, least: 10.0, greatest: 90.0 }
        fit: { periods: 12, parameters: 3, mean: 2000.0, r_squared: 0.96, cv_rmse: 4.5, \
        nmbe: -1e-15 }
        data: "9f2c"
        adjustments:
          - { from: 2026-03-01, through: 2026-12-31, change: -120.25 kWh/d, reason: "let" }
          - { from: 2026-05-01, change: 5 %, reason: "第二班" }

        """

    @Test("is read as it is written, and written as it is read")
    func reads() throws {
        let baseline = try FrozenBaseline.parse(text, file: "b.yaml")
        #expect(baseline.canonicalText == text)
        #expect(baseline.id == "office-2025" && baseline.subject == "Büro \"Nord\"")
        #expect(baseline.model.terms[0].variable == BaselineExample.heating)
        #expect(baseline.model.terms[1].variable.degreeDays == nil)
        #expect(baseline.model.terms[1].coefficient.standardError == 1e-5)
        #expect(baseline.model.leftOut == 1)
        #expect(baseline.adjustments[0].change == .kilowattHoursPerDay(Exact(-12025, over: 100)))
        #expect(baseline.adjustments[1].change == .percent(Exact(5)))
        #expect(baseline.adjustments[1].through == nil)
    }

    @Test("keeps the fingerprint of its model when an adjustment is added")
    func fingerprints() throws {
        var baseline = try FrozenBaseline.parse(text, file: "b.yaml")
        let (all, model) = (baseline.canonicalText, baseline.modelText)
        baseline.adjustments.removeLast()
        #expect(baseline.modelText == model && baseline.canonicalText != all)
        #expect(all.hasPrefix(model))
        baseline.model.terms[0].coefficient.value = 4.5.nextUp
        #expect(baseline.modelText != model)
    }

    @Test("of a fit comes back from its text as the same value")
    func ofFit() throws {
        let model = try BaselineModel.fit(
            try BaselineExample.year(),
            variables: [
                BaselineExample.heating, BaselineExample.cooling, BaselineVariable("production"),
            ], method: try BaselineExample.method())
        let baseline = FrozenBaseline(
            id: "a", subject: "b", frozenOn: try BaselineExample.day("2026-01-15"),
            method: "example", methodVersion: "7", model: model)
        let back = try FrozenBaseline.parse(baseline.canonicalText, file: "b.yaml")
        #expect(back == baseline)
    }

    @Test("comes back from its text bit for bit, whatever stands in it")
    func roundTrip() throws {
        var random = SeededGenerator(20)
        for _ in 0..<300 {
            let baseline = random.baseline()
            let text = baseline.canonicalText
            let back = try FrozenBaseline.parse(text, file: "b.yaml")
            #expect(back == baseline)
            #expect(back.canonicalText == text)
        }
    }

    @Test("tells every mistake of its text at once, with its place and a remedy")
    func allFaults() {
        let found = faults(
            """
            format: baseline/1
            baseline: "Office 1"
            subject: ""
            frozen: 2026-02-30
            method: "example"
            version: "7"
            interval: weeks
            period: 2025-13
            left_out: -1
            intercept: { value: nan, standard_error: -1 }
            variables:
              - { variable: "hdd", heating_below: 18, cooling_above: 26, coefficient: 1,
                  standard_error: 0, least: 5, greatest: 4 }
              - { variable: "hdd", coefficient: 1, standard_error: 0, least: 0, greatest: 4, max: 9 }
            fit: { periods: 2, parameters: 2, mean: 0, cv_rmse: 4.5, nmbe: 0, autocorrelation: -2 }
            adjustments:
              - { from: 2026-03-01, through: 2026-02-01, change: 5 %, reason: "x" }
              - { from: 2026-03-01, change: 5 kW, reason: "x" }
              - { from: 2026-03-01, change: 1000000000000 %, reason: "x" }
              - { from: 2026-03-01, change: 0.0000000001 kWh/d, reason: "x" }
              - { from: 2026-03-01, change: 5 % }
            """)
        let expected = [
            "b.yaml:2:11: 'Office 1' is not a name", "b.yaml:3:10: the text is empty",
            "b.yaml:4:9: '2026-02-30' is not a day",
            "b.yaml:7:11: 'weeks' is not accepted here; one of: day, month",
            "b.yaml:8:9: '2025-13' is not a period; for example '2025-01-01..2025-12-31'",
            "b.yaml:9:11: -1 is too few; 0 at least",
            "b.yaml:10:21: a number is expected, not 'nan'",
            "b.yaml:10:42: -1.0 is too low; 0.0 at least",
            "b.yaml:12:5: degree days count on one side of a base; remove 'heating_below'",
            "b.yaml:12:5: 'greatest' is below 'least'; exchange the two",
            "b.yaml:14:5: the variable 'hdd' stands twice; remove one",
            "b.yaml:14:82: unknown key 'max'",
            "b.yaml:15:17: 2 is too few; 4 at least", "b.yaml:15:32: 2 is too few; 3 at least",
            "b.yaml:15:41: 0.0 is too low; more than 0",
            "b.yaml:15:84: -2.0 is too low; -1.0 at least",
            "b.yaml:17:5: the adjustment ends before it begins",
            "b.yaml:18:33: '5 kW' is not a change; for example '-120 kWh/d' or '5 %'",
            "b.yaml:19:33: the change '1000000000000 %' is out of range; at most nine decimal",
            "b.yaml:20:33: the change '0.0000000001 kWh/d' is out of range",
            "b.yaml:21:5: 'reason' is missing",
        ]
        for start in expected {
            #expect(found.contains { $0.hasPrefix(start) }, "\(start)")
        }
        #expect(found.count == expected.count, "\(found)")
    }

    @Test("has at most four variables and every key that it needs")
    func missing() {
        let five = (1...5).map {
            "  - { variable: v\($0), coefficient: 1, standard_error: 0, least: 0, greatest: 1 }"
        }
        let found = faults("format: baseline/1\nvariables:\n" + five.joined(separator: "\n"))
        #expect(found.contains("b.yaml:7:5: 5 variables stand here; at most 4"))
        for key in [
            "baseline", "subject", "frozen", "method", "version", "interval", "period", "left_out",
            "intercept", "fit",
        ] {
            #expect(found.contains { $0.hasPrefix("b.yaml:1:1: '\(key)' is missing") }, "\(key)")
        }
    }

    @Test("refuses counts that no baseline has", arguments: ["9223372036854775807", "1000001"])
    func absurdCounts(number: String) {
        let found = faults(
            text.replacing("periods: 12", with: "periods: \(number)")
                .replacing("parameters: 3", with: "parameters: \(number)")
                .replacing("left_out: 1", with: "left_out: \(number)"))
        #expect(found.count == 3)
        #expect(
            found.allSatisfy { $0.hasSuffix("\(number) is too many; at most 100000") }, "\(found)")
    }

    @Test("takes no adjustment that could not be written exactly")
    func adjustments() throws {
        let day = try BaselineExample.day("2026-03-01")
        func makes(
            _ change: BaselineAdjustment.Change, through: CivilDate? = nil, reason: String = "x"
        ) -> Bool {
            BaselineAdjustment(from: day, through: through, change: change, reason: reason) != nil
        }
        #expect(makes(.percent(Exact(5)), through: day))
        #expect(!makes(.percent(Exact(1, over: 3))))
        #expect(!makes(.kilowattHoursPerDay(Exact(Int.max))))
        #expect(!makes(.percent(Exact(5)), through: day.advanced(days: -1)))
        #expect(!makes(.percent(Exact(5)), reason: ""))
    }
}

extension SeededGenerator {
    /// Any finite double, the smallest and the greatest among them.
    fileprivate mutating func anyDouble() -> Double {
        while true {
            let value = oneIn(3) ? decimal() : Double(bitPattern: next())
            if value.isFinite { return value }
        }
    }

    /// Letters, quotes, line ends, controls, and characters beyond the first plane; never empty.
    fileprivate mutating func anyText() -> String {
        var text = "a"
        let strange: [UInt32] = [
            0x22, 0x5C, 0x27, 0x0A, 0x0D, 0x09, 0x00, 0x7F, 0x85, 0xA0, 0x2028, 0xFEFF, 0xFFFE,
            0x1F600, 0x4E2D, 0x3A, 0x23, 0x7B, 0x2C, 0xE9, 0x301, 0x20, 0x10FFFF, 0xE000,
        ]
        for _ in 0..<Int.random(in: 0...12, using: &self) {
            let code =
                oneIn(2)
                ? strange[Int.random(in: 0..<strange.count, using: &self)]
                : UInt32.random(in: 0...0x10FFFF, using: &self)
            if let scalar = Unicode.Scalar(code) { text.unicodeScalars.append(scalar) }
        }
        return text
    }

    fileprivate mutating func anyDate() -> CivilDate {
        CivilDate(daysSinceEpoch: Int.random(in: -700_000...2_900_000, using: &self))
    }

    fileprivate mutating func coefficient() -> LeastSquares.Coefficient {
        LeastSquares.Coefficient(
            value: anyDouble(), standardError: anyDouble().magnitude,
            varianceInflation: oneIn(2) ? anyDouble().magnitude : nil)
    }

    fileprivate mutating func baseline() -> FrozenBaseline {
        let terms = (0..<Int.random(in: 0...4, using: &self)).map { index in
            let ends = [anyDouble(), anyDouble()].sorted()
            var base: DegreeDayBase?
            if oneIn(2) {
                base = DegreeDayBase(oneIn(2) ? .heating : .cooling, celsius: anyDouble())
            }
            return BaselineModel.Term(
                variable: BaselineVariable(
                    "v_\(index)-x", unit: oneIn(3) ? "" : anyText(), degreeDays: base),
                coefficient: coefficient(), least: ends[0], greatest: ends[1])
        }
        let days = [anyDate(), anyDate()].sorted()
        let parameters = terms.count + 1 + Int.random(in: 0...2, using: &self)
        let quality = FitQuality(
            periods: parameters + Int.random(in: 1...1000, using: &self), parameters: parameters,
            mean: anyDouble().magnitude.nextUp, rSquared: oneIn(3) ? nil : anyDouble(),
            cvRMSEPercent: anyDouble().magnitude, nmbePercent: anyDouble(),
            autocorrelation: oneIn(2) ? nil : Double.random(in: -1...1, using: &self))
        let adjustments = (0..<Int.random(in: 0...3, using: &self)).compactMap { _ in
            let ends = [anyDate(), anyDate()].sorted()
            let amount = Exact(decimal: decimal()) ?? .one
            return BaselineAdjustment(
                from: ends[0], through: oneIn(2) ? ends[1] : nil,
                change: oneIn(2) ? .percent(amount) : .kilowattHoursPerDay(amount),
                reason: anyText())
        }
        return FrozenBaseline(
            id: "b_\(next())", subject: anyText(), frozenOn: anyDate(), method: anyText(),
            methodVersion: anyText(),
            model: BaselineModel(
                interval: oneIn(2) ? .day : .month, first: days[0], last: days[1],
                intercept: coefficient(), terms: terms, quality: quality,
                leftOut: Int.random(in: 0...99, using: &self)),
            adjustments: adjustments, dataDigest: oneIn(2) ? nil : anyText())
    }
}
