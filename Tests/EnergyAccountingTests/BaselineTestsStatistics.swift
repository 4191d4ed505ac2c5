import EnergyAccounting
import TestSeeds
import Testing

@Suite("Student's t")
struct StudentDistributionTests {
    @Test(
        "has the quantiles of the printed tables",
        arguments: [
            (1, 95.0, 12.706204736174694), (1, 68, 1.8189932472810675),
            (2, 95, 4.302652729749462), (3, 99, 5.840909309733355), (5, 90, 2.0150483733330233),
            (9, 90, 1.833112932656237), (10, 95, 2.228138851986274),
            (11, 99, 3.1058065155392804), (30, 99, 2.7499956535672254),
            (120, 95, 1.9799304050824402), (365, 90, 1.649039017368155),
        ])
    func published(degreesOfFreedom: Int, confidence: Double, expected: Double) {
        let quantile = StudentDistribution.quantile(
            confidencePercent: confidence, degreesOfFreedom: degreesOfFreedom)
        #expect(agree(quantile, expected, within: 1e-11))
    }

    @Test("comes to the normal distribution's 1.959964 with many degrees of freedom")
    func normal() {
        for freedom in [1_000_000, .max] {
            let quantile = StudentDistribution.quantile(
                confidencePercent: 95, degreesOfFreedom: freedom)
            #expect(agree(quantile, 1.959964, within: 2e-6))
        }
    }

    @Test("has a quantile that gives back the confidence it was asked for")
    func inverse() {
        var random = SeededGenerator(2)
        for _ in 0..<300 {
            let freedom = Int.random(in: 1...900, using: &random)
            let confidence = Double.random(in: 0.1...99.9, using: &random)
            let t = StudentDistribution.quantile(
                confidencePercent: confidence, degreesOfFreedom: freedom)
            let back = t.flatMap {
                StudentDistribution.probability(within: $0, degreesOfFreedom: freedom)
            }
            #expect(agree(back, confidence / 100, within: 1e-12))
        }
    }

    @Test("says nothing of what makes no sense")
    func refused() {
        #expect(StudentDistribution.quantile(confidencePercent: 0, degreesOfFreedom: 5) == nil)
        #expect(StudentDistribution.quantile(confidencePercent: 100, degreesOfFreedom: 5) == nil)
        #expect(StudentDistribution.quantile(confidencePercent: .nan, degreesOfFreedom: 5) == nil)
        #expect(StudentDistribution.quantile(confidencePercent: 90, degreesOfFreedom: 0) == nil)
        #expect(StudentDistribution.probability(within: -1, degreesOfFreedom: 5) == nil)
        #expect(StudentDistribution.probability(within: .nan, degreesOfFreedom: 5) == nil)
        #expect(StudentDistribution.probability(within: .infinity, degreesOfFreedom: 5) == 1)
    }
}

