/// Finds the outdoor temperature from which on a building's heating or cooling shows in its energy.
///
/// For each balance temperature of a range the degree days of every period are added up and a
/// straight line is fitted through energy and degree days; the one with the smallest squares is
/// taken. For days this is the three-parameter change-point model, for months its degree-day form.
package struct ChangePointSearch: Hashable, Sendable {
    /// The balance temperature that was found.
    package let base: DegreeDayBase
    package let model: LeastSquares
    /// With three parameters: the balance temperature counts as one.
    package let quality: FitQuality
    /// Whether the best lies at an end of the range, so that a better one may lie outside.
    package let isAtEdge: Bool

    /// The most balance temperatures that are tried.
    package static let mostSteps = 1000

    /// nil when no balance temperature of the range gives a model: too few periods, energy without
    /// a positive mean, degree days that do not vary, or a range that is none.
    ///
    /// - Parameters:
    ///   - kind: heating or cooling.
    ///   - energy: of each period, in kWh.
    ///   - dailyMeans: of each period the daily mean outdoor temperatures in °C, all known.
    ///   - range: of balance temperatures, in °C.
    ///   - step: of the search, in K; above zero.
    package init?(
        _ kind: DegreeDayBase.Kind, energy: [Double], dailyMeans: [[Double]],
        range: ClosedRange<Double>, step: Double
    ) {
        let width = range.upperBound - range.lowerBound
        guard energy.count == dailyMeans.count, step > 0, step.isFinite, width.isFinite,
            width / step < Double(Self.mostSteps)
        else { return nil }
        let steps = Int((width / step + 1e-9).rounded(.down))
        var best: (step: Int, base: DegreeDayBase, model: LeastSquares, quality: FitQuality)?
        for index in 0...steps {
            let base = DegreeDayBase(kind, celsius: range.lowerBound + Double(index) * step)
            let degreeDays = dailyMeans.map { days in
                days.reduce(0) { $0 + base.degrees(ofDayAt: $1) }
            }
            // A base that no day reaches gives degree days that do not vary: not an error, only
            // not the balance temperature.
            guard let model = try? LeastSquares(response: energy, columns: [degreeDays]),
                let quality = FitQuality(
                    measured: energy, modelled: model.fitted, parameters: 3)
            else { continue }
            if let found = best, found.quality.cvRMSEPercent <= quality.cvRMSEPercent { continue }
            best = (index, base, model, quality)
        }
        guard let best else { return nil }
        base = best.base
        model = best.model
        quality = best.quality
        isAtEdge = best.step == 0 || best.step == steps
    }
}
