/// How closely a model follows what was measured.
///
///     NMBE     = Σ(m − s) / ((n − p) · mean(m)) · 100 %
///     CV(RMSE) = √(Σ(m − s)² / (n − p)) / mean(m) · 100 %
///     R²       = 1 − Σ(m − s)² / Σ(m − mean(m))²
///     ρ        = Σ eᵢ·eᵢ₋₁ / Σ eᵢ²          with e = m − s, over periods that follow each other
///
/// m is measured, s what the model says, n the number of periods, p the number of parameters of the
/// model: for a regression its coefficients with the intercept, for a model that was not fitted to
/// these figures 0 or 1 by convention. The formulas are those of ASHRAE Guideline 14, from memory.
package struct FitQuality: Hashable, Sendable {
    /// n and p above.
    package var periods: Int
    package var parameters: Int
    /// Of what was measured, in kWh; above zero.
    package var mean: Double
    /// nil when all that was measured is equal.
    package var rSquared: Double?
    /// In per cent, not negative.
    package var cvRMSEPercent: Double
    /// In per cent; positive when the model says too little.
    package var nmbePercent: Double
    /// Of the residuals from one period to the next, −1 to 1; nil where it is not known.
    package var autocorrelation: Double?

    package init(
        periods: Int, parameters: Int, mean: Double, rSquared: Double?, cvRMSEPercent: Double,
        nmbePercent: Double, autocorrelation: Double?
    ) {
        self.periods = periods
        self.parameters = parameters
        self.mean = mean
        self.rSquared = rSquared
        self.cvRMSEPercent = cvRMSEPercent
        self.nmbePercent = nmbePercent
        self.autocorrelation = autocorrelation
    }

    /// R² less what every further variable gains by chance; nil where R² is, or without freedom.
    package var adjustedRSquared: Double? {
        guard periods > parameters else { return nil }
        return rSquared.map {
            1 - (1 - $0) * Double(periods - 1) / Double(periods - parameters)
        }
    }

    /// Compares what was measured with what a model says of the same periods.
    ///
    /// nil when the counts differ, when there are no more periods than parameters, when the mean is
    /// not above zero, or when something is not finite.
    ///
    /// - Parameter follows: whether the period at an index follows directly on the one before it;
    ///   nil to leave the autocorrelation out.
    package init?(
        measured: [Double], modelled: [Double], parameters: Int,
        follows: ((Int) -> Bool)? = nil
    ) {
        guard measured.count == modelled.count, parameters >= 0, measured.count > parameters
        else { return nil }
        let count = Double(measured.count)
        let mean = measured.reduce(0, +) / count
        guard mean > 0 else { return nil }
        let residuals = zip(measured, modelled).map { $0 - $1 }
        let squares = residuals.reduce(0) { $0 + $1 * $1 }
        let spread = measured.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        let freedom = Double(measured.count - parameters)
        let cv = (squares / freedom).squareRoot() / mean * 100
        let nmbe = residuals.reduce(0, +) / (freedom * mean) * 100
        guard cv.isFinite, nmbe.isFinite, spread.isFinite else { return nil }
        var autocorrelation: Double?
        if let follows, squares > 0 {
            let neighbours = residuals.indices.dropFirst().filter(follows)
            if !neighbours.isEmpty {
                autocorrelation =
                    neighbours.reduce(0) { $0 + residuals[$1] * residuals[$1 - 1] } / squares
            }
        }
        self.init(
            periods: measured.count, parameters: parameters, mean: mean,
            rSquared: spread > 0 ? 1 - squares / spread : nil, cvRMSEPercent: cv,
            nmbePercent: nmbe, autocorrelation: autocorrelation)
    }
}