@Suite("The closeness of a fit")
struct FitQualityTests {
    @Test(
        "is that of the standard's own example",
        arguments: [(0, -0.4938, 2.0951), (1, -0.6584, 2.4192)])
    func vector(parameters: Int, nmbe: Double, cv: Double) throws {
        let quality = try #require(
            FitQuality(
                measured: [100, 110, 90, 105], modelled: [98, 112, 93, 104],
                parameters: parameters))
        #expect((quality.nmbePercent - nmbe).magnitude < 5e-5)
        #expect((quality.cvRMSEPercent - cv).magnitude < 5e-5)
    }

    @Test("has no R² where nothing varies, and no autocorrelation unless it is asked for")
    func without() throws {
        let flat = try #require(
            FitQuality(measured: [5, 5, 5], modelled: [5, 4, 6], parameters: 1))
        #expect(flat.rSquared == nil && flat.adjustedRSquared == nil)
        #expect(flat.autocorrelation == nil)
    }

    @Test("reckons the autocorrelation over neighbours only")
    func autocorrelation() throws {
        // Residuals 1, 2, −1, 1: squares 7; products 2, −2, −1, without the second 1 in all.
        let measured: [Double] = [11, 12, 9, 11]
        let modelled: [Double] = [10, 10, 10, 10]
        let all = FitQuality(measured: measured, modelled: modelled, parameters: 1) { _ in true }
        #expect(agree(all?.autocorrelation, -1.0 / 7))
        let gap = FitQuality(measured: measured, modelled: modelled, parameters: 1) { $0 != 2 }
        #expect(agree(gap?.autocorrelation, 1.0 / 7))
        let none = FitQuality(measured: measured, modelled: modelled, parameters: 1) { _ in false }
        #expect(none != nil && none?.autocorrelation == nil)
    }

    @Test("is none of what cannot be compared")
    func refused() {
        #expect(FitQuality(measured: [1, 2], modelled: [1], parameters: 0) == nil)
        #expect(FitQuality(measured: [1, 2], modelled: [1, 2], parameters: 2) == nil)
        #expect(FitQuality(measured: [-1, 1], modelled: [0, 0], parameters: 0) == nil)
        #expect(FitQuality(measured: [], modelled: [], parameters: 0) == nil)
        #expect(FitQuality(measured: [1, .nan], modelled: [1, 1], parameters: 0) == nil)
        #expect(FitQuality(measured: [1e300, 1], modelled: [1, 1], parameters: 0) == nil)
    }
}

@Suite("Least squares")
struct LeastSquaresTests {
    @Test("fits a line as by hand")
    func byHand() throws {
        // Σ(x−2.5)(y−6.25) / Σ(x−2.5)² = 11.5 / 5; squares left 0.3, over 2 degrees 0.15.
        let fit = try LeastSquares(response: [3, 5, 7, 10], columns: [[1, 2, 3, 4]])
        #expect(agree(fit.intercept.value, 0.5) && agree(fit.slopes[0].value, 2.3))
        #expect(agree(fit.intercept.standardError, 0.4743416490252569))
        #expect(agree(fit.slopes[0].standardError, 0.17320508075688773))
        #expect(agree(fit.slopes[0].tValue, 13.279056191361391))
        #expect(agree(fit.slopes[0].varianceInflation, 1))
        #expect(fit.intercept.varianceInflation == nil)
    }

    @Test("fits a year of months as exact fractions do")
    func months() throws {
        let example = BaselineExample.self
        let fit = try LeastSquares(
            response: example.energy.map(Double.init),
            columns: [example.hdd, example.cdd, example.production])
        let values = [fit.intercept.value] + fit.slopes.map(\.value)
        let errors = [fit.intercept.standardError] + fit.slopes.map(\.standardError)
        let expectedValues = [
            42329.21942034756, 51.454897911629224, 188.80342372835128, -30.50718872879633,
        ]
        let expectedErrors = [
            6054.0866319759025, 5.179079481307518, 10.013874586334135, 39.95874752571295,
        ]
        for (value, expected) in zip(values + errors, expectedValues + expectedErrors) {
            #expect(agree(value, expected, within: 1e-11))
        }
        let inflations = [4.580135839434005, 2.1099174755591017, 3.8919032345436264]
        for (slope, expected) in zip(fit.slopes, inflations) {
            #expect(agree(slope.varianceInflation, expected, within: 1e-10))
        }
    }

