import EnergyAccounting
import LocatedText
import Telemetry
import Testing

/// The figures that several suites use: a method, an office's year of months.
enum BaselineExample {
    /// A method file with limits for both intervals; `changes` replaces values by `interval.figure`,
    /// an empty text leaves the figure out.
    static func methodText(_ changes: [String: String] = [:]) -> String {
        var text = "format: baseline-method/1\nmethod: example\nversion: \"7\"\nfigures:\n"
        for interval in ["month", "day"] {
            let figures = [
                ("least_periods", "12"), ("completeness", "98 %"), ("estimated_share", "10 %"),
                ("cv_rmse", "15 %"), ("nmbe", "5 %"), ("confidence", "90 %"),
                ("uncertainty_factor", "1.26"), ("uncertainty_limit", "50 %"),
                ("reporting_share", "90 %"), ("r_squared", ""), ("variance_inflation", ""),
                ("unknown_days", ""),
            ]
            for (name, standard) in figures {
                let value = changes["\(interval).\(name)"] ?? standard
                guard !value.isEmpty else { continue }
                text += "  - { interval: \(interval), figure: \(name), value: \(value), "
                text += "status: project, source: an example }\n"
            }
        }
        return text
    }

    static func method(_ changes: [String: String] = [:]) throws -> BaselineMethod {
        try BaselineMethodFile.parse(methodText(changes), file: "method.yaml")
    }

    static let hdd = [412.5, 340.2, 255.1, 96.4, 12.3, 0, 0, 0, 3.1, 88.7, 214.6, 371.9]
    static let cdd = [0, 0, 0, 4.2, 38.5, 92.1, 148.3, 139.7, 61.4, 9.8, 0, 0]
    static let production: [Double] = [
        120, 95, 140, 135, 150, 160, 155, 150, 145, 140, 138, 110,
    ]
    /// kWh of the twelve months.
    static let energy = [
        61_250, 56_480, 50_310, 44_120, 46_990, 55_760, 64_870, 63_420, 51_080, 42_730, 47_950,
        58_640,
    ]

    static let heating = BaselineVariable(
        "hdd", unit: "K·d", degreeDays: DegreeDayBase(.heating, celsius: 18))
    static let cooling = BaselineVariable(
        "cdd", unit: "K·d", degreeDays: DegreeDayBase(.cooling, celsius: 26))

    static func month(_ year: Int, _ month: Int) throws -> AccountingPeriod {
        try #require(AccountingPeriod(year: year, month: month))
    }

    static func day(_ text: String) throws -> CivilDate { try #require(CivilDate(text)) }

    /// The months of 2025 with all three variables.
    static func year() throws -> [BaselineObservation] {
        try (0..<12).map { index in
            BaselineObservation(
                period: try month(2025, index + 1), energy: Exact(energy[index]),
                variables: [
                    "hdd": hdd[index], "cdd": cdd[index], "production": production[index],
                ])
        }
    }

    /// The reasons of a refusal; nothing when nothing was refused.
    static func refusals(_ body: () throws -> Void) -> [BaselineRefusal] {
        do {
            try body()
            return []
        } catch let refusals as BaselineRefusals {
            return refusals.reasons
        } catch {
            Issue.record("another error: \(error)")
            return []
        }
    }
}

/// Whether two numbers agree to so many parts of the greater.
func agree(_ a: Double?, _ b: Double, within relative: Double = 1e-9) -> Bool {
    guard let a else { return false }
    return (a - b).magnitude <= relative * max(a.magnitude, b.magnitude, 1e-300)
}
