/// A linear model, energy = intercept + Σ coefficient · variable, fitted by ordinary least squares.
///
/// The columns are centred and brought to length one before Householder's reflections turn them
/// into a triangle: squares of large sums are never taken, and the length that remains of a column
/// tells how much of it the columns before it do not say already.
package struct LeastSquares: Hashable, Sendable {
    /// One coefficient with what is known of its precision.
    package struct Coefficient: Hashable, Sendable {
        package var value: Double
        /// Of `value`; zero when the model meets every figure exactly.
        package var standardError: Double
        /// How many times the variance grew because the variable resembles the others; 1 is best.
        /// nil for an intercept.
        package var varianceInflation: Double?

        package init(value: Double, standardError: Double, varianceInflation: Double? = nil) {
            self.value = value
            self.standardError = standardError
            self.varianceInflation = varianceInflation
        }

        /// `value` in standard errors; nil when the standard error is zero.
        package var tValue: Double? { standardError > 0 ? value / standardError : nil }
    }

    /// Why nothing can be fitted.
    package enum Refusal: Error, Hashable, Sendable {
        /// Fewer rows than coefficients plus one, or columns of different lengths.
        case tooFewRows(rows: Int, coefficients: Int)
        /// The column of this index has the same value in every row.
        case constant(column: Int)
        /// The columns before it already say what the column of this index says.
        case collinear(column: Int)
        case notFinite
    }

    package let intercept: Coefficient
    /// In the order of the columns.
    package let slopes: [Coefficient]
    /// What the model says of each row.
    package let fitted: [Double]

    /// What is left of a column of length one when it is taken as said by the others.
    private static let leastRemainder = 1e-7

    /// - Parameters:
    ///   - response: one figure for each row.
    ///   - columns: the variables, each with one figure for each row.
    package init(response: [Double], columns: [[Double]]) throws(Refusal) {
        let (rows, count) = (response.count, columns.count)
        guard rows > count + 1, columns.allSatisfy({ $0.count == rows }) else {
            throw .tooFewRows(rows: rows, coefficients: count + 1)
        }
        guard (columns + [response]).allSatisfy({ $0.allSatisfy(\.isFinite) }) else {
            throw .notFinite
        }
        let means = columns.map(Self.mean)
        var lengths: [Double] = []
        var scaled: [[Double]] = []
        for (index, column) in columns.enumerated() {
            let centred = column.map { $0 - means[index] }
            let length = Self.length(centred)
            guard length.isFinite else { throw .notFinite }
            let largest = column.reduce(0) { max($0, $1.magnitude) }
            // Centring leaves the rounding of the mean even where nothing varies.
            guard length > largest * Double(rows).squareRoot() * 1e-13 else {
                throw .constant(column: index)
            }
            lengths.append(length)
            scaled.append(centred.map { $0 / length })
        }
        let responseMean = Self.mean(response)
        var right = response.map { $0 - responseMean }
        let triangle = try Self.triangle(&scaled, &right)
        let inverse = Self.inverse(triangle)
        let slopes = (0..<count).map { row in
            (row..<count).reduce(0) { $0 + inverse[row][$1] * right[$1] } / lengths[row]
        }
        let fitted = (0..<rows).map { row in
            (0..<count).reduce(responseMean) {
                $0 + slopes[$1] * (columns[$1][row] - means[$1])
            }
        }
        let squares = zip(response, fitted).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        let variance = squares / Double(rows - count - 1)
        let intercept = (0..<count).reduce(responseMean) { $0 - slopes[$1] * means[$1] }
        guard variance.isFinite, intercept.isFinite, slopes.allSatisfy(\.isFinite) else {
            throw .notFinite
        }
        // (RᵀR)⁻¹ = R⁻¹·R⁻ᵀ: its diagonal is the inflation, and the intercept's variance is its
        // value at the means, seen in the scale of the columns.
        let inflations = inverse.map { $0.reduce(0) { $0 + $1 * $1 } }
        let atMeans = (0..<count).reduce(0) { total, column in
            let sum = (0...column).reduce(0) {
                $0 + inverse[$1][column] * means[$1] / lengths[$1]
            }
            return total + sum * sum
        }
        self.intercept = Coefficient(
            value: intercept,
            standardError: (variance * (1 / Double(rows) + atMeans)).squareRoot())
        self.slopes = (0..<count).map {
            Coefficient(
                value: slopes[$0],
                standardError: (variance * inflations[$0]).squareRoot() / lengths[$0],
                varianceInflation: inflations[$0])
        }
        self.fitted = fitted
    }

    /// Reflects the columns into an upper triangle, and the right side along with them.
    ///
    /// - Returns: the triangle by rows, as wide as there are columns.
    private static func triangle(
        _ columns: inout [[Double]], _ right: inout [Double]
    ) throws(Refusal) -> [[Double]] {
        let count = columns.count
        var triangle = Array(repeating: Array(repeating: 0.0, count: count), count: count)
        for pivot in 0..<count {
            var mirror = Array(columns[pivot][pivot...])
            let remainder = length(mirror)
            guard remainder > leastRemainder else { throw .collinear(column: pivot) }
            // Away from the pivot's sign, so that nothing cancels.
            let diagonal = mirror[0] > 0 ? -remainder : remainder
            mirror[0] -= diagonal
            let square = mirror.reduce(0) { $0 + $1 * $1 }
            triangle[pivot][pivot] = diagonal
            for column in (pivot + 1)..<max(count, pivot + 1) {
                reflect(&columns[column], in: mirror, square, from: pivot)
                triangle[pivot][column] = columns[column][pivot]
            }
            reflect(&right, in: mirror, square, from: pivot)
        }
        return triangle
    }

    private static func reflect(
        _ column: inout [Double], in mirror: [Double], _ square: Double, from pivot: Int
    ) {
        let product = mirror.indices.reduce(0) { $0 + mirror[$1] * column[pivot + $1] }
        let factor = 2 * product / square
        for index in mirror.indices { column[pivot + index] -= factor * mirror[index] }
    }

    /// The inverse of an upper triangle, itself one.
    private static func inverse(_ triangle: [[Double]]) -> [[Double]] {
        let count = triangle.count
        var inverse = Array(repeating: Array(repeating: 0.0, count: count), count: count)
        for column in 0..<count {
            inverse[column][column] = 1 / triangle[column][column]
            for row in (0..<column).reversed() {
                let sum = ((row + 1)...column).reduce(0) {
                    $0 + triangle[row][$1] * inverse[$1][column]
                }
                inverse[row][column] = -sum / triangle[row][row]
            }
        }
        return inverse
    }

    /// The mean, corrected by the mean of what is left: exact to the last bit but one.
    private static func mean(_ values: [Double]) -> Double {
        let count = Double(values.count)
        let first = values.reduce(0, +) / count
        return first + values.reduce(0) { $0 + ($1 - first) } / count
    }

    private static func length(_ values: [Double]) -> Double {
        values.reduce(0) { $0 + $1 * $1 }.squareRoot()
    }
}