    @Test("keeps nine digits of the Longley data, whose columns nearly say the same")
    func longley() throws {
        let rows: [[Double]] = [
            [60323, 83.0, 234_289, 2356, 1590, 107_608, 1947],
            [61122, 88.5, 259_426, 2325, 1456, 108_632, 1948],
            [60171, 88.2, 258_054, 3682, 1616, 109_773, 1949],
            [61187, 89.5, 284_599, 3351, 1650, 110_929, 1950],
            [63221, 96.2, 328_975, 2099, 3099, 112_075, 1951],
            [63639, 98.1, 346_999, 1932, 3594, 113_270, 1952],
            [64989, 99.0, 365_385, 1870, 3547, 115_094, 1953],
            [63761, 100.0, 363_112, 3578, 3350, 116_219, 1954],
            [66019, 101.2, 397_469, 2904, 3048, 117_388, 1955],
            [67857, 104.6, 419_180, 2822, 2857, 118_734, 1956],
            [68169, 108.4, 442_769, 2936, 2798, 120_445, 1957],
            [66513, 110.8, 444_546, 4681, 2637, 121_950, 1958],
            [68655, 112.6, 482_704, 3813, 2552, 123_366, 1959],
            [69564, 114.2, 502_601, 3931, 2514, 125_368, 1960],
            [69331, 115.7, 518_173, 4806, 2572, 127_852, 1961],
            [70551, 116.9, 554_894, 4007, 2827, 130_081, 1962],
        ]
        let fit = try LeastSquares(
            response: rows.map { $0[0] }, columns: (1...6).map { column in rows.map { $0[column] } }
        )
        let expected = [
            (-3482258.63459582, 890420.383607373), (15.0618722713733, 84.9149257747669),
            (-0.0358191792925910, 0.0334910077722432), (-2.02022980381683, 0.488399681651699),
            (-1.03322686717359, 0.214274163161675), (-0.0511041056535807, 0.226073200069370),
            (1829.15146461355, 455.478499142212),
        ]
        for (found, (value, error)) in zip([fit.intercept] + fit.slopes, expected) {
            #expect(agree(found.value, value))
            #expect(agree(found.standardError, error))
        }
        let quality = FitQuality(
            measured: rows.map { $0[0] }, modelled: fit.fitted, parameters: 7)
        #expect(agree(quality?.rSquared, 0.995479004577296))
        #expect(agree(quality?.adjustedRSquared, 0.992465007628826))
    }

    @Test("is the mean without variables")
    func mean() throws {
        let fit = try LeastSquares(response: [2, 4, 9], columns: [])
        #expect(fit.intercept.value == 5 && fit.slopes.isEmpty)
        #expect(fit.fitted == [5, 5, 5])
        // √(26 / 2 / 3)
        #expect(agree(fit.intercept.standardError, (13.0 / 3).squareRoot()))
    }

    @Test("finds the coefficients that made the figures, whatever their scale")
    func property() throws {
        var random = SeededGenerator(77)
        for _ in 0..<150 {
            let count = Int.random(in: 1...4, using: &random)
            let rows = Int.random(in: 12...60, using: &random)
            let columns = (0..<count).map { (_: Int) -> [Double] in
                let scale = Double([1e-4, 1, 1e5][Int.random(in: 0..<3, using: &random)])
                let shift = Double.random(in: -10...10, using: &random) * scale
                return (0..<rows).map { _ in
                    shift + Double.random(in: -1...1, using: &random) * scale
                }
            }
            let slopes = (0..<count).map { (column: Int) -> Double in
                Double.random(in: 1...9, using: &random) / (columns[column][0].magnitude + 1e-6)
            }
            let response = (0..<rows).map { (row: Int) -> Double in
                (0..<count).reduce(40.0) { $0 + slopes[$1] * columns[$1][row] }
            }
            let fit = try LeastSquares(response: response, columns: columns)
            for (slope, expected) in zip(fit.slopes, slopes) {
                #expect(agree(slope.value, expected, within: 1e-8))
            }
        }
    }

    @Test("leaves residuals that no column explains")
    func orthogonal() throws {
        var random = SeededGenerator(78)
        for _ in 0..<100 {
            let columns = (0..<3).map { _ in
                (0..<20).map { _ in Double.random(in: 0...100, using: &random) }
            }
            let response = (0..<20).map { _ in Double.random(in: 0...1000, using: &random) }
            let fit = try LeastSquares(response: response, columns: columns)
            let residuals = zip(response, fit.fitted).map { $0 - $1 }
            #expect(residuals.reduce(0, +).magnitude < 1e-8)
            for column in columns {
                let product = zip(residuals, column).reduce(0.0) { $0 + $1.0 * $1.1 }
                #expect(product.magnitude < 1e-6)
            }
        }
    }

