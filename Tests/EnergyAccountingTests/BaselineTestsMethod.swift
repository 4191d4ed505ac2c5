import EnergyAccounting
import Foundation
import LocatedText
import Testing

/// The faults of a method file, as lines.
private func faults(_ text: String) -> [String] {
    do {
        _ = try BaselineMethodFile.parse(text, file: "m.yaml")
        return []
    } catch {
        return error.all.map(\.description)
    }
}

@Suite("The method file of baselines")
struct BaselineMethodTests {
    @Test("ships with figures of Guideline 14 that are said to be from memory")
    func shipped() throws {
        let file = URL(filePath: #filePath)
            .appending(path: "../../../Config/baselines/method.yaml").standardizedFileURL
        let method = try BaselineMethodFile.parse(
            try String(contentsOf: file, encoding: .utf8), file: "method.yaml")
        #expect(method.name == "ashrae-14-ipmvp" && method.version == "1")
        let months = try #require(method.limits[.month])
        #expect(months.leastPeriods == 12)
        #expect(months.cvRMSEPercent == Exact(15) && months.nmbePercent == Exact(5))
        #expect(months.uncertaintyFactor == Exact(126, over: 100))
        #expect(months.rSquared == nil)
        for name in [BaselineLimits.Name.cvRMSE, .nmbe, .uncertaintyFactor] {
            #expect(months.figures[name]?.status == .fromMemory)
            #expect(months.figures[name]?.source.contains("Guideline 14") == true)
        }
        #expect(method.limits[.day] != nil)
        #expect(
            method.limits.values.allSatisfy { limits in
                limits.figures.values.allSatisfy { $0.status != .verified }
            })
    }

    @Test("may speak of one interval alone, and may leave optional figures out")
    func oneInterval() throws {
        let text = BaselineExample.methodText(["month.uncertainty_limit": ""])
        let months = text.split(separator: "\n").filter { !$0.contains("interval: day") }
        let method = try BaselineMethodFile.parse(
            months.joined(separator: "\n"), file: "method.yaml")
        #expect(method.limits[.day] == nil)
        #expect(method.limits[.month]?.uncertaintyLimitPercent == nil)
        #expect(method.limits[.month]?.unknownDaysPercent == .zero)
    }

    @Test("tells every mistake at once, with its place and a remedy")
    func allFaults() {
        let found = faults(
            """
            format: baseline-method/2
            method: Old Method
            version: ""
            figures:
              - { interval: week, figure: cv_rmse, value: 15 %, status: project, source: me }
              - { interval: month, figure: cv_rms, value: 15 %, status: project, source: me }
              - { interval: month, figure: nmbe, value: 5, status: project, source: me }
              - { interval: month, figure: least_periods, value: 12.5, status: project, source: me }
              - { interval: month, figure: least_periods, value: 2, status: project, source: me }
              - { interval: month, figure: confidence, value: 100 %, status: project, source: me }
              - { interval: month, figure: completeness, value: 98 %, status: sure, source: "" }
              - { interval: month, figure: r_squared, value: 0.5, status: project, source: me }
              - { interval: month, figure: r_squared, value: 0.6, status: project, source: me }
              - { figure: nmbe, value: 5 %, status: project, source: me, extra: 1 }
            limit: 3
            """)
        let expected = [
            "m.yaml:1:9: 'baseline-method/2' is not accepted here; did you mean 'baseline-method/1'?",
            "m.yaml:2:9: 'Old Method' is not a name; small letters a to z, digits, '-' and '_'",
            "m.yaml:3:10: the text is empty; write it, or leave the key out",
            "m.yaml:5:17: 'week' is not accepted here; one of: day, month",
            "m.yaml:6:32: 'cv_rms' is not accepted here; did you mean 'cv_rmse'?",
            "m.yaml:7:45: '5' is not a number of %; for example '12 %'",
            "m.yaml:8:54: 'least_periods' cannot be '12.5'; a whole number",
            "m.yaml:9:54: 'least_periods' cannot be '2'; from 3 to 100000",
            "m.yaml:10:51: 'confidence' cannot be '100 %'; from 1 to 99.99 %",
            "m.yaml:11:67: 'sure' is not accepted here",
            "m.yaml:11:81: the text is empty",
            "m.yaml:13:5: the figure 'r_squared' stands twice for 'month'; remove one",
            "m.yaml:14:5: 'interval' is missing",
            "m.yaml:14:62: unknown key 'extra'",
            "m.yaml:15:1: unknown key 'limit'",
        ]
        #expect(found.count == expected.count)
        for (line, start) in zip(found, expected) {
            #expect(line.hasPrefix(start), "\(line)")
        }
    }

    @Test("names the figures that are missing, and wants some at all")
    func missing() {
        let text = BaselineExample.methodText(["month.nmbe": "", "month.confidence": ""])
        #expect(
            faults(text) == [
                "m.yaml:1:1: figures for 'month' are missing: nmbe, confidence; "
                    + "copy them from Config/baselines/method.yaml"
            ])
        #expect(
            faults("format: baseline-method/1\nmethod: a\nversion: b\nfigures: []") == [
                "m.yaml:1:1: there are no figures; copy them from Config/baselines/method.yaml"
            ])
        #expect(faults("[]").count >= 1)
    }
}