    private func refusal(_ response: [Double], _ columns: [[Double]]) -> LeastSquares.Refusal? {
        do throws(LeastSquares.Refusal) {
            _ = try LeastSquares(response: response, columns: columns)
            return nil
        } catch {
            return error
        }
    }

    @Test("refuses what tells nothing, and says which column it is")
    func refuses() {
        let energy: [Double] = [3, 5, 7, 10, 9]
        let one: [Double] = [1, 2, 3, 4, 6]
        #expect(refusal(energy, [one, [0.1, 0.1, 0.1, 0.1, 0.1]]) == .constant(column: 1))
        #expect(refusal(energy, [[0, 0, 0, 0, 0]]) == .constant(column: 0))
        let other: [Double] = [5, 1, 4, 1, 5]
        let both = zip(one, other).map { 3 * $0 - 0.7 * $1 + 1000 }
        #expect(refusal(energy, [one, other, both]) == .collinear(column: 2))
        #expect(refusal(energy, [one, one]) == .collinear(column: 1))
        #expect(refusal([1, 2], [[1, 2]]) == .tooFewRows(rows: 2, coefficients: 2))
        #expect(refusal([], []) == .tooFewRows(rows: 0, coefficients: 1))
        #expect(refusal(energy, [[1, 2]]) == .tooFewRows(rows: 5, coefficients: 2))
        #expect(refusal(energy, [[1, 2, 3, 4, .nan]]) == .notFinite)
        #expect(refusal([1, 2, 3, .infinity], [[1, 2, 3, 5]]) == .notFinite)
        #expect(refusal(energy, [[1e200, -1e200, 1, 2, 3]]) == .notFinite)
    }
}

@Suite("The search of the balance temperature")
struct ChangePointSearchTests {
    /// A day's mean temperatures from −5 to 30 °C.
    let days = (0..<71).map { -5 + Double($0) / 2 }

    @Test("finds the temperature below which heating begins, and counts it as a parameter")
    func heating() throws {
        let energy = days.map { 100 + 5 * max(0, 15 - $0) }
        let found = try #require(
            ChangePointSearch(
                .heating, energy: energy, dailyMeans: days.map { [$0] }, range: 10...20,
                step: 0.5))
        #expect(found.base == DegreeDayBase(.heating, celsius: 15))
        #expect(agree(found.model.intercept.value, 100) && agree(found.model.slopes[0].value, 5))
        #expect(found.quality.parameters == 3)
        #expect(!found.isAtEdge)
    }

    @Test("works on months of days, and marks a best at the end of the range")
    func cooling() throws {
        let months = (0..<10).map { start in (0..<7).map { days[start * 7 + $0] } }
        let energy = months.map { month in
            700 + 3 * month.reduce(0) { $0 + max(0, $1 - 22) }
        }
        let inside = try #require(
            ChangePointSearch(
                .cooling, energy: energy, dailyMeans: months, range: 18...26, step: 1))
        #expect(inside.base.celsius == 22 && !inside.isAtEdge)
        #expect(agree(inside.model.slopes[0].value, 3))
        let edge = try #require(
            ChangePointSearch(
                .cooling, energy: energy, dailyMeans: months, range: 10...20, step: 1))
        #expect(edge.base.celsius == 20 && edge.isAtEdge)
    }

    @Test("gives nothing where nothing can be found")
    func nothing() {
        func search(
            _ energy: [Double], _ means: [[Double]], _ range: ClosedRange<Double>, _ step: Double
        ) -> Bool {
            ChangePointSearch(.heating, energy: energy, dailyMeans: means, range: range, step: step)
                != nil
        }
        let five: [Double] = [1, 2, 3, 4, 5]
        let means: [[Double]] = five.map { [$0] }
        #expect(search(five, means, 3...6, 1))
        #expect(!search(five, means, 3...6, 0))
        #expect(!search(five, means, 3...6, -1))
        #expect(!search(five, means, 0...1e300, 1))
        #expect(!search(five, Array(means.dropLast()), 3...6, 1))
        #expect(!search(five, means, -60...(-50), 1))
        #expect(!search([1, 2, 3], Array(means.prefix(3)), 3...6, 1))
    }
}
